"""What can go wrong on request."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field


@dataclass
class Fault:
    """One thing that goes wrong when a request matches.

    Parameters
    ----------
    on : str
        Regular expression, searched for in ``METHOD path``.
    kind : str
        ``status``, ``truncate``, ``truncate_no_length``, ``corrupt``, ``stall``, ``slow``,
        ``hang``, ``drop``, ``html``, ``garbage``, ``no_length``, ``no_ranges``,
        ``ignore_range``, ``wrong_range``, ``short_length``, ``long_length``, ``chunked``,
        ``truncate_chunked``, ``executing``, ``error``, ``short_page``, ``redirect``,
        ``body``, ``replace``, ``replace_ignoring_if_range``.
    times : int or None
        For how many requests; None for all of them.
    skip : int
        For how many requests before it all goes well.
    options : dict
        ``code``, ``retry_after``, ``body``, ``at`` (share of the body), ``seconds``, ``to``,
        ``rate``, ``data``.
    """

    on: str
    kind: str
    times: int | None = 1
    skip: int = 0
    options: dict = field(default_factory=dict)

    def get(self, name, default=None):
        return self.options.get(name, default)


class Faults:
    """The faults that are still to come, in order; safe to use from several threads."""

    def __init__(self):
        self._list = []
        self._lock = threading.Lock()

    def add(self, on, kind, times=1, skip=0, **options):
        with self._lock:
            self._list.append(Fault(on, kind, times, skip, options))

    def clear(self):
        with self._lock:
            self._list.clear()

    def take(self, request):
        """Return the fault of a request, None where it goes well."""
        with self._lock:
            for fault in self._list:
                if not re.search(fault.on, request) or fault.times == 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
