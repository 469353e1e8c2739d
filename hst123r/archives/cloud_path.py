"""Where the public bucket has a file, asked of MAST: not every file lies where its name says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hst123r.archives.endpoints import Endpoints
from hst123r.archives.patience import Patience, Stop
from hst123r.errors import ArchiveError
from hst123r.files.publish import machine_errors, write

if TYPE_CHECKING:
    import requests

SHORT: Final = Patience(read_s=10.0, tries=2)
"""Without an answer the file is missing as it is before it; that is not worth minutes."""
NONSENSE: Final = "the archive's answer about a place in the public bucket makes no sense"


class NoAnswer(ArchiveError):
    """MAST was waited for, and did not answer."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Whether MAST was waited for in vain in this run, which the jobs of all processes know.

    Parameters
    ----------
    mark : Path
        The file by which they tell one another.
    run : str
        What names the run; the next one asks again.
    """

    mark: Path
    run: str

    def lasts(self) -> bool:
        """Whether a job of this run has waited in vain."""
        try:
            return self.mark.read_text(encoding="utf-8") == self.run
        except FileNotFoundError:
            return False

    def begin(self) -> None:
        """Tell the jobs that follow.

        Raises
        ------
        EnvironmentProblem
            If the mark cannot be written.
        """
        with machine_errors("write", self.mark):
            write(self.mark, self.run.encode())


def look_up(uri: str, endpoints: Endpoints, patience: Patience | None = None) -> str | None:
    """Ask MAST where the public bucket has a file.

    Parameters
    ----------
    uri : str
        What MAST calls it, ``mast:HST/product/…``.
    endpoints : Endpoints
        Addresses of MAST.
    patience : Patience, optional
        Limits of waiting; some 20 s if not given.

    Returns
    -------
    str or None
        Its path, ``/hst/public/…``; None where the bucket does not have it.

    Raises
    ------
    NoAnswer
        If MAST gives no answer.
    ArchiveError
        If it gives one that makes no sense.
    """
    import requests

    from hst123r.archives.patient_adapter import PatientAdapter

    where = endpoints.lookup(uri)
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, PatientAdapter(patience or SHORT, Stop(), _is_there))
        try:
            # without a user: what is public needs none, and a netrc is not asked
            response = session.get(where, auth=lambda request: request)
        except requests.RequestException as error:
            raise NoAnswer(str(error), where=where) from error
        except ArchiveError as error:
            raise NoAnswer(error.message, where=error.where, hint=error.hint) from error
    if response.status_code != 200:
        text = f"the archive answered {response.status_code}"
        raise ArchiveError(text, where=where, hint="Try again later")
    entry = response.json().get(uri)
    if not isinstance(entry, dict) or "path" not in entry:
        raise ArchiveError(NONSENSE, where=where)
    path = entry["path"]
    if path is None:
        return None
    # what is fetched from there has to be the file, so that its name is all that is asked of it
    if not isinstance(path, str) or path.rpartition("/")[2] != uri.rpartition("/")[2]:
        raise ArchiveError(NONSENSE, where=where)
    return path


def _is_there(response: requests.Response, body: bytes) -> bool:
    """Nothing runs here; raises `Trouble` where the answer is none."""
    from hst123r.archives.patient_adapter import json_object

    json_object(response, body)
    return False
