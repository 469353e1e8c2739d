"""Quality cuts of the catalogues."""

import pytest

from hst123r.products import tables
from hst123r.records.params import Misfits
from hst123r.stages.quality import QualityParams


def test_every_catalogue_gets_its_columns_and_keeps_its_rows(small, divide, do):
    inputs = {"photometry": small.products("photometry", "photometry")}
    jobs = divide("quality", inputs)
    assert list(jobs) == ["SN-acs_wfc"]
    params = {"cuts": ["phat-st"], "custom": {"bright-5": "snr > 5 and crowding < 2"}}
    outcome = do("quality", jobs["SN-acs_wfc"], params)
    assert [product.name for product in outcome.products] == [
        "SN-acs_wfc-f606w", "SN-acs_wfc-f814w",
    ]  # fmt: skip
    for before, after in zip(inputs["photometry"], outcome.products, strict=True):
        old, new = (tables.read(product.files["catalog"]) for product in (before, after))
        assert new.colnames == [*old.colnames, "cut_bright_5"]
        assert len(new) == len(old)
        assert (new["cut_bright_5"] == (old["snr"] > 5) & (old["crowding"] < 2)).all()
        assert after.files["measurements"] == before.files["measurements"]
        assert "needs filter_sharpness" in new.meta["cuts_not_applied"]["phat-st"]
        assert "Williams et al. 2014" in new.meta["cuts"]["phat-st"]
    assert [caveat.code for caveat in outcome.caveats] == ["cut_not_applied"] * 2
    assert [one.name for one in outcome.measurements] == ["passed_bright-5"] * 2


@pytest.mark.parametrize(
    ("given", "place", "said"),
    [
        ({"cuts": ["phat"]}, ("cuts", 0), "there is no cut 'phat', known are hst123, phat-st"),
        ({"custom": {"x": "snrr > 5"}}, ("custom", "x"), "character 1: there is no column 'snrr'"),
        ({"custom": {"x": "snr >"}}, ("custom", "x"), "no condition"),
        ({"custom": {"X y": "snr > 1"}}, ("custom", "X y"), "is no name for a cut of your own"),
        ({"custom": {"ers": "snr > 1"}}, ("custom", "ers"), "is no name for a cut of your own"),
    ],
)
def test_what_is_wrong_is_found_by_check(given, place, said):
    with pytest.raises(Exception) as raised:  # noqa: PT011
        QualityParams.model_validate(given)
    (error,) = raised.value.errors()
    found = error["ctx"]["error"]
    assert isinstance(found, Misfits)
    assert found.found[0][0] == place
    assert said in found.found[0][1]
