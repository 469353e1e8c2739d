"""One request for a file: what comes is appended to its part, and checked as far as HTTP goes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from hst123r.archives.partial import Partial, Version
from hst123r.archives.patience import AGAIN, Patience, RateWatch, Stop, asked_wait
from hst123r.errors import ArchiveError, Hst123rError

if TYPE_CHECKING:
    import requests

PIECE: Final = 1024 * 1024
"""Most that is taken in at once, in bytes: whatever has come by then is written with one call."""
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+)")


class Trouble(Exception):
    """Something went wrong that may go well the next time.

    Parameters
    ----------
    reason : str
        A sentence.
    asked_s : float or None
        Seconds that the server asks to wait.
    """

    def __init__(self, reason: str, asked_s: float | None = None) -> None:
        super().__init__(reason)
        self.asked_s = asked_s


class Refused(Exception):
    """The server's answer is final.

    Parameters
    ----------
    code : int
        Status code.
    error : Hst123rError
        What it means.
    """

    def __init__(self, code: int, error: Hst123rError) -> None:
        super().__init__(str(error))
        self.code = code
        self.error = error


@dataclass(slots=True)
class Transfer:
    """Fetches one file by as many requests as it takes.

    Parameters
    ----------
    session : requests.Session
        With our adapters.
    url : str
        Address of the file.
    auth : callable
        Puts the token into requests that need it.
    patience : Patience
        Limits.
    stop : Stop
        Ends it.
    on_bytes : callable or None
        Called with the bytes that are there and those there will be, None where nobody knows.
    """

    session: requests.Session
    url: str
    auth: Any
    patience: Patience
    stop: Stop
    on_bytes: Callable[[int, int | None], object] | None = None
    resumed: int = 0

    def attempt(self, partial: Partial) -> None:
        """Send one request and take in what comes, until the part is complete.

        Parameters
        ----------
        partial : Partial
            What is there; it grows, also when something goes wrong.

        Raises
        ------
        Trouble
            If it should be tried again.
        Refused
            If that makes no sense.
        """
        import requests
        import urllib3

        headers = {"Accept-Encoding": "identity"}
        if partial.size and partial.version.validator:
            headers["Range"] = f"bytes={partial.size}-"
            headers["If-Range"] = partial.version.validator
        try:
            with self.session.get(
                self.url, headers=headers, stream=True, auth=self.auth,
                timeout=self.patience.timeout,
            ) as response:  # fmt: skip
                self._take(response, partial)
        except requests.TooManyRedirects as error:
            raise Refused(0, ArchiveError("the archive sends us in circles", where=self.url)) from (
                error
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise Trouble(sentence(error)) from error

    def _take(self, response: requests.Response, partial: Partial) -> None:
        code = response.status_code
        if code == 416:
            # what is there is not the beginning of what the archive has now
            partial.forget()
            raise Trouble("the archive has nothing behind what is there already; from the start")
        if code not in (200, 206):
            self._refuse(response)
        kind = response.headers.get("Content-Type", "")
        if kind.startswith("text/html"):
            raise Trouble("the archive sent a web page in place of the file")
        if code == 206:
            self._check_range(response, partial)
            self.resumed = max(self.resumed, partial.size)
            stream = partial.resume()
        else:
            stream = partial.begin(_version(response, partial))
        with stream:
            self._read(response, partial, stream)
        total = partial.version.total
        if total is not None and partial.size != total:
            if partial.size > total:
                partial.forget()
            raise Trouble(f"{partial.size} of {total} bytes arrived")

    def _read(self, response: requests.Response, partial: Partial, stream: IO[bytes]) -> None:
        watch = RateWatch(self.patience)
        while piece := response.raw.read1(PIECE):
            self.stop.check()
            partial.add(stream, piece)
            if self.on_bytes is not None:
                self.on_bytes(partial.size, partial.version.total)
            if watch.too_slow(time.monotonic(), len(piece)):
                rate = self.patience.least_rate
                raise Trouble(f"fewer than {rate:g} bytes per second arrived")

    def _check_range(self, response: requests.Response, partial: Partial) -> None:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        right = (
            found is not None
            and int(found[1]) == partial.size
            and partial.version.total in (None, int(found[2]))
        )
        if not right:
            said = response.headers.get("Content-Range", "no Content-Range")
            had = partial.size
            partial.forget()
            raise Trouble(f"asked for the bytes from {had}, the archive sent {said}")
        # a server that does not know If-Range goes on with whatever it has now
        version = partial.version
        for name, then in (("ETag", version.etag), ("Last-Modified", version.last_modified)):
            now = response.headers.get(name, "")
            if then and now and now != then:
                partial.forget()
                raise Trouble(f"the archive has another version now ({name}); from the start")

    def _refuse(self, response: requests.Response) -> None:
        code = response.status_code
        reason = f"the archive answered {code} {response.reason}".rstrip()
        if code in AGAIN:
            asked = asked_wait(response.headers.get("Retry-After"))
            if asked is None or asked <= self.patience.longest_asked_s:
                raise Trouble(reason, asked)
            reason += f" and asks to come back in {asked:.0f} s"
        raise Refused(code, ArchiveError(reason, where=self.url))


def _version(response: requests.Response, partial: Partial) -> Version:
    length = response.headers.get("Content-Length", "")
    return Version(
        partial.version.uri,
        response.headers.get("ETag", ""),
        response.headers.get("Last-Modified", ""),
        int(length) if length.isdecimal() else None,
    )


def sentence(error: Exception) -> str:
    """Say what an error of the network means, without addresses of objects and stacked causes."""
    import requests
    import urllib3

    names = {
        requests.ConnectTimeout: "the archive does not answer",
        requests.ReadTimeout: "the archive stopped sending",
        urllib3.exceptions.ReadTimeoutError: "the archive stopped sending",
        urllib3.exceptions.IncompleteRead: "the connection ended in the middle of the file",
        urllib3.exceptions.ProtocolError: "the connection broke",
        requests.exceptions.SSLError: "the archive's certificate is not valid",
        requests.ConnectionError: "the archive cannot be reached",
    }
    for kind, text in names.items():
        if isinstance(error, kind):
            return text
    return f"the connection failed ({type(error).__name__})"
