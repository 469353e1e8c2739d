from __future__ import annotations

import pytest

from hst123r.errors import InputError
from hst123r.products.dolphot.parameters import read_parameters, write_parameters


@pytest.mark.parametrize(
    ("name", "count", "some"),
    [
        ("generic/p2.param", 38, {"Nimg": "2"}),
        ("wfc3_uvis/noref.param", 42, {"img_RPSF": "13", "img2_shift": "2.5 1.5"}),
        ("wfc3_uvis/ref.param", 43, {}),
        ("wfpc2_pc/p.param", 41, {}),
        ("acs_wfc3_multi/multi.param", 49, {"img_RSky2": "4 10"}),
        (
            "public_real_acs_generic/dolphot.param",
            77,
            {"img1_file": "j9ec41agq_flc", "xytfile": ""},
        ),
        ("public_real_params/PHAT_IR_12076_first_generation.param", 36, {"Rchi": "1.5"}),
    ],
)
def test_real_files(samples, name, count, some):
    found = read_parameters(samples / name)
    assert len(found) == count
    assert found.items() >= some.items()


def test_the_last_of_two_counts_whatever_its_case(write):
    found = read_parameters(write("# all\nRAper = 3 # pixels\n\nx=1=2\nraper = 4\n"))
    assert found == {"x": "1=2", "raper": "4"}


def test_a_line_that_is_no_parameter(write):
    with pytest.raises(InputError, match=r"run.phot:2: this is no parameter: 'RAper 3'"):
        read_parameters(write("Nimg = 1\nRAper 3\n"))


def test_what_is_written_is_read(tmp_path):
    values = {"Nimg": "1", "img1_file": "a.chip1", "xytfile": ""}
    write_parameters(tmp_path / "p.param", values)
    assert read_parameters(tmp_path / "p.param") == values
    with pytest.raises(InputError, match="has 807 characters, and DOLPHOT reads 800"):
        write_parameters(tmp_path / "q.param", {"Nimg": "1", "file": "x" * 800})
    assert not (tmp_path / "q.param").exists()
