"""Pages of short lists: exit codes, reasons, flags, units, columns of tables."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence

from hst123r import errors
from hst123r.engine.decide import Code
from hst123r.photometry import flags
from hst123r.products import (
    alignment_table,
    artificial_limits,
    exposure_table,
    light_curve,
    photometry_tables,
    reference_table,
    source_table,
    star_lists,
)
from hst123r.products.tables import Column
from hst123r.records.amount import UNITS
from pages.markdown import code, page, table, text

REASONS = {
    Code.NO_RECORD: "The job was never done in this work directory, or was forgotten.",
    Code.INPUT: "A file it reads has other pixels, data quality, WCS or science cards, or an "
    "input was added or removed. The sentence names which file and which facet.",
    Code.PARAMETER: "A parameter has another value; the sentence has both and the new one's place.",
    Code.ARGUMENT: "Something that was decided when the work was divided has changed, such as the "
    "position of a target or the exposures of an epoch.",
    Code.VERSION: "The stage's own version was raised, because its results change.",
    Code.TOOL: "A package whose version counts for this stage has another version.",
    Code.REFERENCE: "A calibration reference file has another content.",
    Code.MISSING: "A file it made is not there.",
    Code.ALTERED: "A file it made is not as it was made.",
    Code.FAILED: "The last attempt failed, or was interrupted. Files that `fetch` has brought "
    "before stay good all the same.",
    Code.INCOMPLETE: "The last attempt left something out that may be had now, such as an "
    "exposure that MAST refused; not with `--offline`.",
    Code.LOCK: "A file in `raw/` is another version of it than the lock of the recipe has.",
    Code.ASKED: "`--redo` names it.",
    Code.WAITS: "In a plan: something before it is still to be made, so it may or may not run.",
    Code.UPSTREAM: "Something before it gave no usable result, so it is blocked.",
}
TABLES = (
    ("exposures/all/exposures.ecsv", "exposures", exposure_table.COLUMNS),
    ("reference/FIELD/FIELD_reference.ecsv", "reference", reference_table.COLUMNS),
    ("stars/ROOT/ROOT_stars.fits", "stars", star_lists.COLUMNS),
    ("reference/FIELD/FIELD_choice.ecsv", "reference", reference_table.CHOICE),
    ("align/LABEL/LABEL_matches.ecsv", "align", alignment_table.COLUMNS),
    ("detect/FIELD/FIELD_sources.ecsv", "detect", source_table.COLUMNS),
    ("photometry/LABEL/LABEL_catalog.ecsv", "photometry", photometry_tables.CATALOGUE),
    ("photometry/LABEL/LABEL_epochs.ecsv", "photometry", photometry_tables.EPOCHS),
    ("photometry/LABEL/LABEL_measurements.fits", "photometry", photometry_tables.MEASUREMENTS),
    ("photometry/LABEL/LABEL_artificial.ecsv", "photometry", artificial_limits.COLUMNS),
    ("scrape/TARGET/TARGET_light_curve.ecsv", "scrape", light_curve.COLUMNS),
)


def pages() -> dict[str, str]:
    """Return the pages by their path in the documentation."""
    return {
        "reference/exit-codes.md": _exit_codes(),
        "reference/reasons.md": _reasons(),
        "reference/flags.md": _flags(),
        "reference/units.md": _units(),
        "reference/columns.md": _columns(),
    }


def _exit_codes() -> str:
    kinds = [
        (one.exit_code, one.__name__, (one.__doc__ or "").strip().splitlines()[0])
        for one in errors.Hst123rError.__subclasses__()
    ]
    return page(
        "Exit codes",
        "Scripts can rely on these; they keep their meaning.",
        table(
            ("code", "meaning"),
            [(code(number), text(meaning)) for number, meaning in errors.EXIT_CODES.items()],
        ),
        "## Errors",
        "An error that a user can cause or meet is one of these classes. It says what happened, "
        "where, and what to try. Anything else ends with code 1 and a traceback.",
        table(
            ("class", "ends with", "meaning"),
            [(code(name), code(number), text(about)) for number, name, about in sorted(kinds)],
        ),
    )


def _reasons() -> str:
    missing = set(Code) ^ set(REASONS)
    if missing:
        raise ValueError(f"docs/pages/words.py does not describe the reasons {missing}")
    return page(
        "Reasons",
        "Why a job runs, waits or is blocked. `hst123r plan`, `explain` and `history` say all of "
        "them, and `--ignore` takes these words.",
        table(("reason", "meaning"), [(code(key.value), REASONS[key]) for key in Code]),
    )


def _flags() -> str:
    rows = [
        (str(int(flags.Flag[name])), code(name), text(about))
        for name, about in _member_docs(flags.Flag).items()
    ]
    return page(
        "Flags of the photometry",
        f"{text((flags.Flag.__doc__ or '').strip().splitlines()[0])} The column `flags` holds "
        "their sum, and 0 means that there is nothing to say. The numbers never change their "
        "meaning.",
        table(("value", "name", "meaning"), rows),
    )


def _member_docs(kind: type) -> dict[str, str]:
    """Return the text below each member of a class, in the order of the source."""
    (tree,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    last = ""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            last = node.targets[0].id
        elif last and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[last] = str(node.value.value)
    return found


def _units() -> str:
    rows = [(name, ", ".join(map(code, units))) for name, units in UNITS.items()]
    return page(
        "Units",
        "A value that has a dimension is written with its unit, `0.05 arcsec` or `15 s`. A bare "
        "number there is an error that shows how to write it. Common spellings such as `seconds`, "
        "`hr` or `pixels` are understood too.",
        table(("dimension", "units"), rows),
    )


def _columns() -> str:
    parts: list[str] = []
    for path, stage, columns in TABLES:
        parts += [
            f"## {path}",
            f"Made by [{stage}](../stages/{stage}.md).",
            table(("column", "unit", "what it holds"), _rows(columns)),
        ]
    return page(
        "Columns of the tables",
        "Below `products/`. Upper-case words stand for names; a stage that a recipe calls by "
        "another name has that name in the path. Every table carries the same descriptions in its "
        "own header.",
        *parts,
    )


def _rows(columns: Sequence[Column]) -> list[tuple[str, str, str]]:
    return [(code(c.name), c.unit, text(c.description)) for c in columns]
