"""How fast files are fetched and verified, beside a loop that only copies what comes.

Run by hand: ``PYTHONPATH=tests/archives python tests/bench/fetching.py [FILES] [MB]``. The archive
runs in a process of its own on this machine, and takes a core itself.
"""

from __future__ import annotations

import multiprocessing
import resource
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


def cost(function):
    begun = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - begun[0], time.process_time() - begun[1]


def main(files=40, megabytes=16):
    side = int((megabytes * 1e6 / 10) ** 0.5)
    context = multiprocessing.get_context("spawn")
    channel, other = context.Pipe()
    server = context.Process(target=serve, args=(files, side, other))
    server.start()
    url, size = channel.recv()
    places = Endpoints(url)
    uris = [f"mast:HST/product/{root(number)}_flc.fits" for number in range(files)]
    total = files * size / 1e6
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        urls = [places.download(uri) for uri in uris]
        copy(urls[:2], folder)
        results = {"copied by a loop": cost(lambda: copy(urls, folder))}
        results["digests of these alone"] = cost(
            lambda: [Digests.of(path) for path in folder.glob("*.fits")]
        )
        for at_once in (1, 4):
            wanted = [
                Wanted(uri, places.download(uri), folder / str(at_once) / uri.rpartition("/")[2],
                       partial(exposure_file.verify, root=root(number)))
                for number, uri in enumerate(uris)
            ]  # fmt: skip
            found = []
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            used = cost(lambda w=wanted, n=at_once, f=found: f.extend(Fetcher("").fetch(w, n)))
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            assert all(one.status is Status.COMPLETE for one in found)
            results[f"fetched, {at_once} at once, {grown / 1024:.0f} MB more memory"] = used
    channel.send("end")
    server.join()
    for name, (wall, cpu) in results.items():
        speed = f"{total / wall:.0f} MB/s, {cpu:.2f} s of CPU time for {total:.0f} MB"
        sys.stdout.write(f"{name}: {speed}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
