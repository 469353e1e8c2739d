from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.products.dolphot.images import mask_rules, write_chips
from hst123r.products.exposures import read_exposure
from hst123r.products.quality import data_quality

TARGETS = {"T": (150.1, 2.2)}
ALL = ["ACS/WFC", "ACS/HRC", "WFC3/UVIS", "WFC3/IR", "WFPC2"]
FILTERS = {"ACS/HRC": "F555W", "WFC3/IR": "F160W", "WFPC2": "F555W"}


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Make small subarrays of all detectors, and return their files."""
    from hst123r.archives.simulated import Simulation, make, planned, programmes
    from hst123r.records.position import parse
    from hst123r.records.target import Target

    found = {}
    for name in ALL:
        folder = tmp_path_factory.mktemp("small")
        date = "2012-04-01" if name.startswith("WFC3") else "2005-04-01"
        simulation = Simulation.model_validate({
            "observations": [{"detector": name, "filter": FILTERS.get(name, "F606W"),
                              "dates": [date], "exposures": 1, "exposure_time": "100 s",
                              "size": "64 pix"}],
            "stars": {"number": 0, "radius": "2 arcsec"},
            "pointing_error": "0 arcsec", "roll_error": "0 deg",
        })  # fmt: skip
        (programme,) = programmes(simulation, (Target("T", parse("150.1 2.2")),), folder).values()
        (entry,) = planned(programme)
        made = make(programme, entry.root, folder, None)
        found[name] = {role: str(path) for role, path in made.items() if role != "truth"}
    return found


@pytest.fixture
def exposure(small, tmp_path):
    """Return the files of a detector, complete for DOLPHOT, that a test may change."""

    def call(name):
        files = {}
        for role, path in small[name].items():
            files[role] = str(shutil.copy(path, tmp_path / Path(path).name))
        with fits.open(files["science"], mode="update") as hdus:
            hdus[0].header.update(RSDPFILL=-100, SATURATE=4095.0, CCDAMP="AC")
            for letter, noise in zip("ABCD", (4.1, 4.2, 4.3, 4.4), strict=True):
                hdus[0].header[f"READNSE{letter}"] = noise
            for hdu in hdus[1:]:
                if hdu.name == "SCI":
                    hdu.header.update(GOODMIN=-50.0, GOODMAX=60000.0)
        return files, read_exposure(files["science"], TARGETS)

    return call


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ALL)
def test_chips_of_all_detectors(name, exposure, tmp_path):
    files, record = exposure(name)
    before = {role: digest(path) for role, path in files.items()}
    chips = write_chips(files, record, tmp_path)
    assert before == {role: digest(path) for role, path in files.items()}
    facts = instruments.get(name).dolphot.mask
    quality = data_quality(files, record)
    tags = {chip.number: chip.tag for chip in facts.chips}
    assert [chip.name for chip in chips] == [f"{record.root}.chip{c.extver}" for c in record.chips]
    for chip in chips:
        with fits.open(chip.path) as hdus:
            assert len(hdus) == 1
            header, data = hdus[0].header, hdus[0].data
        assert header[facts.keyword] == tags[chip.number]
        assert header["INSTRUME"] == name.split("/")[0]
        assert header["EXPTIME0"] == header["EXPTIME"] == 100
        assert header["MJD-OBS"] == pytest.approx(record.middle_mjd)
        assert data.dtype.kind == "f"
        saturated = data > header["SATURATE"]
        bad = data < header["BADPIX"]
        assert (bad.sum(), saturated.sum()) == (chip.bad, chip.saturated)
        rules = mask_rules(instruments.get(name))
        flags = quality[chip.extver]
        hopeless = (flags & (rules.bad | rules.cosmic_rays | rules.saturated)) != 0
        assert (bad | saturated)[hopeless].all()
        with fits.open(files["science"]) as hdus:
            plain = hdus["SCI", chip.extver].data
        good = ~(bad | saturated)
        # areas, and what the program divides by; rates become electrons
        ratio = np.median(data[good] / plain[good])
        unit = 100 if name == "WFC3/IR" else 1
        assert ratio == pytest.approx(unit, rel=0.06)


@pytest.mark.parametrize("name", ["ACS/WFC", "WFPC2"])
def test_twice_is_the_same_as_once(name, exposure, tmp_path):
    files, record = exposure(name)
    chips = write_chips(files, record, tmp_path)
    first = [digest(chip.path) for chip in chips]
    assert [digest(c.path) for c in write_chips(files, record, tmp_path)] == first
    # what its own program masked has no data quality left
    with fits.open(files["science"], mode="update") as hdus:
        hdus["SCI", 1].header[instruments.get(name).dolphot.mask.keyword] = 1
    with pytest.raises(InputError, match=r"masked for DOLPHOT before.*as the archive has it"):
        write_chips(files, record, tmp_path)
    assert [digest(chip.path) for chip in chips] == first


@pytest.mark.parametrize(
    ("amplifiers", "noise"), [("ABCD", 4.35), ("C", 4.3), ("AD", 4.4), ("D", 4.4)]
)
def test_noise_is_that_of_the_amplifiers_of_the_chip(amplifiers, noise, exposure, tmp_path):
    files, record = exposure("ACS/WFC")
    with fits.open(files["science"], mode="update") as hdus:
        hdus[0].header["CCDAMP"] = amplifiers
    chip = write_chips(files, record, tmp_path)[0]
    assert chip.number == 2
    assert fits.getheader(chip.path)["RDNOISE"] == pytest.approx(noise)


def test_gain_and_noise_of_counts(exposure, tmp_path):
    files, record = exposure("WFPC2")
    header = fits.getheader(write_chips(files, record, tmp_path)[0].path)
    assert (header["GAIN"], header["RDNOISE"]) == (7.0, 5.0)
    with fits.open(files["science"], mode="update") as hdus:
        hdus[0].header["ATODGAIN"] = 15.0
    header = fits.getheader(write_chips(files, record, tmp_path)[0].path)
    assert (header["GAIN"], header["RDNOISE"]) == (14.0, 7.5)
    with fits.open(files["science"], mode="update") as hdus:
        hdus[0].header["ATODGAIN"] = 8.0
    with pytest.raises(InputError, match="its ATODGAIN is 8"):
        write_chips(files, record, tmp_path)


def test_the_place_of_a_subarray(exposure, tmp_path):
    files, record = exposure("ACS/WFC")
    with fits.open(files["science"]) as hdus:
        ltv = [hdus["SCI", 1].header[key] for key in ("LTV1", "LTV2")]
    header = fits.getheader(write_chips(files, record, tmp_path)[0].path)
    assert [header["DOL_OFFX"], header["DOL_OFFY"]] == [-round(value) for value in ltv]
    with fits.open(files["science"], mode="update") as hdus:
        del hdus["SCI", 1].header["LTV1"]
    with pytest.raises(InputError, match="a subarray, and its header has no LTV1"):
        write_chips(files, record, tmp_path)


def test_cosmic_rays_can_stay(exposure, tmp_path):
    files, record = exposure("ACS/WFC")
    with fits.open(files["science"], mode="update") as hdus:
        hdus["DQ", 1].data[5:9, 5:9] = 8192
    chip, *_ = write_chips(files, record, tmp_path)
    kept, *_ = write_chips(files, record, tmp_path, keep_cosmic_rays=True)
    assert kept.bad == chip.bad - 16


def test_limits_that_are_missing(exposure, tmp_path):
    files, record = exposure("ACS/WFC")
    with fits.open(files["science"], mode="update") as hdus:
        del hdus["SCI", 1].header["GOODMAX"]
    with pytest.raises(InputError, match=r"jsi00101q\[1\]: its header has no GOODMAX"):
        write_chips(files, record, tmp_path)
    assert not list(tmp_path.glob("*chip*"))


def test_pixels_that_are_known_to_be_hit_are_bad_too(exposure, tmp_path):
    files, record = exposure("ACS/WFC")
    plain = write_chips(files, record, tmp_path)
    hit = np.zeros(record.chips[0].shape, bool)
    hit[3, 4:9] = True
    more = write_chips(
        files, record, tmp_path, keep_cosmic_rays=True, cosmic_rays={1: hit}, tagged=False
    )
    assert plain[0].bad < more[0].bad <= plain[0].bad + 5
    assert plain[1].bad == more[1].bad
    with fits.open(more[0].path) as hdus:
        assert np.all(hdus[0].data[3, 4:9] < hdus[0].header["BADPIX"])
        # for the generic mode
        assert "DOL_ACS" not in hdus[0].header
