from __future__ import annotations

import pytest

from hst123r.errors import InputError
from hst123r.products.dolphot.text import ends_whole, numbers, read_lines


def test_lines_keep_their_numbers(write):
    assert list(read_lines(write("\n one \r\n\n two"))) == [(2, "one"), (4, "two")]


def test_no_text(write, tmp_path):
    with pytest.raises(InputError, match="no text file"):
        list(read_lines(write(b"\xff\xfe\x00")))
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        list(read_lines(tmp_path))


def test_numbers():
    assert numbers(" 1 2.5e3 ", "f:1") == (1.0, 2500.0)
    with pytest.raises(InputError, match=r"f:1: there should be numbers: '1 x'"):
        numbers("1 x", "f:1")


def test_the_end_of_a_file(write):
    assert ends_whole(write("1.25\n"))
    assert not ends_whole(write("1.2"))
    assert not ends_whole(write(""))
