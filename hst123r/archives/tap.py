"""Asking a TAP service for a whole table: a job that is submitted, watched, fetched and deleted.

A thin client of IVOA's TAP 1.1 and UWS 1.1, on our own patient session: queries that wait for their
answer are cut at 2000 rows by Gaia's archive without a word, and the clients there are wait without
a limit. That a table is whole is proved twice: by the number of rows that the service itself counts
beforehand, and by the mark that it has to set on a table that it cut.
"""

from __future__ import annotations

import gzip
import time
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit
from xml.parsers.expat import ExpatError

from hst123r import log
from hst123r.archives.patience import Patience, Stop
from hst123r.archives.patient_adapter import LARGEST, PatientAdapter, web_page
from hst123r.archives.transfer import Trouble
from hst123r.errors import ArchiveError

if TYPE_CHECKING:
    import requests
    from astropy.table import Table

RUNNING: Final = frozenset({"PENDING", "QUEUED", "EXECUTING", "SUSPENDED", "HELD", "UNKNOWN"})
ENDED: Final = frozenset({"COMPLETED", "ERROR", "ABORTED", "ARCHIVED"})
"""Phases of a job (UWS 1.1, section 2.1.3)."""
GZIP: Final = b"\x1f\x8b"
DELETE_S: Final = 5.0
"""Nobody waits longer to delete a job, which Ctrl-C does as well."""
LATER: Final = "Try again later"
_SPECIAL: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, EOFError,
                   SyntaxError, ExpatError)  # fmt: skip
