"""Arrays that take long to compute, kept in the user's cache folder between processes and runs.

Each job is a process of its own, and each would compute the same PSFs again: for the four chips of
WFPC2 that is most of the time of a small recipe.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.resources import cache_folder

Floats = NDArray[np.float64]

LIMIT_BYTES: Final = 1_000_000_000
"""The least recently used arrays go when all together are larger than this."""
_DIGEST_BYTES: Final = 32


def digest_of(*parts: str) -> str:
    """Return a name for an array that depends on some texts, 32 hexadecimal digits."""
    from blake3 import blake3

    return str(blake3("\0".join(parts).encode()).hexdigest(length=16))


def kept(name: str, compute: Callable[[], Floats]) -> Floats:
    """Return an array from the cache, or compute it and keep it there.

    Parameters
    ----------
    name : str
        Name of the array, which must change with all that its values depend on.
    compute : callable
        Makes the array where it is not kept or damaged.

    Returns
    -------
    ndarray of float64
        Bit by bit what was computed. A cache that cannot be read or written only costs time.
    """
    path = cache_folder() / "psf" / f"{name}.bin"
    found = _read(path)
    if found is not None:
        return found
    made = compute()
    # a read-only or full home directory must not stop a reduction
    with suppress(OSError):
        _write(path, made)
    return made


def _read(path: Path) -> Floats | None:
    """Return a kept array, or None where there is none that is whole."""
    from blake3 import blake3

    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, array = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if blake3(array).digest(length=_DIGEST_BYTES) != digest:
        return None
    # when it was used decides how long it is kept; one that is shared may be another user's
    with suppress(OSError):
        os.utime(path)
    return np.asarray(np.load(io.BytesIO(array), allow_pickle=False), np.float64)


def _write(path: Path, array: Floats) -> None:
    from blake3 import blake3

    path.parent.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    content = file.getvalue()
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        part.write_bytes(blake3(content).digest(length=_DIGEST_BYTES) + content)
        part.replace(path)
    except OSError:
        # on a full disk, half a file would take what is left
        part.unlink(missing_ok=True)
        raise
    for old in _too_much(path.parent):
        old.unlink(missing_ok=True)


def _too_much(folder: Path) -> Iterator[Path]:
    """Yield the files that were not used for longest, until the others are below the limit."""
    files = []
    for entry in os.scandir(folder):
        try:
            facts = entry.stat()
        except FileNotFoundError:
            # another process took it away just now
            continue
        files.append((facts.st_mtime_ns, facts.st_size, Path(entry.path)))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= LIMIT_BYTES:
            return
        total -= size
        yield path
