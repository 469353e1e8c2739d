"""Fetching files whole or not at all: several at a time, each with a status of its own.

A file gets its final name only after its size, its FITS structure to the last byte, its root name
and its checksums were verified; until then it is a part that the next attempt, or the next run,
goes on with. A batch never raises for one file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial as partially
from typing import TYPE_CHECKING, Final

from hst123r import log
from hst123r.archives import arrived
from hst123r.archives.destination import locked
from hst123r.archives.mast_token import Authorization, Token
from hst123r.archives.partial import Partial
from hst123r.archives.patience import ABSENT, WITHHELD, Patience, Stop
from hst123r.archives.present import OtherVersion, look
from hst123r.archives.transfer import Refused, Transfer, Trouble
from hst123r.archives.wanted import Fetched, Status, Wanted
from hst123r.errors import ArchiveError, Hst123rError, InputError
from hst123r.files.publish import READ_ONLY, machine_errors, make_folder, move
from hst123r.records.dates import utc_now

if TYPE_CHECKING:
    import requests

AT_ONCE: Final = 4
"""Files that are fetched at once by default: enough to fill a line, few enough to be polite."""
REQUESTS: Final = 60
"""Most requests for one file, however much progress each of them makes."""
_log = log.get("archives")


@dataclass(slots=True)
class Fetcher:
    """Fetches files from one archive.

    Parameters
    ----------
    host : str
        The host that gets the token, with its port.
    token : Token or None
        The user's token.
    patience : Patience
        Limits of waiting.
    on_end : callable or None
        Called with each `Fetched` as it ends, in the thread of the caller.
    on_bytes : callable or None
        Called with a file's name, its bytes that are there, and those there will be (None where
        nobody knows), in the thread that fetches it.
    noted : bool
        Whether files get a record of how they came; see :mod:`hst123r.archives.arrived`.
    """

    host: str
    token: Token | None = None
    patience: Patience = field(default_factory=Patience)
    on_end: Callable[[Fetched], object] | None = None
    on_bytes: Callable[[str, int, int | None], object] | None = None
    noted: bool = False
    _stop: Stop = field(default_factory=Stop)
    _local: threading.local = field(default_factory=threading.local)

    def fetch(self, wanted: Sequence[Wanted], at_once: int = AT_ONCE) -> list[Fetched]:
        """Fetch files, several at a time.

        Parameters
        ----------
        wanted : sequence of Wanted
            The files; no two may have one destination.
        at_once : int
            How many at a time.

        Returns
        -------
        list of Fetched
            One for each, in the same order.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C; what is whole is in its place, and parts are kept to be taken up again.
        """
        found: dict[Future[Fetched], int] = {}
        with ThreadPoolExecutor(max(1, at_once), thread_name_prefix="fetch") as pool:
            try:
                for number, one in enumerate(wanted):
                    found[pool.submit(self.fetch_one, one)] = number
                self._report(set(found))
            except BaseException:
                # the threads are waited for, and they wait for nothing any more
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return [future.result() for future in found]

    def _report(self, running: set[Future[Fetched]]) -> None:
        while running:
            # a limit, because a wait without one does not see Ctrl-C on every system
            ended, running = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in ended:
                result = future.result()
                if self.on_end is not None:
                    self.on_end(result)

    def fetch_one(self, wanted: Wanted) -> Fetched:
        """Fetch one file.

        Parameters
        ----------
        wanted : Wanted
            The file.

        Returns
        -------
        Fetched
            What became of it; whatever an archive, the network or the disk does is a status.

        Raises
        ------
        Interrupted
            If the end was asked for.
        """
        try:
            with machine_errors("fetch a file", wanted.destination):
                make_folder(wanted.destination.parent)
                with locked(wanted.destination, self._stop):
                    return self.cached(wanted) or self._fetch(wanted)
        except Hst123rError as error:
            return Fetched(wanted, Status.FAILED, error)

    def cached(self, wanted: Wanted) -> Fetched | None:
        """Return a file that had arrived whole before, None where there is none.

        Parameters
        ----------
        wanted : Wanted
            The file.
        """
        path = wanted.destination
        if not path.is_file():
            return None
        try:
            present = look(path, wanted, wanted.sha256)
        except OtherVersion:
            _log.warning("%s is fetched again: it is another version", path.name)
            return None
        except InputError as error:
            _log.warning("%s is fetched again: %s", path.name, error.message)
            return None
        found = present.as_fetched(wanted, Status.CACHED)
        then = arrived.known(path)
        if then is not None:
            found.etag, found.last_modified = then.etag, then.last_modified
            found.retrieved, found.uri = then.retrieved, then.uri
        return found

    def _fetch(self, wanted: Wanted) -> Fetched:
        partial = Partial(wanted.destination, wanted.uri, digested=wanted.sha256 is not None)
        partial.load()
        token = self.token if wanted.with_token else None
        auth = Authorization(token, self.host)
        told = None if self.on_bytes is None else partially(self.on_bytes, wanted.name)
        transfer = Transfer(self._session(), wanted.url, auth, self.patience, self._stop, told)
        troubles = wrong = requests = 0
        others: set[str] = set()
        furthest = partial.size
        while True:
            self._stop.check()
            try:
                if partial.size == 0 or partial.size != partial.version.total:
                    requests += 1
                    transfer.attempt(partial)
                checksums = self._verify(wanted, partial)
            except Refused as refusal:
                return _refused(wanted, refusal, requests)
            except InputError as error:
                if isinstance(error, OtherVersion):
                    if error.sha256 in others:
                        return Fetched(
                            wanted, Status.FAILED, _other(wanted, error), requests=requests
                        )
                    others.add(error.sha256)
                partial.forget()
                wrong += 1
                trouble = Trouble(f"what arrived is not the file: {error.message}")
            except Trouble as found:
                trouble = found
            else:
                return self._publish(wanted, partial, transfer, requests, checksums)
            # what was forgotten and came once more is no progress
            troubles = 1 if partial.size > furthest else troubles + 1
            furthest = max(furthest, partial.size)
            last = (
                troubles >= self.patience.tries
                or wrong >= self.patience.bad_files
                or requests >= REQUESTS
            )
            _log.warning("%s: %s%s", wanted.name, trouble, "" if last else "; trying again")
            if last:
                return _given_up(wanted, trouble, requests)
            self._stop.sleep(self.patience.wait_s(troubles, trouble.asked_s))

    def _verify(self, wanted: Wanted, partial: Partial) -> str:
        checksums = wanted.verify(partial.path)
        if wanted.sha256 is not None and partial.sha256 != wanted.sha256:
            raise OtherVersion(partial.sha256, wanted.sha256, wanted.name)
        return checksums

    def _publish(
        self, wanted: Wanted, partial: Partial, transfer: Transfer, requests: int, checksums: str
    ) -> Fetched:
        partial.path.chmod(READ_ONLY)
        version, now = partial.version, utc_now()
        if self.noted:
            told = version.etag, version.last_modified
            arrival = arrived.Arrival(wanted.uri, *told, now)
            arrived.note(wanted.destination, partial.path, arrival)
        move(partial.path, wanted.destination)
        partial.done()
        size = partial.size
        notes = []
        if wanted.size is not None and wanted.size != size:
            notes.append(f"the archive lists {wanted.size} bytes, the file has {size}")
        return Fetched(
            wanted, Status.COMPLETE, size=size, sha256=partial.sha256,
            checksums=checksums, etag=version.etag,
            last_modified=version.last_modified, retrieved=now, requests=requests,
            resumed=transfer.resumed, notes=notes, uri=wanted.uri,
        )  # fmt: skip

    def _session(self) -> requests.Session:
        """One session for each thread, so that connections are used again and never shared."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            import requests

            from hst123r import __version__

            session = requests.Session()
            session.headers["User-Agent"] = f"hst123r/{__version__} {session.headers['User-Agent']}"
            self._local.session = session
        return session


def _refused(wanted: Wanted, refusal: Refused, requests: int) -> Fetched:
    status = Status.FAILED
    error: Hst123rError = refusal.error
    if refusal.code in WITHHELD:
        status = Status.EXCLUSIVE
        error = ArchiveError("the archive has it and does not give it to us", where=wanted.name)
    elif refusal.code in ABSENT:
        status = Status.MISSING
        error = ArchiveError("the archive does not have it", where=wanted.name)
    return Fetched(wanted, status, error, requests=requests)


def _given_up(wanted: Wanted, trouble: Trouble, requests: int) -> Fetched:
    tries = f"{requests} request{'s' if requests != 1 else ''}"
    error = ArchiveError(
        f"it could not be fetched with {tries}: {trouble}",
        where=wanted.name,
        hint="Try again later; what has arrived is kept",
    )
    return Fetched(wanted, Status.FAILED, error, requests=requests)


def _other(wanted: Wanted, error: OtherVersion) -> ArchiveError:
    """What came twice in the same way was not damaged on the way."""
    return ArchiveError(
        f"the archive has another version of it than the recorded one: {error.message}",
        where=wanted.name,
        hint="It was made anew since; `hst123r update RECIPE` takes the new version",
    )
