"""The table of exposures: epochs, visits and fields."""

import pytest
from astropy.io import fits

from hst123r.errors import InputError
from hst123r.products import tables
from hst123r.products.exposures import read_exposure
from hst123r.records.outcome import Product


@pytest.fixture
def table(data, divide, do, tmp_path):
    """Select the exposures of the folder ``data`` as they are, and return their table."""

    def run(gap="1 day", place="150.1 2.2"):
        params = {"epoch_gap": gap}
        (job,) = divide("exposures", {"selected": selected(data)}, params, {"T": place}).values()
        outcome = do("exposures", job, params)
        return tables.read(outcome.products[-1].files["table"])

    return run


def selected(data):
    found = []
    for path in sorted(data.glob("*.fits")):
        exposure = read_exposure(str(path), {"T": (150.1, 2.2)})
        labels = {"exposure": exposure.root}
        files = {"science": str(path)}
        found.append(Product("selected", exposure.root, labels, files, exposure.as_facts()))
    return found


def move(data, root, days):
    """Put an exposure some days later."""
    path = data / f"{root}_flc.fits"
    for keyword in ("EXPSTART", "EXPEND"):
        fits.setval(path, keyword, value=fits.getval(path, keyword) + days)


def test_exposures_close_in_time_are_one_epoch_and_visits_are_hsts_own(table, data):
    found = table()
    assert found["epoch"].tolist() == [1, 1, 2, 2]
    assert found["epoch_name"].astype(str).tolist() == ["20190401"] * 2 + ["20190601"] * 2
    assert found["visit"].tolist() == ["99900_01"] * 2 + ["99900_02"] * 2
    assert found["imagenumber"].tolist() == [1, 2, 3, 4]


def test_epochs_link_through_others(table, data):
    """Each is 0.9 day after the one before: one epoch of 2.7 days, with a gap of one day."""
    for number, root in enumerate(("jsi00101q", "jsi00102q")):
        move(data, root, 61 - 0.9 * (2 - number))
    move(data, "jsi00202q", 0.9)
    assert table()["epoch"].tolist() == [1, 1, 1, 1]
    assert table("0.8 day")["epoch"].tolist() == [1, 2, 3, 4]


def test_two_epochs_of_one_day_are_named_by_the_minute(table, data):
    move(data, "jsi00102q", 0.25)
    names = table("1 h")["epoch_name"].astype(str).tolist()
    assert names[:2] == ["20190401T0000", names[1]]
    assert names[1].startswith("20190401T06")
    assert len(set(names)) == 3


def test_epochs_are_counted_for_each_filter_alone(table, data):
    for root in ("jsi00102q", "jsi00202q"):
        path = data / f"{root}_flc.fits"
        fits.setval(path, "FILTER1", value="CLEAR1L")
        fits.setval(path, "FILTER2", value="F814W")
    found = table()
    assert found["filter"].tolist() == ["F606W", "F814W", "F606W", "F814W"]
    assert found["epoch"].tolist() == [1, 1, 2, 2]


def test_numbers_follow_time_and_not_names(table, data):
    move(data, "jsi00101q", 400)
    assert table()["root"].tolist() == ["jsi00102q", "jsi00201q", "jsi00202q", "jsi00101q"]


def test_nothing_left_after_the_selection_is_the_users_error(divide):
    with pytest.raises(InputError, match="no exposure is left after the selection"):
        divide("exposures", {"selected": []})


def test_targets_that_share_an_exposure_are_one_field(small):
    table = small.table("exposures/all/exposures.ecsv")
    assert set(table["targets"]) == {"SN nothing"}
    assert set(table["field"]) == {"SN"}
