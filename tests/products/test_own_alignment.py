"""An exposure whose header is wrong, brought back by a fit of our own."""

import numpy as np
import pytest
from astropy.io import fits

from hst123r.errors import StageError
from hst123r.products.exposures import open_chips
from hst123r.products.own_alignment import align_exposure
from hst123r.sources.alignment import Frame, ReferenceStars, compare
from hst123r.sources.stars import ChipStars

FRAME = Frame(scale_arcsec=0.05, search_pix=20.0, tolerance_pix=1.0, geometry="rshift")


@pytest.fixture
def case(acs, read):
    """Return the record, stars at random pixels, and a catalogue 0.1 arcsec beside them."""
    exposure = read(acs)
    wcs = open_chips(acs["science"], exposure)
    rng = np.random.default_rng(4)
    chips, places = {}, []
    for version in wcs:
        x, y = rng.uniform(0, 64, (2, 12))
        ones = np.ones(12)
        chips[version] = ChipStars(
            x, y, ones, ones, ones, 0.1 * ones, 0.01 * ones, 5e-4 * ones, np.zeros((4, 2))
        )
        places.append(wcs[version].all_pix2world(np.stack([x, y], axis=1), 0))
    ra, dec = np.concatenate(places).T
    reference = ReferenceStars(ra, dec + 0.1 / 3600, np.full(24, 5e-4), np.ones(24))
    return exposure, chips, reference


def left(acs, exposure, chips, reference):
    return compare(chips, open_chips(acs["science"], exposure), reference, FRAME)


def test_the_wcs_is_corrected_and_the_old_one_kept(acs, case):
    before = left(acs, *case)
    assert before.offset_mas == pytest.approx(100, abs=0.1)
    old = fits.getheader(acs["science"], ("SCI", 2))
    found = align_exposure(acs, case[0], before, FRAME)
    assert found.fitted == 24
    after = left(acs, *case)
    assert max(after.rms_mas) < 1e-3
    assert after.is_aligned
    header = fits.getheader(acs["science"], ("SCI", 2))
    assert header["WCSNAME"] == "HST123R"
    assert header["CRVAL2"] != old["CRVAL2"]
    kept = [key for key, value in header.items() if key.startswith("WCSNAME")
            and value == old["WCSNAME"]]  # fmt: skip
    (letter,) = [key[-1] for key in kept]
    for keyword in ("CRVAL1", "CRVAL2", "CD1_1", "CD2_2", "CRPIX1"):
        assert header[keyword + letter] == pytest.approx(old[keyword], rel=1e-12)
    assert all(header[key] == old[key] for key in old if key.startswith(("A_", "B_", "CRPIX")))


def test_a_second_fit_makes_no_second_alternate(acs, case):
    for _ in range(2):
        align_exposure(acs, case[0], left(acs, *case), FRAME)
    header = fits.getheader(acs["science"], ("SCI", 1))
    assert "HST123R" not in [v for k, v in header.items() if k.startswith("WCSNAME") and k[7:]]


def test_without_pairs_nothing_is_touched(acs, case):
    exposure, chips, _ = case
    empty = ReferenceStars(*(np.zeros(0) for _ in range(4)))
    before = fits.getheader(acs["science"], ("SCI", 1)).tostring()
    assert align_exposure(acs, exposure, left(acs, exposure, chips, empty), FRAME) is None
    assert fits.getheader(acs["science"], ("SCI", 1)).tostring() == before


def test_a_wcs_that_cannot_be_corrected_is_a_sentence(acs, case, monkeypatch):
    def refuse(*_):
        raise ValueError("Unsupported WCS structure")

    monkeypatch.setattr("hst123r.sources.corrections.correct", refuse)
    with pytest.raises(StageError, match="cannot be corrected: Unsupported"):
        align_exposure(acs, case[0], left(acs, *case), FRAME)
