"""Errors of DOLPHOT's aperture corrections, from the stars that it writes."""

import math

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.products.dolphot.aperture_errors import aperture_errors
from hst123r.products.dolphot.info import Info, Section, read_info


def info_of(*corrections):
    section = Section(0, 1, aperture_corrections=list(corrections))
    return Info(tuple(f"i{n}" for n in range(len(corrections))), (), [section])


def write(path, image, totals, weights):
    """Write stars of an image, of which the three parts are in one."""
    with path.open("a", encoding="utf-8") as stream:
        for total, weight in zip(totals, weights, strict=True):
            stream.write(
                f" {image} 0 1   10.00   20.00 18.000 {total:6.3f} 0.010"
                f"  0.000 0.010  0.000 0.010 {weight:6.2f}\n"
            )


def test_the_error_is_that_of_the_weighted_mean(tmp_path):
    path = tmp_path / "x.apcor"
    rng = np.random.default_rng(1)
    write(path, 1, rng.normal(0.05, 0.02, 100), np.full(100, 10.0))
    write(path, 2, rng.normal(0.05, 0.02, 25), np.full(25, 10.0))
    many, few = aperture_errors(path, info_of(0.05, 0.05))
    # of 100 stars a tenth of their scatter, of 25 a fifth
    assert many == pytest.approx(0.002, rel=0.25)
    assert few == pytest.approx(0.004, rel=0.35)


def test_what_dolphot_chose_otherwise_is_an_error_too(tmp_path):
    path = tmp_path / "x.apcor"
    write(path, 1, [0.05, 0.052, 0.048], [1.0, 1.0, 1.0])
    assert aperture_errors(path, info_of(0.05))[0] < 0.002
    assert aperture_errors(path, info_of(0.08))[0] == pytest.approx(0.03)


def test_without_stars_or_a_correction_it_is_not_known(tmp_path):
    path = tmp_path / "x.apcor"
    assert all(map(math.isnan, aperture_errors(path, info_of(0.05, 0.05))))
    write(path, 1, [0.05], [1.0])
    write(path, 2, [0.05, 0.06], [1.0, 1.0])
    write(path, 3, [0.05, 0.06], [1.0, 0.0])
    errors = aperture_errors(path, info_of(0.05, 0.0, 0.05))
    assert all(map(math.isnan, errors))
    path.write_text("1 0 1 10.0", encoding="utf-8")
    with pytest.raises(InputError):
        aperture_errors(path, info_of(0.05))


def test_a_chip_without_an_error_leaves_its_image_without_one(tmp_path):
    path = tmp_path / "x.apcor"
    write(path, 1, [0.05, 0.052, 0.048], [1.0, 1.0, 1.0])
    first = Section(0, 1, aperture_corrections=[0.05])
    second = Section(0, 2, aperture_corrections=[0.05])
    # the order must not matter: max() keeps a NaN that comes first, and loses a later one
    for sections in ([first, second], [second, first]):
        assert math.isnan(aperture_errors(path, Info(("i0",), (), sections))[0])
    line = " 1 0 2   10.00   20.00 18.000 {:6.3f} 0.010  0.000 0.010  0.000 0.010   1.00\n"
    with path.open("a", encoding="utf-8") as stream:
        stream.writelines(line.format(total) for total in (0.03, 0.05))
    # the mean of the second is 0.04, and DOLPHOT chose 0.05
    assert aperture_errors(path, Info(("i0",), (), [first, second])) == pytest.approx([0.01])


@pytest.mark.real
def test_a_real_run_knows_its_corrections_to_some_thousandths(shared_data):
    folder = shared_data / "dolphot_sample" / "generic"
    if not folder.is_dir():
        pytest.skip("there is no sample of DOLPHOT's files")
    errors = aperture_errors(folder / "p2.phot.apcor", read_info(folder / "p2.phot.info"))
    assert errors == pytest.approx([0.0044, 0.0023], abs=2e-4)
