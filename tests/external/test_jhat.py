"""JHAT: how it is found, what it is given, and what becomes of a program that dies.

The real one is run where it is installed, and against the truth in `tests/stages/test_align.py`.
"""

import json
import sys

import pytest

from hst123r.errors import EnvironmentProblem, StageError
from hst123r.external import jhat

MINE = [jhat.Star(10.25, 7.0, 150.1, 2.2, 100.0, 4.0), jhat.Star(0.0, 5.5, 150.2, 2.2, 10.0, 1.0)]
STARS = [(150.1, 2.2, 100.0), (150.1000001, 2.2, 10.0), (150.2, 2.2, 0.0)]


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch):
    monkeypatch.delenv(jhat.VARIABLE, raising=False)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Stand a program in for the Python that has JHAT: it knows the versions, then does as told."""

    def call(does):
        path = tmp_path / "python"
        path.write_text(f'#!/bin/sh\nif [ "$1" = -c ]; then echo jhat 0.3.7; exit; fi\n{does}\n')
        path.chmod(0o755)
        monkeypatch.setenv(jhat.VARIABLE, str(path))
        folder = tmp_path / "scratch"
        folder.mkdir()
        (tmp_path / "x_flc.fits").write_bytes(b"an exposure")
        return jhat.jhat(folder, tmp_path / "x_flc.fits", 2, MINE, STARS, 1.0)

    return call


def test_without_jhat_the_sentence_says_what_to_install():
    if jhat.find() is not None:
        pytest.skip("JHAT is installed beside hst123r itself")
    with pytest.raises(EnvironmentProblem, match="JHAT is not installed") as found:
        jhat.version()
    assert found.value.exit_code == 6
    assert "pip install jhat" in found.value.hint
    assert jhat.VARIABLE in found.value.hint


def test_a_variable_that_names_no_program_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv(jhat.VARIABLE, str(tmp_path / "bin/python"))
    with pytest.raises(EnvironmentProblem, match="which is no program"):
        jhat.find()


def test_a_python_without_jhat_is_said(monkeypatch):
    if jhat.find() is not None:
        pytest.skip("JHAT is installed beside hst123r itself")
    monkeypatch.setenv(jhat.VARIABLE, sys.executable)
    with pytest.raises(EnvironmentProblem, match="JHAT is not installed beside") as found:
        jhat.version()
    assert "PackageNotFoundError" in found.value.message


def test_the_catalogue_keeps_a_thousandth_of_a_mas(tmp_path):
    jhat.write_catalogue(tmp_path / "stars.txt", STARS)
    lines = (tmp_path / "stars.txt").read_text().splitlines()
    assert lines[0] == "ra dec mag"
    rows = [[float(word) for word in line.split()] for line in lines[1:]]
    assert rows[1][0] - rows[0][0] == pytest.approx(1e-7, rel=1e-3)
    # JHAT drops stars whose magnitude is no number
    assert [row[2] for row in rows] == [20.0, 22.5, 30.0]


def test_stars_are_written_with_pixels_from_zero_and_errors_as_magnitudes(tmp_path):
    jhat.write_stars(tmp_path / "mine.txt", MINE)
    head, *lines = (tmp_path / "mine.txt").read_text().splitlines()
    rows = [dict(zip(head.split(), map(float, line.split()), strict=True)) for line in lines]
    assert [(row["x"], row["y"], row["ra"], row["mag"]) for row in rows] == [
        (10.25, 7.0, 150.1, 20.0), (0.0, 5.5, 150.2, 22.5),
    ]  # fmt: skip
    assert [row["dmag"] for row in rows] == pytest.approx([0.0434, 0.1086], abs=1e-4)


def test_what_it_made_is_in_its_own_folder(program):
    answer = '{"solved": "solved/a_jhat.fits"}'
    found = program(f"mkdir solved; touch solved/a_jhat.fits; echo '{answer}' > answer.json")
    assert found.name == "a_jhat.fits"
    assert found.parent.parent.name == "scratch"
    assert (found.parent.parent / "exposure_flc.fits").read_bytes() == b"an exposure"
    order = json.loads((found.parent.parent / "order.json").read_text())
    for name, rows in (("catalogue", STARS), ("stars", MINE)):
        lines = (found.parent.parent / order[name]).read_text().splitlines()
        assert len(lines) == 1 + len(rows)


def test_what_it_gave_up_for_is_passed_on(program):
    said = program('echo \'{"error": "RuntimeError: Only 1 objects pass"}\' > answer.json')
    assert said == "RuntimeError: Only 1 objects pass"


def test_success_without_a_file_is_none(program):
    assert program('echo \'{"solved": ""}\' > answer.json') == "it made no file"


def test_a_program_that_dies_is_an_error_with_its_last_words(program):
    with pytest.raises(StageError, match=r"ended with code 3 and no answer: out of luck"):
        program("echo out of luck; exit 3")
