"""Boxes on the sky, as a recipe writes them."""

import pytest
from pydantic import ValidationError

from hst123r.records.boxes import MaskBox, in_degrees


def test_boxes_are_numbers_in_degrees_and_arcsec():
    given = [{"position": "10:00:24.0 +02:12:00", "half_size": "0.5 arcmin"}, {"position": "1 2"}]
    found = in_degrees([MaskBox.model_validate(box) for box in given])
    assert found[0] == pytest.approx((150.1, 2.2, 30.0))
    assert found[1] == pytest.approx((1.0, 2.0, 10.0))


@pytest.mark.parametrize("half_size", ["0 arcsec", "-1 arcsec", "3 pix", "3"])
def test_a_box_has_a_size_on_the_sky(half_size):
    with pytest.raises(ValidationError, match="half_size"):
        MaskBox.model_validate({"position": "1 2", "half_size": half_size})
