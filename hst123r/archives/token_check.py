"""Whether MAST takes the user's token, asked once before the first file that needs it.

A token ends after 10 days without use, and after 60 days in any case. MAST answers with 401 then,
as it does for files of other people, so that without asking nobody could tell the two apart.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hst123r import log
from hst123r.archives.endpoints import Endpoints
from hst123r.archives.mast_token import Authorization, Token
from hst123r.archives.patience import Patience, Stop
from hst123r.errors import ArchiveError, InputError

if TYPE_CHECKING:
    import requests

PAGE: Final = "https://auth.mast.stsci.edu/tokens"
"""Where people make a token."""
SHORT: Final = Patience(read_s=10.0, tries=2)
"""What waits for this answer are files that need none."""
_log = log.get("archives")


def check(token: Token, endpoints: Endpoints, patience: Patience | None = None) -> None:
    """Ask MAST who we are with a token.

    Where MAST has no sensible answer, that is logged, and the files themselves will show.

    Parameters
    ----------
    token : Token
        The user's token.
    endpoints : Endpoints
        Addresses of MAST.
    patience : Patience, optional
        Limits of waiting; some 20 s if not given.

    Raises
    ------
    InputError
        If MAST does not know the token, or not any more.
    """
    try:
        anonymous = _anonymous(token, endpoints, patience or SHORT)
    except ArchiveError as error:
        _log.warning("whether MAST takes the token from %s is not known: %s", token.origin, error)
        return
    if anonymous:
        raise InputError(
            "MAST does not take this token: it is unknown, or has expired",
            where=token.origin,
            hint=f"Make a new one at {PAGE}, or remove it to go on without exclusive data",
        )


def _anonymous(token: Token, endpoints: Endpoints, patience: Patience) -> bool:
    """Whether we are nobody to MAST; raises `ArchiveError` where there is no answer to that."""
    import requests

    from hst123r.archives.patient_adapter import PatientAdapter

    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, PatientAdapter(patience, Stop(), _answers))
        try:
            # in a header as with files, and in the cookie that the archive's own client sends.
            # A cookie would go wherever we are sent, so that we go nowhere
            response = session.get(
                endpoints.whoami, auth=Authorization(token, endpoints.host, cookie=True),
                headers={"Accept": "application/json"}, allow_redirects=False,
            )  # fmt: skip
        except requests.RequestException as error:
            raise ArchiveError(str(error), where=endpoints.whoami) from error
    found = _read(response)
    # a 403 of something in between, e.g. a page of a proxy, says nothing of the token
    if response.status_code == 401 or (response.status_code == 403 and found.get("anon") is True):
        return True
    if response.status_code != 200 or not isinstance(found.get("anon"), bool):
        raise ArchiveError(
            f"it answered {response.status_code} without saying who we are", where=endpoints.whoami
        )
    return bool(found["anon"])


def _answers(response: requests.Response, body: bytes) -> bool:
    """Nothing of this is asked twice: whatever comes with 200 is the answer."""
    del response, body
    return False


def _read(response: requests.Response) -> dict[str, Any]:
    try:
        found = json.loads(response.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
