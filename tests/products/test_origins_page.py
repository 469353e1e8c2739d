"""The page of provenance: everything a report leads to is on it, and nothing leads nowhere."""

import pytest

from hst123r.products.origins_page import page
from tests.products.test_report import parsed

POINT = {
    "target": "SN<1>", "source": "1", "level": "epoch", "detector": "ACS/WFC", "filter": "F606W",
    "epoch": "20190401", "visit": "", "exposure": "", "mjd": 58574.0, "flux_njy": 100.0,
    "flux_err_njy": 2.0, "mag_ab": 26.4, "mag_err": 0.02, "limit_ab": 28.0,
    "stage": "scrape", "exposures": ["ja"], "lineage": "SN<1>, ACS/WFC, F606W",
}  # fmt: skip
SINGLE = {**POINT, "level": "exposure", "exposure": "ja", "visit": "1_01"}
JOB = {
    "job": 1, "stage": "fetch", "label": "ja", "handler": "fetch", "version": 1, "run": 1,
    "state": "done", "quality": "good", "key": "blake3:0123456789abcdef0123", "own": True,
    "set": 0, "tools": {"astropy": "8.0"}, "products": [{"kind": "file", "name": "ja"}],
    "reads": [], "started": "2026", "caveats": [],
}  # fmt: skip
READER = {**JOB, "job": 2, "stage": "scrape", "label": "SN<1>", "reads": [1], "products": []}
FILE = {"path": "raw/ja_flc.fits", "name": "ja_flc.fits", "uri": "mast:HST/ja_flc.fits",
        "digest": "blake3:9", "sha256": None, "made_by": 1}  # fmt: skip
EDITION = {
    "runs": [1, 2, 4], "tags": ["v1"], "started": "2025", "same": False, "points": 2,
    "different": 1, "only_then": 0, "only_now": 0, "largest_sigma": 1.25, "rms_sigma": 0.9,
    "median_mag": 0.01, "software": [], "rows": [],
    "parameters": [{"stage": "a", "name": "b", "a": 1, "b": None}],
}  # fmt: skip
ABOUT = {
    "rests_on": "blake3:77",
    "run": {"run": 5, "recipe": "r<x>", "started": "2026", "ended": "2026", "state": "done"},
    "environment": {"hst123r": "1.0"}, "jobs": [JOB, READER],
    "sets": {"fetch": [[{"name": "p", "value": "<b>", "origin": "r.yaml:1:2"}]], "scrape": [[]]},
    "files": {FILE["path"]: FILE}, "points": [POINT, SINGLE],
    "lineages": {POINT["lineage"]: {"jobs": [1, 2], "files": [FILE["path"]]}},
    "earlier": [EDITION],
}  # fmt: skip


def leads_nowhere(*pages):
    """Return the links of pages to places that are not there; pages are (name, text)."""
    read = {name: parsed(text) for name, text in pages}
    places = {name: [a["id"] for _, a in tags if "id" in a] for name, tags in read.items()}
    for name, found in places.items():
        assert len(found) == len(set(found)), f"a place of {name} is there twice"
    dead = []
    for name, tags in read.items():
        for _, attributes in tags:
            file, _, place = attributes.get("href", "#targets").partition("#")
            there = places.get(file or name)
            if "href" in attributes and (there is None or (place and place not in there)):
                dead.append(attributes["href"])
    return dead


def test_all_links_of_a_run_lead_somewhere_and_nothing_needs_a_network(finished):
    names = ("report.html", "provenance.html")
    pages = [(name, (finished / name).read_text(encoding="utf-8")) for name in names]
    assert leads_nowhere(*pages) == []
    for _, text in pages:
        for tag, attributes in parsed(text):
            assert tag not in {"script", "link", "iframe"}
            assert "http" not in attributes.get("href", "") + attributes.get("src", "")
    points = [a["href"] for tag, a in parsed(pages[0][1]) if "#point:" in a.get("href", "")]
    # from each plotted point, and from each row of the tables
    assert len(points) > 4
    assert {name.partition("#")[0] for name in points} == {"provenance.html"}


def test_a_page_stays_small(finished):
    assert (finished / "provenance.html").stat().st_size < 150_000


