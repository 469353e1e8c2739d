"""A run as one file: recipe, lock, what is known of it, and its results."""

from __future__ import annotations

import getpass
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hst123r.errors import InputError
from hst123r.files.publish import machine_errors, move, sync
from hst123r.products.anchors import ORIGINS
from hst123r.recipe import lock
from hst123r.sharing import crate, prov_document
from hst123r.sharing.choice import RESULTS, Chosen, chosen

EXTRACT: Final = "run.json"
LOCK: Final = "recipe.lock.yaml"
CITATION: Final = "CITATION.cff"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Time of every member, the earliest that a zip can hold, so that equal bundles are equal."""
_PATH: Final = re.compile(r"""(?:^|[\s"'=(\[,:])(/(?:[\w.~+-]+/)+[\w.~+-]+)""", re.MULTILINE)
"""An absolute path: of two names at least, since units and fractions have one."""
LICENSE: Final = "https://creativecommons.org/licenses/by/4.0/"


def bundle(
    extract: Mapping[str, Any],
    recipe: str,
    folder: Path,
    output: Path,
    *,
    lock_text: str | None,
    version: str,
    page: str | None = None,
    images: bool = False,
    paths: bool = False,
) -> list[str]:
    """Write a bundle.

    Parameters
    ----------
    extract : mapping
        What the run rests on, see :func:`hst123r.provenance.extract.extract`.
    recipe : str
        Text of the recipe.
    folder : Path
        The work directory.
    output : Path
        The file to write; it appears whole or not at all.
    lock_text : str or None
        Text of the lock, if there is one.
    version : str
        Of hst123r.
    page : str, optional
        The page that says where each number comes from, beside the report.
    images : bool
        Whether exposures, stacks and masks go too.
    paths : bool
        Whether recipe, lock and what is known may hold absolute paths.

    Returns
    -------
    list of str
        Names of all members.

    Raises
    ------
    InputError
        If a file is not as the run made it, if a member tells of this machine, or if there is such
        a file already.
    EnvironmentProblem
        If a package is not installed, or the file cannot be written.
    """
    if output.exists():
        raise InputError(
            "there is such a file already", where=str(output), hint="Nothing was changed"
        )
    files = chosen(extract, folder, images=images)
    about = {
        "name": f"{extract['run']['recipe']}: a run of hst123r",
        "description": "Recipe, lock, results and provenance of a reduction of Hubble imaging",
        "license": LICENSE,
        "version": version,
    }
    texts = {
        crate.RECIPE: recipe,
        EXTRACT: _json(extract),
        crate.METADATA: _json(crate.metadata(extract, files, about)),
        prov_document.NAME: _json(prov_document.document(extract)),
        CITATION: citation(version),
        **({LOCK: lock_text} if lock_text is not None else {}),
        **({f"{RESULTS}{ORIGINS}": page} if page is not None else {}),
    }
    for name, text in texts.items():
        _check_private(name, text.encode(), folder)
        if not paths:
            _check_paths(name, text)
    for item in files:
        _check_private(item.name, item.path.read_bytes(), folder)
    part = output.with_name(f".{output.name}.part")
    with machine_errors("write the bundle", output):
        try:
            _write(part, texts, files)
            sync(part)
            move(part, output)
        finally:
            part.unlink(missing_ok=True)
    return sorted([*texts, *(item.name for item in files)])


def lock_of(recipe: str, folder: Path, extract: Mapping[str, Any]) -> str | None:
    """Return the lock that lies there now, of a run whose own the store has not.

    Runs before version 9 of the store left none there.

    Parameters
    ----------
    recipe : str
        Path of the recipe; its lock lies beside it.
    folder : Path
        The work directory, which has the locks of recipes that ship with hst123r.
    extract : mapping
        What the run rests on.

    Returns
    -------
    str or None
        Its text, None where there is none.

    Raises
    ------
    InputError
        If the lock cannot be read, or is of other files than the run had.
    """
    beside = Path(recipe).with_suffix(".lock.yaml")
    for path in (beside, folder / beside.name):
        if lock.read(path) is None:
            continue
        text = path.read_text(encoding="utf-8")
        check_lock(
            text, extract, where=str(path),
            hint="Put back the lock of this run, or bundle the latest run",
        )  # fmt: skip
        return text
    return None


def check_lock(text: str, extract: Mapping[str, Any], *, where: str, hint: str) -> None:
    """Demand that a lock is of the files that a run had.

    Parameters
    ----------
    text : str
        The lock.
    extract : mapping
        What the run rests on.
    where, hint : str
        For the message.

    Raises
    ------
    InputError
        If it is of other ones, or no lock.
    """
    had = {
        (job["stage"], Path(file["path"]).name): file["digest"]
        for job in extract["jobs"]
        for product in job["products"]
        for file in product["files"]
        if product["kind"] == crate.RAW
    }
    other = [
        item.name for item in lock.of_text(text, where).products
        if item.digest is not None
        and had.get((item.stage, item.name), item.digest) != item.digest
    ]  # fmt: skip
    if other:
        raise InputError(
            f"the lock is of other files than this run had: {', '.join(other[:5])}",
            where=where, hint=hint,
        )  # fmt: skip


def citation(version: str) -> str:
    """Return what to cite for hst123r, as CITATION.cff."""
    return (
        "cff-version: 1.2.0\n"
        "message: Cite hst123r, and the software and data that its report lists.\n"
        'title: "hst123r: Hubble imaging from a recipe"\n'
        "type: software\n"
        "authors:\n  - name: the hst123r developers\n"
        f"version: {version}\n"
        "license: BSD-3-Clause\n"
    )


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, texts: Mapping[str, str], files: list[Chosen]) -> None:
    sources: dict[str, str | Path] = {**texts, **{item.name: item.path for item in files}}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(sources):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            source = sources[name]
            if isinstance(source, str):
                archive.writestr(info, source.encode())
                continue
            with source.open("rb") as stream, archive.open(info, "w") as member:
                while piece := stream.read(1 << 20):
                    member.write(piece)


def _check_private(name: str, data: bytes, folder: Path) -> None:
    """Demand that a member tells nothing of this machine and its user."""
    for what, word in _private(folder):
        if word.encode() in data:
            raise InputError(
                f"{name} holds {what}, {word}, which is nobody's business", where=name,
                hint="Use paths relative to the recipe, and run it again",
            )  # fmt: skip


def _check_paths(name: str, text: str) -> None:
    found = _PATH.search(text)
    if found is not None:
        raise InputError(
            f"{name} holds a path of this machine, {found[1]}", where=name,
            hint="Use paths relative to the recipe and run it again, or allow it with --paths",
        )  # fmt: skip


def _private(folder: Path) -> Iterator[tuple[str, str]]:
    yield "the path of the work directory", str(folder.absolute())
    yield "your home folder", f"{Path.home()}/"
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        return
    yield "your name", f"/{user}/"
