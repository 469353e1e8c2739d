"""Waiting: how long, what for, and how it ends."""

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hst123r.archives.patience import Interrupted, Patience, RateWatch, Stop, asked_wait


def test_waits_double_up_to_the_longest_and_differ():
    patience = Patience(first_wait_s=1, longest_wait_s=60)
    for troubles, middle in ((1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60)):
        waits = [patience.wait_s(troubles) for _ in range(200)]
        assert min(waits) >= 0.5 * middle
        assert max(waits) <= 1.5 * middle
        assert max(waits) - min(waits) > 0.5 * middle


def test_a_server_that_asks_for_longer_gets_it():
    assert Patience().wait_s(1, 77.0) == 77.0
    assert Patience().wait_s(7, 1.0) >= 30.0


def test_what_a_server_asks_for_is_read():
    assert asked_wait(None) is None
    assert asked_wait("120") == 120.0
    assert asked_wait("soon") is None
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert asked_wait(later) == pytest.approx(100, abs=2)
    assert asked_wait("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert asked_wait("Wed, 21 Oct 2015 07:28:00 -0000") == 0.0


def test_a_wait_ends_when_the_end_is_asked_for():
    stop = Stop()
    stop.check()
    threading.Timer(0.05, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(Interrupted):
        stop.sleep(30)
    assert time.monotonic() - begun < 10
    with pytest.raises(Interrupted):
        stop.check()


def test_bytes_that_come_too_slowly_are_noticed():
    watch = RateWatch(Patience(least_rate=100, rate_over_s=10))
    assert not watch.too_slow(0.0, 1)
    assert not watch.too_slow(9.9, 998)
    assert not watch.too_slow(10.0, 1)
    assert not watch.too_slow(15.0, 500)
    assert watch.too_slow(20.0, 499)
