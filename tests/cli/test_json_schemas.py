"""What the commands print with --json is what the committed schemas describe."""

import contextlib
import io
import json
import os
import shutil
from pathlib import Path

import click
import jsonschema
import pytest
from loopback.server import Archive

from hst123r import resources
from hst123r.archives.endpoints import VARIABLE
from hst123r.cli.main import cli, invoke

RECIPE = """\
hst123r: 1
name: r
targets: [{name: T, position: "150.1 2.2"}]
select: {exclude: [jsi00102q]}
stages:
  - fetch: {from: directory, path: data}
  - reference: {min_stars: 10000}
  - drizzle: {}
"""
SIMULATED = """\
hst123r: 1
name: s
targets: [{name: T, position: "150.1 2.2"}]
stages:
  - fetch:
      from: simulated
      simulation:
        observations:
          - {detector: ACS/WFC, filter: F606W, dates: [2019-04-01], exposures: 1, size: 64 pix}
        stars: {number: 5, radius: 4 arcsec}
"""
FROM_MAST = """\
hst123r: 1
name: m
targets: [{name: T, position: "150.1 2.2"}]
stages:
  - fetch: {from: mast}
  - wcs: {start: refit, fetch_references: true}
  - reference: {absolute: {catalog: gaia-dr3}}
  - align: {}
  - drizzle: {}
  - photometry: {psf: grid, fetch_psf_grids: true}
"""
RAW = "r/raw/jsi00101q_flc.fits"
ASKED = [
    ("check", "r.yaml", "--resolved"),
    ("check", "r.yaml"),
    ("exposures", "r.yaml"),
    ("history",),
    ("history", "--run", "1"),
    ("history", "--file", RAW),
    ("history", "--where", "select.min_exposure>=0 s", "--software", "astropy>1"),
    ("history", "--photometry", "T"),
    ("plan", "r.yaml"),
    ("plan", "r.yaml", "--redo", "select"),
    ("plan", "r.yaml", "--work-dir", "never"),
    ("explain", "r.yaml", "exposures:all"),
    ("explain", "r.yaml", "exposures:all", "--set", "select.min_exposure=20 s"),
    ("explain", "r.yaml", "fetch:jsi00101q", "--work-dir", "never"),
    ("show", "1"),
    ("show", "reference:T"),
    ("show", "drizzle:T-acs_wfc-f606w"),
    ("show", RAW),
    ("show", "data/jsi00102q_flc.fits"),
    ("show", "wcs", "data/jsi00102q_flc.fits"),
    ("lineage", "drizzle:T-acs_wfc-f606w"),
    ("lineage", "T"),
    ("diff", "1", "1"),
    ("tag",),
    ("tag", "1", "first", "--note", "a"),
    ("gc",),
    ("gc", "--delete"),
    ("db", "check"),
    ("db", "backup", "copy.sqlite"),
    ("diff", "r.yaml", "s.yaml"),
    ("lineage", RAW, "--down"),
    ("sql", "select * from last_good"),
    ("verify",),
    ("verify", "--quick", "--jobs", "2"),
    ("repair", "--check"),
    ("repair", "--offline"),
    ("adopt", "data/jsi00102q_flc.fits", "--note", "by Ann", "-C", "r"),
    ("convert-workdir", "data", "--check", "-C", "converted"),
    ("history", "--stage", "adopted"),
    ("history", "--since", "2020-01-01"),
    ("show", "adopted:jsi00102q_flc.fits"),
    ("doctor",),
    ("run", "r.yaml"),
    ("run", "r.yaml", "--only", "select"),
    ("simulate", "s.yaml", "-o", "made"),
    ("update", "r.yaml"),
    ("replay", "paper.zip", "--into", "again"),
    ("query", "m.yaml"),
    ("query", "m.yaml", "--set", "fetch.intents=[calibration, science]"),
]


def commands_with_json():
    context = click.Context(cli)
    return [
        name
        for name in cli.list_commands(context)
        if any("--json" in option.opts for option in cli.get_command(context, name).params)
    ]


