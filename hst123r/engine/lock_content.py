"""What stands in a lock: taken from a recipe, from its jobs, and from the store."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hst123r.engine.environment import software
from hst123r.engine.planned import Planned
from hst123r.files.content import digest_bytes
from hst123r.provenance.locked import locked_references
from hst123r.provenance.store import Store
from hst123r.recipe import lock as lock_file
from hst123r.recipe.load import describe
from hst123r.recipe.lock import Lock
from hst123r.recipe.model import Instance, Recipe
from hst123r.recipe.resolve import resolve

if TYPE_CHECKING:
    from hst123r.engine.planner import Planner

COUNTS = ("from", "path", "exclude", "recursive", "radius", "intents", "simulation")
"""Parameters that decide what a stage wants of its archive; where from does not."""


def completed(old: Lock, new: Lock) -> Lock:
    """Return a lock with what it did not have, and nothing of what it has changed.

    Parameters
    ----------
    old, new : Lock
        The lock, and what a run came to.
    """
    values: dict[str, Any] = {}
    for section in ("products", "references", "queries", "targets"):
        earlier = lock_file.rows_by_key(old, section)
        later = lock_file.rows_by_key(new, section)
        rows = {
            key: {name: later.get(key, {}).get(name, value) if value in (None, "") else value
                  for name, value in row.items()}
            for key, row in earlier.items()
        }  # fmt: skip
        # of files an archive may have more by now, which takes an update; nor do questions to MAST
        # count, which are others to each of its mirrors
        more = {
            key: row
            for key, row in later.items()
            if section != "products" and row.get("service") != "mast"
        }
        rows = {**more, **rows}
        values[section] = [rows[key] for key in sorted(rows)]
    return Lock.model_validate({**old.model_dump(by_alias=True), **values})


def built(planner: Planner, store: Store) -> Lock:
    """Return the lock of what a run came to.

    Parameters
    ----------
    planner : Planner
        With the jobs of the run, done or reused.
    store : Store
        The store.
    """
    jobs = [job for progress in planner.progress.values() for job in progress.jobs]
    products = [row for job in jobs if job.stage.home == "raw" for row in files_of(job, store)]
    numbers = _latest(store, planner)
    return Lock.model_validate(
        {
            **head_of(planner.recipe, planner),
            "products": sorted(products, key=lambda row: (row["stage"], row["name"])),
            "references": locked_references(store.db, numbers),
            "queries": queries(jobs),
        }
    )


def queries(jobs: Iterable[Planned]) -> list[dict[str, Any]]:
    """Return the questions to services that were asked when the work was divided.

    A stage notes them with its jobs: ``queries``, each with ``service``, ``what`` and ``digest``.

    Parameters
    ----------
    jobs : iterable of Planned
        The jobs.

    Returns
    -------
    list of dict
        Sorted, each once.
    """
    noted = {
        (row["service"], row["what"]): row
        for job in jobs
        for row in job.job.notes.get("queries", [])
    }
    return [noted[key] for key in sorted(noted)]


def _latest(store: Store, planner: Planner) -> list[int]:
    """Return the latest done attempts at the jobs of a recipe."""
    found = []
    records = store.jobs.records()
    for name, progress in planner.progress.items():
        labels = {job.job.label for job in progress.jobs} if progress.divided else None
        for (stage, label), record in records.items():
            if stage == name and record.done_id and (labels is None or label in labels):
                found.append(record.done_id)
    return sorted(found)


def files_of(planned: Planned, store: Store) -> Iterator[dict[str, Any]]:
    """Yield the files of a job that fetches, as a lock has them.

    Parameters
    ----------
    planned : Planned
        The job; of one that gave nothing, what it would have fetched.
    store : Store
        The store.
    """
    listed = {row["name"]: row for row in planned.job.notes.get("listed", [])}
    stage = planned.instance.name
    for made in planned.made:
        for role, path in made.product.files.items():
            name = Path(path).name
            known = made.contents[role]
            about = listed.pop(name, {"exposure": made.product.name, "role": role, "name": name})
            yield {
                **about, "stage": stage, "size": known.size,
                "digest": known.digest, "sha256": store.contents.sha256(known),
            }  # fmt: skip
    for row in listed.values():
        yield {**row, "stage": stage, "size": None, "sha256": None}


def before(planned: Planned, store: Store) -> Iterator[dict[str, Any]]:
    """Yield what is known of the files of a job that fetches before it has run.

    Parameters
    ----------
    planned : Planned
        The job.
    store : Store
        The store; files of the user's are looked at.
    """
    sources = planned.job.inputs.get("user file", [])
    for product in sources:
        for path in product.files.values():
            known = store.contents.look(path)
            if known is not None:
                yield {
                    "name": Path(path).name.lower(), "size": known.size, "digest": known.digest
                }  # fmt: skip
    if not sources and planned.made and not planned.open:
        yield from files_of(planned, store)
    elif not sources:
        yield from planned.job.notes.get("listed", [])


def head_of(recipe: Recipe, planner: Planner) -> dict[str, Any]:
    """Return everything of a lock that is known before a run.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    planner : Planner
        Its planner.
    """
    return {
        "recipe": {"name": recipe.name, "digest": _digest(_asked(recipe))},
        "targets": [{"name": name, **asdict(found)} for name, found in recipe.places.items()],
        "software": [
            {"name": name, "version": number}
            for name, number in sorted({**software(), "python": platform.python_version()}.items())
        ],
        "parameters": sorted(_parameters(planner), key=lambda r: (r["stage"], r["for"], r["name"])),
        "archives": [
            {"stage": name, "wanted": wanted_digest(recipe, item.instance)}
            for name, item in sorted(planner.progress.items())
            if item.stage.home == "raw"
        ],
    }


def _parameters(planner: Planner) -> Iterator[dict[str, Any]]:
    for row in planner.resolutions.parameters():
        yield {"stage": row["stage"], "for": "", "name": row["name"], "value": row["value"]}
    for name, progress in planner.progress.items():
        found: dict[tuple[str, str], Any] = {}
        for variant, _ in planner.resolutions.variants(progress.instance):
            found.update({(variant.about, key): value for key, value in variant.values.items()})
        for (about, key), value in found.items():
            yield {"stage": name, "for": about, "name": key, "value": value}


def _asked(recipe: Recipe) -> dict[str, Any]:
    """Return what a recipe asks for, without what ``--set`` gave on top."""
    described = describe(recipe)
    described.pop("places", None)
    # a key that a later version knows, and nobody has written, is no change
    described["head"] = recipe.head.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {**described, "stages": [{**item, "overrides": {}} for item in described["stages"]]}


def wanted_digest(recipe: Recipe, instance: Instance) -> str:
    """Return a digest of what a stage wants: targets, selection and its own parameters.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    instance : Instance
        A stage that fetches.
    """
    values = resolve(instance).values
    used = next((item for item in recipe.instances if item.stage == "select"), recipe.select)
    selected = None
    if used is not None:
        blocks = [[block.detector, block.filter, block.values] for block in used.blocks]
        selected = [used.values, blocks, used.overrides]
    return _digest(
        {
            "targets": [
                entry.model_dump(mode="json", exclude_defaults=True)
                for entry in recipe.head.targets
            ],
            "select": selected,
            "fetch": {name: values[name] for name in COUNTS if name in values},
        }
    )


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return digest_bytes(text.encode())
