"""How fast files are fetched and verified, beside loops that copy what comes.

Run by hand: ``PYTHONPATH=tests/archives python tests/bench/fetching.py [FILES] [MB] [ROUNDS]``. The
archive runs in a process of its own on this machine, and takes a core itself.

Two loops are beside it: a plain one, and one that makes of each file what anybody needs who is to
rely on it, both digests and a sync to the disk. The fetcher verifies and syncs, and digests what a
lock demands a digest of; all other digests are taken when a job's products are looked at, which is
measured with it, too ("and looked at"). All take the same few files in turns, and what they wrote
stays until the end of a round, so that a machine that is busy for a while, and a disk that fills
up, are the same for all. Printed are sums over all turns, and how much of each loop's speed is
left, by the clock and by CPU time. The imports of the client are made before.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import urllib.request
from functools import partial
from pathlib import Path

from loopback.holdings import exposure_bytes
from loopback.server import Archive

from hst123r.archives import exposure_file, transfer
from hst123r.archives.endpoints import Endpoints
from hst123r.archives.fetcher import AT_ONCE, Fetcher
from hst123r.archives.partial import Digests
from hst123r.archives.wanted import Status, Wanted
from hst123r.files.content import look

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
    for url in urls:
        place = folder / url.rpartition("/")[2]
        with urllib.request.urlopen(url) as reply, place.open("wb") as out:
            while piece := reply.read(PIECE):
                out.write(piece)


def copy_safely(urls, folder):
    for url in urls:
        digests = Digests()
        place = folder / url.rpartition("/")[2]
        with urllib.request.urlopen(url) as reply, place.open("wb") as out:
            while piece := reply.read(PIECE):
                out.write(piece)
                digests.update(piece)
            out.flush()
            os.fsync(out.fileno())
        assert digests.sha256


def fetch(uris, folder, at_once, locked=False):
    wanted = [
        Wanted(uri, PLACES[0].download(uri), folder / uri.rpartition("/")[2],
               partial(exposure_file.verify, root=uri.rpartition("/")[2][:9]),
               sha256=LOCKED[uri] if locked else None)
        for uri in uris
    ]  # fmt: skip
    found = Fetcher("").fetch(wanted, at_once)
    assert all(one.status is Status.COMPLETE for one in found)


def fetch_and_look(uris, folder):
    fetch(uris, folder, AT_ONCE)
    for uri in uris:
        path = folder / uri.rpartition("/")[2]
        LOCKED[uri] = look(path, sha256=True).sha256


def digest(urls, _):
    """Digest as many bytes as there are, in pieces as they come."""
    digests, piece = Digests(), os.urandom(transfer.PIECE)
    for _ in range(len(urls) * SIZES[0] // len(piece)):
        digests.update(piece)


def cost(function):
    begun = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - begun[0], time.process_time() - begun[1]


PLACES, SIZES, LOCKED = [], [], {}
AT_A_TURN = 4
FLAT_MB = 32
"""More than pieces and what the allocator keeps; the files are as large together as FILES x MB."""


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
    SIZES.append(size)
    ways = {
        "plain loop": copy,
        "loop with digests and sync": copy_safely,
        "fetched, 1 at once": lambda some, place: fetch(some, place, 1),
        "fetched, 4 at once": lambda some, place: fetch(some, place, AT_ONCE),
        "fetched and looked at": fetch_and_look,
        "fetched as locked": lambda some, place: fetch(some, place, AT_ONCE, locked=True),
        "digests alone": digest,
    }
    found = {name: [0.0, 0.0] for name in ways}
    with tempfile.TemporaryDirectory() as where:
        fetch(uris[:2], Path(where) / "warm", 1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(rounds):
            places = {name: Path(tempfile.mkdtemp(dir=where)) for name in ways}
            for begin in range(0, files, AT_A_TURN):
                for name, way in ways.items():
                    some = (uris if "fetched" in name else urls)[begin : begin + AT_A_TURN]
                    spent = cost(lambda w=way, s=some, p=places[name]: w(s, p))
                    found[name] = [one + more for one, more in zip(found[name], spent, strict=True)]
            for place in places.values():
                shutil.rmtree(place)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    channel.send("end")
    server.join()
    total = rounds * files * size / 1e6
    loops = list(ways)[:2]
    for name, (wall, cpu) in found.items():
        shares = "".join(
            f"; {found[loop][0] / wall:.0%} and {found[loop][1] / cpu:.0%} of the {loop}"
            for loop in loops if name.startswith("fetched")
        )  # fmt: skip
        said = f"{total / wall:.0f} MB/s, {1000 * cpu / total:.2f} s of CPU time for 1000 MB"
        sys.stdout.write(f"{name}: {said}{shares}\n")
    sys.stdout.write(f"{grown:.0f} MB more memory at most\n")
    assert grown < FLAT_MB


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
