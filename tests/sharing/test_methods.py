"""The paragraph says what was done, with the numbers of the run."""

import json

from hst123r.sharing.methods import methods


def add(extract, handler, kind, facts, parts=(), measured=()):
    template = extract["jobs"][3]
    product = {"kind": kind, "name": "a", "labels": {}, "facts": facts, "quality": "good",
               "files": []}  # fmt: skip
    extract["jobs"].append({
        **template, "stage": handler, "handler": handler, "products": [product],
        "parts": [{"kind": "param", "name": k, "value": v, "origin": ""} for k, v in parts],
        "measurements": [{"name": k, "value": v} for k, v in measured],
    })  # fmt: skip


def test_nothing_is_said_of_what_was_not_run(extract):
    text = methods(extract)
    assert "aligned" not in text
    assert "run u1." in text


def test_numbers_of_the_run(extract):
    exposure = {"detector": "ACS/WFC", "filter": "F606W", "exposure_time_s": 400.0}
    add(extract, "exposures", "exposure", exposure)
    add(extract, "exposures", "exposure", exposure)
    add(extract, "align", "alignment", {}, [("method", "tweakwcs"), ("geometry", "rscale")],
        [("residual_rms", 0.02), ("residual_rms", 0.04), ("matches", 120)])  # fmt: skip
    add(extract, "reference", "reference", {"frame": "gaia-dr3"})
    add(extract, "photometry", "photometry", {"sources": 317}, [("engine", "dolphot")])
    row = {**extract["photometry"][0], "level": "filter"}
    faint = {**row, "filter": "F814W", "mag_ab": None, "limit_ab": 27.456}
    unknown = {**row, "filter": "F555W", "mag_sys": None}
    extract["photometry"] += [row, faint, unknown]
    extract["jobs"][-1]["rejects"] = [{"subject": "x_drz", "code": "hap", "reason": "a copy"}]
    other = {**row, "source": "2", "mag_ab": 19.0}
    extract["photometry"].append(other)
    text = methods(extract)
    assert "left out" not in text
    assert "19.000" not in text
    for words in (
        "2 exposures of the Hubble Space Telescope: 2 in ACS/WFC F606W (800 s)",
        "by tweakwcs (rscale)",
        "120 matched stars",
        "0.030 pixel rms",
        "at most 0.040",
        "The frame is that of gaia-dr3.",
        "1 stacks with pixels of 0.05 arcsec",
        "317 sources",
        "by DOLPHOT",
        "ACS/WFC F606W = 26.400 +- 0.020 +- 0.012 (systematic)",
        "ACS/WFC F555W = 26.400 +- 0.020 (systematic error not known)",
        "F814W > 27.46 (3 sigma)",
    ):
        assert words in text, words


def test_what_dolphot_used_and_found(extract):
    settings = json.dumps({"psf": "library", "preset": "hst123", "parameters": {"Force1": 1}})
    measured = [
        ("stars", 204), ("stars_deleted", 477), ("chi_of_bright_sources", 0.65),
        ("aperture_correction", 0.095), ("aperture_correction", 0.088),
    ]  # fmt: skip
    parts = [("engine", "dolphot"), ("dolphot", settings)]
    add(extract, "photometry", "photometry", {"sources": 204}, parts, measured)
    files = json.dumps(["dolphot", "wfc3/data/F814W.uvis1.psf", "wfc3/data/filters.dat"])
    order = {"kind": "order", "name": "dolphot file", "value": files, "origin": ""}
    extract["jobs"][-1]["parts"].append(order)
    text = methods(extract)
    assert (
        "DOLPHOT used the PSFs of its library (1 of them) and hst123's parameters but for Force1=1."
    ) in text
    assert (
        "It wrote 204 stars and deleted 477, with aperture corrections of 0.088 to 0.095 mag "
        "(median 0.091, 2 images); the median chi of bright ones is 0.65."
    ) in text
    extract["jobs"][-1]["measurements"] = [{"name": "stars", "value": 3}]
    extract["jobs"][-1]["parts"][1]["value"] = settings.replace("library", "analytic")
    text = methods(extract)
    assert "an analytic PSF that it fitted" in text
    assert "3 stars and deleted 0, without aperture corrections." in text


def test_stacks_are_counted_by_what_made_them(extract):
    for _ in range(2):
        add(extract, "drizzle", "stack", {"scale_arcsec": 0.04},
            [("engine", '"drizzle"'), ("pixfrac", "0.8")])  # fmt: skip
    text = methods(extract)
    assert "AstroDrizzle combined them into 1 stacks with pixels of 0.05 arcsec" in text
    assert "AstroDrizzle, combined them into 2 stacks with pixels of 0.04 arcsec" in text
