"""Quality cuts as columns of a catalogue: every row stays, and says which cuts it passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.instruments.quality_cuts import Cut, cuts
from hst123r.products import tables
from hst123r.products.photometry_tables import CATALOGUE, read_table
from hst123r.records.expression import Expression, parse

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table
    from numpy.typing import NDArray

PREFIX: Final = "cut_"
OF_FILTER: Final = {"filter_sharpness": "sharpness", "filter_roundness": "roundness"}
"""Columns that are made for cuts: the median over the exposures used of what each says."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a cut in one catalogue.

    Parameters
    ----------
    name : str
        Name of the cut.
    passed : int or None
        How many sources pass it; None where it was not applied.
    problem : str
        Why it was not applied, empty where it was.
    """

    name: str
    passed: int | None
    problem: str = ""


def column_name(cut: str) -> str:
    """Return the name of the column of a cut."""
    return PREFIX + cut.replace("-", "_")


def known_columns() -> tuple[str, ...]:
    """Return the names that an expression can use, of whatever engine."""
    from hst123r.products.dolphot.result import OBJECTS

    names = [c.name for c in (*CATALOGUE, *OBJECTS) if c.dtype in {"int", "float"}]
    return (*names, *OF_FILTER)


class Flagged:
    """The catalogues of one field and detector with the columns of cuts.

    Parameters
    ----------
    files : mapping of str to mapping of str to str
        Files of the results of the stage `photometry`, by filter.
    detector : str
        The detector.
    """

    def __init__(self, files: Mapping[str, Mapping[str, str]], detector: str) -> None:
        self.detector = detector
        self.tables: dict[str, Table] = {}
        self._columns: dict[str, dict[str, NDArray[Any]]] = {}
        for name, roles in files.items():
            table = read_table(roles["catalog"])
            self.tables[name] = table
            self._columns[name] = _columns(table, read_table(roles["measurements"]))

    def named(self, filter_name: str, name: str) -> Applied:
        """Apply a cut that has a name and a source to the catalogue of a filter."""
        cut = cuts()[name]
        text = cut.expression(self.detector)
        if text is None:
            known = ", ".join(cut.expressions)
            return Applied(name, None, f"{name} is about {known} and not {self.detector}")
        columns: Mapping[str, NDArray[Any]] = self._columns[filter_name]
        if cut.filters > 1:
            together = self._together(cut)
            if isinstance(together, str):
                return Applied(name, None, f"{name} {together}")
            columns = together
        return self._apply(filter_name, name, parse(text), columns, f"{cut.about}: {text}")

    def custom(self, filter_name: str, name: str, text: str) -> Applied:
        """Apply an expression of the user's to the catalogue of a filter."""
        expression = parse(text)
        return self._apply(filter_name, name, expression, self._columns[filter_name], text)

    def write(self, filter_name: str, path: Path) -> None:
        """Write the catalogue of a filter with all rows and the new columns."""
        tables.write(self.tables[filter_name], path)

    def _apply(
        self,
        filter_name: str,
        name: str,
        expression: Expression,
        columns: Mapping[str, NDArray[Any]],
        about: str,
    ) -> Applied:
        import numpy as np
        from astropy.table import Column

        missing = [wanted for wanted in expression.names if wanted not in columns]
        if missing:
            return Applied(
                name, None, f"{name} needs {', '.join(missing)}, which this engine does not measure"
            )
        table = self.tables[filter_name]
        passed = np.broadcast_to(expression.evaluate(columns), (len(table),))
        text = f"1 where the source passes the cut {name}. {about}"
        table[column_name(name)] = Column(passed.astype(np.int64), description=text)
        return Applied(name, int(np.count_nonzero(passed)))

    def _together(self, cut: Cut) -> dict[str, NDArray[Any]] | str:
        """Return columns over the two filters of the detector, or why there are none."""
        import numpy as np

        if len(self.tables) != cut.filters:
            return f"is about {cut.filters} filters, and here are {len(self.tables)}"
        one, two = self.tables.values()
        if not np.array_equal(np.asarray(one["source"]), np.asarray(two["source"])):
            return "is about the same sources in two filters, and these differ"
        ways = {"least": np.minimum, "greatest": np.maximum, "sum": np.add}
        first, second = self._columns.values()
        return {
            name: np.asarray(ways[way](first[name], second[name]))
            for name, way in cut.both.items()
            if name in first and name in second
        }


def _columns(table: Table, singles: Table) -> dict[str, NDArray[Any]]:
    import numpy as np

    found = {
        name: np.asarray(table[name])
        for name in table.colnames
        if table[name].dtype.kind in "ifb" and not name.startswith(PREFIX)
    }
    numbers = np.asarray(table["source"])
    used = np.flatnonzero(np.asarray(singles["used"], np.bool_))
    for name, single in OF_FILTER.items():
        if single in singles.colnames:
            values = np.asarray(singles[single], np.float64)[used]
            found[name] = _medians(np.asarray(singles["source"])[used], values, numbers)
    return found


def _medians(
    source: NDArray[Any], values: NDArray[np.float64], numbers: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the median of the finite values of each source, NaN where there are none."""
    import numpy as np

    finite = np.isfinite(values)
    source, values = source[finite], values[finite]
    order = np.lexsort((values, source))
    source, values = source[order], values[order]
    start = np.searchsorted(source, numbers, side="left")
    count = np.searchsorted(source, numbers, side="right") - start
    result = np.full(numbers.size, np.nan)
    some = np.flatnonzero(count)
    low = start[some] + (count[some] - 1) // 2
    high = start[some] + count[some] // 2
    result[some] = (values[low] + values[high]) / 2
    return result


def sources_of(names: Sequence[str]) -> dict[str, str]:
    """Return the source of each named cut."""
    return {name: cuts()[name].source for name in names}
