"""sqlite-utils, imported without what it only imports in case it is there.

sqlite-utils imports pandas and NumPy when they are installed, to recognise their types in rows.
We hand it plain values only, and the import of pandas would be a third of the time of a run with
nothing to do.
"""

from __future__ import annotations

import sys

_UNNEEDED = ("pandas", "numpy")
_hidden = [name for name in _UNNEEDED if name not in sys.modules]
for _name in _hidden:
    # None makes the import of a module fail as if it were not installed
    sys.modules[_name] = None  # type: ignore[assignment]
try:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations
finally:
    for _name in _hidden:
        del sys.modules[_name]

__all__ = ["Database", "Migrations"]
