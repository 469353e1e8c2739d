"""The report: one page that needs nothing else."""

import base64
import re
from html.parser import HTMLParser

import pytest

from hst123r.products import tables
from hst123r.products.exposure_table import COLUMNS
from hst123r.products.report import page
from hst123r.records.outcome import Caveat, Product

JOB = {"stage": "align", "label": "v1", "quality": "good", "state": "done", "caveats": [],
       "measurements": [], "rejects": []}  # fmt: skip


class Balanced(HTMLParser):
    """Checks that every tag is closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "link"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(text):
    reader = Balanced()
    reader.feed(text)
    assert reader.open == []
    return reader.seen


@pytest.fixture
def write(tmp_path):
    """Return the page of a recipe with one exposure table."""
    path = tmp_path / "exposures.ecsv"
    tables.write(tables.build(COLUMNS[:0], [], {}), path)

    def make(jobs=(JOB,), text="hst123r: 1\n", inputs=None, measurements=True, **about):
        given = {
            "recipe_name": "r", "recipe_text": text, "targets": [{"name": "SN"}],
            "software": {"hst123r": "0.1"}, "parameters": [], "jobs": list(jobs), "failures": [],
            **about,
        }  # fmt: skip
        table = Product("exposure table", "exposures", {}, {"table": str(path)})
        return page(given, {"exposure table": [table], **(inputs or {})}, measurements=measurements)

    return make


def test_a_text_of_the_recipe_is_text_and_not_html(write):
    text = write(text="<script>alert('x')</script> & more", recipe_name="<b>r</b>")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "<b>r</b>" not in text
    parsed(text)


def test_failures_come_first_and_are_no_jobs_of_the_verdict(write):
    failure = {"job": "scrape:SN", "state": "blocked", "why": "stacks:F606W <failed>"}
    text = write(jobs=[JOB, {**JOB, "state": "failed", "quality": None}], failures=[failure])
    assert "not complete: 1 of what it would tell of gave no result" in text
    assert "1 jobs, all good." in text
    assert text.index('<section id="failed"') < text.index('<section id="targets"')
    assert "stacks:F606W &lt;failed&gt;" in text
    parsed(text)
    assert '<section id="failed"' not in write()


@pytest.mark.parametrize(
    ("qualities", "says"),
    [
        (["good", "good"], "2 jobs, all good."),
        (["good", "bad", "caveat"], "3 jobs, 1 with bad results, 1 with caveats."),
        (["caveat"], "1 jobs, 1 with caveats."),
    ],
)
def test_the_verdict_counts_jobs(write, qualities, says):
    assert says in write(jobs=[{**JOB, "quality": quality} for quality in qualities])


def test_caveats_and_bad_measurements_are_listed_together(write):
    bad = {"name": "residual_rms_east", "value": 31.25, "unit": "mas", "low": None, "high": 25.0,
           "quality": "bad", "subject": "jsi00201q"}  # fmt: skip
    unmeasured = {**bad, "name": "offset_left", "value": None}
    caveat = {"code": "kernel", "text": "does not conserve flux", "subject": ""}
    text = write(jobs=[{**JOB, "measurements": [bad, unmeasured], "caveats": [caveat]}])
    assert "residual_rms_east is 31.250 mas (bad)" in text
    assert "does not conserve flux" in text
    assert "<p>None.</p>" in write()
    assert "31.250" not in write(jobs=[{**JOB, "measurements": [{**bad, "quality": "good"}]}],
                                 measurements=False)  # fmt: skip


def test_what_a_light_curve_rests_on_is_told_before_its_numbers(write, tmp_path):
    picture = tmp_path / "plot.png"
    picture.write_bytes(b"\x89PNG")
    facts = {"rows": [], "detected": True, "source": "7", "separation_arcsec": 0.1,
             "limit_snr": 3.0}  # fmt: skip
    curve = Product("light curve", "SN", {"target": "SN"}, {"plot": str(picture)}, facts)
    assert "Before you use" not in write(inputs={"light curve": [curve]})
    curve.caveats = [
        Caveat("adopted", "gaia.ecsv was <made> elsewhere"), Caveat("few", "few stars", "v1"),
        Caveat("adopted", "gaia.ecsv was <made> elsewhere"),
    ]  # fmt: skip
    text = write(inputs={"light curve": [curve]})
    parsed(text)
    told = "<ul><li>gaia.ecsv was &lt;made&gt; elsewhere</li><li>v1: few stars</li></ul>"
    assert text.index('<section id="light-curves"') < text.index(told) < text.index("<figure>")


def test_sections_without_content_are_left_out(write):
    names = re.findall(r'<section id="([\w-]+)"', write())
    assert names == ["targets", "exposures", "caveats", "software", "recipe"]


def test_rejects_are_listed_with_their_reasons(write):
    reject = {"subject": "x_flt.fits", "labels": {"detector": "ACS/WFC"}, "code": "exposure_time",
              "reason": "10 s is shorter than 15 s"}  # fmt: skip
    text = write(jobs=[{**JOB, "rejects": [reject]}])
    assert "1 left out" in text
    assert "10 s is shorter than 15 s" in text


def test_the_page_of_a_run_is_whole_and_needs_no_network(finished):
    text = (finished / "report.html").read_text(encoding="utf-8")
    tags = parsed(text)
    for tag, attributes in tags:
        assert tag not in {"script", "link", "iframe"}
        for name in ("src", "href"):
            if name in attributes:
                assert attributes[name].startswith(
                    ("data:image/png;base64,", "#", "provenance.html")
                )
    links = {a["href"][1:] for tag, a in tags if tag == "a" and a["href"].startswith("#")}
    assert links == {a["id"] for tag, a in tags if tag == "section"}
    assert {"light-curves", "alignment", "stacks", "recipe"} <= links
    assert all(attributes["alt"] for tag, attributes in tags if tag == "img")


def test_every_picture_of_the_run_is_in_the_page(finished):
    text = (finished / "report.html").read_text(encoding="utf-8")
    shown = re.findall(r"base64,([A-Za-z0-9+/=]+)", text)
    # the light curve is drawn anew, so that its points can be links
    pictures = sorted(
        path for path in finished.glob("products/**/*.png") if "light_curve" not in path.name
    )
    assert len(pictures) == len(shown) == 9
    held = {base64.b64decode(data) for data in shown}
    assert all(path.read_bytes() in held for path in pictures)
    assert text.count("<svg") == len(list(finished.glob("products/**/*_light_curve.png")))


def test_numbers_of_the_page_are_those_of_the_tables(finished, small):
    text = (finished / "report.html").read_text(encoding="utf-8")
    curve = small.table("scrape/SN/SN_light_curve.ecsv")
    for row in curve[curve["level"] == "epoch"]:
        assert f"{row['mag_ab']:.3f}" in text
    assert text.count("jsi00202q") >= 3


def heads(text):
    """Return the heads of every table of a page."""
    return [re.findall(r"<th[^>]*>([^<]*)</th>", part) for part in text.split("<table>")[1:]]


def test_the_link_of_a_point_comes_first_and_two_detectors_are_told_apart(write, tmp_path):
    point = {
        "level": "epoch", "filter": "F814W", "epoch": "20190401", "visit": "", "exposure": "",
        "mjd": 58574.25, "n_exposures": 2, "flux_njy": 1234.5678, "flux_err_njy": 12.3456,
        "snr": 100.0, "mag_ab": 23.671, "mag_err": 0.011, "mag_sys": 0.006, "limit_ab": 27.123,
        "flags": 0, "source": 1,
    }  # fmt: skip
    rows = [
        {**point, "detector": detector, **more}
        for detector in ("ACS/WFC", "WFC3/UVIS")
        for more in ({}, {"level": "exposure", "visit": "99900_01", "exposure": "jsi00101q"})
    ]
    facts = {"rows": rows, "source": 1, "detected": True, "separation_arcsec": 0.01,
             "limit_snr": 3.0}  # fmt: skip
    files = {"table": str(tmp_path / "scrape" / "SN" / "SN_light_curve.ecsv")}
    curve = Product("light curve", "SN", {"target": "SN"}, files, facts)
    text = write(inputs={"light curve": [curve]})
    parsed(text)
    means, single = [found for found in heads(text) if "flux njy" in found]
    assert means[0] == single[0] == "origin"
    # what all rows of a table have in common, or none has, takes no room
    assert "exposure" not in means
    assert not {"level", "n exposures", "epoch"} & set(single)
    for name in ("ACS/WFC F814W", "WFC3/UVIS F814W"):
        assert text.count(f"<td>{name}</td>") == 2
