"""What the archive holds: files, and the rows of the services that speak of them.

Column names and the shapes of values are those of replies that were recorded from MAST.
"""

from __future__ import annotations

import hashlib
import math
import threading
from dataclasses import dataclass, field
from email.utils import formatdate

import numpy as np
from astropy.io import fits

PUBLIC, EXCLUSIVE = "PUBLIC", "EXCLUSIVE_ACCESS"


@dataclass
class Held:
    """A file of the archive."""

    data: bytes
    rights: str = PUBLIC
    modified: float = 1.6e9

    @property
    def etag(self):
        return f'"{hashlib.md5(self.data).hexdigest()}"'

    @property
    def last_modified(self):
        return formatdate(self.modified, usegmt=True)


@dataclass
class Holdings:
    """Files by URI, and rows of observations and products."""

    files: dict[str, Held] = field(default_factory=dict)
    observations: list[dict] = field(default_factory=list)
    products: list[dict] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    """Tokens of somebody who may have the exclusive files."""
    strangers: set[str] = field(default_factory=set)
    """Tokens of somebody who may not."""
    paths: dict[str, str] = field(default_factory=dict)
    """Where the bucket has files that do not lie where their name says, by URI."""
    names: dict[str, list[dict]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add_file(self, name, data, rights=PUBLIC, collection="product"):
        uri = f"mast:HST/{collection}/{name}"
        self.files[uri] = Held(data, rights)
        return uri

    def path_of(self, uri):
        """Return where a file lies in the bucket, None where it has none of this name."""
        held = self.files.get(uri)
        if held is None or held.rights != PUBLIC:
            return None
        name = uri.rpartition("/")[2]
        root = name.partition("_")[0]
        return self.paths.get(uri, f"/hst/public/{root[:4]}/{root}/{name}")

    def replace(self, uri, data):
        """Put another version of a file in the place of the old one."""
        with self.lock:
            old = self.files[uri]
            self.files[uri] = Held(data, old.rights, old.modified + 86400)

    def add_name(self, name, ra, dec, resolver="SIMBAD", called=None):
        """Let a name be known, by one more catalogue; as recorded replies have it."""
        row = {
            "searchString": name.lower(), "resolver": resolver, "cached": False,
            "resolverTime": 294, "searchRadius": -1.0, "canonicalName": called or name,
            "ra": ra, "decl": dec, "objectType": "SN*",
        }  # fmt: skip
        self.names.setdefault(name.lower(), []).append(row)

    def add_observation(self, obs_id, instrument_name, **more):
        row = {
            "intentType": "science", "obs_collection": "HST", "provenance_name": "CALACS",
            "instrument_name": instrument_name, "project": "HST", "filters": "F606W",
            "wavelength_region": "OPTICAL", "target_name": "FIELD", "obs_id": obs_id,
            "s_ra": 150.1, "s_dec": 2.2, "dataproduct_type": "image", "proposal_pi": "Nobody",
            "calib_level": 3, "t_min": 58574.0, "t_max": 58574.01, "t_exptime": 400.0,
            "em_min": 500.0, "em_max": 700.0, "obs_title": "A SIMULATED FIELD",
            "t_obs_release": 58940.0, "proposal_id": "99900", "s_region": square(150.1, 2.2, 101.0),
            "jpegURL": None, "dataURL": None, "dataRights": PUBLIC, "mtFlag": False,
            "obsid": 24000001 + len(self.observations), "objID": 90000001 + len(self.observations),
            **more,
        }  # fmt: skip
        self.observations.append(row)
        return row

    def add_product(self, observation, name, root, **more):
        """Add a row about a file; the file itself is added by `add_file`."""
        suffix = name.removesuffix(".fits").rpartition("_")[2]
        row = {
            "obsID": observation["obsid"], "obs_collection": observation["obs_collection"],
            "dataproduct_type": "image", "obs_id": root,
            "description": f"DADS {suffix.upper()} file", "type": "S",
            "dataURI": f"mast:HST/product/{name}", "productType": "SCIENCE",
            "productGroupDescription": None, "productSubGroupDescription": suffix.upper(),
            "productDocumentationURL": None, "project": observation["provenance_name"],
            "prvversion": "DMS CALACS 10.2.1", "proposal_id": observation["proposal_id"],
            "productFilename": name, "size": self._size(name),
            "parent_obsid": observation["obsid"], "dataRights": observation["dataRights"],
            "calib_level": 2, "filters": observation["filters"],
            **more,
        }  # fmt: skip
        self.products.append(row)
        return row

    def _size(self, name):
        held = self.files.get(f"mast:HST/product/{name}")
        return None if held is None else len(held.data)

    def add_exposures(self, paths, instrument_name, rights=PUBLIC, **more):
        """Put exposures into the archive as one association of their own."""
        data = {path.name: path.read_bytes() for path in paths}
        with fits.open(paths[0]) as hdus:
            head = hdus[0].header
        more = {"proposal_id": str(head["PROPOSID"]), "dataRights": rights, **more}
        root = paths[0].name[:9]
        observation = self.add_observation(f"{root[:6]}010", instrument_name, **more)
        for name, content in data.items():
            self.add_file(name, content, rights)
            self.add_product(observation, name, name[:9])
        return observation


def square(ra, dec, half_arcsec):
    """Return the footprint of a square field as MAST writes it."""
    step = half_arcsec / 3600
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    across = math.cos(math.radians(dec))
    places = [f"{ra + x * step / across:.8f} {dec + y * step:.8f}" for x, y in corners]
    return "POLYGON ICRS " + " ".join(places)


def exposure_bytes(root, *, rows=256, columns=256, seed=1, checksums=False):
    """Return a whole exposure of two extensions of its own kind, made of noise."""
    rng = np.random.default_rng(seed)
    primary = fits.PrimaryHDU()
    primary.header.update(ROOTNAME=root, NEXTEND=3, INSTRUME="NONE")
    hdus = fits.HDUList([primary])
    for name, kind in (("SCI", "f4"), ("ERR", "f4"), ("DQ", "i2")):
        values = rng.normal(100, 10, (rows, columns)).astype(kind)
        hdus.append(fits.ImageHDU(values, name=name, ver=1))
    from io import BytesIO

    out = BytesIO()
    hdus.writeto(out, checksum=checksums)
    return out.getvalue()
