"""Getting the files of one exposure, from wherever they can be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hst123r.archives import endpoints, exposure_file
from hst123r.archives.fetcher import Fetcher
from hst123r.archives.mast_token import Token
from hst123r.archives.wanted import Fetched, Wanted
from hst123r.files.verify import QUALITY, SCIENCE


@dataclass(frozen=True, slots=True)
class Delivery:
    """The files of one exposure that are wanted.

    Parameters
    ----------
    root : str
        Its root name.
    files : mapping of str to dict
        ``uri`` and ``name`` by role.
    sizes : mapping of str to (int or None)
        Bytes that the archive lists.
    sha256 : mapping of str to str
        Digests that they must have, where they are known.
    public : bool
        Whether everybody may have them.
    """

    root: str
    files: Mapping[str, Mapping[str, Any]]
    sizes: Mapping[str, int | None]
    sha256: Mapping[str, str]
    public: bool

    def wanted(self, folder: Path) -> dict[str, Wanted]:
        """Return the files as a fetcher wants them, by role.

        Parameters
        ----------
        folder : Path
            Where they are to stand.
        """
        places, found = endpoints.mast(), {}
        for role, file in self.files.items():
            extensions = QUALITY if role == "dq" else SCIENCE
            found[role] = Wanted(
                file["uri"],
                places.download(file["uri"]),
                folder / file["name"],
                partial(exposure_file.verify, root=self.root, names=extensions),
                self.sizes.get(role),
                self.sha256.get(role),
                with_token=not self.public,
            )
        return found

    def fetch(self, folder: Path, token: Token | None) -> dict[str, Fetched]:
        """Fetch the files.

        Parameters
        ----------
        folder : Path
            Where they are to stand.
        token : Token or None
            The user's token.

        Returns
        -------
        dict of str to Fetched
            By role.
        """
        wanted = self.wanted(folder)
        fetched = Fetcher(endpoints.mast().host, token).fetch(list(wanted.values()), at_once=1)
        return dict(zip(wanted, fetched, strict=True))
