"""Exposures that have nothing to give to a stack are left out, or it is said why there is none."""

import shutil
from pathlib import Path

import pytest
from astropy.io import fits

from hst123r.algorithms.grid import Extent
from hst123r.errors import StageError
from hst123r.products.on_stack import Place
from hst123r.products.usable import usable
from hst123r.records.outcome import Product

PLACE = Place((150.1, 2.2), Extent((101.0, 101.0), (200, 200)), 0.1, 0.0)
FAR = Place((150.2, 2.2), Extent((101.0, 101.0), (200, 200)), 0.1, 0.0)


@pytest.fixture
def inputs(small, tmp_path):
    """Exposures of one epoch, in copies that may be flagged, and their masks."""
    exposures = [p for p in small.products("align", "exposure") if p.name.startswith("jsi0010")]
    masks = [p for p in small.products("epochs", "cosmic-ray mask") if p.name.startswith("jsi0010")]
    copies = []
    for product in exposures:
        path = Path(shutil.copy(product.files["science"], tmp_path))
        path.chmod(0o644)
        files = {"science": str(path)}
        copies.append(Product("exposure", product.name, dict(product.labels), files, product.facts))
    names = [product.name for product in copies]
    return {
        "exposure": copies, "cosmic-ray mask": [mask for mask in masks if mask.name in names]
    }  # fmt: skip


def flag(product, bit, versions=(1, 2)):
    with fits.open(product.files["science"], mode="update") as hdus:
        for version in versions:
            hdus["DQ", version].data |= bit


def test_one_whose_pixels_are_all_flagged_is_left_out_with_its_mask(inputs):
    exposures, masks = inputs["exposure"], inputs["cosmic-ray mask"]
    assert len(masks) >= 2
    gone = next(p for p in exposures if p.name == masks[0].name)
    flag(gone, 16)
    found, caveats = usable(inputs, PLACE, 64 | 32)
    assert [(c.code, c.subject) for c in caveats] == [("all_flagged", gone.name)]
    assert [p.name for p in found["exposure"]] == [p.name for p in exposures if p is not gone]
    assert gone.name not in {mask.name for mask in found["cosmic-ray mask"]}
    # flags that are accepted, and those of what is found anew, are none
    assert usable(inputs, PLACE, 16, sky="")[1] == []
    assert usable(inputs, PLACE, 0, found_anew=16)[1] == []


def test_a_chip_that_is_flagged_leaves_the_other(inputs):
    flag(inputs["exposure"][0], 16, versions=(2,))
    assert usable(inputs, PLACE, 0) == usable(inputs, PLACE, 16)
    assert usable(inputs, PLACE, 0)[1] == []


def test_without_a_sky_and_without_any_pixel_there_is_no_stack(inputs):
    flag(inputs["exposure"][0], 64)
    name = inputs["exposure"][0].name
    with pytest.raises(StageError, match=f"no pixel of {name} is without a flag"):
        usable(inputs, PLACE, 64)
    for product in inputs["exposure"]:
        flag(product, 16)
    with pytest.raises(StageError, match="every pixel of all its exposures is flagged"):
        usable(inputs, PLACE, 64, sky=False)


def test_masks_count_only_if_all_that_are_left_have_one(inputs):
    masks = inputs["cosmic-ray mask"]
    inputs["exposure"] = [p for p in inputs["exposure"] if p.name in {m.name for m in masks}]
    assert usable(inputs, PLACE, 0)[0]["cosmic-ray mask"] == masks
    inputs["cosmic-ray mask"] = masks[1:]
    assert usable(inputs, PLACE, 0)[0]["cosmic-ray mask"] == []
    # where the one without a mask gives nothing, those of the others are taken
    flag(next(p for p in inputs["exposure"] if p.name == masks[0].name), 16)
    assert usable(inputs, PLACE, 0)[0]["cosmic-ray mask"] == masks[1:]


def test_all_are_kept_where_none_lies_on_the_stack(inputs):
    assert len(usable(inputs, FAR, 0)[0]["exposure"]) == len(inputs["exposure"])
