"""The calibration reference files that a WCS is built from: found here, or fetched and verified."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hst123r import instruments
from hst123r.errors import ArchiveError, InputError
from hst123r.external.updatewcs import CONVERTED, NONE
from hst123r.records.outcome import Product
from hst123r.stage.contract import Job, Scope

REFERENCE: Final = "reference file"
"""Kind of a calibration reference file on this machine."""
CHOSEN: Final = "chosen"
"""Argument of a job: a context of CRDS, and what it chose."""
CACHE: Final = "crds"
"""Folder inside ``raw/`` with a cache of CRDS, where the user names none."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where reference files are looked for.

    Parameters
    ----------
    folder : Path or None
        The folder that the recipe names.
    shown : str
        What to call it in a message.
    cache : Path or None
        The cache that files are fetched into; None where they are not.
    """

    folder: Path | None
    shown: str
    cache: Path | None

    @classmethod
    def of(cls, references: str | None, scope: Scope, *, fetch: bool) -> Places:
        """Return the places of a recipe.

        Parameters
        ----------
        references : str or None
            The folder, as the recipe has it.
        scope : Scope
            The recipe around it.
        fetch : bool
            Whether files are fetched.

        Returns
        -------
        Places
            Of the recipe.
        """
        folder = None
        if references is not None:
            folder = Path(scope.recipe_folder) / Path(references).expanduser()
        if not fetch:
            return cls(folder, references or "references", None)
        known = os.environ.get("CRDS_PATH")
        own = Path(scope.work_folder) / "raw" / CACHE
        return cls(folder, references or "references", folder or (Path(known) if known else own))


@dataclass(slots=True)
class Needed:
    """What a job needs.

    Parameters
    ----------
    job : Job
        Its exposure is read; its reference files are put in.
    places : Places
        Where they are looked for.
    context : str or None
        Context of CRDS that chooses them; None for those that the header names.
    names : dict of str to str
        Name by keyword, as headers have it.
    """

    job: Job
    places: Places
    context: str | None
    names: dict[str, str] = field(default_factory=dict)

    @property
    def exposure(self) -> Product:
        """The exposure."""
        return self.job.inputs["exposure"][0]

    @property
    def instrument(self) -> str:
        """Folder of its instrument in a cache of CRDS."""
        return instruments.get(self.exposure.labels["detector"]).match["INSTRUME"].lower()


def supply(needed: Sequence[Needed], scope: Scope) -> None:
    """Give every job its reference files.

    Parameters
    ----------
    needed : sequence of Needed
        Jobs that build a WCS anew.
    scope : Scope
        The recipe around them. A plan fetches nothing, and a job whose files are not here yet then
        has the paths that they will have.

    Raises
    ------
    InputError
        If a file is not here and must not be fetched, with the command that gets it; or a header
        names no distortion table.
    ArchiveError
        If CRDS does not give one, or one that is here is not that of CRDS.
    """
    known = [item for item in needed if Path(item.exposure.files["science"]).is_file()]
    for item in known:
        item.names = _named(item) if item.context is None else _chosen(item, item.context, scope)
        if "IDCTAB" not in item.names and not (item.context and not item.names):
            raise InputError(
                "its header names no IDCTAB, the distortion table that a refit needs",
                where=item.exposure.files["science"],
                hint="`start: archive` keeps its WCS as it is",
            )
    fetched = _fetched([item for item in known if item.places.cache is not None], scope)
    missing: dict[str, dict[str, list[str]]] = {}
    for item in needed:
        found = item.job.inputs.setdefault(REFERENCE, [])
        for keyword, name in item.names.items():
            cache = item.places.cache
            plain = name.rpartition("$")[2]
            path = _here(name, item.places) if cache is None else fetched[cache, plain]
            if path is None:
                lacking = missing.setdefault(item.places.shown, {})
                lacking.setdefault(name, []).append(item.exposure.name)
                continue
            facts = {"keyword": keyword, "name": name}
            found.append(Product(REFERENCE, name, {}, {"reference": str(path)}, facts))
    for place, lacking in missing.items():
        _refuse(lacking, place)


def _named(item: Needed) -> dict[str, str]:
    """Return the reference files that a header names."""
    from hst123r.files.references import named

    wanted = instruments.get(item.exposure.labels["detector"]).reference_files
    # the one thing that neither labels nor facts say, and the first block of the file does
    kept = [CONVERTED[keyword] for keyword in wanted if keyword in CONVERTED]
    names = named(item.exposure.files["science"], [*wanted, *kept])
    for keyword, other in CONVERTED.items():
        converted = names.pop(other, None)
        if converted is not None and keyword not in names:
            names[keyword] = converted
    return names


def _chosen(item: Needed, context: str, scope: Scope) -> dict[str, str]:
    """Return the files that a context of CRDS chooses; none in a plan that may not ask."""
    from hst123r.archives import endpoints
    from hst123r.archives.crds import Crds
    from hst123r.files.references import cards

    cache = item.places.cache
    if cache is None:
        raise InputError("`crds_context` is for `fetch_references: true`", where="wcs")
    wanted = instruments.get(item.exposure.labels["detector"]).reference_files
    header = cards(item.exposure.files["science"])
    crds = Crds(endpoints.crds(), cache)
    with scope.waiting():
        best = crds.best(context, header, list(wanted), ask=not (scope.dry or scope.offline))
    if best is None:
        if scope.offline:
            raise ArchiveError(
                f"CRDS was not asked yet what {context} chooses for {item.exposure.name}, and "
                "--offline forbids it",
                hint="Run once without --offline; the answer is kept",
            )
        _will_ask(item, f"what {context} chooses for {item.exposure.name}")
        # unlike any answer, so that the job is planned
        item.job.arguments[CHOSEN] = {"context": context}
        return {}
    # the answer as it counts, whatever else its server says
    digest = hashlib.sha256(json.dumps(best, sort_keys=True).encode()).hexdigest()
    question = {"service": "crds", "what": f"{context} for {item.exposure.name}"}
    item.job.notes.setdefault("queries", []).append({**question, "digest": f"sha256:{digest}"})
    full = {key: name if name == NONE else f"{wanted[key]}${name}" for key, name in best.items()}
    item.job.arguments[CHOSEN] = {"context": context, "files": full}
    return {keyword: name for keyword, name in full.items() if name != NONE}


def _fetched(needed: Sequence[Needed], scope: Scope) -> dict[tuple[Path, str], Path]:
    """Return where the files of some caches lie, after they were fetched and verified."""
    from hst123r.archives import endpoints
    from hst123r.archives.crds import Crds
    from hst123r.files.crds_cache import place_of

    wanted: dict[Path, dict[str, str]] = {}
    for item in needed:
        for name in item.names.values():
            cache = item.places.cache
            if cache is not None:
                wanted.setdefault(cache, {})[name.rpartition("$")[2]] = item.instrument
    found = {}
    for cache, names in wanted.items():
        if scope.offline:
            _verify_here(cache, names)
        if scope.dry or scope.offline:
            paths = {name: place_of(cache, folder, name) for name, folder in names.items()}
        else:
            with scope.waiting():
                paths = Crds(endpoints.crds(), cache).files(names)
        found.update({(cache, name): path.absolute() for name, path in paths.items()})
    if scope.dry:
        for item in needed:
            for name in item.names.values():
                path = found.get((item.places.cache or Path(), name.rpartition("$")[2]))
                if path is not None and not path.is_file():
                    _will_ask(item, name)
    return found


def _will_ask(item: Needed, what: str) -> None:
    """Note for a plan what CRDS will be asked for."""
    from hst123r.archives import endpoints

    row = {"archive": "CRDS", "server": endpoints.crds(), "what": what}
    item.job.notes.setdefault("asks", []).append(row)


def _verify_here(cache: Path, names: dict[str, str]) -> None:
    """Raise where a cache lacks a file, does not know its digest, or has another."""
    from hst123r.archives.crds import check
    from hst123r.files.crds_cache import place_of, said_of

    lacking = []
    for name, folder in sorted(names.items()):
        path, sha1 = place_of(cache, folder, name), said_of(cache, name)
        if not path.is_file() or sha1 is None:
            lacking.append(name)
            continue
        try:
            check(path, sha1, str(path))
        except InputError as error:
            raise ArchiveError(
                error.message, where=str(path),
                hint="Run without --offline, and it is fetched again",
            ) from error  # fmt: skip
    if lacking:
        raise ArchiveError(
            f"{', '.join(lacking)} cannot be had or verified, and --offline forbids to ask CRDS",
            where=str(cache),
            hint="Run once without --offline",
        )


def _here(name: str, places: Places) -> Path | None:
    """Find a file on this machine; one that is known to be broken is refused."""
    from hst123r.files.crds_cache import said_of
    from hst123r.files.references import find

    path = find(name, places.folder, os.environ)
    known = os.environ.get("CRDS_PATH")
    for cache in (places.folder, Path(known) if known else None):
        if path is None or cache is None or not path.is_relative_to(cache.absolute()):
            continue
        sha1 = said_of(cache, name.rpartition("$")[2])
        if sha1 is not None:
            from hst123r.archives.crds import check

            check(path, sha1, str(path))
    return path


def _refuse(missing: dict[str, list[str]], folder: str) -> None:
    from hst123r.files.references import how_to_get

    listed = ", ".join(
        f"{name} ({len(roots)} exposure{'s' if len(roots) > 1 else ''})"
        for name, roots in sorted(missing.items())
    )
    raise InputError(
        f"reference files are not on this machine: {listed}",
        hint=f"Get them with `{how_to_get(missing, folder)}` and set `references: {folder}`, "
        "or jref, iref, uref or CRDS_PATH; or set `fetch_references: true`",
    )
