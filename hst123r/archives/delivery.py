"""Getting the files of one exposure, from wherever they can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from hst123r.archives import cloud_path, endpoints, exposure_file
from hst123r.archives.fetcher import Fetcher
from hst123r.archives.intact import Intact
from hst123r.archives.mast_token import Token
from hst123r.archives.shared import Shared
from hst123r.archives.wanted import Fetched, Status, Wanted
from hst123r.errors import ArchiveError
from hst123r.files.publish import machine_errors
from hst123r.files.verify import QUALITY, SCIENCE

Source = Literal["mast", "s3", "auto"]
UNSAID: Final = (
    "the public bucket does not have it where its name says, and MAST does not say where else"
)
NAMES: Final = {"mast": "MAST", "s3": "the public bucket"}


@dataclass(slots=True)
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
    source : str
        ``mast``, ``s3``, or ``auto``: the one, and what it does not give, the other.
    shared : Shared or None
        A shared archive, which is looked into first.
    on_bytes : callable or None
        As in `Fetcher`.
    here : mapping of str to Intact
        By role, files that are in their place already if they are as they were.
    told : list of str
        Sentences for the user.
    silence : Silence or None
        Whether MAST was asked in vain, in this run, where the bucket has a file; it is not asked
        again then. None where nobody else asks.
    silent : bool
        Whether it did not say that of a file of this exposure; it is not asked for the others then.
    """

    root: str
    files: Mapping[str, Mapping[str, Any]]
    sizes: Mapping[str, int | None]
    sha256: Mapping[str, str]
    public: bool
    source: Source = "mast"
    shared: Shared | None = None
    on_bytes: Callable[[str, int, int | None], object] | None = None
    here: Mapping[str, Intact] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    silence: cloud_path.Silence | None = None
    silent: bool = False

    def fetch(self, folder: Path, token: Token | None, *, offline: bool) -> dict[str, Fetched]:
        """Get the files.

        Parameters
        ----------
        folder : Path
            Where they are to stand.
        token : Token or None
            The user's token.
        offline : bool
            Whether no server may be asked; what is here and the shared archive are looked into.

        Returns
        -------
        dict of str to Fetched
            By role.

        Raises
        ------
        ArchiveError
            With the list of all that is missing, where no server may be asked.
        """
        found = {
            role: self._here(role, wanted) or self._one(wanted, token, offline=offline)
            for role, wanted in self._wanted(folder).items()
        }
        if self.shared is not None:
            self.told += self.shared.told
        missing = [self.files[role]["name"] for role, one in found.items() if one is None]
        if missing:
            looked = "" if self.shared is None else f", nor in {self.shared.folder}"
            raise ArchiveError(
                f"{', '.join(missing)} is not here{looked}, and --offline forbids to fetch it",
                hint=f"{'. '.join([*self.told, 'Run once without --offline'])}",
            )
        return {role: one for role, one in found.items() if one is not None}

    def _wanted(self, folder: Path) -> dict[str, Wanted]:
        places = endpoints.mast()
        return {
            role: Wanted(
                file["uri"],
                places.download(file["uri"]),
                folder / file["name"],
                partial(
                    exposure_file.verify,
                    root=self.root,
                    names=QUALITY if role == "dq" else SCIENCE,
                ),
                self.sizes.get(role),
                self.sha256.get(role),
                with_token=not self.public,
            )
            for role, file in self.files.items()
        }

    def _here(self, role: str, wanted: Wanted) -> Fetched | None:
        if role not in self.here:
            return None
        with machine_errors("copy a file", wanted.destination):
            return self.here[role].take(wanted)

    def _one(self, wanted: Wanted, token: Token | None, *, offline: bool) -> Fetched | None:
        if self.shared is None:
            return self._from_servers(wanted, token, offline=offline)
        # who comes second finds what the first has put there
        with nullcontext() if offline else self.shared.held(wanted.name):
            with machine_errors("copy a file", wanted.destination):
                found = self.shared.take(wanted)
            if found is not None:
                return found
            found = self._from_servers(wanted, token, offline=offline)
            if found is not None and found.status.there and self.public:
                with machine_errors("read a file", found.wanted.destination):
                    self.shared.put(found)
            return found

    def _from_servers(
        self, wanted: Wanted, token: Token | None, *, offline: bool
    ) -> Fetched | None:
        host = endpoints.mast().host
        if offline:
            # what an interrupted run has left is as good as what comes
            left = Fetcher(host).cached(wanted)
            if left is not None and left.uri.startswith(endpoints.bucket().server):
                left.source = "s3"
            return left
        found, earlier = None, ""
        for name in self._servers():
            if found is not None:
                earlier = str(found.error)
                self.told.append(f"{earlier}; {NAMES[name]} is asked for {wanted.name}")
            fetcher = Fetcher(host, token, on_bytes=self.on_bytes, noted=True)
            found = self._from_one(name, wanted, fetcher)
            if found.status.there or found.status is Status.EXCLUSIVE:
                break
            if earlier:
                found.error = ArchiveError(f"{earlier}; {found.error}")
        return found

    def _servers(self) -> Iterator[Literal["mast", "s3"]]:
        if not self.public:
            if self.source == "s3":
                self.told.append("what is exclusive only MAST has, which is asked for it")
            yield "mast"
            return
        yield "s3" if self.source == "s3" else "mast"
        if self.source == "auto":
            yield "s3"

    def _from_one(
        self, name: Literal["mast", "s3"], wanted: Wanted, fetcher: Fetcher
    ) -> Fetched:  # fmt: skip
        if name == "mast":
            (found,) = fetcher.fetch([wanted], at_once=1)
        else:
            by_name = self._in_bucket(wanted, endpoints.bucket().download(wanted.uri))
            (found,) = fetcher.fetch([by_name], at_once=1)
            # it says 403 of what it does not have
            if found.status in (Status.EXCLUSIVE, Status.MISSING):
                found = self._elsewhere(wanted, by_name, fetcher)
        if found.uri:
            # one that was there may have come from the other
            found.source = "mast" if found.uri == wanted.uri else "s3"
        else:
            found.source = name
        return found

    def _elsewhere(self, wanted: Wanted, by_name: Wanted, fetcher: Fetcher) -> Fetched:
        """Look in the bucket where MAST says, for what is not where its name says."""
        absent = ArchiveError("the public bucket does not have it", where=wanted.name)
        missing = Fetched(wanted, Status.MISSING, absent)
        unsaid = Fetched(wanted, Status.MISSING, ArchiveError(UNSAID, where=wanted.name))
        if self.silent:
            return unsaid
        if self.silence is not None and self.silence.lasts():
            self.silent = True
            self.told.append(
                f"where the public bucket has {wanted.name} MAST is not asked: "
                "it did not answer before in this run"
            )
            return unsaid
        try:
            path = cloud_path.look_up(wanted.uri, endpoints.mast())
        except ArchiveError as error:
            self.silent = True
            if self.silence is not None and isinstance(error, cloud_path.NoAnswer):
                self.silence.begin()
            self.told.append(
                f"where the public bucket has {wanted.name} MAST does not say: {error}"
            )
            return unsaid
        if path is None or endpoints.bucket().at(path) == by_name.url:
            return missing
        (found,) = fetcher.fetch(
            [self._in_bucket(wanted, endpoints.bucket().at(path))], at_once=1
        )  # fmt: skip
        return missing if found.status in (Status.EXCLUSIVE, Status.MISSING) else found

    def _in_bucket(self, wanted: Wanted, url: str) -> Wanted:
        # another name, so that half a file of the one is never gone on with from the other
        return replace(wanted, uri=url, url=url, with_token=False)
