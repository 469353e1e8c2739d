"""How fast files are fetched and verified, beside loops that copy what comes.

Run by hand: ``PYTHONPATH=tests/archives python tests/bench/fetching.py [FILES] [MB] [ROUNDS]``. The
archive runs in a process of its own on this machine, and takes a core itself.

Two loops are beside it, all in turns: a plain one, and one that makes of each file what anybody
needs who is to rely on it, both digests and a sync to the disk. Medians of the rounds are printed,
and how much of each loop's speed is left, by the clock and by CPU time; the imports of the client
are made before.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from functools import partial
from pathlib import Path

from loopback.holdings import exposure_bytes
from loopback.server import Archive

from hst123r.archives import exposure_file
from hst123r.archives.endpoints import Endpoints
from hst123r.archives.fetcher import Fetcher
from hst123r.archives.partial import Digests
from hst123r.archives.wanted import Status, Wanted

PIECE = 1024 * 1024


def root(number):
    return f"jtst{number:04d}q"


def serve(files, side, channel):
    """Hold one file under many names; the root name is the only difference."""
    data = bytearray(exposure_bytes(root(0), rows=side, columns=side))
    place = data.index(root(0).encode())
    with Archive() as archive:
        for number in range(files):
            data[place : place + 9] = root(number).encode()
            archive.holdings.add_file(f"{root(number)}_flc.fits", bytes(data))
        channel.send((archive.url, len(data)))
        channel.recv()


def copy(urls, folder):
    for number, url in enumerate(urls):
        with urllib.request.urlopen(url) as reply, (folder / f"{number}.fits").open("wb") as out:
            while piece := reply.read(PIECE):
                out.write(piece)


def copy_safely(urls, folder):
    for number, url in enumerate(urls):
        digests = Digests()
        with urllib.request.urlopen(url) as reply, (folder / f"{number}.fits").open("wb") as out:
            while piece := reply.read(PIECE):
                out.write(piece)
                digests.update(piece)
            out.flush()
            os.fsync(out.fileno())
        assert digests.sha256


def fetch(uris, folder, at_once):
    wanted = [
        Wanted(uri, PLACES[0].download(uri), folder / uri.rpartition("/")[2],
               partial(exposure_file.verify, root=root(number)))
        for number, uri in enumerate(uris)
    ]  # fmt: skip
    found = Fetcher("").fetch(wanted, at_once)
    assert all(one.status is Status.COMPLETE for one in found)


def cost(function):
    begun = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - begun[0], time.process_time() - begun[1]


PLACES = []


def main(files=40, megabytes=16, rounds=3):
    side = int((megabytes * 1e6 / 10) ** 0.5)
    context = multiprocessing.get_context("spawn")
    channel, other = context.Pipe()
    server = context.Process(target=serve, args=(files, side, other))
    server.start()
    url, size = channel.recv()
    PLACES.append(Endpoints(url))
    uris = [f"mast:HST/product/{root(number)}_flc.fits" for number in range(files)]
    urls = [PLACES[0].download(uri) for uri in uris]
    total = files * size / 1e6
    ways = {
        "plain loop": lambda place: copy(urls, place),
        "loop with digests and sync": lambda place: copy_safely(urls, place),
        "fetched, 1 at once": lambda place: fetch(uris, place, 1),
        "fetched, 4 at once": lambda place: fetch(uris, place, 4),
    }
    found = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as where:
        fetch(uris[:2], Path(where) / "warm", 1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(rounds):
            for name, way in ways.items():
                place = Path(where) / "now"
                place.mkdir()
                found[name].append(cost(lambda w=way, p=place: w(p)))
                shutil.rmtree(place)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    channel.send("end")
    server.join()
    typical = {name: [statistics.median(t) for t in zip(*all_, strict=True)]
               for name, all_ in found.items()}  # fmt: skip
    loops = list(ways)[:2]
    for name, (wall, cpu) in typical.items():
        shares = "".join(
            f"; {typical[loop][0] / wall:.0%} and {typical[loop][1] / cpu:.0%} of the {loop}"
            for loop in loops if name not in loops
        )  # fmt: skip
        said = f"{total / wall:.0f} MB/s, {cpu:.2f} s of CPU time for {total:.0f} MB"
        sys.stdout.write(f"{name}: {said}{shares}\n")
    sys.stdout.write(f"{grown:.0f} MB more memory at most\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
