"""A work directory in Python: its runs, jobs, products, measurements and light curves as tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.engine.history import Filter, history
from hst123r.engine.lineage import trace
from hst123r.engine.workspace import locate
from hst123r.provenance import queries
from hst123r.provenance.reading import reading
from hst123r.provenance.statement import ask

if TYPE_CHECKING:
    from astropy.table import Table

UNITS: Final = {
    "flux_njy": "nJy", "flux_err_njy": "nJy", "flux_err_weights_njy": "nJy",
    "flux_err_scatter_njy": "nJy", "flux_err_fixed_njy": "nJy", "flux_corrected_njy": "nJy",
    "mag_ab": "mag", "mag_st": "mag", "mag_vega": "mag", "mag_err": "mag", "mag_sys": "mag",
    "limit_ab": "mag", "limit_st": "mag", "limit_vega": "mag", "extinction_mag": "mag", "mjd": "d",
    "exposure_time_s": "s", "seconds": "s", "cpu_seconds": "s", "peak_memory_mb": "Mbyte",
}  # fmt: skip
"""Units of columns, by name; a ratio such as ``chi2`` or ``snr`` has none."""
SECONDS: Final = 60.0
ROWS: Final = 1_000_000
_PRODUCTS: Final = """
    select g.run, p.job_id as job, g.stage, p.kind, p.name, f.role, f.path, c.size, c.digest,
           p.quality, g.target, g.field,
           json_extract(p.labels, '$.detector') as detector,
           json_extract(p.labels, '$.filter') as filter,
           json_extract(p.labels, '$.epoch') as epoch
    from last_good g join product p on p.job_id = g.job
    join product_file f on f.product_id = p.id join content c on c.id = f.content_id
    where f.owned = 1 order by p.id, f.id
"""
_MEASUREMENTS: Final = "select * from measurements where current order by id"
_PHOTOMETRY: Final = """
    select p.* from photometry p join last_good g on g.job = p.job_id
    order by p.target, p.detector, p.filter, p.level, p.mjd
"""


class WorkDirectory:
    """What a work directory knows, as Astropy tables.

    Each question opens the store for a moment and only reads, so it may be asked while a run is
    under way. Rows are those of the attempts that count; `jobs` and `runs` have all.

    Parameters
    ----------
    folder : Path
        The work directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with reading(folder):
            # so that a folder without a store is an error here and not at the first question
            pass

    @property
    def runs(self) -> Table:
        """Every run: number, start, end, state, recipe, command, user, host."""
        rows = history(self.folder, Filter())
        return table([{k: v for k, v in row.items() if k != "options"} for row in rows])

    @property
    def jobs(self) -> Table:
        """Every attempt at a job: stage, label, state, quality, why it ran, time and memory."""
        with reading(self.folder) as store:
            return table(queries.jobs(store.db))

    @property
    def products(self) -> Table:
        """Every file of the results that count, with digest, labels and quality."""
        return self._rows(_PRODUCTS)

    @property
    def measurements(self) -> Table:
        """Every measurement of the results that count, with its limits and unit."""
        return self._rows(_MEASUREMENTS)

    @property
    def photometry(self) -> Table:
        """The light curves that count; fluxes in nJy, magnitudes AB, dates MJD."""
        return self._rows(_PHOTOMETRY)

    def history(self, **asked: Any) -> Table:
        """Return runs, jobs, or light curves over runs, as ``hst123r history`` does.

        Parameters
        ----------
        **asked
            Fields of `engine.history.Filter`, e.g. ``stage="align"`` or
            ``measurement=("residual_rms > 0.1",)``.

        Returns
        -------
        astropy.table.Table
            One row for each.
        """
        return table(history(self.folder, Filter(**asked)))

    def lineage(self, what: str) -> dict[str, Any]:
        """Follow a target, point, job or file back and forward; see `engine.lineage.trace`."""
        return trace(self.folder, what)

    def sql(self, statement: str, *, seconds: float = SECONDS) -> Table:
        """Answer a statement of SQL that reads.

        Parameters
        ----------
        statement : str
            SQL.
        seconds : float
            It is ended after this time.

        Returns
        -------
        astropy.table.Table
            Its rows, at most a million.

        Raises
        ------
        InputError
            If it does anything but read.
        """
        return self._rows(statement, seconds)

    def path(self, inside: str) -> Path:
        """Return the absolute path of a path of the store."""
        return self.folder / inside

    def _rows(self, statement: str, seconds: float = SECONDS) -> Table:
        with reading(self.folder) as store:
            found = ask(store, statement, seconds=seconds, limit=ROWS)
        return table(
            [dict(zip(found.columns, row, strict=True)) for row in found.rows], found.columns
        )

    def _summary(self) -> list[tuple[str, str]]:
        with reading(self.folder) as store:
            runs = queries.runs(store.db)
            states = store.db.execute(
                "select quality, count(*) from last_good group by quality order by quality"
            ).fetchall()
            targets = store.db.execute(
                "select p.target, count(*) from photometry p join last_good g on g.job = p.job_id "
                "group by p.target order by p.target"
            ).fetchall()
        lines = [("runs", str(len(runs)))]
        if runs:
            last = runs[-1]
            lines.append(("last run", f"{last['recipe']}, {last['started']}, {last['state']}"))
        lines.append(("results", ", ".join(f"{count} {quality}" for quality, count in states)))
        lines.append(("light curves", ", ".join(f"{name} ({n} rows)" for name, n in targets)))
        return [(name, text or "none") for name, text in lines]

    def __repr__(self) -> str:
        lines = "".join(f"\n  {name}: {text}" for name, text in self._summary())
        return f"<hst123r work directory {self.folder}>{lines}"

    def _repr_html_(self) -> str:
        """Return a short table, for notebooks."""
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>"
            for name, text in self._summary()
        )
        head = f"<b>hst123r</b> work directory <code>{escape(str(self.folder))}</code>"
        return f"{head}<table>{rows}</table>"


def open_folder(folder: str | Path | None) -> WorkDirectory:
    """Open a work directory.

    Parameters
    ----------
    folder : str, Path or None
        The work directory; None for the current one, or the only one just below it.

    Returns
    -------
    WorkDirectory
        Its tables.

    Raises
    ------
    InputError
        If there is none.
    """
    given = None if folder is None else Path(folder).expanduser()
    return WorkDirectory(locate(given, Path.cwd()))


def table(rows: Sequence[Mapping[str, Any]], names: Iterable[str] = ()) -> Table:
    """Return rows as a table; what is missing is masked.

    Parameters
    ----------
    rows : sequence of mapping
        Plain values by column; lists and mappings become text.
    names : iterable of str
        Columns where there are no rows.

    Returns
    -------
    astropy.table.Table
        With units where a column's name has one.
    """
    from astropy.table import Column, MaskedColumn, Table

    columns = list(rows[0]) if rows else list(names)
    found = Table()
    for name in columns:
        values = [_cell(row[name]) for row in rows]
        missing = [value is None for value in values]
        kinds = {type(value) for value in values if value is not None}
        kind = _kind(kinds)
        filled = [kind() if value is None else kind(value) for value in values]
        if any(missing):
            found[name] = MaskedColumn(filled, mask=missing, dtype=kind)
        else:
            found[name] = Column(filled, dtype=kind)
        found[name].unit = UNITS.get(name)
    return found


def _kind(kinds: set[type]) -> type:
    if kinds <= {bool} and kinds:
        return bool
    if kinds and kinds <= {int, bool}:
        return int
    if kinds and kinds <= {int, float, bool}:
        return float
    return str


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
