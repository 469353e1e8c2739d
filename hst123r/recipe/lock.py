"""The lock file: what the world gave to a run, so that the next one gets the same.

It stands beside the recipe as ``NAME.lock.yaml``. It is YAML that any reader understands, in one
strict form that is fast to read and good to compare: a key and a value in JSON, or a key and a list
with one entry of JSON in each line, all of it sorted, and a digest of what stands above at its end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, ValidationError

from hst123r.errors import InputError
from hst123r.files.publish import machine_errors, write
from hst123r.recipe.model import INSTANCE_PATTERN, Recipe
from hst123r.records.params import Params

VERSION: Final = 1
FORM: Final = "hst123r_lock"
SUFFIX: Final = ".lock.yaml"
LARGEST: Final = 64 * 1024 * 1024
"""Bytes; a thousand exposures take a third of a megabyte."""
RENEW: Final = "Run `hst123r update RECIPE` to make it anew, or take back the change"
_HEAD: Final = "# Written by hst123r; `hst123r update` renews it. What a run got from the world.\n"

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9+._-]{0,119}$")]
"""A plain file name: no folder, nothing hidden."""
Uri = Annotated[
    str, StringConstraints(pattern=r"^$|^mast:[A-Za-z]+(/[A-Za-z0-9][A-Za-z0-9+._-]*)+$")
]
"""What MAST calls a file; empty for files that have no other name than their own."""
Cell = Annotated[str, StringConstraints(pattern=r"^$|^[A-Za-z0-9]+/[A-Za-z0-9]+/[0-9]{1,3}$")]
"""A folder inside a shared archive."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Blake3 = Annotated[str, StringConstraints(pattern=r"^blake3:[0-9a-f]{64}$")]
StageName = Annotated[str, StringConstraints(pattern=INSTANCE_PATTERN)]


class LockedRecipe(Params):
    """Which recipe a lock belongs to."""

    name: str = Field(description="Its name")
    digest: Blake3 = Field(description="Digest of its content, without comments and layout")


class LockedTarget(Params):
    """Where a name was found."""

    name: str = Field(description="Name of the target in the recipe")
    asked: str = Field(description="What was looked up")
    ra_deg: float = Field(ge=0, lt=360, description="Right ascension in degrees, ICRS")
    dec_deg: float = Field(ge=-90, le=90, description="Declination in degrees, ICRS")
    service: str = Field(description="Who knew it")


class LockedSoftware(Params):
    """A package of the run."""

    name: str = Field(description="Name of the distribution, or python")
    version: str = Field(description="Its version")


class LockedParameter(Params):
    """A parameter as it was resolved."""

    stage: StageName = Field(description="Name of the stage in the recipe")
    for_: str = Field("", alias="for", description="Detector and filter; empty for all of them")
    name: str = Field(description="The parameter")
    value: Any = Field(description="Its value")


class LockedArchive(Params):
    """What was wanted of an archive, as a digest."""

    stage: StageName = Field(description="Name of the stage in the recipe")
    wanted: Blake3 = Field(description="Digest of targets, selection and parameters that count")


class LockedProduct(Params):
    """A file that an archive gave."""

    stage: StageName = Field(description="Name of the stage in the recipe")
    exposure: FileName = Field(description="Root name")
    role: FileName = Field(description="science, dq, table")
    name: FileName = Field(description="File name in raw/")
    uri: Uri = Field("", description="What MAST calls it")
    version: str = Field("", description="Version of the pipeline that made it, as MAST lists it")
    rights: str = Field("", description="PUBLIC, or what else MAST said")
    release_mjd: float | None = Field(None, description="When it becomes, or became, public")
    cell: Cell = Field("", description="Where it belongs in a shared archive")
    size: int | None = Field(None, ge=0, description="Bytes")
    sha256: Sha256 | None = Field(None, description="Digest; none for what could not be had yet")
    digest: Blake3 | None = Field(None, description="BLAKE3 of all bytes")


