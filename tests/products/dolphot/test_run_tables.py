from __future__ import annotations

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.products.dolphot import run_tables
from hst123r.products.dolphot.run_tables import psf_star_columns, read_table


def test_alignment_stars_are_where_they_were_expected(samples):
    table = read_table(samples / "generic" / "p2.phot.align", run_tables.ALIGNMENT)
    assert len(table["x"]) == 233
    assert set(table["image"]) == {2}
    # the last two columns of a star are its place by the solution
    assert np.abs(table["dx"] - table["x"]).max() < 0.1
    assert np.median(table["x"] - table["x_reference"]) == pytest.approx(3.37, abs=0.01)


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("generic/p2.phot.apcor", run_tables.APERTURE, 195),
        ("generic/p2.phot.psfs", psf_star_columns(2), 109),
        ("wfc3_uvis/noref.phot.apcor.head40", run_tables.APERTURE, 40),
        ("wfc3_uvis/noref.phot.psfs", psf_star_columns(4), None),
        ("acs_wfc3_multi/multi.phot.align.head40", run_tables.ALIGNMENT, 40),
        ("public_real_acs_generic/j9ec41011_drz_dolphot.apcor.head100", run_tables.APERTURE, None),
        ("public_real_acs_generic/j9ec41afq_flc_dolphot.apcor.head100", run_tables.APERTURE, None),
        ("public_real_acs_generic/j9ec41aiq_flc_dolphot.psfs", psf_star_columns(1), None),
    ],
)
def test_real_files(samples, name, columns, rows):
    table = read_table(samples / name, columns)
    lines = (samples / name).read_text().count("\n")
    assert {len(values) for values in table.values()} == {lines}
    assert rows in (None, lines)


def test_other_columns(samples):
    with pytest.raises(InputError, match="there are 6 numbers"):
        read_table(samples / "generic" / "p2.phot.psfs", psf_star_columns(1))