def test_what_is_said():
    text = page(ABOUT, reports=())
    assert leads_nowhere(("provenance.html", text)) == []
    assert "SN<1>" not in text
    assert "r<x>" not in text
    assert "and on 1 files from outside, and on no other" in text
    assert "1–2, 4 (v1)" in text
    assert "a.b 1 → none" in text
    assert '<code title="blake3:0123456789abcdef0123">0123456789abcdef</code>' in text
    assert "report.html" not in text
    assert 'href="report.html"' in page(ABOUT, reports=["report.html"])
    assert page(ABOUT, reports=["report.html"]) == page(ABOUT, reports=["report.html"])


def test_caveats_are_beside_the_jobs_that_have_them():
    told = {**READER, "caveats": ["x was <made> elsewhere", *map(str, range(20))]}
    text = page({**ABOUT, "jobs": [JOB, told]}, reports=())
    assert "x was &lt;made&gt; elsewhere" in text
    assert "<summary>9 more</summary>" in text


def test_for_others_it_has_no_numbers_of_runs_and_attempts():
    text = page({**ABOUT, "run": {**ABOUT["run"], "run": None}}, reports=())
    assert "Where each number comes from. done" in text
    assert "attempt" not in text
    assert "in run" not in text
    assert "attempt" in page(ABOUT, reports=())


@pytest.mark.parametrize(("changes", "says"), [
    ({"same": True}, "nothing, the same results"),
    ({"parameters": [], "different": 0}, "nothing, made again"),
    ({"parameters": []}, "no parameter and no version"),
    ({"parameters": [], "software": [{"name": "numpy", "a": None, "b": "2"}]}, "numpy none → 2"),
])  # fmt: skip
def test_what_was_otherwise_in_an_earlier_run(changes, says):
    assert says in page({**ABOUT, "earlier": [{**EDITION, **changes}]}, reports=())


def test_a_job_that_another_run_left_has_a_place_of_its_own():
    older = {**JOB, "job": 7, "own": False}
    about = {**ABOUT, "jobs": [JOB, older, {**READER, "reads": [7]}]}
    text = page(about, reports=())
    assert leads_nowhere(("provenance.html", text)) == []
    assert 'href="#job:fetch:ja:7"' in text


def test_a_second_light_curve_of_a_target_has_places_of_its_own():
    second = {**POINT, "stage": "near", "lineage": "near"}
    offset = {**POINT, "what": ["flux_njy"], "sigma": 0.5, "flux_a": 1.0, "flux_b": 2.0,
              "mag_a": None, "mag_b": None}  # fmt: skip
    lost = {**offset, "epoch": "20200101", "what": ["only a has it"]}
    about = {
        **ABOUT, "points": [POINT, SINGLE, second],
        "lineages": {**ABOUT["lineages"], "near": {"jobs": [2], "files": []}},
        "earlier": [{**EDITION, "rows": [offset, lost]}],
    }  # fmt: skip
    text = page(about, reports=())
    assert leads_nowhere(("provenance.html", text)) == []
    assert text.count("only then") == 2
    assert "epoch 20200101</td>" in text


def test_files_of_one_name_from_two_folders_have_places_of_their_own():
    files = {f"/{name}/x.fits": {**FILE, "path": "outside/x.fits"} for name in ("a", "b")}
    behind = {POINT["lineage"]: {"jobs": [1, 2], "files": list(files)}}
    text = page({**ABOUT, "files": files, "lineages": behind}, reports=())
    assert leads_nowhere(("provenance.html", text)) == []
    assert text.count('href="#job:file:outside_2f_x.fits:2"') == 1


def test_earlier_runs_are_left_out_where_they_are_not_asked_for():
    assert "Earlier runs" in page(ABOUT, reports=())
    assert "Earlier runs" not in page({**ABOUT, "earlier": None}, reports=())


def test_many_names_are_folded():
    jobs = [{**JOB, "job": n, "label": f"j{n}"} for n in range(1, 30)]
    reader = {**READER, "job": 99, "reads": list(range(1, 30))}
    behind = {POINT["lineage"]: {"jobs": [99], "files": []}}
    text = page({**ABOUT, "jobs": [*jobs, reader], "lineages": behind}, reports=())
    assert "<summary>17 more</summary>" in text
