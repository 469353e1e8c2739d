"""Parameters as recipes hold them."""

import pytest
from pydantic import Field, ValidationError

from hst123r.records.amount import Amount
from hst123r.records.params import Angle, Date, DetectorName, Duration, FilterName, Params, Position


class Sample(Params):
    """Parameters for the tests."""

    radius: Angle = Field(Amount(0.3, "arcsec"), description="Radius")
    time: Duration = Field(Amount(15.0, "s"), description="Time")
    detector: DetectorName | None = Field(None, description="Detector")
    filter: FilterName | None = Field(None, description="Filter")
    after: Date | None = Field(None, description="Date")
    place: Position | None = Field(None, description="Place")
    from_: str = Field("x", alias="from", description="A word of Python")
    number: int = Field(0, description="Number")
    share: float = Field(0.0, description="Fraction")
    yes: bool = Field(True, description="Flag")


def read(**given):
    return Sample.model_validate(given)


def test_amounts_keep_their_unit_and_are_text_in_json():
    found = read(radius="1 arcmin", time="0.5 h")
    assert found.radius.to("arcsec") == pytest.approx(60)
    assert found.time.to("s") == pytest.approx(1800)
    assert found.as_json()["radius"] == "1 arcmin"
    assert Sample.model_validate(found.as_json()) == found


def test_zero_and_false_are_values():
    found = read(number=0, share=0.0, yes=False)
    assert found.model_fields_set == {"number", "share", "yes"}
    assert found.as_json()["yes"] is False


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"radius": "15 s"}, "an angle is needed"),
        ({"radius": 0.3}, "0.3 has no unit"),
        ({"detector": "ACS/WCF"}, "did you mean 'ACS/WFC'"),
        ({"filter": "F814"}, "did you mean 'F814W'"),
        ({"after": "yesterday"}, "not a date"),
        ({"place": "here"}, "not a position"),
        ({"number": 1.5}, "valid integer"),
        ({"number": True}, "valid integer"),
        ({"share": "0.5"}, "valid number"),
        ({"yes": 1}, "valid boolean"),
        ({"nothing": 1}, "Extra inputs"),
        ({"from_": "x"}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_refused_and_never_converted(given, says):
    with pytest.raises(ValidationError, match=says):
        read(**given)


def test_names_are_those_of_the_recipe():
    assert "from" in Sample.names()
    assert "from_" not in Sample.names()
    assert read(**{"from": "y"}).from_ == "y"


def test_parameters_cannot_be_changed():
    with pytest.raises(ValidationError):
        read().number = 3
