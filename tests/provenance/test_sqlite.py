"""sqlite-utils without what it imports only in case it is there."""

import subprocess
import sys

PROGRAM = """
import sys
from hst123r.provenance.sqlite import Database
assert not {"pandas", "numpy"} & set(sys.modules), "imported"
import numpy
assert numpy.arange(3).sum() == 3
Database(memory=True).table("t").insert({"a": 1})
print("good")
"""
AFTER = """
import sys
import numpy
from hst123r.provenance.sqlite import Database
assert sys.modules["numpy"] is numpy
row = next(iter([Database(memory=True).table("t").insert({"a": numpy.float64(1.5)})]))
print("good")
"""


def run(program):
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_it_imports_neither_numpy_nor_pandas_and_both_can_be_imported_after():
    done = run(PROGRAM)
    assert done.stdout == "good\n", done.stderr


def test_what_was_imported_before_stays():
    done = run(AFTER)
    assert done.stdout == "good\n", done.stderr
