"""How long to wait for an archive, what to try again, and when to give up."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from secrets import SystemRandom
from typing import Final

AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes of a server that is busy or broken for now (RFC 9110, section 15)."""
WITHHELD: Final = frozenset({401, 403})
ABSENT: Final = frozenset({404, 410})
_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits of waiting. The defaults suit a busy archive and a slow line.

    Parameters
    ----------
    connect_s : float
        Seconds to wait for a connection.
    read_s : float
        Seconds to wait for the next byte.
    tries : int
        How often in a row something may go wrong without a byte of progress.
    bad_files : int
        How often a file may arrive and be wrong.
    first_wait_s, longest_wait_s : float
        Wait after the first trouble; it doubles up to the longest, times a random factor from
        0.5 to 1.5 so that many clients do not come back together.
    longest_asked_s : float
        Longest wait that a server may ask for with Retry-After.
    least_rate : float
        Bytes per second below which a transfer is broken off and taken up again.
    rate_over_s : float
        Seconds over which the rate is taken.
    longest_query_s : float
        How long a query may run.
    longest_poll_s : float
        Longest pause between two looks whether it still runs.
    """

    connect_s: float = 10.0
    read_s: float = 60.0
    tries: int = 5
    bad_files: int = 3
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    longest_asked_s: float = 600.0
    least_rate: float = 2000.0
    rate_over_s: float = 60.0
    longest_query_s: float = 600.0
    longest_poll_s: float = 15.0

    @property
    def timeout(self) -> tuple[float, float]:
        """Timeouts as requests takes them."""
        return self.connect_s, self.read_s

    def wait_s(self, troubles: int, asked_s: float | None = None) -> float:
        """Return how long to wait before trying again.

        Parameters
        ----------
        troubles : int
            How often in a row something went wrong, 1 after the first time.
        asked_s : float or None
            What the server asked for.

        Returns
        -------
        float
            Seconds; never less than what was asked for.
        """
        doubled = self.first_wait_s * 2.0 ** min(troubles - 1, 30)
        wait = min(doubled, self.longest_wait_s) * _random.uniform(0.5, 1.5)
        return max(wait, asked_s or 0.0)


class Interrupted(Exception):
    """Somebody asked for the transfer to end; what is there is kept."""


class Stop:
    """Tells transfers to end, also while they wait."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask every transfer to end."""
        self._event.set()

    def check(self) -> None:
        """Raise `Interrupted` if the end was asked for."""
        if self._event.is_set():
            raise Interrupted

    def sleep(self, seconds: float) -> None:
        """Wait, and raise `Interrupted` as soon as the end is asked for."""
        if self._event.wait(seconds):
            raise Interrupted


def asked_wait(value: str | None) -> float | None:
    """Read the header Retry-After.

    Parameters
    ----------
    value : str or None
        Seconds, or a date (RFC 9110, section 10.2.3).

    Returns
    -------
    float or None
        Seconds from now, None where there is no such header or it makes no sense.
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


class RateWatch:
    """Notices that bytes come too slowly.

    Parameters
    ----------
    patience : Patience
        The limits.
    """

    def __init__(self, patience: Patience) -> None:
        self._least = patience.least_rate * patience.rate_over_s
        self._over_s = patience.rate_over_s
        self._since: float | None = None
        self._bytes = 0

    def too_slow(self, now_s: float, received: int) -> bool:
        """Note that bytes were received.

        Parameters
        ----------
        now_s : float
            A steady clock.
        received : int
            Number of bytes.

        Returns
        -------
        bool
            Whether the window that just ended had too few of them.
        """
        if self._since is None:
            self._since = now_s
        self._bytes += received
        if now_s - self._since < self._over_s:
            return False
        few = self._bytes < self._least
        self._since, self._bytes = now_s, 0
        return few
