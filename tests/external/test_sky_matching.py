"""Skies of exposures: matched by both engines, and an error where they cannot be."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from hst123r.external.sky_matching import LEAST_PIXELS, _beside_most, _ties

ROOTS = ("jsi00101q", "jsi00102q")
NAMES = [f"{root}_flc.fits" for root in ROOTS]
BRIGHTER = 30.0
"""Electrons by which the sky of the second exposure is brighter, three times its noise."""
GRID = {
    "ra_deg": 150.1, "dec_deg": 2.2, "crpix": [150.0, 150.0], "shape": [300, 300],
    "scale_arcsec": 0.1, "rotation_deg": 0.0,
}  # fmt: skip
SETTINGS = {
    "pixfrac": 0.8, "kernel": "square", "good_bits": 96, "weight": "EXP", "units": "cps",
    "sky": True, "reject_cosmic_rays": False, "combine_type": "minmed", "combine_nhigh": 0,
    "cr_snr": "3.5 3.0", "cr_scale": "1.2 0.7",
}  # fmt: skip


@pytest.fixture(params=["astrodrizzle", "drizzle"])
def drizzle(request, outside, exposures, tmp_path):
    """Drizzle two exposures after something was done to the second."""

    def call(name, change, **more):
        folder = tmp_path / name
        shutil.copytree(exposures(*ROOTS), folder)
        with fits.open(folder / NAMES[1], mode="update") as hdus:
            for version in (1, 2):
                change(hdus, version)
        said = outside(
            "drizzle", folder, engine=request.param, names=NAMES, grid=GRID,
            settings={**SETTINGS, **more},
        )  # fmt: skip
        return said, folder

    return call


def brighten(hdus, version):
    hdus["SCI", version].data += BRIGHTER


def flag(hdus, version):
    hdus["DQ", version].data |= 16


def nothing(hdus, version):
    assert hdus["SCI", version].data.any()


def test_a_brighter_sky_is_taken_off_the_exposure_that_has_it(drizzle):
    images, skies = [], []
    for change in (nothing, brighten):
        said, folder = drizzle(change.__name__, change)
        assert "error" not in said, said
        images.append(fits.getdata(folder / said["science"]))
        skies.append([fits.getval(folder / name, "MDRIZSKY", "SCI", 1) for name in NAMES])
    (first, second), (same, brighter) = skies
    # two exposures of a visit have one sky; each is measured to a part of an electron
    assert second == pytest.approx(first, abs=4.0)
    assert same == pytest.approx(first, abs=0.01)
    assert brighter - second == pytest.approx(BRIGHTER, abs=0.01)
    covered = np.isfinite(images[0]) & (images[0] != 0)
    assert covered.sum() > 10_000
    assert np.abs(images[1] - images[0])[covered].max() < 1e-3 * BRIGHTER / 400


@pytest.mark.heavy
def test_skies_that_cannot_be_matched_are_an_error(drizzle):
    """drizzlepac would take the lowest sky off all of them, or end with words about NoneType."""
    said, _ = drizzle("flagged", flag)
    assert "the skies of the exposures could not be matched" in said["error"]
    assert "sky_method: globalmin" in said["error"]
    said, _ = drizzle("left", flag, sky=False)
    assert "error" not in said, said


def all_but(pixels):
    """Return what flags a chip but for so many pixels in its middle."""

    def change(hdus, version):
        plane = hdus["DQ", version].data
        rows, columns = plane.shape
        free = np.zeros(plane.size, bool)
        # in rows of the middle, so that both exposures have them in common
        first = rows // 2 * columns + columns // 2 - pixels // 20
        for row in range(10):
            free[first + row * columns :][: pixels // 10] = True
        plane[~free.reshape(plane.shape)] |= 16

    return change


@pytest.mark.heavy
def test_a_handful_of_pixels_is_no_sky_in_common(drizzle):
    said, folder = drizzle("few", all_but(LEAST_PIXELS // 4))
    assert said["apart"] == NAMES
    # so one sky is taken off both: the lowest
    assert len({fits.getval(folder / name, "MDRIZSKY", "SCI", 1) for name in NAMES}) == 1
    said, _ = drizzle("enough", all_but(2 * LEAST_PIXELS))
    assert said["apart"] == []


def test_who_no_chain_of_ties_connects_with_most_is_beside_them():
    shared = np.zeros((5, 5))
    # 0 with 1, and 1 with 4; 2 has too few pixels that are good in itself; 3 with nobody
    for one, other, own, others in ((0, 1, 1, 1), (1, 4, 2, 3), (2, 4, 9, 0.999)):
        shared[one, other], shared[other, one] = own * LEAST_PIXELS, others * LEAST_PIXELS
    assert _beside_most(_ties(shared)) == [2, 3]
    assert _beside_most(_ties(np.full((3, 3), LEAST_PIXELS))) == []
    assert _beside_most(_ties(np.zeros((1, 1)))) == []
    assert _beside_most(_ties(np.zeros((2, 2)))) == [0, 1]


@pytest.mark.heavy
@pytest.mark.parametrize("engine", ["astrodrizzle", "drizzle"])
def test_who_is_beside_most_is_named_where_quality_has_a_file_of_its_own(
    outside, frames, tmp_path, engine
):
    """The stage knows exposures by the names of their science files."""
    folder = tmp_path / "made"
    made = frames(folder, "WFPC2", "F555W", exposures=2)
    names = [Path(files["science"]).name for files in made]
    quality = Path(made[1]["dq"])
    quality.chmod(0o644)
    with fits.open(quality, mode="update") as hdus:
        for hdu in hdus[1:]:
            good = hdu.data[60:65, 60:65].copy()
            hdu.data |= 16
            hdu.data[60:65, 60:65] = good
    said = outside(
        "drizzle", folder, engine=engine, names=names, grid={**GRID, "shape": [600, 600]},
        settings={**SETTINGS, "gain": 7.0},
    )  # fmt: skip
    assert said.get("apart") == names, said
