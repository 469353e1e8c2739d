"""What MAST has for a recipe, asked through the real client."""

import warnings
from importlib.resources import files
from json import loads

import pytest
from astroquery.exceptions import InvalidQueryError, MaxResultsWarning
from astroquery.mast import MastMissionsClass, conf, services
from loopback import missions
from loopback.client import QUICK, ROOT
from loopback.holdings import EXCLUSIVE, exposure_bytes, square

from hst123r import instruments
from hst123r.archives import endpoints
from hst123r.archives.criteria import Criteria
from hst123r.archives.mast import search
from hst123r.archives.portal import Portal
from hst123r.archives.replies import Replies
from hst123r.records.position import parse
from hst123r.records.target import Target

ONE, TWO = Target("one", parse("150.1 2.2")), Target("two", parse("10.5 -30"))


@pytest.fixture
def portal(archive):
    held = archive.holdings
    acs = held.add_observation("jtst01010", "ACS/WFC")
    held.add_product(acs, "jtst01abq_flc.fits", "jtst01abq")
    svm = held.add_observation("hst_99900_01_acs_wfc_f606w_jtst01", "ACS/WFC",
                               provenance_name="HAP-SVM")  # fmt: skip
    held.add_product(svm, "hst_99900_01_acs_wfc_f606w_jtst01ab_flc.fits", "jtst01ab")
    return Portal(endpoints.mast(), Replies(None), QUICK)


def test_targets_at_one_place_are_asked_for_once(archive, portal):
    same = Target("same", ONE.position)
    found = search(Criteria((ONE, same, TWO), 0.0, instruments.names()), portal)
    (exposure,) = found.exposures
    assert (exposure.root, exposure.targets) == ("jtst01abq", ["one", "same"])
    assert [entry.code for entry in found.left_out] == ["copy"]
    assert len(archive.requests("invoke")) == 3


def test_without_an_observation_no_products_are_asked_for(archive, portal):
    found = search(Criteria((TWO,), 0.0, instruments.names()), portal)
    assert (found.exposures, found.left_out) == ([], [])
    assert len(archive.requests("invoke")) == 1


@pytest.fixture
def missions_client(archive, monkeypatch):
    """The archive's own client of its search by mission, which hst123r does not use."""
    held = archive.holdings
    for number, rights in enumerate(("PUBLIC", EXCLUSIVE)):
        root = f"jtst0{number + 1}abq"
        held.add_file(f"{root}_flc.fits", exposure_bytes(root), rights)
        ra = 150.1 + number * 0.03
        more = {"s_ra": ra, "s_region": square(ra, 2.2, 101), "dataRights": rights}
        row = held.add_observation(f"{root[:6]}010", "ACS/WFC", **more)
        held.add_product(row, f"{root}_flc.fits", root)
        held.add_product(row, f"{root}_raw.fits", root)
    monkeypatch.setattr(services.ServiceAPI, "SERVICE_URL", archive.url)
    monkeypatch.setattr(services.ServiceAPI, "MISSIONS_DOWNLOAD_URL", f"{archive.url}/search/")
    with conf.set_temp("server", archive.url):
        client = MastMissionsClass(mission="hst")
        yield client
        client._session.close()


def recorded(name):
    return loads((files("astroquery.mast") / "tests" / "data" / name).read_text())


def test_the_search_by_mission_is_about_apertures_and_not_footprints(archive, missions_client):
    """Why it is not used: it has no footprint, and targets lie beside apertures."""
    place = ONE.position.skycoord
    near = missions_client.query_region(place, radius="10 arcsec", sci_instrume="ACS")
    assert list(near["sci_data_set_name"]) == [ROOT.upper()]
    both = missions_client.query_criteria(
        coordinates=place, radius="3 arcmin", sci_instrume=["ACS", "WFC3"], sci_aec="S"
    )
    assert list(both["sci_status"]) == ["PUBLIC", "PROPRIETARY"]
    assert "s_region" not in both.colnames
    # the portal says of the same two which of them show the target
    names = sorted({n for d in instruments.names() for n in instruments.get(d).archive.names})
    portal = Portal(endpoints.mast(), Replies(None), QUICK)
    rows = portal.observations(ONE.position, 100.0, names, ["science"])
    assert [row["distance"] > 0 for row in rows] == [False, True]
    with pytest.raises(InvalidQueryError, match="Did you mean 'sci_instrume'"):
        missions_client.query_criteria(sci_instrument="ACS")
    with pytest.warns(MaxResultsWarning):
        missions_client.query_region(place, radius="3 arcmin", limit=1)
    archive.faults.add("search/hst", "status", 1, code=500)
    # and why not as a fallback: of a broken server it says that the question was wrong
    with pytest.raises(InvalidQueryError, match="invalid input"):
        missions_client.query_region(place, radius="3 arcmin")


def test_the_search_by_mission_lists_and_gives_the_same_files(archive, missions_client, tmp_path):
    products = missions_client.get_product_list([ROOT.upper(), "JTST02ABQ"])
    assert {row["filename"] for row in products} == {
        f"jtst0{n}abq_{kind}.fits" for n in (1, 2) for kind in ("flc", "raw")
    }
    chosen = missions_client.filter_products(products, file_suffix="FLC")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told = missions_client.download_products(
            chosen, download_dir=tmp_path, flat=True, verbose=False
        )
    assert sorted(told["Status"]) == ["COMPLETE", "ERROR"]
    path = tmp_path / f"{ROOT}_flc.fits"
    assert path.read_bytes() == archive.holdings.files[f"mast:HST/product/{path.name}"].data
    asked = {entry["request"].partition("retrieve_product?")[2] for entry in archive.log}
    assert any(f"product_name={ROOT.upper()}%2F{ROOT}_flc.fits" in line for line in asked)


def test_the_search_by_mission_answers_in_the_shape_of_recorded_replies(archive, missions_client):
    results, listed = recorded("mission_results.json"), recorded("mission_products.json")
    rows = missions.rows_of(archive.holdings)
    types = {entry["name"]: entry["type"] for entry in results["info"]}
    shared = set(types) & set(missions.COLUMNS)
    assert len(shared) > 8
    assert {name: missions.COLUMNS[name][0] for name in shared} == {n: types[n] for n in shared}
    for name in shared:
        told = {type(row[name]) for row in results["results"] if row[name] is not None}
        assert type(rows[0][name]) in told | ({float} if int in told else set()), name
    made = missions.product(archive.holdings.products[0], archive.holdings)
    assert made.keys() == listed["products"][0].keys()
    assert missions.column("sci_ra").keys() == recorded("mission_columns.json")[0].keys()
