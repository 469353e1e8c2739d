"""Whether an archive has made a file anew since it was fetched: asked without fetching it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from hst123r.archives.mast_token import Authorization, Token
from hst123r.archives.patience import ABSENT, AGAIN, WITHHELD, Patience, Stop
from hst123r.archives.transfer import sentence
from hst123r.errors import ArchiveError

if TYPE_CHECKING:
    import requests


class Standing(StrEnum):
    """What an archive has now of a file that was fetched."""

    SAME = "same"
    """The same: its date or its ETag is as it was."""
    REMADE = "remade"
    """Another: it was made anew."""
    GONE = "gone"
    """None any more, so that it cannot be fetched again."""
    UNKNOWN = "unknown"
    """It cannot be told."""


@dataclass(frozen=True, slots=True)
class Held:
    """A file that was fetched, and what the archive said of it then.

    Parameters
    ----------
    name : str
        Its file name.
    url : str
        Where it is fetched.
    size : int
        Bytes.
    etag, last_modified : str
        What the archive said; empty where it said nothing.
    """

    name: str
    url: str
    size: int
    etag: str = ""
    last_modified: str = ""


@dataclass(slots=True)
class Asker:
    """Asks an archive about files.

    Parameters
    ----------
    host : str
        The host that gets the token, with its port.
    token : Token or None
        The user's token.
    patience : Patience
        Limits of waiting.
    """

    host: str
    token: Token | None = None
    patience: Patience = field(default_factory=Patience)
    _stop: Stop = field(default_factory=Stop)

    def ask(self, files: Sequence[Held], at_once: int) -> list[tuple[Standing, str]]:
        """Ask about files, several at a time.

        Parameters
        ----------
        files : sequence of Held
            The files.
        at_once : int
            How many at a time.

        Returns
        -------
        list of (Standing, str)
            For each, how it stands, and for one that was made anew how that shows.

        Raises
        ------
        ArchiveError
            If the archive does not answer.
        """
        with ThreadPoolExecutor(at_once, thread_name_prefix="ask") as pool:
            try:
                return list(pool.map(self._one, files))
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _one(self, file: Held) -> tuple[Standing, str]:
        import requests

        troubles = 0
        while True:
            self._stop.check()
            try:
                answer = requests.head(
                    file.url, auth=Authorization(self.token, self.host), allow_redirects=True,
                    headers={"Accept-Encoding": "identity"}, timeout=self.patience.timeout,
                )  # fmt: skip
                code, text = answer.status_code, f"the archive answered {answer.status_code}"
            except requests.RequestException as error:
                code, text = 503, sentence(error)
            if code not in AGAIN:
                break
            troubles += 1
            if troubles >= self.patience.tries:
                raise ArchiveError(text, where=file.name, hint="Try again later")
            self._stop.sleep(self.patience.wait_s(troubles))
        if code in ABSENT:
            return Standing.GONE, ""
        if code in WITHHELD:
            return Standing.UNKNOWN, ""
        if code != 200:
            raise ArchiveError(text, where=file.name, hint="Try again later")
        return _compare(file, answer)


def _compare(file: Held, answer: requests.Response) -> tuple[Standing, str]:
    found = []
    length = answer.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) != file.size:
        found.append(f"{file.size} → {length} bytes")
    modified = answer.headers.get("Last-Modified", "")
    if file.last_modified and modified and modified != file.last_modified:
        found.append(f"from {file.last_modified} → {modified}")
    etag = answer.headers.get("ETag", "")
    if not found and file.etag and etag and etag != file.etag:
        found.append("another ETag")
    if found:
        return Standing.REMADE, ", ".join(found)
    # the same size alone says little: most of what is made anew has the size it had
    told = (file.last_modified and modified) or (file.etag and etag)
    return (Standing.SAME if told else Standing.UNKNOWN), ""
