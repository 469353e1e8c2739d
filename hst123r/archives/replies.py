"""An archive's answers as they came, kept so that nobody asks the same twice.

Each is one file in a folder: what was asked, the raw replies with their sha256, and when. A run
that finds them needs no network, and says the same as the run that asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hst123r.errors import ArchiveError
from hst123r.files.content import digest_bytes
from hst123r.files.publish import machine_errors, write
from hst123r.records.dates import utc_now


@dataclass(slots=True)
class Replies:
    """The answers that are kept in a folder.

    Parameters
    ----------
    folder : Path or None
        Where they are kept; None keeps none.
    keep : bool
        Whether new ones are written. A plan changes nothing, so it keeps none.
    offline : bool
        Whether asking is forbidden.
    renew : bool
        Ask even where an answer is kept.
    asked : int
        How many questions were asked.
    used : list of str
        The sha256 of every reply that was used.
    about : dict of str to list of str
        The same by the name of each answer.
    heard : dict of str to list of str
        Raw replies that were asked for a moment ago, by the name of each answer; added to. Nobody
        is asked twice by one command, whatever is to be renewed.
    """

    folder: Path | None
    keep: bool = True
    offline: bool = False
    renew: bool = False
    asked: int = 0
    used: list[str] = field(default_factory=list)
    about: dict[str, list[str]] = field(default_factory=dict)
    heard: dict[str, list[str]] = field(default_factory=dict)

    def get(self, about: str, question: dict[str, Any], ask: Callable[[], list[str]]) -> list[str]:
        """Return the answer to a question, kept or new.

        Parameters
        ----------
        about : str
            Begins the file's name: ``observations``.
        question : dict
            Plain values that say all about the question.
        ask : callable
            Asks it; returns raw replies.

        Returns
        -------
        list of str
            Raw replies.

        Raises
        ------
        ArchiveError
            If it would have to be asked and may not, or what is kept was changed.
        """
        text = json.dumps(question, sort_keys=True, separators=(",", ":"))
        digest = digest_bytes(text.encode()).partition(":")[2]
        name = f"{about}-{digest[:16]}"
        path = None
        if self.folder is not None:
            path = self.folder / f"{name}.json"
            if path.is_file() and not self.renew:
                return self._read(path, question)
        if self.offline:
            raise ArchiveError(
                f"MAST was not asked for these {about} yet, and --offline forbids it",
                hint="Run once without --offline; the answer is kept",
            )
        if name not in self.heard:
            self.heard[name] = ask()
            self.asked += 1
        bodies = self.heard[name]
        digests = [hashlib.sha256(body.encode()).hexdigest() for body in bodies]
        self._use(name, digests)
        if path is not None and self.keep:
            kept = {"asked": utc_now(), "question": question, "sha256": digests, "replies": bodies}
            with machine_errors("keep an answer of the archive", path):
                write(path, json.dumps(kept, indent=1).encode())
        return bodies

    def _use(self, name: str, digests: list[str]) -> None:
        self.used += digests
        self.about[name] = digests

    def queries(self) -> list[dict[str, str]]:
        """Return what was asked, as a lock has it: ``service``, ``what`` and ``digest``."""
        return [
            {
                "service": "mast",
                "what": name,
                "digest": f"sha256:{hashlib.sha256(''.join(digests).encode()).hexdigest()}",
            }
            for name, digests in sorted(self.about.items())
        ]

    def _read(self, path: Path, question: dict[str, Any]) -> list[str]:
        try:
            kept = json.loads(path.read_bytes())
            bodies = [str(body) for body in kept["replies"]]
            digests = [hashlib.sha256(body.encode()).hexdigest() for body in bodies]
            whole = kept["question"] == question and kept["sha256"] == digests
        except (OSError, ValueError, KeyError, TypeError):
            whole, bodies, digests = False, [], []
        if not whole:
            raise ArchiveError(
                "this answer of the archive is damaged",
                where=str(path),
                hint="Remove the file, or run `hst123r query RECIPE --renew`, to ask again",
            )
        self._use(path.stem, digests)
        return bodies
