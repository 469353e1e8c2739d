from __future__ import annotations

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.products.dolphot import catalogue as module
from hst123r.products.dolphot.catalogue import read_catalogue, read_rows
from hst123r.products.dolphot.columns import read_columns


def run(samples, name):
    return read_catalogue(samples / name, read_columns(samples / f"{name}.columns"))


def truth(samples, folder):
    return np.loadtxt(samples / folder / "truth.txt")


def nearest(found, stars):
    """Return for each star the row that is nearest, and how far that is."""
    away = np.hypot(*(found.objects[a][:, None] - stars[:, i] for i, a in enumerate("xy")))
    return away.argmin(axis=0), away.min(axis=0)


@pytest.mark.parametrize(
    ("name", "rows"),
    [("generic/p2.phot", 325), ("wfc3_uvis/noref.phot", 590), ("wfpc2_pc/wfpc2.phot", 325),
     ("acs_wfc3_multi/multi.phot", 645)],
)  # fmt: skip
def test_every_number_of_the_real_catalogues(samples, name, rows):
    found = run(samples, name)
    assert len(found) == rows
    assert found.not_numbers == 0
    plain = np.loadtxt(samples / name)
    blocks = [*zip(found.layout.combined, found.combined, strict=True)]
    blocks += zip(found.layout.images, found.images, strict=True)
    for column, place in found.layout.objects.items():
        assert np.array_equal(found.objects[column], plain[:, place].astype("f4")) or column in "xy"
    assert np.array_equal(found.objects["x"], plain[:, 2])
    for block, values in blocks:
        written = plain[:, block.columns["mag"]]
        assert np.array_equal(np.isfinite(values["mag"]), written < 99)
        assert not np.isfinite(values.get("mag_transformed", np.nan)).any()
        for column, place in block.columns.items():
            known = np.isfinite(values[column])
            assert np.array_equal(values[column][known], plain[known, place].astype("f4"))
        assert values["flag"].dtype == np.int64


@pytest.mark.parametrize(
    ("name", "column", "offset", "stars"),
    [
        # the truth of the generic run is the magnitude that DOLPHOT should give
        ("generic/p2.phot", 2, 0.0, 295),
        # placeholder zeropoints lack the light beyond 0.5 arcsec
        ("wfpc2_pc/wfpc2.phot", 2, 0.071, 115),
    ],
)
def test_magnitudes_and_positions_are_the_true_ones(samples, name, column, offset, stars):
    found = run(samples, name)
    true = truth(samples, name.split("/")[0])
    row, away = nearest(found, true)
    assert (away < 1).sum() >= stars
    difference = found.images[0]["mag"][row] - true[:, column]
    seen = (away < 1) & np.isfinite(difference)
    assert np.median(away[seen]) < 0.06
    assert np.median(difference[seen]) == pytest.approx(offset, abs=0.012)


def test_a_star_whose_exposures_were_all_rejected_has_no_magnitude(samples):
    found = run(samples, "wfpc2_pc/wfpc2.phot")
    assert found.combined[0]["flag"][0] == 0
    assert all(np.isnan(found.combined[0][name][0]) for name in ("counts", "rate", "mag", "snr"))
    assert found.images[0]["flag"][0] == 12
    assert found.images[0]["mag"][0] == np.float32(17.24)


def test_what_was_not_measured_is_not_a_number(read, made):
    block = made.measured()
    found = read(
        made.row(block, block, made.negative, made.unseen),
        made.row(made.rejected, made.unseen, block, block),
    )
    first, second = found.combined[0], found.images[0]
    assert first["mag"][0] == 25
    assert np.isnan(first["counts"][1])
    assert np.isnan(first["rate_err"][1])
    assert np.isnan(second["rate"][1])
    assert np.isnan(second["rate_err"][1])
    assert second["flag"][1] == 9
    # a negative flux is a measurement
    faint = found.images[1]
    assert faint["counts"][0] == -50
    assert faint["rate"][0] == np.float32(-5e-12)
    assert np.isnan([faint["mag"][0], faint["mag_err"][0]]).all()
    assert faint["chi"][0] == np.float32(0.9)


