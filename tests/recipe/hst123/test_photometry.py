"""What hst123 measures is measured by DOLPHOT, and nothing where it measures nothing."""

from hst123r.recipe.hst123.draft import Draft
from hst123r.recipe.hst123.options import Call
from hst123r.recipe.hst123.photometry import photometry


def stages(**values):
    draft = Draft([("t", "1 2")])
    photometry(Call("1", "2", {key.replace("_", "-"): item for key, item in values.items()}), draft)
    return {entry.stage: entry.values for entry in draft.stages}, draft


def test_without_the_option_there_is_no_photometry():
    found, draft = stages(no_cuts=True)
    assert found == {}
    assert set(draft.dropped) == {"no-cuts"}


def test_without_scraping_there_is_no_light_curve():
    found, _ = stages(run_dolphot=True)
    assert list(found) == ["photometry"]


def test_parameters_of_dolphot():
    found, _ = stages(run_dolphot=True, scrape_dolphot=True, dolphot_lim=3.0, fit_sky=2)
    parameters = {"SigFind": 3.0, "SigFinal": 3.0, "FitSky": 2}
    assert found["photometry"] == {
        "engine": "dolphot", "dolphot": {"chips": "target", "parameters": parameters},
    }  # fmt: skip
    assert found["scrape"] == {"radius": "0.6 arcsec"}
