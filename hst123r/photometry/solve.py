"""Sparse least squares: solutions, and the covariances of single stars."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import splu

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_RIDGE: Final = 1e-9
"""Added to the diagonal, relative to it, so that two stars at one place have a solution."""
_LARGEST_GROUP: Final = 32
"""Groups of overlapping stars up to this size are inverted exactly."""
_BATCH: Final = 4_000_000


def normal_matrix(design: sparse.csr_matrix, weight: Floats) -> sparse.csr_matrix:
    """Return ``A W A^T`` of a design with parameters as rows.

    Parameters
    ----------
    design : (k, p) csr_matrix
        A.
    weight : (p,) ndarray of float64
        The diagonal of W.

    Returns
    -------
    (k, k) csr_matrix
        The normal matrix, its diagonal raised by a billionth; parameters that no pixel
        depends on have 1 there.
    """
    weighted = sparse.csr_matrix(
        (design.data * weight[design.indices], design.indices, design.indptr), design.shape
    )
    normal = weighted @ design.T
    diagonal = normal.diagonal()
    return (normal + sparse.diags(np.where(diagonal > 0, _RIDGE * diagonal, 1.0))).tocsr()


def solve(normal: Any, right: Floats) -> Floats:
    """Return the solution of symmetric positive definite equations."""
    factors = splu(normal.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return np.asarray(factors.solve(right), np.float64)


def star_covariances(normal: sparse.csr_matrix, kinds: int) -> Floats:
    """Return the blocks of the inverse normal matrix that belong to single stars.

    Overlapping stars form groups. Groups of up to 32 stars are inverted whole, which is exact;
    a star of a larger group together with the stars that it overlaps, which leaves out what
    it shares with the neighbours of its neighbours.

    Parameters
    ----------
    normal : (kinds * n, kinds * n) csr_matrix
        Normal matrix, all stars' parameters of the first kind first.
    kinds : int
        Parameters per star.

    Returns
    -------
    (n, kinds, kinds) ndarray of float64
        Covariances.
    """
    stars = normal.shape[0] // kinds
    result = np.empty((stars, kinds, kinds))
    for member in _neighbourhoods(normal[:stars, :stars]):
        own = member[:, 0]
        step = max(1, _BATCH // (kinds * member.shape[1]) ** 2)
        for start in range(0, own.size, step):
            part = member[start : start + step]
            index = np.concatenate([part + kind * stars for kind in range(kinds)], axis=1)
            shape = (*index.shape, index.shape[1])
            rows = np.broadcast_to(index[:, :, None], shape).ravel()
            columns = np.broadcast_to(index[:, None, :], shape).ravel()
            block = np.asarray(normal[rows, columns]).reshape(shape)
            inverse = np.linalg.inv(block)
            places = np.arange(kinds) * part.shape[1]
            result[part[:, 0]] = inverse[:, places[:, None], places[None, :]]
    return result


def _neighbourhoods(graph: sparse.csr_matrix) -> list[Integers]:
    """Return the stars to invert together for each star, which comes first in its row."""
    _, label = csgraph.connected_components(graph, directed=False)
    size = np.bincount(label)
    order = np.argsort(label, kind="stable")
    start = np.concatenate([[0], np.cumsum(size)])
    result: list[Integers] = []
    for count in np.unique(size[size <= _LARGEST_GROUP]).tolist():
        groups = np.flatnonzero(size == count)
        members = order[start[groups][:, None] + np.arange(count)]
        result.extend(np.roll(members, -turn, axis=1) for turn in range(count))
    crowded = np.flatnonzero(size[label] > _LARGEST_GROUP)
    degree = np.diff(graph.indptr)
    for count in np.unique(degree[crowded]).tolist():
        own = crowded[degree[crowded] == count]
        members = graph.indices[graph.indptr[own][:, None] + np.arange(count)].astype(np.int64)
        # the star itself to the front
        at = np.argmax(members == own[:, None], axis=1)
        members[np.arange(own.size), at] = members[:, 0]
        members[:, 0] = own
        result.append(members)
    return result