class LockedReference(Params):
    """A calibration reference file that a header names, or the CRDS context."""

    keyword: str = Field(description="Keyword of the header")
    name: str = Field(description="Name as the header has it")
    digest: str = Field("", description="Digest of the file, where it was read")


class LockedQuery(Params):
    """A question to a service."""

    service: str = Field(description="Whom")
    what: str = Field(description="What was asked")
    digest: str = Field(description="Digest of the answer")


class Lock(Params):
    """Everything that the world gave to a run."""

    recipe: LockedRecipe = Field(description="Which recipe it belongs to")
    targets: list[LockedTarget] = Field(default_factory=list, description="Names looked up")
    software: list[LockedSoftware] = Field(default_factory=list, description="Versions")
    parameters: list[LockedParameter] = Field(default_factory=list, description="Parameters")
    archives: list[LockedArchive] = Field(default_factory=list, description="What was wanted")
    products: list[LockedProduct] = Field(default_factory=list, description="Files of archives")
    references: list[LockedReference] = Field(default_factory=list, description="Reference files")
    queries: list[LockedQuery] = Field(default_factory=list, description="Questions to services")

    def wanted(self, stage: str) -> str:
        """Return the digest of what a stage wanted of its archive, empty where it wanted none."""
        return next((item.wanted for item in self.archives if item.stage == stage), "")

    def of_stage(self, stage: str) -> list[LockedProduct]:
        """Return the files that an archive gave to a stage."""
        return [item for item in self.products if item.stage == stage]


KEYS: Final[dict[str, tuple[str, ...]]] = {
    "targets": ("name",),
    "software": ("name",),
    "parameters": ("stage", "for", "name"),
    "archives": ("stage",),
    "products": ("stage", "name"),
    "references": ("keyword", "name"),
    "queries": ("service", "what"),
}
"""Lists of a lock, and what tells their entries apart."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in which two locks differ.

    Parameters
    ----------
    section : str
        ``recipe``, or a list of the lock.
    name : str
        Which entry.
    text : str
        What is different, with old and new values.
    """

    section: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.section}: {self.name}: {self.text}" if self.name else self.text


def differences(old: Lock, new: Lock) -> list[Difference]:
    """Compare two locks.

    Parameters
    ----------
    old, new : Lock
        The locks.

    Returns
    -------
    list of Difference
        In the order of the file; what the archive was wanted for follows from the rest and is not
        among them.
    """
    found = []
    if old.recipe.digest != new.recipe.digest:
        found.append(Difference("recipe", "", "the recipe is not the one that was locked"))
    for section in KEYS:
        if section == "archives":
            continue
        before, after = rows_by_key(old, section), rows_by_key(new, section)
        for key in sorted(before.keys() | after.keys()):
            text = _compare(before.get(key), after.get(key))
            if text:
                found.append(Difference(section, " ".join(part for part in key if part), text))
    return found


