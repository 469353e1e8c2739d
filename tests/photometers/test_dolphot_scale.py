"""What all magnitudes of a filter by DOLPHOT share."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from hst123r import instruments
from hst123r.optics.encircled import aperture_correction
from hst123r.photometers.dolphot_images import ChipPlace
from hst123r.photometers.dolphot_scale import systematic_mag, unknown_errors
from hst123r.photometry.flags import Flag
from hst123r.records.exposure import Chip, Exposure
from hst123r.sources.measured import Measurements


def run_of(*filters, chips=1):
    """Return a run of an exposure of ACS/HRC in each filter, with so many chips."""
    values = dict.fromkeys(Exposure.__dataclass_fields__)
    places = []
    for number, through in enumerate(filters):
        listed = [
            Chip(n, 1, [8, 8], "ELECTRONS", 1e-19, 8100.0, 25.0, 24.0, 1.0, 0.0)
            for n in range(1, chips + 1)
        ]
        exposure = Exposure(
            **{**values, "root": f"j{number}", "detector": "ACS/HRC", "filter": through,
               "chips": listed}
        )  # fmt: skip
        places += [ChipPlace(number, exposure, chip) for chip in listed]
    return SimpleNamespace(chips=places)


def measured(extver, flags=None):
    """Return measurements of sources on these chips, of shape (exposures, sources); 0 for none."""
    extver = np.array(extver)
    flags = np.zeros(extver.shape, int) if flags is None else np.array(flags)
    arrays = dict.fromkeys(Measurements.__dataclass_fields__, np.ones(extver.shape))
    usable = np.where(extver > 0, 1.0, 0.0)
    return Measurements(**{**arrays, "extver": extver, "flags": flags, "usable": usable})


@pytest.fixture(scope="module")
def beyond():
    """Return the error of the light outside DOLPHOT's aperture of ACS/HRC F814W."""
    found = aperture_correction(instruments.get("ACS/HRC"), "F814W", 1, radius_arcsec=0.3)
    assert 0.02 < found.error_mag < 0.03
    return found.error_mag


def test_both_errors_are_there_and_more_images_make_it_no_smaller(beyond):
    run, both = run_of("F814W", "F814W"), measured([[1], [1]])
    alike = systematic_mag(run, [0.01, 0.01], [0, 1], both)
    assert alike == pytest.approx([math.hypot(0.01, beyond)])
    unlike = systematic_mag(run, [0.01, 0.02], [0, 1], both)
    assert unlike == pytest.approx([math.sqrt(2.5e-4 + beyond**2)])
    second = systematic_mag(run, [0.0, 0.02], [1], both)
    assert second == pytest.approx([math.hypot(0.02, beyond)])


def test_an_image_of_an_unknown_error_is_unknown_for_what_is_measured_there(beyond):
    run = run_of("F814W", "F814W", chips=2)
    # on the first chip, on the second, on both in turn, nowhere, and flagged in one exposure
    found = measured([[1, 2, 1, 0, 1], [1, 2, 2, 0, 2]], [[0] * 5, [0] * 4 + [Flag.SATURATED]])
    first, second, both, none, flagged = systematic_mag(
        run, [0.01, 0.02, 0.03, math.nan], [0, 1], found
    )
    assert first == pytest.approx(math.sqrt((0.01**2 + 0.03**2) / 2 + beyond**2))
    assert math.isnan(second)
    assert math.isnan(both)
    assert math.isnan(none)
    assert flagged == pytest.approx(math.hypot(0.01, beyond))


def test_what_is_not_known_is_said_by_filter():
    run = run_of("F814W", "F606W", "F814W", "F555W")
    blue, red = unknown_errors(run, [math.nan, math.nan, math.nan, 0.01])
    assert blue.text.startswith("ACS/HRC F606W: ")
    assert "for j1.chip1, so" in blue.text
    assert red.text.startswith("ACS/HRC F814W: ")
    assert "for j0.chip1, j2.chip1, so" in red.text
    assert unknown_errors(run, [0.01, 0.02, 0.01, 0.01]) == []
