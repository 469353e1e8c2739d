"""Straight-line transformations of a plane, and their weighted fit to pairs of points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.records.geometry import Geometry

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlaneTransform:
    """``p -> origin + shift + matrix (p - origin)``.

    Parameters
    ----------
    matrix : (2, 2) ndarray of float64
        The linear part.
    shift : (2,) ndarray of float64
        Displacement of the origin, in the unit of the points.
    origin : (2,) ndarray of float64
        The point the shift refers to.
    """

    matrix: Floats
    shift: Floats
    origin: Floats

    @classmethod
    def identity(cls) -> PlaneTransform:
        """Return the transformation that changes nothing."""
        return cls(np.eye(2), np.zeros(2), np.zeros(2))

    def __call__(self, points: ArrayLike) -> Floats:
        """Transform points of shape (n, 2)."""
        away = np.asarray(points, np.float64) - self.origin
        return np.asarray(self.origin + self.shift + away @ self.matrix.T)

    @property
    def inverse(self) -> PlaneTransform:
        """The transformation back."""
        return PlaneTransform(
            np.asarray(np.linalg.inv(self.matrix), np.float64),
            -self.shift,
            self.origin + self.shift,
        )

    @property
    def rotation_deg(self) -> float:
        """Rotation from the first axis towards the second, of the nearest similarity."""
        m = self.matrix
        return float(np.degrees(np.arctan2(m[1, 0] - m[0, 1], m[0, 0] + m[1, 1])))

    @property
    def scale(self) -> float:
        """Square root of the change of areas."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted transformation.

    Parameters
    ----------
    transform : PlaneTransform
        The transformation; its origin is the weighted mean of the first points, where shift
        and linear part are not correlated.
    shift_error : (2,) ndarray of float64
        Standard errors of the shift.
    rotation_error_deg : float
        Standard error of the rotation, 0 where it was not fitted.
    scale_error : float
        Standard error of the scale, 0 where it was not fitted.
    linear_variance : (2, 2) ndarray of float64
        V: the linear part adds ``d V d`` to the variance of both axes together at a point d away
        from the origin.
    chi2 : float
        Weighted sum of squared residuals.
    """

    transform: PlaneTransform
    shift_error: Floats
    rotation_error_deg: float
    scale_error: float
    linear_variance: Floats
    chi2: float


def fit(first: Floats, second: Floats, weight: Floats, geometry: Geometry) -> Fit:
    """Fit the transformation that takes first points to second ones by least squares.

    Parameters
    ----------
    first, second : (n, 2) ndarray of float64
        Pairs of points, at least half as many as the geometry has parameters.
    weight : (n,) ndarray of float64
        Inverse variance of each pair along each axis.
    geometry : str
        ``shift``, ``rshift`` (and rotation), ``rscale`` (and scale) or ``general``.

    Returns
    -------
    Fit
        Errors follow from the weights.
    """
    total = float(weight.sum())
    origin = weight @ first / total
    u, v = first - origin, second - weight @ second / total
    shift = weight @ second / total - origin
    # sums of products; rows belong to the first points
    spread = (u * weight[:, None]).T @ u
    cross = (u * weight[:, None]).T @ v
    size = float(np.trace(spread))
    dot, turn = float(np.trace(cross)), float(cross[0, 1] - cross[1, 0])
    matrix: Floats = np.eye(2)
    if geometry == "general":
        matrix = np.asarray(np.linalg.solve(spread, cross).T, np.float64)
    elif geometry == "rscale":
        matrix = np.array([[dot, -turn], [turn, dot]]) / size
    elif geometry == "rshift":
        matrix = np.array([[dot, -turn], [turn, dot]]) / np.hypot(dot, turn)
    angle_error, scale_error, variance = _linear_errors(spread, size, geometry)
    transform = PlaneTransform(matrix, shift, origin)
    residual = second - transform(first)
    return Fit(
        transform,
        np.full(2, total**-0.5),
        float(np.degrees(angle_error)),
        scale_error,
        variance,
        float(np.sum(weight[:, None] * residual**2)),
    )


def _linear_errors(spread: Floats, size: float, geometry: Geometry) -> tuple[float, float, Floats]:
    """Return the errors of rotation (radians) and scale near the identity, and the variance."""
    if geometry == "shift" or size <= 0:
        return 0.0, 0.0, np.zeros((2, 2))
    if geometry == "general":
        # each row of the matrix has the covariance of the inverse of the spread
        inverse = np.asarray(np.linalg.inv(spread), np.float64)
        error = float(np.sqrt(np.trace(inverse)) / 2)
        return error, error, 2.0 * inverse
    error = size**-0.5
    scale = error if geometry == "rscale" else 0.0
    return error, scale, (error**2 + scale**2) * np.eye(2)
