"""Points inside polygons."""

import subprocess
import sys

import numpy as np

from hst123r.algorithms.polygons import covers

SQUARE = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
ARROW = np.array([[10.0, 0.0], [14.0, 0.0], [12.0, 1.0], [12.0, 4.0]])
PLACES = np.array([[1.0, 1.0], [5.0, 1.0], [12.5, 0.5], [13.5, 2.5], [-0.1, 2.0]])


def test_points_inside_any_polygon_are_told():
    assert covers([SQUARE, ARROW], PLACES).tolist() == [True, False, True, False, False]
    assert covers([SQUARE], PLACES).tolist() == [True, False, False, False, False]
    assert not covers([], PLACES).any()


def test_the_direction_of_the_corners_does_not_count():
    turned = [polygon[::-1] for polygon in (SQUARE, ARROW)]
    assert covers(turned, PLACES).tolist() == covers([SQUARE, ARROW], PLACES).tolist()


def test_the_choice_of_a_reference_imports_no_scipy():
    """The driver makes it in every run, and SciPy would be half of what a run costs."""
    code = "import hst123r.sources.reference_choice, sys; print('scipy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
