"""The simulated archive: what a recipe says it holds, and the same files every time."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from pydantic import ValidationError

from hst123r.archives.simulated import make, planned, programmes, template_of
from hst123r.archives.simulation import Simulation
from hst123r.errors import InputError
from hst123r.records.position import parse
from hst123r.records.target import Target

TARGETS = (Target("one", parse("150.1 2.2")), Target("two", parse("10.5 -30.0")))
OBSERVATION = {
    "detector": "ACS/WFC", "filter": "F606W", "dates": ["2019-06-01", "2019-04-01"],
    "exposures": 2, "exposure_time": "100 s", "size": "64 pix",
}  # fmt: skip


def simulation(**more):
    return Simulation.model_validate(
        {"observations": [OBSERVATION], "stars": {"number": 5, "radius": "2 arcsec"}, **more}
    )


def test_every_target_is_observed_in_its_own_proposal(tmp_path):
    made = programmes(simulation(), TARGETS, tmp_path)
    assert list(made) == ["one", "two"]
    roots = [entry.root for programme in made.values() for entry in planned(programme)]
    assert len(roots) == len(set(roots)) == 8
    assert all(len(root) == 9 and root.startswith("j") for root in roots)
    assert made["one"].proposal != made["two"].proposal
    assert made["one"].seed != made["two"].seed


def test_dates_are_visits_in_the_order_of_time(tmp_path):
    made = programmes(simulation(), TARGETS[:1], tmp_path)["one"]
    entries = planned(made)
    starts = [entry.start_mjd for entry in entries]
    assert starts == sorted(starts)
    assert [entry.root[4:6] for entry in entries] == ["01", "01", "02", "02"]
    assert starts[0] == pytest.approx(58574.0, abs=0.01)


def test_only_the_targets_asked_for_are_observed(tmp_path):
    assert list(programmes(simulation(at=["two"]), TARGETS, tmp_path)) == ["two"]


def test_a_transient_is_at_the_first_target_or_at_those_named(tmp_path):
    source = {"dates": ["2019-01-01"], "magnitudes": ["21 mag"], "east": "3.6 arcsec"}
    plain = programmes(simulation(transient=source), TARGETS, tmp_path)
    assert [len(made.transients) for made in plain.values()] == [1, 0]
    named = programmes(simulation(transient=source, at=["two"]), TARGETS, tmp_path)["two"]
    (found,) = named.transients
    # 3.6 arcsec to the east are more in right ascension, away from the equator
    assert (found.ra_deg - 10.5) * np.cos(np.radians(-30)) == pytest.approx(0.001, abs=1e-7)


def test_a_catalogue_that_cannot_be_read_is_the_users_error(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        programmes(simulation(stars={"catalog": "none.ecsv"}), TARGETS, tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"exposures": 0}, {"exposure_time": "100"}, {"detector": "ACS/SBC"}, {"dates": []},
        {"dates": ["yesterday"]}, {"size": "64 arcsec"},
    ],
)  # fmt: skip
def test_an_observation_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        Simulation.model_validate({"observations": [{**OBSERVATION, **wrong}]})


def test_stars_of_a_table_are_there_at_their_magnitudes(tmp_path):
    table = Table({"ra": [150.1, 150.1002], "dec": [2.2, 2.2002], "mag_F606W": [20.0, 21.0],
                   "mag_f814w": [19.0, 22.0]})  # fmt: skip
    table.write(tmp_path / "stars.ecsv")
    given = simulation(stars={"catalog": "stars.ecsv"}, pointing_error="0 arcsec")
    (programme,) = programmes(given, TARGETS[:1], tmp_path).values()
    files = make(programme, planned(programme)[0].root, tmp_path, None)
    truth = Table.read(files["truth"])
    truth.sort("magnitude")
    assert truth["magnitude"].tolist() == pytest.approx([20.0, 21.0])
    assert truth["ra"].tolist() == pytest.approx([150.1, 150.1002])


@pytest.mark.parametrize("missing", ["ra", "mag"])
def test_a_table_that_lacks_columns_is_named(tmp_path, missing):
    columns = {"ra": [150.1], "dec": [2.2], "mag": [20.0]}
    del columns[missing]
    Table(columns).write(tmp_path / "stars.ecsv")
    with pytest.raises(InputError, match=r"stars.ecsv: the catalogue has no column"):
        programmes(simulation(stars={"catalog": "stars.ecsv"}), TARGETS[:1], tmp_path)


def test_the_same_recipe_makes_the_same_files_and_another_seed_others(tmp_path):
    made = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        (programme,) = programmes(simulation(seed=seed), TARGETS[:1], tmp_path).values()
        root = planned(programme)[1].root
        made[name] = make(programme, root, tmp_path / name, None)
    for role in ("science", "truth"):
        assert made["a"][role].read_bytes() == made["b"][role].read_bytes()
        assert made["a"][role].read_bytes() != made["c"][role].read_bytes()


def test_a_noiseless_frame_holds_the_electrons_of_the_truth(tmp_path):
    given = simulation(
        noise=False, cosmic_rays=False, bad_pixels=False, sky=None, pointing_error="0 arcsec",
        stars={"number": 1, "radius": "0.2 arcsec", "brightest": "20 mag", "faintest": "20.1 mag"},
    )  # fmt: skip
    (programme,) = programmes(given, TARGETS[:1], tmp_path).values()
    files = make(programme, planned(programme)[0].root, tmp_path, None)
    (star,) = Table.read(files["truth"])
    with fits.open(files["science"]) as hdus:
        data = hdus["SCI", star["extver"]].data
        assert hdus["SCI", star["extver"]].header["BUNIT"] == "ELECTRONS"
    # what is missing falls outside of the 64 pixels
    assert data.sum() == pytest.approx(star["flux"], rel=0.06)
    peak = np.unravel_index(np.argmax(data), data.shape)
    assert np.hypot(peak[1] - star["x"], peak[0] - star["y"]) < 1.0
    assert star["rate"] * 100 == pytest.approx(star["flux"])


@pytest.mark.heavy
def test_a_detector_with_a_file_of_its_own_for_quality_gets_two(tmp_path):
    given = Simulation.model_validate(
        {"observations": [{**OBSERVATION, "detector": "WFPC2", "filter": "F555W",
                           "dates": ["2005-04-01"]}],
         "stars": {"number": 2, "radius": "2 arcsec"}}
    )  # fmt: skip
    (programme,) = programmes(given, TARGETS[:1], tmp_path).values()
    files = make(programme, planned(programme)[0].root, tmp_path, None)
    assert sorted(files) == ["dq", "science", "truth"]
    assert files["science"].name.endswith("_c0m.fits")
    assert files["dq"].name.endswith("_c1m.fits")


OBSERVED = {"detector": "ACS/WFC", "filter": "F606W", "dates": ["2019-04-01"]}


def programme(folder, position="150.1 2.2", **simulation):
    given = Simulation.model_validate({"observations": [OBSERVED], **simulation})
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
    simulation = Simulation.model_validate({"observations": [OBSERVED], "template": "t.fits"})
    with pytest.raises(InputError, match="there is no such template"):
        template_of(simulation, tmp_path)
    (tmp_path / "t.fits").touch()
    assert template_of(simulation, tmp_path) == tmp_path / "t.fits"
