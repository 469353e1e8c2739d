"""The paragraph says what was done, with the numbers of the run."""

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
    extract["photometry"] += [row, faint]
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
        "ACS/WFC F606W = 26.400 +- 0.020",
        "F814W > 27.46 (3 sigma)",
    ):
        assert words in text, words
