"""The house rules that a program can check: of every file of the package, and of the tests' shape.

Each rule is a function from a parsed file to what it breaks there, and each is shown to catch a
planted violation. What a rule allows on purpose stands in a table here, with the reason.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

import pytest

from hst123r import instruments
from hst123r.recipe.load import load
from hst123r.resources import shipped_recipes
from hst123r.stage import registry

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "hst123r"
TESTS = ROOT / "tests"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 400, 60

BLANKET = {
    "cli/main.py": "a traceback becomes exit code 1",
    "engine/worker.py": "a job's failure must reach the driver as a sentence",
    "external/template.py": "the last thing a child can do is to say why it died",
    "external/jhat_program.py": "what JHAT gives up with, of any kind, is its answer",
}
"""Where `except Exception` is allowed, and why; elsewhere only to clean up and raise again."""
ENDS = {"external/template.py": "a forked child must not run its parent's exit handlers"}
"""Where a process may be ended outside `cli`."""
OWN_PROCESS = {"engine/worker.py": "the process of one job is set up to show all warnings"}
"""Where logging and warnings of a process are set."""
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}

COVERED = {
    "alignment/*": "stages/test_align.py",
    "photometers/*": "stages/test_photometry_dolphot.py",
    "cli/commands/*": "cli/test_commands.py",
    "cli/checks.py": "cli/test_commands.py",
    "cli/listing.py": "cli/test_commands.py",
    "cli/main.py": "cli/test_commands.py",
    "cli/options.py": "cli/test_commands.py",
    "cli/plans.py": "cli/test_commands.py",
    "archives/criteria.py": "archives/test_observed.py",
    "archives/exclusive.py": "stages/test_fetch_mast.py",
    "archives/destination.py": "archives/test_fetcher.py",
    "archives/partial.py": "archives/test_fetcher.py",
    "archives/patient_adapter.py": "archives/test_portal.py",
    "archives/pinned.py": "stages/test_fetch_lock.py",
    "archives/simulation.py": "archives/test_simulated.py",
    "archives/transfer.py": "archives/test_fetcher.py",
    "archives/wanted.py": "archives/test_fetcher.py",
    "engine/*": "engine/test_run.py",
    "instruments/detector.py": "instruments/test_detectors.py",
    "instruments/dolphot_facts.py": "instruments/test_detectors.py",
    "instruments/facts.py": "instruments/test_detectors.py",
    "photometry/chipfit.py": "photometry/test_forced.py",
    "photometry/flags.py": "photometry/test_forced.py",
    "provenance/adopted.py": "engine/test_adopt.py",
    "provenance/copies.py": "engine/test_repair.py",
    "provenance/known.py": "engine/test_ask.py",
    "provenance/locked.py": "engine/test_locking.py",
    "provenance/reading.py": "engine/test_ask.py",
    "provenance/rebuilding.py": "engine/test_rebuild.py",
    "provenance/record.py": "engine/test_rebuild.py",
    "provenance/trouble.py": "engine/test_ask.py",
    "recipe/*": "recipe/test_corpus.py",
    "sources/absolute_params.py": "stages/test_reference.py",
    "sources/chain_params.py": "stages/test_reference.py",
    "sources/reference_params.py": "stages/test_reference.py",
}
"""Modules that have no mirror of their own because one test goes through them together."""
ACROSS = {
    "cli/test_answers.py", "cli/test_commands.py", "cli/test_json_schemas.py",
    "cli/test_questions.py", "docs/*",
    "engine/test_chain.py", "engine/test_ends.py", "engine/test_renew.py", "engine/test_stop.py",
    "faults/*", "live/*", "real/*", "truth/*", "stages/test_align_visit.py",
    "stages/test_align_together.py", "stages/test_align_siblings.py",
    "stages/test_fetch_lock.py", "stages/test_fetch_mast.py", "stages/test_fetch_repair.py",
    "stages/test_photometry_dolphot.py",
    "instruments/test_detectors.py", "instruments/test_geometry.py", "recipe/test_corpus.py",
    "test_house.py",
}  # fmt: skip
"""Tests of more than one module."""

ROOMS_OF_ONE_FILE = {"resources"}


@dataclass(frozen=True)
class Source:
    """A parsed file: its path inside the package, and its text."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @property
    def room(self) -> str:
        return self.name.partition("/")[0]


