"""Calibration reference files from CRDS, each verified by the sha1 that CRDS has of it.

The client of CRDS leaves what a broken transfer has brought in its cache, and takes it from there
the next time without a word. So nothing is used here before it was verified, whoever brought it.
The layout is that of CRDS, so that others can use the cache too; what CRDS said of each file is
kept beside, in ``config/hst/hst123r``, so that a cache can be verified without a network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from hst123r.archives.patience import Patience, Stop
from hst123r.archives.patient_adapter import PatientAdapter, json_object
from hst123r.archives.transfer import Trouble
from hst123r.archives.wanted import Wanted
from hst123r.errors import ArchiveError, InputError
from hst123r.files.content import digest_bytes
from hst123r.files.crds_cache import SHA1, answers_of, place_of, said_of, unpacked
from hst123r.files.publish import machine_errors, write
from hst123r.records.dates import utc_now

OBSERVATORY: Final = "hst"
LATER: Final = "Try again later"
NOT_APPLICABLE: Final = frozenset({"N/A", "NOT FOUND N/A"})
"""What CRDS answers where a type of file is not for an exposure."""
NONE: Final = "N/A"
"""What headers have then."""


@dataclass(frozen=True, slots=True)
class Crds:
    """A CRDS server and a cache of its files.

    Parameters
    ----------
    server : str
        Address of the server.
    cache : Path
        The cache, of CRDS's own layout.
    patience : Patience
        Limits of waiting.
    """

    server: str
    cache: Path
    patience: Patience = field(default_factory=Patience)

    def files(self, wanted: Mapping[str, str]) -> dict[str, Path]:
        """Bring files into the cache that are not there, or not as they should be.

        Parameters
        ----------
        wanted : mapping of str to str
            Plain names of files, each with the folder of its instrument: ``acs``.

        Returns
        -------
        dict of str to Path
            Where each lies; all are verified.

        Raises
        ------
        ArchiveError
            If CRDS does not know a file, or does not give it whole.
        EnvironmentProblem
            If the cache cannot be written.
        """
        from hst123r.archives.fetcher import Fetcher

        names = sorted(wanted)
        self._ask_about([name for name in names if said_of(self.cache, name) is None])
        jobs = [self._wanted(name, place_of(self.cache, wanted[name], name)) for name in names]
        host = urlsplit(self.server).netloc.lower()
        fetched = Fetcher(host, patience=self.patience).fetch(jobs, at_once=2)
        for item in fetched:
            if item.error is not None:
                raise item.error
        return {item.wanted.name: item.wanted.destination for item in fetched}

    def best(self, context: str, header: Mapping[str, str], types: Sequence[str],
             *, ask: bool = True) -> dict[str, str] | None:  # fmt: skip
        """Return the reference files that a context chooses for an exposure.

        Parameters
        ----------
        context : str
            Name of the context: ``hst_1234.pmap``.
        header : mapping of str to str
            Cards of the primary header.
        types : sequence of str
            Keywords of the headers: ``IDCTAB``.
        ask : bool
            Whether CRDS may be asked.

        Returns
        -------
        dict of str to str or None
            Plain name by keyword, ``N/A`` where there is to be none; None where CRDS would have to
            be asked and must not.

        Raises
        ------
        ArchiveError
            If CRDS does not know the context, or has no file for the exposure.
        """
        plain = [context, dict(sorted(header.items())), [item.lower() for item in types]]
        text = json.dumps([self.server, *plain], separators=(",", ":"))
        digest = digest_bytes(text.encode()).partition(":")[2]
        kept = self._kept(f"best-{digest[:16]}.json")
        if kept.is_file():
            answer = _object(kept)
        elif not ask:
            return None
        else:
            answer = self._call("get_best_references", plain)
            self._keep(kept, answer)
        found = {}
        for keyword in types:
            value = str(answer.get(keyword.lower(), "NOT FOUND"))
            if value.upper() in NOT_APPLICABLE:
                found[keyword] = NONE
            elif value.upper().startswith("NOT FOUND"):
                raise ArchiveError(
                    f"{context} has no {keyword} for {header.get('ROOTNAME', 'an exposure')}: "
                    f"{value}", where=self.server, hint="Leave out `crds_context`, or take another",
                )  # fmt: skip
            else:
                found[keyword] = _plain(value, self.server)
        return found

    def _ask_about(self, names: Iterable[str]) -> None:
        """Ask for the digests of files, and keep them."""
        asked = list(names)
        if not asked:
            return
        answer = self._call("get_file_info_map", [OBSERVATORY, asked, ["sha1sum", "size"]])
        unknown = []
        for name in asked:
            about = answer.get(name)
            sha1 = about.get("sha1sum", "") if isinstance(about, dict) else ""
            if not SHA1.fullmatch(str(sha1)):
                unknown.append(name)
                continue
            said = {"name": name, "sha1": sha1, "server": self.server, "asked": utc_now()}
            self._keep(self._kept(f"{name}.json"), said)
        if unknown:
            raise ArchiveError(
                f"CRDS does not know {', '.join(unknown)}, or has no sha1 of it",
                where=self.server,
                hint="Without `fetch_references` files of your own are taken",
            )

    def _wanted(self, name: str, destination: Path) -> Wanted:
        sha1 = said_of(self.cache, name)

        def verify(path: Path) -> str:
            # a part has another name than the file it will be
            if sha1 is not None:
                check(path, sha1, name)
            return "verified"

        url = f"{self.server}/unchecked_get/references/{OBSERVATORY}/{quote(name)}"
        return Wanted(f"crds:{name}", url, destination, verify)

    def _kept(self, name: str) -> Path:
        return answers_of(self.cache) / name

    def _keep(self, path: Path, value: Mapping[str, Any]) -> None:
        with machine_errors("keep an answer of CRDS", path):
            write(path, json.dumps(value, indent=1).encode())

    def _call(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        """Call a method of the server and return what it returns, an object."""
        import requests

        from hst123r import __version__

        body = {"jsonrpc": "1.0", "method": method, "params": parameters, "id": "hst123r"}
        with requests.Session() as session:
            agent = session.headers["User-Agent"]
            session.headers["User-Agent"] = f"hst123r/{__version__} {agent!s}"
            for scheme in ("http://", "https://"):
                session.mount(scheme, PatientAdapter(self.patience, Stop(), _answered))
            try:
                response = session.post(f"{self.server}/json/{method}/hst123r/", json=body)
            except requests.TooManyRedirects as error:
                raise self._error("CRDS sends us in circles") from error
            except requests.RequestException as error:
                raise self._error(f"CRDS cannot be asked: {type(error).__name__}") from error
        if response.status_code != 200:
            code = f"{response.status_code} {response.reason}".rstrip()
            raise self._error(f"CRDS answered {code}")
        answer = json.loads(response.content)
        if answer.get("error"):
            said = answer["error"]
            text = said.get("message", said) if isinstance(said, dict) else said
            raise self._error(f"CRDS could not answer: {text}")
        try:
            result = unpacked(answer.get("result"))
        except ValueError as error:
            raise self._error(str(error)) from error
        if not isinstance(result, dict):
            raise self._error(f"CRDS answered {method} with something that is no object")
        return result

    def _error(self, message: str) -> ArchiveError:
        return ArchiveError(message, where=self.server, hint=LATER)


def check(path: Path, sha1: str, name: str) -> None:
    """Verify a reference file.

    Parameters
    ----------
    path : Path
        The file.
    sha1 : str
        What CRDS has, hexadecimal.
    name : str
        For the message.

    Raises
    ------
    InputError
        If it is another.
    """
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
    if found != sha1:
        raise InputError(
            f"it is not the file that CRDS has: its sha1 is {found[:12]}…, not {sha1[:12]}…",
            where=name,
        )


def _answered(response: Any, body: bytes) -> bool:
    answer = json_object(response, body)
    if "result" not in answer and "error" not in answer:
        raise Trouble("the archive answered with JSON that is no answer")
    return False


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise ArchiveError(
            "this answer of CRDS is damaged", where=str(path),
            hint="Remove the file to ask again",
        )  # fmt: skip
    return value


def _plain(name: str, server: str) -> str:
    """Return a name that is nothing but a name; it will be that of a file here."""
    if Path(name).name != name or name.startswith("."):
        raise ArchiveError(f"CRDS names a file {name!r}", where=server)
    return name
