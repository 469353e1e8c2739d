"""The user's MAST token: found where it is kept, sent to one host, and shown nowhere.

It comes from ``MAST_API_TOKEN``, a file that only its owner can read, or the keyring, never from an
option or a recipe. The object that holds it does not print, pickle or copy it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from hst123r.errors import InputError

if TYPE_CHECKING:
    from requests import PreparedRequest

VARIABLE: Final = "MAST_API_TOKEN"
FILE_VARIABLE: Final = "HST123R_MAST_TOKEN_FILE"
FILE_NAME: Final = "mast-token"
KEYRING: Final = ("astroquery:mast.stsci.edu.token", "masttoken")
"""Where astroquery keeps it, so that one login serves both."""


class Token:
    """A token that shows itself to the archive only.

    Parameters
    ----------
    text : str
        The token.
    origin : str
        Where it was found, for people.
    """

    __slots__ = ("__text", "origin")

    def __init__(self, text: str, origin: str) -> None:
        self.__text = text
        self.origin = origin

    def __repr__(self) -> str:
        return f"Token(from {self.origin})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not written anywhere")

    def header(self) -> str:
        """Return the value of the header ``Authorization``."""
        return f"token {self.__text}"

    def cookie(self) -> str:
        """Return the value of the header ``Cookie`` as the archive's own client sends it."""
        return f"mast_token={self.__text}"


class Authorization:
    """Puts the token into requests to one host; without a token it does nothing.

    Given to every request, so that ``~/.netrc`` is never asked.

    Parameters
    ----------
    token : Token or None
        The token.
    host : str
        The only host that gets it, with its port.
    cookie : bool
        Whether it is sent as a cookie besides, which not every service can do without. Only for
        requests that follow no redirect, since a cookie goes along to other hosts.
    """

    def __init__(self, token: Token | None, host: str, *, cookie: bool = False) -> None:
        self._token = token
        self._host = host
        self._cookie = cookie

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the header where it belongs; called by requests."""
        from urllib.parse import urlsplit

        if self._token is not None and urlsplit(str(request.url)).netloc == self._host:
            request.headers["Authorization"] = self._token.header()
            if self._cookie:
                request.headers["Cookie"] = self._token.cookie()
        return request

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not written anywhere")


def find() -> Token | None:
    """Find the user's token.

    Returns
    -------
    Token or None
        From the environment, else from the file, else from the keyring.

    Raises
    ------
    InputError
        If the file can be read by others, or not by us, or what is there cannot be a token.
    """
    text = os.environ.get(VARIABLE, "")
    if text.strip():
        return _token(text, VARIABLE)
    path = token_file()
    if path.is_file() or os.environ.get(FILE_VARIABLE):
        return _from_file(path)
    return _from_keyring()


def token_file() -> Path:
    """Return the path of the file a token may stand in; it need not exist."""
    given = os.environ.get(FILE_VARIABLE, "")
    if given:
        return Path(given).expanduser()
    from platformdirs import user_config_path

    return user_config_path("hst123r") / FILE_NAME


def _from_file(path: Path) -> Token:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise InputError(
            f"the file of the MAST token cannot be read: {error.strerror}", where=str(path)
        ) from error
    except UnicodeDecodeError:
        # its text must not get into a traceback
        text = ""
        mode = 0
    if stat.S_IMODE(mode) & 0o077:
        raise InputError(
            "the file of the MAST token can be read by others",
            where=str(path),
            hint=f"Run `chmod 600 {path}`",
        )
    return _token(text, str(path))


def _from_keyring() -> Token | None:
    import keyring
    from keyring.errors import KeyringError

    try:
        text: Any = keyring.get_password(*KEYRING)
    except (KeyringError, RuntimeError):
        # no keyring on this machine, or a locked one: the same as no token
        return None
    return _token(text, "the keyring") if text and text.strip() else None


def _token(text: str, origin: str) -> Token:
    """Return a token that fits into a header; one that does not would show in an error of HTTP."""
    text = text.strip()
    if not text or not all("!" <= letter <= "~" for letter in text):
        raise InputError(
            "what stands there is no token",
            where=origin,
            hint="A token is one line of letters and digits, without a space",
        )
    return Token(text, origin)
