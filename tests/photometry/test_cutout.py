"""Pieces of frames."""

import numpy as np
import pytest

from hst123r.photometry.chipfit import FitOptions
from hst123r.photometry.cutout import cut_out
from hst123r.photometry.forced import forced
from hst123r.photometry.measure import measure

OPTIONS = FitOptions(3.0, 5.0)
X, Y = np.array([40.3, 60.0, 63.5, 100.2]), np.array([50.1, 60.4, 66.0, 90.0])
FLUX = np.array([3e4, 2e3, 9e3, 6e4])


@pytest.fixture
def measured(make_frame):
    frame = make_frame(X, Y, FLUX)
    return frame, measure(frame, X, Y, OPTIONS)


def test_a_piece_gives_the_fluxes_of_the_whole(measured):
    frame, whole = measured
    piece = cut_out(frame, whole.background, whole.fluxes, (61.0, 62.0), 14.0, 3.0)
    assert piece.inside.tolist() == [1, 2]
    assert piece.frame.shape == (29, 29)
    x, y = piece.local(X[piece.inside], Y[piece.inside])
    found = forced(piece.frame, x, y, piece.background, OPTIONS)
    assert found.flux == pytest.approx(whole.fluxes.flux[1:3], rel=0.01)
    assert found.error == pytest.approx(whole.fluxes.error[1:3], rel=0.01)


def test_at_the_edge_it_is_smaller_and_off_the_frame_there_is_none(measured):
    frame, whole = measured
    rest = frame, whole.background, whole.fluxes
    edge = cut_out(*rest, (0.0, 0.0), 10.0, 3.0)
    assert edge.frame.shape == (11, 11)
    assert edge.corner == (0, 0)
    assert cut_out(*rest, (-30.0, 5.0), 10.0, 3.0) is None
    assert cut_out(*rest, (np.nan, 5.0), 10.0, 3.0) is None
