"""The documentation is in step with the code, and what it shows works."""

import re
import shlex
import sqlite3
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click
import jsonschema
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

import hst123r
from hst123r import instruments
from hst123r.cli.main import cli, invoke
from hst123r.engine.options import Options
from hst123r.provenance.store import Store
from hst123r.recipe.load import load
from hst123r.recipe.schema import recipe_schema
from hst123r.resources import shipped_recipes
from hst123r.stage import registry

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md")), *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = cli.list_commands(click.Context(cli))
SHIPPED = shipped_recipes()


@dataclass(frozen=True)
class Block:
    """A block of code of a page."""

    page: str
    language: str
    text: str


def blocks(*languages):
    return [
        Block(str(path.relative_to(ROOT)), language, text)
        for path in PAGES
        for language, text in FENCE.findall(path.read_text(encoding="utf-8"))
        if language in languages
    ]


def recipes():
    """Complete recipes: they begin with the version of the language."""
    return [
        block for block in blocks("yaml") if re.search(r"^hst123r: 1$", block.text, re.MULTILINE)
    ]


def name_of(block):
    return re.search(r"^name: (\S+)$", block.text, re.MULTILINE)[1]


def shown(text, *, prompt):
    """Words of every `hst123r` command of a text."""
    for line in text.splitlines():
        command = line.strip()
        if prompt and not command.startswith("$ "):
            continue
        for part in re.split(r" && | \| ", command.removeprefix("$ ")):
            if re.match(r"(\S*/)?hst123r ", part):
                yield part


LINES = [
    (block.page, line)
    for block in blocks("console", "bash", "text")
    if block.language != "text" or block.page.startswith("docs/commands/")
    for line in shown(block.text, prompt=block.language == "console")
]


# ---------------------------------------------------------------- generated


