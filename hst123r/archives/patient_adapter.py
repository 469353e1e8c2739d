"""Makes a client's session wait, try again and give up, as the client itself does not.

astroquery has no timeouts, tries nothing twice, and asks again without a pause while a query runs.
Mounted on its session, this sends each request until there is an answer that is one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter

from hst123r import log
from hst123r.archives.patience import AGAIN, Patience, RateWatch, Stop, asked_wait
from hst123r.archives.transfer import Trouble, sentence
from hst123r.errors import ArchiveError

PIECE: Final = 64 * 1024
LARGEST: Final = 512 * 1024 * 1024
"""An answer beyond this is none; 50,000 rows are 50 MB."""
_log = log.get("archives")


class PatientAdapter(HTTPAdapter):  # type: ignore[misc]
    """Sends requests with timeouts, back-off and paced polling.

    Parameters
    ----------
    patience : Patience
        Limits.
    stop : Stop
        Ends it.
    runs : callable, optional
        Says of an answer with status 200 whether the query still runs, so that the same request
        is sent again; raises `Trouble` where it is no answer. By default that of MAST's portal.
    """

    def __init__(
        self, patience: Patience, stop: Stop,
        runs: Callable[[requests.Response, bytes], bool] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._patience = patience
        self._stop = stop
        self._judge = portal_runs if runs is None else runs

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request until its answer is one; called by requests.

        Raises
        ------
        ArchiveError
            If there is none after several tries, or the query runs for too long.
        """
        del stream, timeout
        troubles = polls = 0
        begun = time.monotonic()
        while True:
            self._stop.check()
            try:
                response = super().send(
                    request, True, self._patience.timeout, verify, cert, proxies
                )
                body = self._body(response)
                running = self._runs(response, body)
            except (requests.RequestException, urllib3.exceptions.HTTPError, Trouble) as error:
                troubles += 1
                text = str(error) if isinstance(error, Trouble) else sentence(error)
                if troubles >= self._patience.tries:
                    raise ArchiveError(
                        f"the archive gave no answer in {troubles} tries: {text}",
                        where=str(request.url),
                        hint="Try again later",
                    ) from error
                asked = error.asked_s if isinstance(error, Trouble) else None
                self._wait(request, troubles, begun, text, asked)
                continue
            if not running:
                return response
            if time.monotonic() - begun > self._patience.longest_query_s:
                raise ArchiveError(
                    f"the query runs for more than {self._patience.longest_query_s:g} s",
                    where=str(request.url),
                    hint="Ask for less, or try again later",
                )
            polls += 1
            self._stop.sleep(min(self._patience.wait_s(polls), self._patience.longest_poll_s))

    def _wait(
        self, request: requests.PreparedRequest, troubles: int, begun: float, text: str,
        asked_s: float | None,
    ) -> None:  # fmt: skip
        """Wait before the next try; raises `ArchiveError` where that would be too long."""
        patience, where = self._patience, str(request.url)
        if asked_s is not None and asked_s > patience.longest_asked_s:
            raise ArchiveError(
                f"{text} and asks to come back in {asked_s:.0f} s", where=where,
                hint="Try again later",
            )  # fmt: skip
        wait = patience.wait_s(troubles, asked_s)
        if time.monotonic() - begun + wait > patience.longest_query_s:
            raise ArchiveError(
                f"the archive gave no answer within {patience.longest_query_s:g} s: {text}",
                where=where, hint="Try again later",
            )  # fmt: skip
        _log.warning("%s; trying again", text)
        self._stop.sleep(wait)

    def _runs(self, response: requests.Response, body: bytes) -> bool:
        """Whether the query still runs; raises `Trouble` where the answer is none."""
        code = response.status_code
        if code in AGAIN:
            asked = asked_wait(response.headers.get("Retry-After"))
            raise Trouble(f"the archive answered {code} {response.reason}".rstrip(), asked)
        return code == 200 and self._judge(response, body)

    def _body(self, response: requests.Response) -> bytes:
        """Read the whole answer, which requests would do without a limit of time."""
        pieces: list[bytes] = []
        size = 0
        watch = RateWatch(self._patience)
        with response:
            while piece := response.raw.read1(PIECE, decode_content=True):
                pieces.append(piece)
                size += len(piece)
                if watch.too_slow(time.monotonic(), len(piece)):
                    raise Trouble("the answer comes too slowly")
                if size > LARGEST:
                    raise ArchiveError("the answer has no end", where=str(response.url))
        body = b"".join(pieces)
        response._content = body  # noqa: SLF001  (where requests keeps what it has read)
        response._content_consumed = True  # noqa: SLF001
        length = response.headers.get("Content-Length", "")
        encoded = response.headers.get("Content-Encoding")
        if length.isdecimal() and not encoded and int(length) != size:
            raise Trouble(f"{size} of {length} bytes of the answer arrived")
        return body


def web_page(body: bytes) -> bool:
    """Whether an answer is a page for people, as servers under maintenance send."""
    start = body.lstrip()[:256].lower()
    return start.startswith((b"<!doctype html", b"<html"))


def portal_runs(response: requests.Response, body: bytes) -> bool:
    """Say whether a query of MAST's portal still runs.

    Parameters
    ----------
    response : requests.Response
        An answer with status 200.
    body : bytes
        Its content.

    Returns
    -------
    bool
        Whether to ask again.

    Raises
    ------
    Trouble
        If the answer is none.
    """
    answer = json_object(response, body)
    return bool(answer.get("status") == "EXECUTING")


def json_object(response: requests.Response, body: bytes) -> dict[str, Any]:
    """Read an answer that has to be a JSON object.

    Parameters
    ----------
    response : requests.Response
        Its head, which decides nothing.
    body : bytes
        Its content.

    Returns
    -------
    dict
        The object.

    Raises
    ------
    Trouble
        If it is a web page, no JSON, or no object.
    """
    del response
    try:
        answer = json.loads(body)
    except ValueError as error:
        what = "a web page" if body.lstrip()[:1] == b"<" else "something that is not JSON"
        raise Trouble(f"the archive answered with {what}") from error
    if not isinstance(answer, dict):
        raise Trouble("the archive answered with JSON that is no object")
    return answer
