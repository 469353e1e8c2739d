"""Where the services of MAST, Gaia and CRDS are; mirrors or a test archive may take their place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from hst123r.errors import InputError

VARIABLE: Final = "HST123R_MAST_URL"
"""Environment variable with the address of a server that takes the place of MAST. It is no
parameter of a recipe: where the bytes come from does not belong to a paper."""
MAST: Final = "https://mast.stsci.edu"
GAIA_VARIABLE: Final = "HST123R_GAIA_URL"
"""Likewise with the address of a TAP service that has the tables of Gaia."""
GAIA: Final = "https://gea.esac.esa.int/tap-server/tap"
CRDS_VARIABLE: Final = "HST123R_CRDS_URL"
"""Likewise with the address of a CRDS server. CRDS_SERVER_URL is not read: it is often that of
another observatory."""
CRDS: Final = "https://hst-crds.stsci.edu"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of one archive.

    Parameters
    ----------
    server : str
        Scheme and host, without a slash at the end.
    """

    server: str

    @property
    def invoke(self) -> str:
        """The portal's service for queries."""
        return f"{self.server}/api/v0/invoke"

    @property
    def columns(self) -> str:
        """The portal's description of the columns of a service."""
        return f"{self.server}/portal/Mashup/Mashup.asmx/columnsconfig"

    @property
    def host(self) -> str:
        """Host name, with its port where there is one."""
        # requests writes it in lower case, and the token goes to its equal only
        return urlsplit(self.server).netloc.lower()

    def download(self, uri: str) -> str:
        """Return the address of a file by its URI, ``mast:HST/product/…``."""
        return f"{self.server}/api/v0.1/Download/file?uri={quote(uri, safe=':/')}"


def mast() -> Endpoints:
    """Return the addresses of MAST, or of what the environment puts in its place.

    Raises
    ------
    InputError
        If the environment's address is none.
    """
    return Endpoints(_server(VARIABLE, MAST))


def gaia() -> str:
    """Return the address of Gaia's TAP service, or of what the environment puts in its place.

    Returns
    -------
    str
        Without a slash at the end.

    Raises
    ------
    InputError
        If the environment's address is none.
    """
    return _server(GAIA_VARIABLE, GAIA)


def crds() -> str:
    """Return the address of CRDS for Hubble, or of what the environment puts in its place.

    Returns
    -------
    str
        Without a slash at the end.

    Raises
    ------
    InputError
        If the environment's address is none.
    """
    return _server(CRDS_VARIABLE, CRDS)


def _server(variable: str, default: str) -> str:
    server = os.environ.get(variable, "").rstrip("/") or default
    parts = urlsplit(server)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InputError(
            f"{server!r} is not the address of a server",
            where=variable,
            hint=f"Write https://host, or unset the variable to use {default} itself",
        )
    return server