def test_fields_that_are_no_numbers_are_counted_and_the_row_is_kept(read, made):
    block = made.measured()
    odd = block.replace("20.00", "-nan").replace("1.10", "nan").replace("-0.020", "-1e30")
    found = read(made.row(odd, block, block, block), made.row(block, block, block, block))
    assert len(found) == 2
    assert found.not_numbers == 2
    assert np.isnan([found.combined[0][n][0] for n in ("sky", "chi", "sharpness")]).all()
    assert found.combined[0]["sky"][1] == 20


def test_no_source_and_one_source(read, made):
    empty = read()
    assert len(empty) == 0
    assert empty.images[1]["mag"].shape == (0,)
    block = made.measured()
    one = read(made.row(block, block, block, block))
    assert len(one) == 1
    assert one.objects["x"].tolist() == [10.0]
    assert one.objects["pass"].tolist() == [1]


def test_only_wanted_quantities(read, made):
    found = read(made.row(*[made.measured()] * 4), quantities=["counts"])
    assert set(found.images[0]) == {"counts", "flag"}


def test_chunks_make_no_difference(samples, monkeypatch):
    whole = run(samples, "wfpc2_pc/wfpc2.phot")
    monkeypatch.setattr(module, "CHUNK_BYTES", 1000)
    rows = list(read_rows(samples / "wfpc2_pc/wfpc2.phot", 50, "x", 1000))
    assert len(rows) > 100
    assert np.array_equal(np.concatenate(rows)[:, 2], whole.objects["x"])


@pytest.mark.parametrize(
    ("change", "line", "sentence"),
    [
        (lambda text: text[:-30], 2, "ends in the middle of a row"),
        # the last field alone is cut, which leaves as many numbers
        (lambda text: text[:-1], 2, "ends in the middle of a row"),
        (lambda text: text + "0 1 2\n", 3, "there are 3 numbers, and .* describes 64 columns"),
        # one row too short and one too long are as many numbers together
        (lambda text: text.replace(" 0.081", "", 1) + text.replace(" 0.081", " 0.081 1", 1), 1,
         "there are 63 numbers"),
        (lambda text: text.replace("0.081", "0.o81", 1), 1, "'0.o81' is no number"),
        (lambda text: text + "\n" + text, 3, "there are 0 numbers"),
    ],
)  # fmt: skip
def test_a_damaged_catalogue(read, made, change, line, sentence):
    text = made.row(*[made.measured()] * 4) * 2
    with pytest.raises(InputError, match=sentence) as caught:
        read(change(text))
    assert caught.value.where.endswith(f"run.phot:{line}")


def test_a_catalogue_of_another_run(samples):
    layout = read_columns(samples / "wfpc2_pc" / "wfpc2.phot.columns")
    with pytest.raises(InputError, match=r"multi.phot:1: there are 102 numbers.*50 columns"):
        read_catalogue(samples / "acs_wfc3_multi" / "multi.phot", layout)


def test_no_catalogue(tmp_path, layout):
    with pytest.raises(InputError, match="No such file"):
        read_catalogue(tmp_path / "none", layout)


def test_a_row_of_version_3(samples, write, made):
    text = (samples / "public_real_params" / "dolphot30_nircam_row_excerpt.txt").read_text()
    fields = text.splitlines()[-1].split()
    layout = read_columns(write(made.columns(
        ["NIRCAM_F090W", "NIRCAM_F150W"], ["n.chip1 (NIRCAM_F090W, 100.0 sec)"]
    ), "v3.columns"))  # fmt: skip
    found = read_catalogue(write(" ".join(fields[: layout.count]) + "\n"), layout)
    assert found.objects["pass"].tolist() == [1]
    assert found.objects["x"].tolist() == [5950.55]
    assert [float(block["mag"][0]) for block in found.combined] == pytest.approx([25.515, 24.674])
    assert np.isnan(found.images[0]["mag"][0])
    assert found.images[0]["flag"].tolist() == [9]


def test_rows_of_two_runs_are_one_catalogue(read, made):
    from hst123r.products.dolphot.catalogue import joined

    blocks = [made.measured()] * 4
    one = read(made.row(*blocks, x=1.0), made.row(*blocks, x=2.0))
    other = read(made.row(*blocks, x=3.0), made.row(*blocks, x=4.0))
    both = joined(one, other.rows([1]))
    assert list(both.objects["x"]) == [1.0, 2.0, 4.0]
    assert len(both.images) == 3
    assert all(image["counts"].shape == (3,) for image in both.images)
