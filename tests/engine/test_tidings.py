"""Tidings of a job: one small file, not written too often, and no harm when it is not there."""

from hst123r.engine import tidings
from hst123r.engine.tidings import Teller, Tiding, heard


def test_what_is_told_is_heard(tmp_path, monkeypatch):
    clock = iter([0.0, 0.1, 0.3, 0.31])
    monkeypatch.setattr(tidings.time, "monotonic", lambda: next(clock))
    tell = Teller(tmp_path)
    assert heard(tmp_path) is None
    tell("a.fits", 1, 10)
    assert heard(tmp_path) == Tiding("a.fits", 1, 10)
    tell("a.fits", 2, 10)
    assert heard(tmp_path) == Tiding("a.fits", 1, 10)
    tell("a.fits", 3, None)
    assert heard(tmp_path) == Tiding("a.fits", 3, None)
    # the end is always told
    tell("a.fits", 10, 10)
    assert heard(tmp_path) == Tiding("a.fits", 10, 10)


def test_a_folder_that_is_gone_or_a_file_that_is_none_does_no_harm(tmp_path):
    Teller(tmp_path / "gone")("a.fits", 1, 10)
    assert heard(tmp_path / "gone") is None
    (tmp_path / tidings.FILE).write_text("[1")
    assert heard(tmp_path) is None
