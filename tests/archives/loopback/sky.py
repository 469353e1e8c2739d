"""Distance of a place from a footprint, as MAST's column ``distance`` has it: 0 inside."""

from __future__ import annotations

import math


def distance_arcsec(ra, dec, region):
    """Return the distance to the nearest edge, 0 inside, in the tangent plane of the place."""
    words = region.split()
    numbers = []
    polygons = []
    for word in [*words, "POLYGON"]:
        try:
            numbers.append(float(word))
        except ValueError:
            if numbers:
                polygons.append(numbers)
            numbers = []
    if "CIRCLE" in region.upper():
        x, y, radius = polygons[0]
        return max(0.0, math.hypot(*_plane(ra, dec, x, y)) - radius * 3600)
    return min(_polygon(ra, dec, found) for found in polygons)


def _plane(ra, dec, x, y):
    return (
        ((x - ra + 180) % 360 - 180) * 3600 * math.cos(math.radians(dec)),
        (y - dec) * 3600,
    )


def _polygon(ra, dec, numbers):
    points = [_plane(ra, dec, *pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
    inside = False
    nearest = math.inf
    for (x1, y1), (x2, y2) in zip(points, [*points[1:], points[0]], strict=True):
        if (y1 > 0) != (y2 > 0) and x1 + (x2 - x1) * (-y1) / (y2 - y1) > 0:
            inside = not inside
        length = (x2 - x1) ** 2 + (y2 - y1) ** 2
        share = (
            0.0 if length == 0 else max(0.0, min(1.0, -(x1 * (x2 - x1) + y1 * (y2 - y1)) / length))
        )
        nearest = min(nearest, math.hypot(x1 + share * (x2 - x1), y1 + share * (y2 - y1)))
    return 0.0 if inside else nearest
