"""What a repair is asked for, finds broken and does about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hst123r.engine.verify import Heard
from hst123r.errors import GOOD
from hst123r.recipe.model import Recipe


@dataclass(slots=True)
class Piece:
    """A broken file, and what is done about it.

    Parameters
    ----------
    file : str
        Path as the store has it.
    state : str
        ``altered`` or ``missing``.
    what : str
        What changed, or who made it.
    job : str
        ``stage:label`` of the job whose result it is.
    action : str
        ``restore`` an equal copy, ``fetch`` again, ``make`` again, or ``none``.
    source : str
        The copy, the address in an archive, or why nothing can be done.
    outcome : str
        What came of it; empty for a look.
    aside : str
        Where the altered file was put, empty where it was not.
    """

    file: str
    state: str
    what: str
    job: str
    action: str = "none"
    source: str = ""
    outcome: str = ""
    aside: str = ""


@dataclass(slots=True)
class Group:
    """Broken jobs that one run asked for last.

    Parameters
    ----------
    recipe : Recipe or None
        As it was then; None where it cannot be read any more.
    mend : dict
        What is broken, by stage and label.
    why : str
        Why there is no recipe.
    """

    recipe: Recipe | None
    mend: dict[tuple[str, str], str] = field(default_factory=dict)
    why: str = ""


@dataclass(slots=True)
class Repaired:
    """What a repair found and did.

    Parameters
    ----------
    pieces : list of Piece
        All broken files.
    unreadable : list of str
        Files that cannot be read; they are left alone.
    runs : list of int
        Runs that made files again.
    exit_code : int
        What the command ends with.
    """

    pieces: list[Piece]
    unreadable: list[str] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    exit_code: int = GOOD

    def as_json(self, *, look: bool) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "check": look,
            "files": [asdict(piece) for piece in self.pieces],
            "unreadable": self.unreadable,
            "runs": self.runs,
        }


@dataclass(slots=True)
class Wanted:
    """What a user asks of a repair.

    Parameters
    ----------
    quick : bool
        Find what is broken by signatures, see `engine.verify.verify`.
    jobs : int
        Files read and jobs run at once.
    offline : bool
        Whether sockets are forbidden.
    folders : sequence of Path
        Where to look for equal copies besides.
    tell : callable, optional
        Told of the bytes that were read.
    """

    quick: bool = False
    jobs: int = 1
    offline: bool = False
    folders: Sequence[Path] = ()
    tell: Heard | None = None
