"""From what a recipe says to what is simulated."""

import pytest

from hst123r.archives.simulated import programmes, template_of
from hst123r.archives.simulation import Simulation
from hst123r.errors import InputError
from hst123r.records.position import parse
from hst123r.records.target import Target

OBSERVATION = {"detector": "ACS/WFC", "filter": "F606W", "dates": ["2019-04-01"]}


def programme(folder, position="150.1 2.2", **simulation):
    given = Simulation.model_validate({"observations": [OBSERVATION], **simulation})
    (found,) = programmes(given, (Target("T", parse(position)),), folder).values()
    return found


def catalogue(folder, text):
    (folder / "stars.csv").write_text(text)
    return {"stars": {"catalog": "stars.csv"}}


def test_a_catalogue_gives_each_filter_its_magnitude(tmp_path):
    given = catalogue(tmp_path, "ra,dec,mag,mag_f606w\n150.1,2.2,20,21\n150.2,2.2,22,\n")
    first, second = programme(tmp_path, **given).stars
    assert (first.magnitude_ab, first.by_filter) == (20.0, {"F606W": 21.0})
    assert (second.magnitude_ab, second.by_filter) == (22.0, {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ra,dec\n1,2\n", "the catalogue has no column mag_F606W"),
        # the magnitudes of one filter are not those of another
        ("ra,dec,mag_F555W\n1,2,20\n", "the catalogue has no column mag_F606W"),
        ("ra,mag\n1,2\n", "the catalogue has no column dec"),
        ("ra,dec,mag\n1,2,20\n1,95,20\n", "row 2: dec_deg: Input should be less than"),
        ("ra,dec,mag\n1,2,nan\n", "row 1: magnitude_ab: Input should be a finite"),
        ("ra,dec,mag\n1,2,\n3,4,20\n", "a value is missing in row 1"),
        ("ra,dec,mag\n1,2,bright\n", "row 1: could not convert"),
    ],
)
def test_a_wrong_catalogue_says_what_and_where(tmp_path, text, says):
    with pytest.raises(InputError) as caught:
        programme(tmp_path, **catalogue(tmp_path, text))
    assert says in str(caught.value)
    assert "stars.csv" in str(caught.value)
    assert "errors.pydantic.dev" not in str(caught.value)


def test_a_transient_stands_beside_a_target_at_the_pole(tmp_path):
    transient = {"dates": ["2019-04-01"], "magnitudes": ["20 mag"], "east": "1 arcsec",
                 "north": "1 arcsec"}  # fmt: skip
    (found,) = programme(tmp_path, "10 +90", transient=transient).transients
    assert found.dec_deg == pytest.approx(90 - 2**0.5 / 3600, abs=1e-9)


def test_a_template_that_is_not_there_is_the_users_to_mend(tmp_path):
    simulation = Simulation.model_validate({"observations": [OBSERVATION], "template": "t.fits"})
    with pytest.raises(InputError, match="there is no such template"):
        template_of(simulation, tmp_path)
    (tmp_path / "t.fits").touch()
    assert template_of(simulation, tmp_path) == tmp_path / "t.fits"