"""What astropy raises for something that is no VOTable; its own errors are SyntaxErrors."""
_log = log.get("archives")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered.

    Parameters
    ----------
    table : astropy.table.Table
        The rows.
    body : bytes
        The answer as it came, a VOTable.
    job : str
        Address of the job.
    """

    table: Table
    body: bytes
    job: str


class Tap:
    """A TAP service.

    Parameters
    ----------
    server : str
        Its address, without a slash at the end.
    patience : Patience or None
        Limits of waiting.
    stop : Stop or None
        Ends the wait.
    """

    def __init__(
        self, server: str, patience: Patience | None = None, stop: Stop | None = None
    ) -> None:
        self._server = server
        self._patience = patience or Patience()
        self._stop = stop or Stop()
        self._kept: requests.Session | None = None

    def table(self, adql: str, rows: int) -> Answer:
        """Run a query to its end.

        Parameters
        ----------
        adql : str
            The query.
        rows : int
            How many rows there are; the service may send one more, which would be told.

        Returns
        -------
        Answer
            A table of exactly that many rows.

        Raises
        ------
        ArchiveError
            If there is no answer, the service refuses the query, or the table is not whole.
        """
        job = self._submit(adql, rows + 1)
        try:
            self._wait(job)
            body = self._get(f"{job}/results/result").content
            found, marks = _read(_plain(body), job)
            if "OVERFLOW" in marks:
                raise self._error(f"the archive cut its answer after {len(found)} rows")
            if "ERROR" in marks:
                raise self._error(f"the archive could not answer: {marks['ERROR'] or 'no reason'}")
            if len(found) != rows:
                raise self._error(f"the archive counts {rows} rows and sent {len(found)}")
        finally:
            self._delete(job)
        return Answer(found, body, job)

    def count(self, source: str) -> int:
        """Let the service count rows.

        Parameters
        ----------
        source : str
            The query from its FROM on.

        Returns
        -------
        int
            The number.

        Raises
        ------
        ArchiveError
            If it gives none.
        """
        answer = self.table(f"SELECT COUNT(*) AS number_of_rows {source}", 1)
        try:
            number = int(answer.table[answer.table.colnames[0]][0])
        except (ValueError, TypeError, IndexError) as error:
            raise self._error("the archive counted rows and gave no number") from error
        if number < 0:
            raise self._error(f"the archive counted {number} rows")
        return number

    def _submit(self, adql: str, most: int) -> str:
        form = {
            "REQUEST": "doQuery", "LANG": "ADQL", "FORMAT": "votable", "QUERY": adql,
            "MAXREC": str(most), "PHASE": "RUN",
        }  # fmt: skip
        response = self._send("POST", f"{self._server}/async", data=form)
        code = response.status_code
        place = urljoin(f"{self._server}/", response.headers.get("Location", ""))
        if code != 303 or not response.headers.get("Location"):
            raise self._refused(response, "the archive took no query")
        if urlsplit(place).hostname != urlsplit(self._server).hostname:
            raise self._error(f"the archive sends us to another host, {urlsplit(place).hostname}")
        return str(place).rstrip("/")

    def _wait(self, job: str) -> None:
        begun = time.monotonic()
        polls = 0
        while True:
            phase = str(self._get(f"{job}/phase").text).strip().upper()
            if phase == "COMPLETED":
                return
            if phase in ENDED:
                raise self._error(f"the archive could not answer: {self._why(job, phase)}")
            if time.monotonic() - begun > self._patience.longest_query_s:
                text = f"the query runs for more than {self._patience.longest_query_s:g} s"
                raise self._error(f"{text}, its phase is {phase}")
            polls += 1
            self._stop.sleep(min(self._patience.wait_s(polls), self._patience.longest_poll_s))

    def _why(self, job: str, phase: str) -> str:
        """Return what the service says of a job that failed."""
        response = self._send("GET", f"{job}/error")
        body = response.content
        if response.status_code != 200:
            return f"its phase is {phase}, without a reason"
        try:
            _, marks = _read(_plain(body), job)
        except ArchiveError:
            # services may send plain text as well
            return " ".join(response.text.split())[:300]
        return marks.get("ERROR") or f"its phase is {phase}"

    def _delete(self, job: str) -> None:
        """Delete a job at once; where that fails the service forgets it by itself, days later."""
        import requests

        try:
            requests.delete(job, timeout=DELETE_S, allow_redirects=False)
        except (requests.RequestException, ArchiveError) as error:
            _log.info("the job %s was not deleted: %s", job, type(error).__name__)

    def _get(self, url: str) -> requests.Response:
        response = self._send("GET", url)
        if response.status_code != 200:
            raise self._refused(response, "the archive did not give its answer")
        return response

    def _refused(self, response: requests.Response, what: str) -> ArchiveError:
        # nothing may be said that is a page for people
        page = web_page(response.content)
        text = "" if page else " ".join(response.text.split())[:300]
        code = f"{what}, it answered {response.status_code} {response.reason}".rstrip()
        return self._error(f"{code}: {text}" if text else code)

    def _error(self, message: str) -> ArchiveError:
        return ArchiveError(message, where=self._server, hint=LATER)

    def _send(self, method: str, url: str, **more: Any) -> requests.Response:
        import requests

        session = self._session()
        follow = method == "GET"
        try:
            return session.request(method, url, allow_redirects=follow, **more)
        except requests.TooManyRedirects as error:
            raise self._error("the archive sends us in circles") from error
        except requests.RequestException as error:
            raise self._error(f"the archive cannot be asked: {type(error).__name__}") from error

    def _session(self) -> requests.Session:
        if self._kept is None:
            import requests

            from hst123r import __version__

            session = requests.Session()
            agent = session.headers["User-Agent"]
            session.headers["User-Agent"] = f"hst123r/{__version__} {agent!s}"
            for scheme in ("http://", "https://"):
                session.mount(scheme, PatientAdapter(self._patience, self._stop, _judge))
            self._kept = session
        return self._kept


def _judge(response: requests.Response, body: bytes) -> bool:
    """Raise `Trouble` where an answer with status 200 is none; the job itself is what runs."""
    if web_page(body):
        raise Trouble("the archive answered with a web page")
    path = urlsplit(str(response.url)).path
    if path.endswith("/phase"):
        phase = body.strip().upper().decode("ascii", "replace")
        if phase not in RUNNING | ENDED:
            raise Trouble("the archive answered with something that is no phase of a job")
    elif path.endswith("/results/result"):
        _whole(body)
    return False


def _whole(body: bytes) -> None:
    """Raise `Trouble` where a table was cut on its way, so that it is sent again."""
    try:
        plain = _plain(body)
    except ArchiveError as error:
        raise Trouble(error.message) from error
    if not plain.rstrip().endswith(b"VOTABLE>"):
        raise Trouble("the archive answered with something that is no whole VOTable")


def _plain(body: bytes) -> bytes:
    """Return an answer unpacked; Gaia's archive packs without saying so in the head."""
    if not body.startswith(GZIP):
        return body
    try:
        with gzip.open(BytesIO(body)) as stream:
            plain = stream.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveError("what the archive packed cannot be unpacked", hint=LATER) from error
    if len(plain) > LARGEST:
        raise ArchiveError("the answer has no end", hint="Ask for less")
    return plain


def _read(body: bytes, where: str) -> tuple[Table, dict[str, str]]:
    """Return the table of an answer, and what the service says of it by status."""
    import warnings

    from astropy.io.votable import parse

    try:
        with warnings.catch_warnings():
            # of small liberties that services take
            warnings.simplefilter("ignore")
            found = parse(BytesIO(body), verify="ignore")
            resources = list(found.resources)
            infos = [info for item in resources for info in item.infos]
            for item in resources:
                for table in item.tables:
                    infos += list(table.infos)
            marks = {
                str(info.value).upper(): str(info.content or "").strip()
                for info in infos
                if info.name == "QUERY_STATUS"
            }
            tables = [table for item in resources for table in item.tables]
            if not tables and "ERROR" not in marks:
                raise ValueError("it has no table")
            from astropy.table import Table as Empty

            return (tables[0].to_table() if tables else Empty()), marks
    except _SPECIAL as error:
        raise ArchiveError(
            f"the archive's answer is no VOTable: {error}", where=where, hint=LATER
        ) from error
