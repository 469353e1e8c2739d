"""Exposures of a mosaic, by their footprints."""

from hst123r.records.exposure import Chip, Exposure
from hst123r.records.outcome import Product


def visit(number, east, *, name="F606W", time=100.0, exposures=2, side=100.0):
    """Return exposures of some arcsec each side, with their western edges there."""
    corners = [
        [150 + (east + a) / 3600, b / 3600] for a, b in ((0, 0), (side, 0), (side, side), (0, side))
    ]
    made = []
    for k in range(exposures):
        chip = Chip(1, 1, [10, 10], "ELECTRONS", 1e-19, 6000.0, 26.5, 26.0, 1.0, 0.0, corners, {})
        record = Exposure(
            f"{name[1:4]}v{number}{k}", "x_flc.fits", "ACS/WFC", name, "W", [name], time,
            58000.0 + k, 58000.1 + k, "1", str(number), "T", "WFC", False, 0.0, "", "", "", "", "",
            True, [chip],
        )  # fmt: skip
        labels_of = {"detector": "ACS/WFC", "filter": name, "visit": f"1_{number}", "field": "T"}
        made.append(Product("exposure", record.root, labels_of, {}, record.as_facts()))
    return made
