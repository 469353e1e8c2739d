"""Where MAST, Gaia, CRDS and the STDPSF library are; mirrors or a test archive may replace them."""

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
BUCKET_VARIABLE: Final = "HST123R_S3_URL"
"""Likewise for the public bucket."""
BUCKET: Final = "https://stpubdata.s3.amazonaws.com"
"""MAST's public files, which everybody may read without an account; plain HTTPS is enough."""
GAIA_VARIABLE: Final = "HST123R_GAIA_URL"
"""Likewise with the address of a TAP service that has the tables of Gaia."""
GAIA: Final = "https://gea.esac.esa.int/tap-server/tap"
CRDS_VARIABLE: Final = "HST123R_CRDS_URL"
"""Likewise with the address of a CRDS server. CRDS_SERVER_URL is not read: it is often that of
another observatory."""
CRDS: Final = "https://hst-crds.stsci.edu"
STDPSF_VARIABLE: Final = "HST123R_STDPSF_URL"
"""Likewise with the address of measured PSFs, one folder for each detector."""
STDPSF: Final = "https://www.stsci.edu/~jayander/HST1PASS/LIB/PSFs/STDPSFs"


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
    def whoami(self) -> str:
        """The service that says to whom a token belongs."""
        return f"{self.server}/whoami"

    def lookup(self, uri: str) -> str:
        """Return the address of the question where the public bucket has a file."""
        return f"{self.server}/api/v0.1/path_lookup/?uri={quote(uri, safe=':/')}"

    @property
    def host(self) -> str:
        """Host name, with its port where there is one."""
        # requests writes it in lower case, and the token goes to its equal only
        return urlsplit(self.server).netloc.lower()

    def download(self, uri: str) -> str:
        """Return the address of a file by its URI, ``mast:HST/product/…``."""
        return f"{self.server}/api/v0.1/Download/file?uri={quote(uri, safe=':/')}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """The public bucket: files only; what is where, MAST tells.

    Parameters
    ----------
    server : str
        Scheme and host, without a slash at the end.
    """

    server: str

    def download(self, uri: str) -> str:
        """Return the address of a file by its URI, ``mast:HST/product/ipppssoot_flc.fits``.

        Only files of single exposures have a place that follows from their name; it is that of
        MAST's own answers, ``/hst/public/ippp/ipppssoot/ipppssoot_flc.fits``.
        """
        name = uri.rpartition("/")[2]
        root = name.partition("_")[0]
        return f"{self.server}/hst/public/{root[:4]}/{root}/{quote(name)}"

    def at(self, path: str) -> str:
        """Return the address of a file by its path in the bucket, as MAST tells it."""
        return f"{self.server}/{quote(path.lstrip('/'))}"


def mast() -> Endpoints:
    """Return the addresses of MAST, or of what the environment puts in its place.

    Raises
    ------
    InputError
        If the environment's address is none.
    """
    return Endpoints(_server(VARIABLE, MAST, "MAST"))


def bucket() -> Bucket:
    """Return the address of the public bucket, or of what the environment puts in its place.

    Raises
    ------
    InputError
        If the environment's address is none.
    """
    return Bucket(_server(BUCKET_VARIABLE, BUCKET, "the public bucket"))


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
    return _server(GAIA_VARIABLE, GAIA, "Gaia's archive")


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
    return _server(CRDS_VARIABLE, CRDS, "CRDS")


def stdpsf() -> str:
    """Return the address of the STDPSF library, or of what the environment puts in its place.

    Returns
    -------
    str
        Without a slash at the end; files are ``<detector>/STDPSF_<detector>_<filter>.fits``.

    Raises
    ------
    InputError
        If the environment's address is none.
    """
    return _server(STDPSF_VARIABLE, STDPSF, "the STDPSF library")


def _server(variable: str, usual: str, name: str) -> str:
    server = os.environ.get(variable, "").rstrip("/") or usual
    parts = urlsplit(server)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InputError(
            f"{server!r} is not the address of a server",
            where=variable,
            hint=f"Write https://host, or unset the variable to use {name} itself",
        )
    return server
