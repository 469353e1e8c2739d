"""The questions that stwcs asks the astrometry database and the service of guide stars.

It asks a service that is not there three times, a minute apart; waits for all other answers
without a limit; and passes over most failures, so that an exposure gets another WCS than it should.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from hst123r.errors import ArchiveError

OFF: Final = {"ASTROMETRY_STEP_CONTROL": "OFF"}
ON: Final = {"ASTROMETRY_STEP_CONTROL": "ON", "RAISE_PIPELINE_ERRORS": "true"}
"""Variables that switch the questions."""
TIMEOUT_S: Final = 30.0
"""To connect, and between two pieces of an answer; the files of headerlets are small."""
UNKNOWN: Final = 404
"""The answer of the database about an exposure that it does not have, which is no failure."""


@contextlib.contextmanager
def limited(timeout_s: float) -> Iterator[list[ArchiveError]]:
    """Limit the time of every question, and note those without an answer.

    Parameters
    ----------
    timeout_s : float
        How long one may wait.

    Yields
    ------
    list of ArchiveError
        What had no answer, so far. The first of them is raised inside, where stwcs may replace it
        by an error of its own or pass over it.
    """
    import requests

    failed: list[ArchiveError] = []
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
        return answer

    requests.get = get
    try:
        yield failed
    finally:
        requests.get = plain


def _unanswered(url: str, why: str) -> ArchiveError:
    return ArchiveError(
        f"the astrometry database did not answer: {why}",
        where=url,
        hint="Try again later, or leave out `astrometry_db`; what is done is kept",
    )
