"""Modules that are imported when something of them is asked for, and not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hst123r.external.postponed import PIPELINES

BEGIN = f"""
import inspect, sys, warnings
from hst123r.external.postponed import PIPELINES, postpone
postpone({PIPELINES!r})
import drizzlepac.astrodrizzle, drizzlepac.tweakreg
heavy = ("pandas", "sklearn", "astroquery.mast", "drizzlepac.haputils.astrometric_utils")
"""


def python(text):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BEGIN + text],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_pipelines_of_drizzlepac_are_not_imported_with_it():
    # what looks at all modules asks nothing of them
    text = """
inspect.getmodule(inspect.currentframe())
[getattr(module, "__warningregistry__", None) for module in list(sys.modules.values())]
print(*[name for name in heavy if name in sys.modules], drizzlepac.align.__file__)
"""
    (file,) = python(text)
    assert file.endswith("align.py")


@pytest.mark.heavy
@pytest.mark.parametrize("name", PIPELINES)
def test_they_are_there_for_who_asks(name):
    text = f"""
import {name}
print({name}.__name__, callable({name}.__dict__.get("__getattr__")))
print({name}.os.__name__, "__getattr__" in {name}.__dict__)
print("drizzlepac.haputils.astrometric_utils" in sys.modules)
try:
    {name}.nothing
except AttributeError as error:
    print("AttributeError")
from {name} import sys as again
print(again is sys)
"""
    assert python(text) == [name, "True", "os", "False", "True", "AttributeError", "True"]


def test_what_is_not_there_is_an_import_error():
    text = """
postpone(["drizzlepac.nothing"])
try:
    import drizzlepac.nothing
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert python(text) == ["drizzlepac.nothing"]
