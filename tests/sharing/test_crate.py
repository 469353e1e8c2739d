"""The metadata of a crate has what the profile demands, and nothing points to nowhere."""

import json
import os
import subprocess
import zipfile

import pytest

from hst123r.sharing import crate
from hst123r.sharing.choice import chosen

ABOUT = {"name": "n", "description": "d", "license": "https://l", "version": "1.0"}
VALIDATOR = "HST123R_ROC_VALIDATOR"


@pytest.fixture
def graph(extract, work):
    document = crate.metadata(extract, chosen(extract, work, images=False), ABOUT)
    return {entity["@id"]: entity for entity in document["@graph"]}


def pointers(value):
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            yield value["@id"]
        else:
            for item in value.values():
                yield from pointers(item)
    elif isinstance(value, list):
        for item in value:
            yield from pointers(item)


def kinds(graph, kind):
    return [entity for entity in graph.values() if entity["@type"] == kind]


def test_every_pointer_leads_to_an_entity(graph):
    outside = {"https://w3id.org/ro/crate/1.1", "https://l"}
    for entity in graph.values():
        for target in pointers({k: v for k, v in entity.items() if k != "@id"}):
            assert target in graph or target in outside, (entity["@id"], target)


def test_steps_tools_and_executions(graph):
    workflow = graph["recipe.yaml"]
    assert graph["./"]["mainEntity"] == {"@id": "recipe.yaml"}
    assert {"ComputationalWorkflow", "HowTo"} <= set(workflow["@type"])
    steps = [graph[pointer["@id"]] for pointer in workflow["step"]]
    assert [step["name"] for step in steps] == ["fetch", "stacks", "scrape", "report"]
    assert [step["position"] for step in steps] == ["1", "2", "3", "4"]
    assert graph[steps[1]["workExample"]["@id"]]["name"] == "drizzle"
    values = kinds(graph, "PropertyValue")
    assert {(v["name"], v["value"], v["description"]) for v in values} == {
        ("scale", "0.05", "r.yaml:3:4"),
    }  # fmt: skip
    assert len(values) == 4
    raw = graph["#raw/a_flc.fits"]
    assert any(text.startswith("blake3:") for text in raw["identifier"])
    assert graph["#job-fetch:a"]["result"] == [{"@id": "#raw/a_flc.fits"}]
    assert {"@id": "#raw/a_flc.fits"} in graph["#job-stacks:a"]["object"]
    controls = kinds(graph, "ControlAction")
    assert len(controls) == 4
    for control in controls:
        action = graph[control["object"]["@id"]]
        assert action["@type"] == "CreateAction"
        assert action["instrument"]["@id"] in {p["@id"] for p in workflow["hasPart"]}
    (organised,) = kinds(graph, "OrganizeAction")
    assert graph[organised["result"]["@id"]]["instrument"] == {"@id": "recipe.yaml"}
    assert {p["@id"] for p in graph["./"]["conformsTo"]} >= {
        "https://w3id.org/ro/wfrun/process/0.5", "https://w3id.org/ro/wfrun/workflow/0.5",
        "https://w3id.org/ro/wfrun/provenance/0.5",
    }  # fmt: skip


def test_the_same_every_time(extract, work):
    files = chosen(extract, work, images=False)
    first, second = (json.dumps(crate.metadata(extract, files, ABOUT)) for _ in range(2))
    assert first == second


@pytest.mark.skipif(VALIDATOR not in os.environ, reason=f"{VALIDATOR} names no rocrate-validator")
def test_the_validator_of_ro_crate_finds_nothing(bundled, tmp_path):
    """Its cache has to hold the two contexts, which are on the web."""
    folder = tmp_path / "crate"
    with zipfile.ZipFile(bundled) as archive:
        archive.extractall(folder)
    said = subprocess.run(
        [os.environ[VALIDATOR], "-y", "--disable-color", "validate", "--offline", "--no-paging",
         "-p", "provenance-run-crate-0.5", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout[-3000:]