def generate(folder, *arguments):
    command = [sys.executable, folder / "generate.py", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_generated_files_are_in_step_with_the_code():
    done = generate(DOCS, "--check")
    assert done.returncode == 0, f"run `python docs/generate.py`\n{done.stdout}{done.stderr}"


@pytest.mark.heavy
def test_the_generator_says_what_is_stale(tmp_path):
    place = tmp_path / "docs"
    (place / "pages").mkdir(parents=True)
    for path in (DOCS / "generate.py", *(DOCS / "pages").glob("*.py")):
        (place / path.relative_to(DOCS)).write_bytes(path.read_bytes())
    assert generate(place).returncode == 0
    assert generate(place, "--check").returncode == 0
    changed, gone = place / "stages" / "align.md", place / "stages" / "sharpen.md"
    gone.write_text(changed.read_text())
    changed.write_text(changed.read_text() + "more")
    done = generate(place, "--check")
    assert done.returncode == 1
    assert done.stdout.split() == ["docs/stages/align.md", "docs/stages/sharpen.md"]
    assert generate(place).returncode == 0
    assert generate(place, "--check").returncode == 0
    assert not gone.exists()


@pytest.mark.parametrize(
    "path",
    [
        *(f"stages/{name}.md" for name in registry.names()),
        *(f"instruments/{instruments.get(name).slug}.md" for name in instruments.names()),
        *(f"commands/{name}.md" for name in COMMANDS),
    ],
)
def test_everything_has_a_page_that_its_index_lists(path):
    page = DOCS / path
    assert page.is_file()
    index = (page.parent / "index.md").read_text(encoding="utf-8")
    contents = next(text for language, text in FENCE.findall(index) if language == "{toctree}")
    assert page.stem in contents.splitlines()
    assert f"({page.name})" in index


# ------------------------------------------------------------ command lines


def test_there_are_command_lines():
    assert len(LINES) > 40
    assert {shlex.split(line)[1] for _, line in LINES} >= set(COMMANDS)


@pytest.mark.parametrize(("page", "line"), LINES, ids=str)
def test_a_command_line_exists_with_its_options(page, line):
    name, *arguments = shlex.split(line)[1:]
    if name.startswith("-"):
        assert name in {"--version", "--help", "-h"}
        return
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, f"{page}: {line}"
    context = click.Context(command, info_name=name)
    values, rest, _ = command.make_parser(context).parse_args(arguments)
    assert rest == []
    for argument in command.params:
        if argument.required:
            assert values.get(argument.name), f"{page}: {line} lacks {argument.name}"
    recipe = SHIPPED.get(Path(str(values.get("recipe", ""))).stem)
    if recipe is not None:
        checked = load(recipe, tuple(values.get("settings") or ()))
        given = {key: values.get(key) for key in ("until", "only")}
        several = {key: tuple(values.get(key) or ()) for key in ("redo", "ignore")}
        Options(**given, **several).check(checked)


# ------------------------------------------------------------------ recipes


def outputs(block):
    """What the page of a recipe says that `check` prints about it."""
    start = f"$ hst123r check {name_of(block)}.yaml\n"
    texts = [item.text for item in blocks("console") if item.page == block.page]
    return [text.split(start)[1].split("\n$ ")[0] for text in texts if start in text]


@pytest.mark.parametrize("block", recipes(), ids=lambda block: f"{block.page}:{name_of(block)}")
def test_a_recipe_passes_check_or_fails_as_its_page_says(block, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path(f"{name_of(block)}.yaml").write_text(block.text, encoding="utf-8")
    code = invoke(["check", f"{name_of(block)}.yaml"])
    printed = capsys.readouterr()
    for expected in outputs(block):
        assert (printed.out if code == 0 else printed.err).strip() == expected.strip()
    assert code == 0 or outputs(block), printed.err


def test_the_pages_hold_good_and_bad_recipes():
    names = {name_of(block) for block in recipes()}
    assert {"sn2019yvr", "mistakes", "trial", *SHIPPED} <= names


@pytest.mark.parametrize("path", SHIPPED.values(), ids=list(SHIPPED))
def test_a_recipe_that_ships_passes_check(path):
    assert load(path).name == path.stem
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schemas/recipe.schema.json"


def fragments():
    return [block for block in blocks("yaml") if block not in recipes()]


@pytest.mark.parametrize("block", fragments(), ids=lambda block: block.page)
def test_a_fragment_of_a_recipe_fulfils_the_schema(block):
    schema = recipe_schema()
    part = YAML(typ="safe", pure=True).load(block.text)
    wanted = {**schema, "required": []}
    jsonschema.Draft7Validator(wanted).validate(part)


def test_a_new_recipe_is_as_the_quickstart_page_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (text,) = [block.text for block in blocks("console") if "$ hst123r new sn2019yvr" in block.text]
    first, second = (part.splitlines() for part in text.split("$ ")[1:])
    for command, *expected in (first, second):
        assert invoke(shlex.split(command)[1:]) == 0
        assert capsys.readouterr().out.splitlines() == expected


# ---------------------------------------------------------------------- SQL


def queries():
    found = [(block.page, block.text) for block in blocks("sql")]
    found += [
        (block.page, shlex.split(line)[-1])
        for block in blocks("console")
        for line in block.text.splitlines()
        if line.startswith("$ sqlite3 ")
    ]
    for block in blocks("python"):
        found += [(block.page, text) for text in re.findall(r'query = "(.*)"', block.text)]
    return found


@pytest.mark.parametrize(("page", "query"), queries(), ids=str)
def test_a_query_runs(page, query, tmp_path):
    db = Store.in_memory(tmp_path).db
    try:
        db.execute(query).fetchall()
    except sqlite3.Error as error:
        pytest.fail(f"{page}: {error}\n{query}")


def test_there_are_queries():
    assert len(queries()) >= 8


# ------------------------------------------------------------------- Python


def test_the_example_of_a_stage_fulfils_the_contract():
    (block,) = [b for b in blocks("python") if b.page.endswith("adding-a-stage.md")]
    found = {"__name__": "example"}
    exec(compile(block.text, block.page, "exec"), found)
    stage = found["Count"]()
    assert stage.name == "count"
    assert stage.params(min_sources=3).as_json() == {"min_sources": 3}
    assert stage.needs[0].kind in registry.get("detect").makes


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.page)
def test_python_is_python(block):
    compile(block.text, block.page, "exec")


# ------------------------------------------------------- the package's front


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere_and_no_path_is_of_a_machine(path):
    text = path.read_text(encoding="utf-8")
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", plain):
        if "://" in link or link.startswith("#"):
            continue
        assert (path.parent / link.partition("#")[0]).exists(), link
    assert not re.search(r"/(work|root|tmp|mnt|opt)/", text)


def test_the_citation_is_of_this_version():
    cited = YAML(typ="safe", pure=True).load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    assert cited["cff-version"] == "1.2.0"
    assert str(cited["version"]) == hst123r.__version__
    assert cited["license"] == "BSD-3-Clause"


def test_the_changelog_has_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(hst123r.__version__)}\] - ", text, re.MULTILINE)


def test_constraints_pin_every_dependency_once_for_each_python():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line) for line in lines if line and not line.startswith("#")]
    for python in ("3.11", "3.12", "3.13"):
        here = [
            pin
            for pin in pinned
            if pin.marker is None or pin.marker.evaluate({"python_version": python})
        ]
        names = [canonicalize_name(pin.name) for pin in here]
        assert len(set(names)) == len(names)
        versions = {canonicalize_name(pin.name): pin.specifier for pin in here}
        for requirement in map(Requirement, wanted):
            (pin,) = versions[canonicalize_name(requirement.name)]
            assert pin.operator == "=="
            assert requirement.specifier.contains(pin.version)
