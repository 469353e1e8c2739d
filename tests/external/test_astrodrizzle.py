"""AstroDrizzle: what it makes, in which units, on which pixels, and when it makes nothing."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from hst123r import instruments
from hst123r.optics.encircled import published_light
from hst123r.products.exposures import open_wcs

RA, DEC = 150.1, 2.2
ROOTS = ("jsi00101q", "jsi00102q")
NAMES = [f"{root}_flc.fits" for root in ROOTS]
GRID = {
    "ra_deg": RA, "dec_deg": DEC, "crpix": [201.0, 301.0], "shape": [500, 400],
    "scale_arcsec": 0.05, "rotation_deg": 0.0,
}  # fmt: skip
SETTINGS = {
    "pixfrac": 0.8, "kernel": "square", "good_bits": 0, "weight": "EXP", "units": "cps",
    "sky": True, "reject_cosmic_rays": True, "combine_type": "minmed", "combine_nhigh": 0,
    "cr_snr": "3.5 3.0", "cr_scale": "1.2 0.7",
}  # fmt: skip


@pytest.fixture
def drizzle(outside, exposures):
    """Drizzle two exposures; keywords change the grid and the settings."""

    def call(*, folder=None, names=NAMES, grid=None, **settings):
        folder = exposures(*ROOTS) if folder is None else folder
        said = outside(
            "drizzle", folder, names=names, grid={**GRID, **(grid or {})},
            settings={**SETTINGS, **settings},
        )  # fmt: skip
        return said, folder

    return call


def image(said, folder, role="science"):
    return fits.getdata(folder / said[role])


def bright(finished):
    truth = Table.read(finished / "raw" / f"{ROOTS[0]}_truth.ecsv")
    truth.sort("magnitude")
    return truth


def test_counts_are_rates_times_the_exposure_time(drizzle, finished):
    said, folder = drizzle()
    rate, weight = image(said, folder), image(said, folder, "weight")
    header = fits.getheader(folder / said["science"])
    assert header["EXPTIME"] == 800.0
    for path in folder.glob("stack_*"):
        path.unlink()
    said, folder = drizzle(units="counts")
    counts = image(said, folder)
    covered = weight > 0
    assert np.allclose(counts[covered], 800.0 * rate[covered], rtol=1e-3, atol=0.5)
    # and the rate is that of the truth: the brightest star that is alone
    star = bright(finished)[0]
    x, y = open_wcs(header, None, "stack").all_world2pix([[star["ra"], star["dec"]]], 0)[0]
    rows, columns = np.indices(rate.shape)
    flux = float(rate[np.hypot(rows - y, columns - x) < 10].sum())
    light = published_light(instruments.get("ACS/WFC"), "F606W", 0.5)
    assert light is not None
    assert flux == pytest.approx(star["rate"] * light.fraction, rel=0.02)


def test_pixels_lie_where_they_were_asked_for(drizzle):
    said, folder = drizzle(
        grid={"rotation_deg": 30.0, "crpix": [101.0, 151.0], "shape": [300, 200],
              "scale_arcsec": 0.1}
    )  # fmt: skip
    header = fits.getheader(folder / said["science"])
    assert image(said, folder).shape == (300, 200)
    assert (header["CRPIX1"], header["CRPIX2"]) == (101.0, 151.0)
    wcs = open_wcs(header, None, "stack")
    assert np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix))) * 3600 == pytest.approx(0.1)
    ra, dec = wcs.all_pix2world([[100, 160]], 0)[0]
    # the y axis points 30 degrees east of north
    east = (ra - RA) * np.cos(np.radians(DEC))
    assert np.degrees(np.arctan2(east, dec - DEC)) == pytest.approx(30.0, abs=0.01)


def test_cosmic_rays_are_flagged_in_the_copies_and_left_out(drizzle, finished):
    said, folder = drizzle()
    truth = Table.read(finished / "raw" / f"{ROOTS[0]}_truth.ecsv")
    for version, hit in truth.meta["cosmic_ray_pixels"].items():
        with fits.open(folder / NAMES[0]) as hdus:
            flagged = int(((hdus["DQ", int(version)].data & 4096) != 0).sum())
        assert 0.5 * hit < flagged < 1.6 * hit
    with fits.open(finished / "raw" / NAMES[0]) as hdus:
        assert not (hdus["DQ", 1].data & 4096).any()
    clean = image(said, folder)
    said, folder = drizzle(folder=folder, reject_cosmic_rays=False)
    # flags that were set before count; only the sky is found differently, by less than the noise
    again = image(said, folder)
    assert np.array_equal(np.isnan(again), np.isnan(clean))
    covered = np.isfinite(clean)
    assert np.mean(np.abs(again - clean)[covered] < 1e-2) > 0.99


def test_no_path_of_this_machine_is_in_the_headers(drizzle):
    said, folder = drizzle()
    for role in ("science", "weight", "context"):
        text = (folder / said[role]).read_bytes()
        assert str(folder).encode() not in text


@pytest.mark.parametrize("time", [0.0])
def test_no_valid_input_is_an_error_although_it_ends_normally(drizzle, exposures, time):
    folder = exposures(*ROOTS)
    for name in NAMES:
        fits.setval(folder / name, "EXPTIME", value=time)
    said, _ = drizzle(folder=folder)
    assert "AstroDrizzle" in said["error"]
    assert not list(folder.glob("stack_dr?_sci.fits"))


def test_a_missing_file_is_an_error(drizzle, exposures):
    folder = exposures(ROOTS[0])
    said, _ = drizzle(folder=folder, names=["jsi00999q_flc.fits"])
    assert "AstroDrizzle" in said["error"]


@pytest.mark.heavy
def test_wfpc2_stacks_are_found_under_their_own_name(drizzle, tmp_path):
    """AstroDrizzle calls them `_drw`; their exposures are two files, in counts."""
    from hst123r.archives.simulated import Simulation, make, planned, programmes
    from hst123r.records.position import parse
    from hst123r.records.target import Target

    simulation = Simulation.model_validate(
        {
            "observations": [
                {"detector": "WFPC2", "filter": "F555W", "dates": ["2005-04-01"],
                 "exposures": 2, "exposure_time": "100 s", "size": "96 pix"},
            ],
            "stars": {"number": 5, "radius": "2 arcsec"},
        }
    )  # fmt: skip
    (programme,) = programmes(simulation, (Target("T", parse(f"{RA} {DEC}")),), tmp_path).values()
    folder = tmp_path / "wfpc2"
    folder.mkdir()
    made = [make(programme, entry.root, folder, None) for entry in planned(programme)]
    names = [files["science"].name for files in made]
    said, _ = drizzle(folder=folder, names=names, grid={"shape": [300, 300]}, sky=False)
    assert said["science"] == "stack_drw_sci.fits"
    assert set(said) == {"science", "weight", "context", "apart"}
    assert (image(said, folder, "weight") > 0).mean() > 0.2
    shutil.rmtree(folder)


def test_a_dgeofile_without_npolfile_is_no_question(drizzle, exposures):
    """Drizzlepac asked on the keyboard what to do, and nobody sits there."""
    folder = exposures(*ROOTS)
    for name in NAMES:
        with fits.open(folder / name, mode="update") as hdus:
            hdus[0].header.pop("NPOLFILE", None)
            hdus[0].header["DGEOFILE"] = "jref$qbu16424j_dxy.fits"
    said, _ = drizzle(folder=folder)
    assert "error" not in said


@pytest.fixture
def four_chips(tmp_path):
    """Make a WFPC2 exposure whose chips hold one bright square each, all alike."""
    from hst123r.archives.simulated import Simulation, make, planned, programmes
    from hst123r.records.position import parse
    from hst123r.records.target import Target

    folder = tmp_path / "wfpc2"
    folder.mkdir()
    simulation = Simulation.model_validate(
        {
            "observations": [
                {"detector": "WFPC2", "filter": "F555W", "dates": ["2005-04-01"], "exposures": 1,
                 "exposure_time": "100 s", "size": "64 pix"},
            ],
            "stars": {"number": 1, "radius": "1 arcsec"},
        }
    )  # fmt: skip
    target = Target("T", parse(f"{RA} {DEC}"))
    (programme,) = programmes(simulation, (target,), folder).values()
    (entry,) = planned(programme)
    files = make(programme, entry.root, folder, None)
    rng = np.random.default_rng(1)
    for role in ("science", "dq"):
        with fits.open(files[role], mode="update") as hdus:
            for hdu in hdus[1:]:
                hdu.data[:] = 0 if role == "dq" else rng.normal(0, 1, hdu.data.shape)
                if role == "science":
                    hdu.data[24:40, 24:40] += 1000
    return files["science"]


def test_counts_of_all_chips_stay_what_they_are(drizzle, four_chips):
    """Each chip was multiplied by its own gain, and the stack divided by that of the last one."""
    with fits.open(four_chips) as hdus:
        centres = [
            open_wcs(hdus["SCI", n].header, hdus, "chip").all_pix2world([[32, 32]], 0)[0]
            for n in (2, 3, 4)
        ]
    ra, dec = np.mean(centres, axis=0)
    grid = {"ra_deg": float(ra), "dec_deg": float(dec), "crpix": [700.0, 700.0],
            "shape": [1400, 1400], "scale_arcsec": 0.1}  # fmt: skip
    said, folder = drizzle(
        folder=four_chips.parent, names=[four_chips.name], grid=grid, gain=7.0,
        reject_cosmic_rays=False, pixfrac=1.0,
    )  # fmt: skip
    stack = image(said, folder)
    wcs = open_wcs(fits.getheader(folder / said["science"]), None, "stack")
    found = []
    for x, y in wcs.all_world2pix(centres, 0).round().astype(int):
        found.append(float(np.nanmedian(stack[y - 4 : y + 5, x - 4 : x + 5])))
    # with the gains of the chips the second is 3 % lower; without sky AstroDrizzle uses none
    assert np.ptp(found) < 0.01 * np.mean(found)


def test_one_gain_is_set_before_anything_else_of_drizzlepac_is_used():
    """In a process of its own, since every test here imports drizzlepac."""
    text = f"""
from hst123r.external.astrodrizzle import Settings, prepare
prepare([], Settings(**{SETTINGS}, gain=5.5))
from drizzlepac import wfpc2Data
print({{s[0] for c in wfpc2Data.WFPC2_GAINS.values() for s in c.values()}})
"""
    said = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert said.stdout.strip().endswith("{5.5}"), said.stderr
