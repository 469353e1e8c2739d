"""The engine `drizzle` beside AstroDrizzle: the same pixels, masks and cards.

AstroDrizzle is told to take the position of every pixel from the WCS (its ``stepsize`` 1), because
its usual linear interpolation between every tenth is what differs most. That reaches its drizzling
and not its blotting, so single flags of cosmic rays may differ.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tiers import these

RA, DEC = 150.1, 2.2
FILTERS = {
    "ACS/WFC": ("F606W", 0.05), "ACS/HRC": ("F606W", 0.025), "WFC3/UVIS": ("F606W", 0.04),
    "WFC3/IR": ("F160W", 0.1), "WFPC2": ("F555W", 0.1),
}  # fmt: skip
SETTINGS = {
    "pixfrac": 0.8, "kernel": "square", "good_bits": 96, "weight": "EXP", "units": "cps",
    "sky": True, "reject_cosmic_rays": True, "combine_type": "minmed", "combine_nhigh": 0,
    "cr_snr": "3.5 3.0", "cr_scale": "1.2 0.7",
}  # fmt: skip
BESIDE = ("c1m.fits", "pfl.fits")
"""Files that belong to exposures."""
PLANES = ("science", "weight", "context")


def grid(scale, size, ra=RA, dec=DEC):
    return {
        "ra_deg": ra, "dec_deg": dec, "crpix": [size / 2, size / 2], "shape": [size, size],
        "scale_arcsec": scale, "rotation_deg": 10.0,
    }  # fmt: skip


@pytest.fixture
def both(outside, tmp_path):
    """Drizzle files with both engines; the images and flags of each, by its name."""

    def call(files, placed, **settings):
        found = {}
        for engine in ("astrodrizzle", "drizzle"):
            folder = tmp_path / engine
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for path in files:
                shutil.copy(path, folder)
                (folder / Path(path).name).chmod(0o644)
            names = [Path(path).name for path in files if not str(path).endswith(BESIDE)]
            more = {"stepsize": 1, **settings.get("more", {})}
            said = outside(
                "drizzle", folder, engine=engine, names=names, grid=placed,
                settings={**SETTINGS, **settings, "more": more},
            )  # fmt: skip
            assert "error" not in said, said
            images = {role: fits.getdata(folder / said[role]) for role in PLANES}
            header = fits.getheader(folder / said["science"])
            found[engine] = (images, header, flags(folder))
        return found["astrodrizzle"], found["drizzle"]

    return call


def flags(folder):
    """Data quality of all chips, one after the other."""
    planes = []
    for path in sorted(folder.glob("[a-z]*si*_*.fits")):
        with fits.open(path) as hdus:
            planes += [
                hdu.data.ravel() for hdu in hdus[1:] if hdu.name == "DQ" or "c1m" in path.name
            ]
    return np.concatenate(planes)


def compare(theirs, ours, within=1e-3):
    """Demand the same stack: pixels within a part of the noise, and the same context.

    The noise is that of the blank sky; five pixels in 10 000, in the cores of bright stars,
    may differ by up to ten times the part. Pixels that a chip touches with less than 1 % of its
    weight are let off: a few millionths of a pixel are much of such a corner.
    """
    (a, _, before), (b, _, after) = theirs, ours
    assert ((before ^ after) & ~4096 == 0).all()
    differ = (before ^ after) != 0
    assert differ.mean() < 2e-4
    covered = (a["weight"] > 0.01 * a["weight"].max()) & (b["weight"] > 0)
    assert covered.mean() > 0.02
    values = a["science"][covered]
    noise = 1.4826 * np.median(np.abs(values - np.median(values)))
    away = np.abs(b["science"] - a["science"])[covered] / noise
    # where a flag of a cosmic ray differs, the pixels under its drop do
    assert (away > within).sum() <= 30 * differ.sum() + 5e-4 * away.size
    assert (a["context"] != b["context"]).sum() <= 30 * differ.sum()
    if not differ.any():
        assert np.array_equal(a["weight"] > 0, b["weight"] > 0)
        assert away.max() < 10 * within
    weights = np.abs(b["weight"] / np.where(covered, a["weight"], 1) - 1)[covered]
    assert np.median(weights) < 1e-6


@pytest.fixture(scope="module")
def acs(module_folder, frames):
    """Two exposures with cosmic rays."""
    made = frames(module_folder("acs") / "made", "ACS/WFC", "F606W", exposures=2)
    return [files["science"] for files in made]


def test_the_stack_is_that_of_astrodrizzle(both, acs):
    theirs, ours = both(acs, grid(0.05, 500))
    compare(theirs, ours)
    assert (ours[2] & 4096 != 0).sum() > 300
    told, header = theirs[1], ours[1]
    differ = {k for k in {*told, *header} - {"HISTORY", ""} if told.get(k) != header.get(k)}
    assert {k for k in differ if not k.startswith("D0")} <= {"DRIZPARS"}
    assert {k[4:] for k in differ if k.startswith("D0")} == {"VER"}
    assert header["D001VER"].startswith("drizzle ")


def test_a_stack_that_cuts_through_chips_loses_nothing_at_its_edges(both, acs):
    """The kernels alone lose drops there; counts, and weights by ERR, with another kernel."""
    placed = grid(0.05, 130, RA + 0.0012, DEC + 0.0007)
    theirs, ours = both(acs, placed, kernel="turbo", weight="ERR", units="counts", pixfrac=0.6,
                        combine_type="median")  # fmt: skip
    compare(theirs, ours)
    assert (ours[0]["weight"] > 0).mean() > 0.5


def test_the_user_rules_hold(both, acs):
    """Another fill, no sky, static masks, boxes and tails around cosmic rays, and limits."""
    more = {
        "static": True, "driz_cr_grow": 3, "driz_cr_ctegrow": 2, "combine_lthresh": -1000.0,
        "combine_hthresh": 9e4, "combine_maskpt": 0.4, "combine_grow": 2, "final_fillval": -9.0,
        "combine_nsigma": "5 2",
    }  # fmt: skip
    theirs, ours = both(acs, grid(0.06, 400), sky=False, kernel="gaussian",
                        combine_type="iminmed", more=more)  # fmt: skip
    compare(theirs, ours)
    assert float(ours[1]["D001FVAL"]) == -9.0


def test_weights_by_the_flat_field_are_those_of_astrodrizzle(both, acs, tmp_path):
    """IVM takes flat, dark and read noise; one half of each chip has half the sensitivity."""
    flat = tmp_path / "flat_pfl.fits"
    hdus, files = [fits.PrimaryHDU()], []
    for version in (1, 2):
        values = np.random.default_rng(1).normal(1.0, 0.1, fits.getdata(acs[0], 1).shape)
        values[:, : values.shape[1] // 2] *= 0.5
        hdus.append(fits.ImageHDU(values.astype("f4"), name="SCI", ver=version))
    fits.HDUList(hdus).writeto(flat)
    for path in acs:
        files.append(Path(shutil.copy(path, tmp_path)))
        files[-1].chmod(0o644)
        fits.setval(files[-1], "PFLTFILE", value=flat.name)
    theirs, ours = both([*files, flat], grid(0.05, 300), weight="IVM")
    compare(theirs, ours)
    weight = ours[0]["weight"]
    some = weight[weight > 0.01 * weight.max()]
    assert np.percentile(some, 90) > 2 * np.percentile(some, 10)


def test_no_valid_input_is_an_error(outside, acs, tmp_path):
    for path in acs:
        shutil.copy(path, tmp_path)
        (tmp_path / Path(path).name).chmod(0o644)
        fits.setval(tmp_path / Path(path).name, "EXPTIME", value=0.0)
    said = outside(
        "drizzle", tmp_path, engine="drizzle", names=[Path(path).name for path in acs],
        grid=grid(0.05, 500), settings=SETTINGS,
    )  # fmt: skip
    assert "none of the exposures" in said["error"]


@pytest.mark.heavy
@pytest.mark.parametrize("how", ["outside", "flagged"])
@pytest.mark.parametrize("kind", ["minmed", "median"])
def test_an_exposure_without_weight_says_nothing_of_cosmic_rays(outside, acs, tmp_path, how, kind):
    """Two exposures, and a third that lies elsewhere or is bad everywhere: not one more hit."""
    third = tmp_path / "jsi00103q_flc.fits"
    shutil.copy(acs[1], third)
    third.chmod(0o644)
    with fits.open(third, mode="update") as hdus:
        hdus[0].header["ROOTNAME"], hdus[0].header["FILENAME"] = "jsi00103q", third.name
        for hdu in hdus[1:]:
            if how == "outside" and "CRVAL1" in hdu.header:
                hdu.header["CRVAL1"] += 0.05
            if how == "flagged" and hdu.name == "DQ":
                hdu.data[:] |= 16
    hits = []
    for number, files in enumerate((acs, [*acs, third])):
        folder = tmp_path / str(number)
        folder.mkdir()
        for path in files:
            shutil.copy(path, folder)
            (folder / Path(path).name).chmod(0o644)
        said = outside(
            "drizzle", folder, engine="drizzle", names=[Path(path).name for path in files],
            grid=grid(0.05, 300),
            # the sky of one that is bad everywhere stops drizzlepac itself
            settings={**SETTINGS, "combine_type": kind, "sky": how == "outside"},
        )  # fmt: skip
        assert "error" not in said, said
        for path in folder.glob("jsi00103q*"):
            path.unlink()
        hits.append(flags(folder) & 4096 != 0)
    assert hits[0].sum() > 300
    assert (hits[1] & ~hits[0]).sum() < 5


@pytest.mark.heavy
@pytest.mark.parametrize("detector", these(FILTERS, "ACS/WFC", "ACS/HRC"))
def test_every_detector(both, frames, tmp_path, detector):
    """Electrons, rates and counts; one, two and four chips; data quality in another file."""
    name, scale = FILTERS[detector]
    made = frames(tmp_path / "made", detector, name)
    files = [files[role] for files in made for role in ("science", "dq") if role in files]
    counts = {"gain": 7.0} if detector == "WFPC2" else {}
    ramps = {"reject_cosmic_rays": False} if detector == "WFC3/IR" else {}
    for more in ({"kernel": "square"}, {"kernel": "turbo", "units": "counts", "pixfrac": 0.6}):
        theirs, ours = both(files, grid(scale, round(30 / scale)), **more, **counts, **ramps)
        compare(theirs, ours)
    theirs, ours = both(files, grid(scale, 120), **counts, **ramps)
    compare(theirs, ours)