def rows_by_key(lock: Lock, section: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return the entries of a list of a lock as plain values, by what tells them apart."""
    rows = (item.as_json() for item in getattr(lock, section))
    return {tuple(str(row[part]) for part in KEYS[section]): row for row in rows}


def _compare(old: dict[str, Any] | None, new: dict[str, Any] | None) -> str:
    if old is None or new is None:
        return "new" if old is None else "gone"
    changed = [
        f"{name} {_shown(old[name])} → {_shown(new[name])}"
        for name in old
        if name in new and old[name] != new[name] and None not in (old[name], new[name])
    ]
    return ", ".join(changed)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else text[:19] + "…"


def path_beside(recipe: Recipe) -> Path:
    """Return the path of the lock beside a recipe file."""
    return recipe.path.with_name(recipe.path.stem + SUFFIX)


def save(lock: Lock, path: Path) -> None:
    """Write a lock, so that it is there whole or not at all.

    Raises
    ------
    EnvironmentProblem
        If the machine refuses.
    """
    with machine_errors("write the lock", path):
        write(path, as_text(lock).encode())


def as_text(lock: Lock) -> str:
    """Return a lock as the text of its file: sorted, one entry in a line, sealed by its digest."""
    lines = [f"{FORM}: {VERSION}", f"recipe: {_short(lock.recipe.as_json())}"]
    for section in KEYS:
        rows = rows_by_key(lock, section)
        if rows:
            lines += [f"{section}:", *(f"- {_short(rows[key])}" for key in sorted(rows))]
    return seal(_HEAD + "\n".join(lines) + "\n")


def seal(text: str) -> str:
    """Put the digest of a text below it."""
    return f'{text}digest: "sha256:{sha256(text.encode()).hexdigest()}"\n'


def _short(row: dict[str, Any]) -> str:
    kept = {key: value for key, value in row.items() if key == "value" or value not in (None, "")}
    return json.dumps(kept, ensure_ascii=False)


def read(path: Path, shown: str = "") -> Lock | None:
    """Read a lock.

    Parameters
    ----------
    path : Path
        Its file.
    shown : str
        How to name it in messages; its path by default.

    Returns
    -------
    Lock or None
        None where there is none.

    Raises
    ------
    InputError
        If it is not one, was changed, or is of a newer version.
    """
    name = shown or str(path)
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
        text = content.decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"the lock cannot be read: {error.strerror}", where=name) from error
    except UnicodeDecodeError as error:
        raise InputError("the lock is not UTF-8", where=name, hint=RENEW) from error
    return of_text(text, name)


def of_text(text: str, name: str) -> Lock:
    """Return the lock of a text; ``name`` is how messages name it, and `read` says what can be."""
    values, lines = _parse(text, name)
    _check_seal(text, values.pop("digest", None), name)
    try:
        return Lock.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(
            f"{_path(first['loc'])}: {_sentence(first)}",
            where=f"{name}:{lines.get(tuple(first['loc'][:2])) or lines.get(first['loc'][:1], 1)}",
            hint=RENEW,
        ) from error


def _parse(text: str, name: str) -> tuple[dict[str, Any], dict[tuple[Any, ...], int]]:
    values: dict[str, Any] = {}
    lines: dict[tuple[Any, ...], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}:{number}"
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("- ") and section:
            lines[section, len(values[section])] = number
            values[section].append(_value(line[2:], where))
            continue
        key, colon, rest = line.partition(":")
        if not colon or not key.isidentifier():
            raise InputError("this line is not of a lock", where=where, hint=RENEW)
        if key in values:
            raise InputError(f"{key} stands here twice", where=where, hint=RENEW)
        lines[(key,)] = number
        section = "" if rest.strip() else key
        values[key] = _value(rest, where) if rest.strip() else []
        if key == FORM:
            _check_version(values[key], where)
    if FORM not in values:
        raise InputError("this is not a lock of hst123r", where=name, hint=RENEW)
    del values[FORM]
    return values, lines


def _check_version(version: Any, where: str) -> None:
    if version == VERSION and not isinstance(version, bool):
        return
    newer = isinstance(version, int) and version > VERSION
    raise InputError(
        f"the lock is of version {_shown(version)}, this hst123r knows {VERSION}",
        where=where,
        hint="Install a newer hst123r" if newer else RENEW,
    )


def _check_seal(text: str, digest: Any, name: str) -> None:
    sealed, _, _ = text.rpartition("digest: ")
    if digest != f"sha256:{sha256(sealed.encode()).hexdigest()}":
        raise InputError(
            "the lock was changed since hst123r wrote it: its digest is not that of its content",
            where=name,
            hint=RENEW,
        )


def _value(text: str, where: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key in names if names.count(key) > 1)
            raise InputError(f"{twice} stands here twice", where=where, hint=RENEW)
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise InputError("this line is not of a lock", where=where, hint=RENEW) from error


def _path(steps: tuple[int | str, ...]) -> str:
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")


def _sentence(item: Any) -> str:
    kind = item["type"]
    if kind == "string_pattern_mismatch":
        return f"{_shown(item['input'])} does not have the right form"
    words: dict[Literal["missing", "extra_forbidden"], str] = {
        "missing": "is missing", "extra_forbidden": "is not known",
    }  # fmt: skip
    return words.get(kind, f"{_shown(item['input'])} cannot stand here")
