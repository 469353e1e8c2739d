"""A file that is where it belongs already, and is the one that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hst123r.archives.partial import Digests
from hst123r.archives.present import copied
from hst123r.archives.wanted import Fetched, Status, Wanted
from hst123r.errors import InputError


@dataclass(frozen=True, slots=True)
class Intact:
    """A file that may be there, and by what it is known.

    Parameters
    ----------
    path : Path
        Where it would be.
    sha256 : str
        Hexadecimal digest that it must have.
    facts : mapping of str to object
        What was recorded when it came: ``etag``, ``last_modified`` and ``source``, where known.
    """

    path: Path
    sha256: str
    facts: Mapping[str, Any]

    def take(self, wanted: Wanted) -> Fetched | None:
        """Copy it to where a fetched file would stand.

        Parameters
        ----------
        wanted : Wanted
            The file.

        Returns
        -------
        Fetched or None
            None where it is not there, or is not the one.
        """
        if not self.path.is_file() or Digests.of(self.path).sha256 != self.sha256:
            return None
        try:
            found = copied(self.path, wanted, self.sha256)
        except InputError:
            # such a file would not have come; what an archive gives is looked at instead
            return None
        about = {name: self.facts[name] for name in self.facts if self.facts[name]}
        return found.as_fetched(wanted, Status.CACHED, **about)
