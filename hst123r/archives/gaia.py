"""Stars of Gaia around a field, asked for once and kept with the proof that none is missing."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.archives.patience import Patience
from hst123r.errors import ArchiveError
from hst123r.files.content import digest_bytes
from hst123r.files.publish import machine_errors, write
from hst123r.records.dates import utc_now

if TYPE_CHECKING:
    from astropy.table import Table

TABLES: Final = {"gaia-dr3": "gaiadr3.gaia_source"}
"""Table of a release in Gaia's archive."""
ANSWERS: Final = "gaia"
"""Folder inside ``raw/`` with the answers."""
SHOWN: Final = {"gaia-dr3": "Gaia DR3"}
COLUMNS: Final = (
    "source_id", "ref_epoch", "ra", "dec", "ra_error", "dec_error", "ra_dec_corr", "parallax",
    "parallax_error", "pmra", "pmra_error", "pmdec", "pmdec_error", "pmra_pmdec_corr",
    "astrometric_params_solved", "astrometric_excess_noise", "ruwe", "duplicated_source",
    "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag",
)  # fmt: skip
"""Those that decide, and those by which somebody may judge a star; names of the archive (Gaia DR3
documentation, section 20.1.1)."""
MOST: Final = 500_000
"""A limit of ours: so many rows of these columns are some 100 MB, and nobody aligns by them."""
STEP_DEG: Final = 0.01
"""The radius is rounded up to this, and the centre to a hundredth of it, so that small changes of a
WCS ask for the same stars."""
LARGEST_DEG: Final = 2.0
"""Exposures of one field do not lie so far apart."""


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle on the sky.

    Parameters
    ----------
    ra_deg, dec_deg, radius_deg : float
        Centre and radius.
    """

    ra_deg: float
    dec_deg: float
    radius_deg: float

    @classmethod
    def around(cls, corners: Iterable[tuple[float, float]], margin_arcsec: float) -> Circle:
        """Return a circle that holds some places.

        Parameters
        ----------
        corners : iterable of (float, float)
            Right ascension and declination in degrees, at least one pair.
        margin_arcsec : float
            How far it reaches beyond them.

        Returns
        -------
        Circle
            With rounded numbers; it holds the margin all the same.
        """
        from hst123r.algorithms.sphere import middle, separation_arcsec

        places = list(corners)
        ra, dec = [place[0] for place in places], [place[1] for place in places]
        ra0, dec0 = (round(value, 4) for value in middle(ra, dec))
        ra0 %= 360.0
        far = float(separation_arcsec(ra, dec, ra0, dec0).max())
        steps = math.ceil((far + margin_arcsec) / 3600.0 / STEP_DEG)
        return cls(ra0, dec0, round(steps * STEP_DEG, 2))

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.radius_deg * 60:.1f} arcmin around {self.ra_deg:.4f} {self.dec_deg:+.4f}"


@dataclass(frozen=True, slots=True)
class Kept:
    """Stars that are kept, or will be.

    Parameters
    ----------
    table : Path
        ECSV table, in the order of ``source_id``.
    about : dict
        What was asked, where, when, how many rows were counted, and digests; empty while nobody
        has asked.
    """

    table: Path
    about: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gaia:
    """Asks a TAP service for stars of Gaia, or finds answers that are kept.

    Parameters
    ----------
    server : str
        Address of the service.
    folder : Path
        Where answers are kept.
    patience : Patience
        Limits of waiting.
    """

    server: str
    folder: Path
    patience: Patience = field(default_factory=Patience)

    def stars(self, release: str, circle: Circle, *, ask: bool = True) -> Kept:
        """Return the stars in a circle.

        Parameters
        ----------
        release : str
            ``gaia-dr3``.
        circle : Circle
            Where.
        ask : bool
            Whether the archive may be asked; a plan does not.

        Returns
        -------
        Kept
            The answer. Without `ask` its table may not be there yet.

        Raises
        ------
        ArchiveError
            If the archive gives no whole answer, or what is kept was changed.
        EnvironmentProblem
            If the answer cannot be kept.
        """
        question = self._question(release, circle)
        digest = digest_bytes(json.dumps(question, sort_keys=True).encode()).partition(":")[2]
        table = self.folder / f"{release}-{digest[:16]}.ecsv"
        if table.with_suffix(".json").is_file():
            return Kept(table, _checked(table, question))
        if not ask:
            return Kept(table, {})
        return self._ask(question, table)

    def _question(self, release: str, circle: Circle) -> dict[str, Any]:
        if circle.radius_deg > LARGEST_DEG:
            raise ArchiveError(
                f"the exposures of this field span {2 * circle.radius_deg:.1f} degrees",
                hint="Give them targets of their own, or `absolute.file`",
            )
        where = (
            f"FROM {TABLES[release]} WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), "
            f"CIRCLE('ICRS', {circle.ra_deg:.4f}, {circle.dec_deg:.4f}, {circle.radius_deg:.2f}))"
        )
        return {
            "release": release, "columns": list(COLUMNS), "source": where, "server": self.server,
        }  # fmt: skip

    def _ask(self, question: dict[str, Any], table: Path) -> Kept:
        from hst123r.archives.tap import Tap

        tap = Tap(self.server, self.patience)
        source = question["source"]
        number = tap.count(source)
        if number > MOST:
            raise ArchiveError(
                f"{number} stars are in this circle, more than {MOST}",
                where=self.server, hint="Give `absolute.file`, a catalogue of your own choice",
            )  # fmt: skip
        answer = tap.table(f"SELECT {', '.join(question['columns'])} {source}", number)
        data = _written(answer.table, self.server)
        about = {
            "asked": utc_now(), "question": question, "job": answer.job, "rows": number,
            "sha256": hashlib.sha256(data).hexdigest(),
            "sha256_of_answer": hashlib.sha256(answer.body).hexdigest(),
        }  # fmt: skip
        with machine_errors("keep an answer of the archive", table):
            write(table, data)
            # what says that it is whole comes last
            write(table.with_suffix(".json"), json.dumps(about, indent=1).encode())
        return Kept(table, about)


def _written(table: Table, server: str) -> bytes:
    """Return an answer as ECSV; the same rows give the same bytes, however they were sent."""
    from io import StringIO

    lower = {name.lower(): name for name in table.colnames}
    lacking = [name for name in COLUMNS if name not in lower]
    if lacking:
        raise ArchiveError(
            f"the archive's table has no {', '.join(lacking)}", where=server,
            hint="Give `absolute.file`, a catalogue of your own",
        )  # fmt: skip
    plain = table[[lower[name] for name in COLUMNS]]
    plain.rename_columns(plain.colnames, list(COLUMNS))
    plain.sort("source_id")
    plain.meta.clear()
    for column in plain.itercols():
        column.description = None
        column.meta.clear()
    out = StringIO()
    plain.write(out, format="ascii.ecsv")
    return out.getvalue().encode()


def _checked(table: Path, question: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept about an answer whose table is as it was."""
    beside = table.with_suffix(".json")
    try:
        about = json.loads(beside.read_bytes())
        digest = hashlib.sha256(table.read_bytes()).hexdigest()
        whole = about["question"] == question and about["sha256"] == digest
    except (OSError, ValueError, KeyError, TypeError):
        whole, about = False, {}
    if not whole:
        raise ArchiveError(
            "this answer of the archive is damaged", where=str(table),
            hint=f"Remove {beside.name}, and the archive is asked again",
        )  # fmt: skip
    return dict(about)