def ask(*arguments):
    """Run a command with --json and return what it printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = invoke([*arguments, "--json"])
    return code, json.loads(out.getvalue())


def validate(command, answer):
    path = resources.folder("schemas") / f"{command}.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(answer)


@pytest.fixture(scope="module")
def place(made_exposures, module_folder):
    """Run a small recipe once: an exposure left out, a bad reference, a stack."""
    folder = module_folder("json")
    shutil.copytree(made_exposures, folder / "data")
    (folder / "r.yaml").write_text(RECIPE)
    (folder / "s.yaml").write_text(SIMULATED)
    (folder / "m.yaml").write_text(FROM_MAST)
    before = Path.cwd()
    os.chdir(folder)
    try:
        code, answer = ask("run", "r.yaml")
        assert code == 3
        validate("run", answer)
        states = {job["state"] for stage in answer["stages"] for job in stage["jobs"]}
        assert states == {"done"}
        assert invoke(["run", "s.yaml", "--work-dir", "below/s"]) == 0
        assert invoke(["bundle", "--work-dir", "below/s", "-o", "paper.zip"]) == 0
        yield folder
    finally:
        os.chdir(before)


@pytest.fixture(scope="module", autouse=True)
def archive(made_exposures):
    """Let an archive on this machine take the place of MAST."""
    with Archive() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, running.url)
        patch.setenv("NO_PROXY", "127.0.0.1")
        for path in made_exposures.iterdir():
            row = running.holdings.add_exposures([path], "ACS/WFC")
            running.holdings.add_product(row, f"{path.name[:9]}_raw.fits", path.name[:9])
        yield running


@pytest.mark.parametrize("arguments", ASKED, ids=" ".join)
def test_what_is_printed_is_what_the_schema_describes(place, arguments):
    _, answer = ask(*arguments)
    validate(arguments[0], answer)


def test_a_product_that_is_gone_is_described_too(place):
    shutil.copytree(place / "r", place / "elsewhere" / "r")
    gone = place / "elsewhere" / "r" / "products" / "exposures" / "all" / "exposures.ecsv"
    gone.unlink()
    _, answer = ask("show", str(gone), "--work-dir", "elsewhere/r")
    assert answer["state"] == "missing"
    validate("show", answer)
    code, answer = ask("verify", "--work-dir", "elsewhere/r")
    assert code == 3
    validate("verify", answer)
    code, answer = ask("repair", "--check", "--work-dir", "elsewhere/r")
    assert code == 10
    assert [row["action"] for row in answer["files"]] == ["make"]
    validate("repair", answer)
    code, answer = ask("repair", "--work-dir", "elsewhere/r")
    assert code == 0
    assert answer["files"][0]["outcome"] == "made again, the same bytes"
    validate("repair", answer)
    for path in (place / "elsewhere" / "r").glob("hst123r.sqlite*"):
        path.unlink()
    code, answer = ask("db", "rebuild", "--work-dir", "elsewhere/r")
    assert (code, answer["rebuilt"]["unlike"]) == (0, [])
    validate("db", answer)


def test_what_was_run_holds_something_of_everything(place):
    """An empty list fulfils every schema, so the lists must not all be empty."""
    _, found = ask("exposures", "r.yaml")
    assert len(found["used"]) == 3
    assert [row["subject"] for row in found["rejected"]] == ["jsi00102q"]
    _, job = ask("show", "reference:T")
    assert job["quality"] == "bad"
    assert all(job[name] for name in ("parameters", "tools", "inputs", "products", "measurements"))
    _, stack = ask("show", "drizzle:T-acs_wfc-f606w")
    assert stack["caveats"]
    _, found = ask("query", "m.yaml")
    assert len(found["exposures"]) == 4
    assert found["left_out"]
    assert [item["archive"] for item in found["also"]] == ["CRDS", "Gaia DR3", "STDPSF"]


def test_every_command_with_json_has_a_schema_and_is_asked_here():
    known = {
        path.name.removesuffix(".schema.json") for path in resources.folder("schemas").iterdir()
    }
    assert set(commands_with_json()) == known - {"recipe", "instrument", "lock"}
    assert {arguments[0] for arguments in ASKED} == set(commands_with_json())


def objects(schema):
    """Every object with named properties in a schema."""
    if isinstance(schema, list):
        for part in schema:
            yield from objects(part)
    elif isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        for part in schema.values():
            yield from objects(part)


@pytest.mark.parametrize("command", commands_with_json())
def test_a_schema_is_draft_7_and_describes_every_key(command):
    path = resources.folder("schemas") / f"{command}.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    for found in objects(schema):
        for name, part in found["properties"].items():
            assert part.get("description") or "const" in part or "$ref" in part, name


def test_a_schema_refuses_what_it_does_not_describe():
    with pytest.raises(jsonschema.ValidationError):
        validate("verify", [{"state": "fine", "file": "a", "what": ""}])
    with pytest.raises(jsonschema.ValidationError):
        validate("doctor", [{"state": "ok", "what": "a", "found": "b", "more": 1}])
