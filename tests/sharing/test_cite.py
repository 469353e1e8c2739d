"""What was used is cited, and what was not is not."""

from hst123r.sharing.cite import citation_text, proposals, references


def used(extract, tools=(), **parameters):
    extract["jobs"][1]["parts"] += [
        *({"kind": "tool", "name": name, "value": "1.0", "origin": ""} for name in tools),
        *({"kind": "param", "name": key, "value": value, "origin": ""}
          for key, value in parameters.items()),
    ]  # fmt: skip
    return extract


def keys(extract):
    return {entry["key"] for entry in references(extract)}


def test_tools_of_the_jobs(extract):
    assert keys(extract) == {"astropy"}
    assert keys(used(extract, ["photutils", "drizzlepac"])) == {
        "astropy", "photutils", "drizzlepac", "drizzle",
    }  # fmt: skip


def test_the_package_drizzle_and_its_paper(extract):
    assert keys(used(extract, ["drizzle"])) == {"astropy", "drizzle", "drizzle-package"}


def test_parameters_that_stand_for_a_tool(extract):
    assert "dolphot" not in keys(used(extract, engine='"psf"'))
    found = used(
        extract, engine='"dolphot"', absolute='{"catalog": "gaia-dr3"}', **{"from": "mast"}
    )
    assert keys(found) >= {"dolphot", "gaia", "astroquery"}
    text = citation_text(found)
    assert "European Space Agency (ESA) mission Gaia" in text
    assert "Mikulski" in text


def test_programs_are_named_and_simulations_are_no_observations(extract):
    facts = {"proposal": "9019"}
    product = {"kind": "exposure", "name": "a", "labels": {}, "facts": facts, "quality": "good",
               "files": []}  # fmt: skip
    extract["jobs"].append({**extract["jobs"][3], "handler": "exposures", "products": [product]})
    assert proposals(extract) == ["9019"]
    assert "of programs 9019." in citation_text(extract)
    assert "Mikulski" not in citation_text(used(extract, **{"from": "simulated"}))


def test_every_entry_is_bibtex_with_its_braces_closed(extract):
    from pathlib import Path

    from ruamel.yaml import YAML

    from hst123r.sharing import cite

    entries = YAML(typ="safe").load(Path(cite.__file__).with_name("citations.yaml"))
    for entry in entries:
        text = entry["bibtex"]
        assert text.startswith("@")
        assert text.count("{") == text.count("}"), entry["key"]
    assert citation_text(extract).startswith("@software{hst123r,")
