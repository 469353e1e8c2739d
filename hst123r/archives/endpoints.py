"""Where the services of MAST are; a mirror or a test archive may take their place."""

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
    server = os.environ.get(VARIABLE, "").rstrip("/") or MAST
    parts = urlsplit(server)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InputError(
            f"{server!r} is not the address of a server",
            where=VARIABLE,
            hint="Write https://host, or unset the variable to use MAST itself",
        )
    return Endpoints(server)
