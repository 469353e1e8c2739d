"""The questions that stwcs asks the astrometry database and the service of guide stars.

It asks a service that is not there three times, a minute apart; waits for all other answers
without a limit; and passes over most failures, so that an exposure gets another WCS than it should.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from hst123r.errors import ArchiveError

OFF: Final = {"ASTROMETRY_STEP_CONTROL": "OFF"}
ON: Final = {"ASTROMETRY_STEP_CONTROL": "ON", "RAISE_PIPELINE_ERRORS": "true"}
"""Variables that switch the questions."""
TIMEOUT_S: Final = 30.0
"""To connect, and between two pieces of an answer; the files of headerlets are small."""
UNKNOWN: Final = 404
"""The answer of the database about an exposure that it does not have, which is no failure."""
AVAILABLE: Final = "availability"
"""End of the question whether the database is there, which says nothing about an exposure."""


@dataclass(slots=True)
class Asked:
    """What became of questions.

    Parameters
    ----------
    failed : list of ArchiveError
        Those without an answer.
    answers : dict of str to str
        Hexadecimal sha256 of each answer, by the question without the name of the service.
    """

    failed: list[ArchiveError] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def limited(timeout_s: float) -> Iterator[Asked]:
    """Limit the time of every question, note those without an answer, and what was answered.

    Parameters
    ----------
    timeout_s : float
        How long one may wait.

    Yields
    ------
    Asked
        So far. The first failure is raised inside, where stwcs may replace it by an error of its
        own or pass over it.
    """
    import requests

    asked = Asked()
    failed = asked.failed
    plain = requests.get

    def get(url: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", timeout_s)
        try:
            answer = plain(url, **options)
        except requests.RequestException as error:
            failed.append(_unanswered(url, f"{type(error).__name__}: {error}"))
            raise failed[-1] from error
        except ArchiveError as error:
            # a network that is forbidden
            failed.append(error)
            raise
        about_exposure = "/observation/read/" in url and "?" not in url
        unknown = about_exposure and answer.status_code == UNKNOWN
        if not (answer.ok or unknown):
            failed.append(_unanswered(url, f"status {answer.status_code} {answer.reason}"))
            raise failed[-1]
        if not url.endswith(AVAILABLE):
            # the content is read here, within the limit of time, and kept by requests
            asked.answers[_question(url)] = hashlib.sha256(answer.content).hexdigest()
        return answer

    requests.get = get
    try:
        yield asked
    finally:
        requests.get = plain


def _question(url: str) -> str:
    """Return what is asked, whoever is asked."""
    parts = urlsplit(url)
    return f"{parts.path.lstrip('/')}?{parts.query}" if parts.query else parts.path.lstrip("/")


def _unanswered(url: str, why: str) -> ArchiveError:
    return ArchiveError(
        f"the astrometry database did not answer: {why}",
        where=url,
        hint="Try again later, or leave out `astrometry_db`; what is done is kept",
    )
