"""Modules that a package imports for what we never ask of it, and that wait until they are asked.

``import drizzlepac`` also imports its pipelines of mosaics and catalogues, and with them pandas,
scikit-learn and astroquery: two of the six seconds that each run would wait for AstroDrizzle.
:class:`importlib.util.LazyLoader` would not do: its modules are imported as soon as anybody looks
at the files of all modules, as :func:`inspect.getmodule` does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any, Final

PIPELINES: Final = ("drizzlepac.align", "drizzlepac.runastrodriz")
"""Modules of drizzlepac that reduce whole visits; the tasks that they call do not import them."""


def postpone(names: Sequence[str]) -> None:
    """Let modules be imported only when something of them is asked for.

    Parameters
    ----------
    names : sequence of str
        Full names of modules that are no packages.
    """
    sys.meta_path.insert(0, _Finder(frozenset(names)))


class _Finder(MetaPathFinder):
    """Finds postponed modules where they are, and says that they are loaded later."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is None or found.loader is None or found.origin is None:
            return None
        return spec_from_file_location(fullname, found.origin, loader=_Later(found.loader))


class _Later(Loader):
    """Loads a module at the first question for something that every module does not have."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def exec_module(self, module: ModuleType) -> None:
        def ask(name: str) -> Any:
            if name.startswith("__"):
                # looked for in all modules by warnings, doctest and the like
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            del module.__dict__["__getattr__"]
            self._loader.exec_module(module)
            return getattr(module, name)

        module.__dict__["__getattr__"] = ask