@cache
def called(node: ast.AST) -> str:
    """Return the dotted name of what a call calls, empty for anything else."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def calls(source, *endings):
    """Yield line and name of every call whose last word is one of some."""
    for node in source.nodes:
        name = called(node)
        if name and name.rpartition(".")[2] in endings:
            yield node.lineno, name


def chdir(source):
    """Only `external` changes the current directory, for the programs it calls."""
    if source.room != "external":
        yield from calls(source, "chdir", "fchdir")


def prints(source):
    """Nothing prints; `cli` speaks through click and rich."""
    for line, name in calls(source, "print", "echo", "secho", "write"):
        plain = name in {"print", "builtins.print", "sys.stdout.write", "sys.stderr.write"}
        if plain or (name.endswith("echo") and source.room != "cli"):
            yield line, name


def excepts(source):
    """No bare or blanket `except`, but where a table above says why, or to raise again."""
    for node in source.nodes:
        if not isinstance(node, ast.ExceptHandler):
            continue
        words = re.findall(r"\w+", ast.unparse(node.type)) if node.type else ["everything"]
        kinds = {"everything", "Exception", "BaseException"} & set(words)
        if not kinds:
            continue
        last = node.body[-1]
        again = isinstance(last, ast.Raise) and last.exc is None
        if "everything" in kinds or not (again or source.name in BLANKET):
            yield node.lineno, f"except {', '.join(sorted(kinds))}"


def exits(source):
    """Only `cli` ends the process."""
    if source.room == "cli" or source.name in ENDS:
        return
    for node in source.nodes:
        if called(node) in {"sys.exit", "exit", "quit", "os._exit", "os.abort"}:
            yield node.lineno, called(node)
        if isinstance(node, ast.Raise) and node.exc and "SystemExit" in ast.unparse(node.exc):
            yield node.lineno, "raise SystemExit"


def silences(source):
    """Warnings and logging of the process are not ours to change."""
    lines = {
        inside.lineno
        for node in source.nodes
        if isinstance(node, ast.With)
        and any(called(item.context_expr).endswith("catch_warnings") for item in node.items)
        for inside in ast.walk(node)
        if isinstance(inside, ast.Call)
    }
    for node in source.nodes:
        name = called(node)
        if name.endswith((".filterwarnings", ".simplefilter")):
            if node.lineno not in lines and source.name not in OWN_PROCESS:
                yield node.lineno, name
        elif name in {"logging.disable", "logging.basicConfig", "logging.captureWarnings"}:
            if source.name not in OWN_PROCESS:
                yield node.lineno, name
        elif name in {"np.seterr", "numpy.seterr"}:
            yield node.lineno, name


def instrument_names():
    words = set()
    for name in instruments.names():
        detector = instruments.get(name)
        words |= {name, *name.split("/"), detector.slug, *detector.slug.split("_")}
        words |= set(detector.filters)
    words -= {word for word in words if len(word) < 3}
    listed = "|".join(sorted(map(re.escape, words)))
    return re.compile(rf"(?<![A-Za-z0-9])({listed})(?![A-Za-z0-9])")


NAMES = instrument_names()


def names_of_detectors(source):
    """No detector, instrument or filter is named in code outside `instruments`; texts may."""
    if source.room == "instruments":
        return
    texts = {
        id(node.value)
        for node in source.nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in source.nodes:
        word = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            word = "" if id(node) in texts else node.value
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            word = node.name
        elif isinstance(node, ast.Name):
            word = node.id
        elif isinstance(node, ast.Attribute):
            word = node.attr
        found = NAMES.search(word) or NAMES.search(word.upper() if word.isidentifier() else "")
        if found:
            yield node.lineno, found[0]


def long_file(source):
    """No file is longer than 400 lines."""
    lines = source.text.count("\n")
    if lines > LONGEST_FILE:
        yield lines, f"{lines} lines"


def long_function(source):
    """No function is longer than 60 lines, its docstring not counted."""
    for node in source.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node):
                lines -= node.body[0].end_lineno - node.body[0].lineno + 1
            if lines > LONGEST_FUNCTION:
                yield node.lineno, f"{node.name} has {lines} lines"


def module_name(source):
    """No module or folder is called utils, helpers, common, misc or manager."""
    for word in PurePosixPath(source.name).with_suffix("").parts:
        if set(word.split("_")) & BANNED_NAMES:
            yield 1, word


RULES = (
    chdir, prints, excepts, exits, silences, names_of_detectors, long_file, long_function,
    module_name,
)  # fmt: skip


@pytest.fixture(scope="module")
def package():
    return [
        Source(path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8"))
        for path in FILES
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule, package):
    broken = []
    for source in package:
        broken += [f"hst123r/{source.name}:{line}: {what}" for line, what in rule(source)]
    assert not broken, f"{rule.__doc__}\n" + "\n".join(broken)


def inside(body, times=1):
    return "def f():\n" + f"    {body}\n" * times


PLANTED = [
    (chdir, "engine/x.py", "import os\nos.chdir('/')\n"),
    (chdir, "stages/x.py", "import contextlib\nwith contextlib.chdir('/'):\n    pass\n"),
    (prints, "cli/x.py", "print('hello')\n"),
    (prints, "stages/x.py", "import sys\nsys.stdout.write('hello')\n"),
    (prints, "engine/x.py", "import click\nclick.echo('hello')\n"),
    (excepts, "stages/x.py", "try:\n    f()\nexcept:\n    pass\n"),
    (excepts, "cli/main.py", "try:\n    f()\nexcept:\n    pass\n"),
    (excepts, "stages/x.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
    (excepts, "stages/x.py", "try:\n    f()\nexcept (KeyError, BaseException):\n    g()\n"),
    (exits, "engine/x.py", "import sys\nsys.exit(1)\n"),
    (exits, "stages/x.py", "raise SystemExit(2)\n"),
    (silences, "stages/x.py", "import warnings\nwarnings.filterwarnings('ignore')\n"),
    (silences, "stages/x.py", "import warnings\nwarnings.simplefilter('ignore')\n"),
    (silences, "engine/x.py", "import logging\nlogging.disable()\n"),
    (silences, "algorithms/x.py", "import numpy as np\nnp.seterr(all='ignore')\n"),
    (names_of_detectors, "stages/x.py", "if detector == 'ACS/WFC':\n    pass\n"),
    (names_of_detectors, "stages/x.py", "x = f'{y} of WFPC2'\n"),
    (names_of_detectors, "products/x.py", "def read_wfpc2():\n    pass\n"),
    (names_of_detectors, "recipe/x.py", "example = 'a filter such as F814W'\n"),
    (long_file, "stages/x.py", "x = 1\n" * 401),
    (long_function, "stages/x.py", inside("x = 1", 60)),
    (module_name, "engine/utils.py", ""),
    (module_name, "engine/job_manager.py", ""),
    (module_name, "common/x.py", ""),
]


@pytest.mark.parametrize(("rule", "name", "text"), PLANTED)
def test_a_planted_violation_is_caught(rule, name, text):
    assert list(rule(Source(name, text)))


ALLOWED = [
    (chdir, "external/x.py", "import os\nos.chdir('/')\n"),
    (prints, "cli/x.py", "import click\nclick.echo('hello')\n"),
    (excepts, "stages/x.py", "try:\n    f()\nexcept BaseException:\n    g()\n    raise\n"),
    (excepts, "stages/x.py", "try:\n    f()\nexcept (OSError, ValueError):\n    pass\n"),
    (exits, "cli/x.py", "import sys\nsys.exit(1)\n"),
    (
        silences,
        "products/x.py",
        "import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n",
    ),
    (names_of_detectors, "instruments/x.py", "x = 'ACS/WFC'\n"),
    (names_of_detectors, "stages/x.py", '"""WFPC2 has three gains."""\n'),
    (names_of_detectors, "stages/x.py", "wfc3r = 'pacs'\n"),
    (long_file, "stages/x.py", "x = 1\n" * 400),
    (long_function, "stages/x.py", inside("x = 1", 59)),
    (long_function, "stages/x.py", 'def f():\n    """' + "A.\n" * 80 + '"""\n    x = 1\n'),
    (module_name, "engine/commonly.py", ""),
]


@pytest.mark.parametrize(("rule", "name", "text"), ALLOWED)
def test_what_is_allowed_passes(rule, name, text):
    assert not list(rule(Source(name, text)))


def test_every_exception_to_a_rule_is_still_needed():
    for table, rule in ((BLANKET, excepts), (ENDS, exits), (OWN_PROCESS, silences)):
        for name in tuple(table):
            text = (PACKAGE / name).read_text(encoding="utf-8")
            assert list(rule(Source(f"elsewhere/{name}", text))), f"{name} no longer needs it"


def patterns(name, listed):
    return [entry for entry in listed if PurePosixPath(name).match(entry)]


def unmirrored(modules, tests):
    """Return modules that have neither a test of their own nor one named in the table."""
    missing = []
    for name in modules:
        path = PurePosixPath(name)
        own = (path.parent / f"test_{path.name}").as_posix()
        if own not in tests and not any(COVERED[e] in tests for e in patterns(name, COVERED)):
            missing.append(name)
    return missing


def orphans(modules, tests):
    """Return tests of a module that is not there."""
    return [
        name
        for name in tests
        if not patterns(name, ACROSS)
        and (PurePosixPath(name).parent / PurePosixPath(name).name[5:]).as_posix() not in modules
    ]


def modules_and_tests():
    modules = []
    for path in FILES:
        name = path.relative_to(PACKAGE)
        if name.name == "__init__.py":
            if name.parent.name in ROOMS_OF_ONE_FILE:
                modules.append(f"{name.parent.as_posix()}.py")
        elif name.name != "__main__.py":
            modules.append(name.as_posix())
    tests = {path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}
    return modules, tests


def test_the_tests_mirror_the_package():
    modules, tests = modules_and_tests()
    assert unmirrored(modules, tests) == []
    assert orphans(modules, tests) == []
    assert unmirrored([*modules, "products/new.py"], tests) == ["products/new.py"]
    assert orphans(modules, {*tests, "products/test_gone.py"}) == ["products/test_gone.py"]


def demands(stage, used):
    """Return what a stage lacks of its test, its page and a recipe that uses it."""
    lacks = []
    if not (TESTS / "stages" / f"test_{stage}.py").is_file():
        lacks.append(f"tests/stages/test_{stage}.py")
    page = ROOT / "docs" / "stages" / f"{stage}.md"
    if not page.is_file():
        lacks.append(f"docs/stages/{stage}.md")
    if stage not in used:
        lacks.append(f"a recipe in recipes/ that uses {stage}")
    return lacks


@pytest.fixture(scope="module")
def used():
    """Return the stages that recipes that ship run, those included that are implied."""
    return {
        instance.stage for path in shipped_recipes().values() for instance in load(path).instances
    }


@pytest.mark.parametrize("stage", registry.names())
def test_every_stage_has_its_test_its_page_and_a_recipe(stage, used):
    assert demands(stage, used) == []
    assert len(demands(f"{stage}_new", used)) == 3
