"""What a call of hst123 asks for, as a recipe, with a word wherever hst123 did something else."""

from __future__ import annotations

import math
import re
from pathlib import PurePath
from typing import Final

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.recipe.hst123.draft import Draft, Entry
from hst123r.recipe.hst123.options import OPTIONS, Call
from hst123r.recipe.hst123.photometry import photometry
from hst123r.recipe.model import NAME_PATTERN

PIXEL_ARCSEC: Final = 0.05
"""Scale of hst123's reference image by default."""
MOST_BRIGHTEST: Final = 5000
FEWEST_MATCHES: Final = 3
NO_SECRETS: Final = "a token stands in no recipe and in no command line; put it into MAST_API_TOKEN"


def translate(call: Call, where: str = "hst123") -> Draft:
    """Make a recipe of a call.

    Parameters
    ----------
    call : Call
        What was asked.
    where : str
        For messages.

    Returns
    -------
    Draft
        In which every option that was given counts, is named as one for the run, or as one without
        a place.

    Raises
    ------
    InputError
        If the position or a name cannot be one.
    """
    draft = Draft([(_name(call, where), _position(call, where))])
    _acquire(call, draft)
    _select(call, draft)
    _reference(call, draft)
    _align(call, draft)
    _drizzle(call, draft)
    photometry(call, draft)
    _run(call, draft)
    if call.left:
        raise RuntimeError(f"nobody thought of {', '.join(call.left)}")
    return draft


def _name(call: Call, where: str) -> str:
    name = call.take("object") or "target"
    cleaned = re.sub(r"\s+", "_", name.strip())
    if not re.fullmatch(NAME_PATTERN, cleaned):
        raise InputError(
            f"{name!r} cannot be a name of a target", where=where,
            hint="Use letters, digits and + . _ - in --object",
        )  # fmt: skip
    return cleaned


def _position(call: Call, where: str) -> str:
    """Both with colons are hours and degrees, both without are degrees, as hst123 reads them."""
    if (":" in call.ra) != (":" in call.dec):
        raise InputError(
            f"hst123 takes both of {call.ra} {call.dec} for degrees, since one has no colon",
            where=where, hint="Write both with colons, or both as decimal degrees",
        )  # fmt: skip
    return f"{call.ra} {call.dec}"


def _run(call: Call, draft: Draft) -> None:
    """What is about a run, not about its results."""
    everything = call.take("redo")
    again = {
        "redo-astrometry": ("align",), "redo-astrodrizzle": ("drizzle",),
        "redo-dolphot": ("photometry",), "clobber": ("align", "drizzle"),
    }  # fmt: skip
    stages = {stage for name, found in again.items() if call.take(name) for stage in found}
    if everything:
        stages = {stage for found in again.values() for stage in found}
    for entry in draft.stages:
        if entry.stage in stages:
            draft.command += ["--redo", entry.values.get("name", entry.stage)]
    cores = call.take("max-cores")
    if cores is not None:
        draft.command += ["--jobs", str(cores)]
    if call.take("hierarchical-test"):
        draft.command += ["--until", "align"]
        draft.notes.append("hst123 reads --hierarchical-test and never looks at it")
    reasons = {
        "work-dir": "the work directory is named after the recipe and lies beside it",
        "cleanup": "scratch folders end with their jobs, and what is left takes part in no result",
        "keep-drizzle-artifacts": "of a job that failed the scratch folder is kept, of others none",
        "version": "`hst123r --version` says it",
        "help": "`hst123r run --help` says it",
        "no-clear-downloads": "nothing outside the work directory is ever cleared",
        "keep-objfile": "the lists of stars are products of the stage `stars` and kept in any case",
    }
    for name, why in reasons.items():
        if call.take(name):
            draft.dropped[name] = why
    draft.dropped |= call.gone


def _acquire(call: Call, draft: Draft) -> None:
    download, archive = call.take("download"), call.take("archive")
    raw, skip = call.take("raw-dir"), call.take("skip-copy")
    work = call.values.get("work-dir")
    if call.take("token"):
        draft.dropped |= {"token": NO_SECRETS}
    if skip and archive and not download:
        draft.dropped["archive"] = "with --skip-copy nothing is taken from it"
    if download or (archive and not skip):
        entry = draft.add("fetch", **{"from": "mast", "archive": archive})
        entry.comments.append(
            "hst123 takes what lies within 5 arcmin; here the footprint has to cover the target"
        )
        if raw:
            draft.dropped["raw-dir"] = "what is downloaded lies in raw/ of the work directory"
    else:
        inside = str(PurePath(work) / "raw") if work else "raw"
        draft.add("fetch", **{"from": "directory", "path": raw or inside})
    if skip:
        draft.dropped["skip-copy"] = "nothing is fetched twice, whatever is asked"


def _select(call: Call, draft: Draft) -> None:
    entry = draft.select
    for name in ("after", "before"):
        if (date := call.take(name)) is not None:
            entry.values[name] = date
    if (filters := call.take("only-filter")) is not None:
        entry.values["filters"] = [word.strip().upper() for word in filters.split(",")]
    if call.take("only-wide"):
        entry.values["filter_classes"] = ["W", "X", "LP"]
    if call.take("keep-short"):
        entry.values["min_exposure"] = "0 s"
    expflags = ["NORMAL"]
    if call.take("keep-indt"):
        expflags.append("INDETERMINATE")
    if call.take("keep-tdf-down"):
        expflags += ["TDF-DOWN AT EXPSTART", "TDF-DOWN"]
    if len(expflags) > 1:
        entry.values["accept_expflags"] = expflags


def _reference(call: Call, draft: Draft) -> None:
    entry = draft.add("reference", file=call.take("reference"))
    if (name := call.take("reference-filter")) is not None:
        entry.values["filter"] = name.upper()
        entry.comments.append(
            "hst123 takes another filter where there is none of it; here that is an error"
        )
    if (part := call.take("reference-instrument")) is not None:
        _reference_detector(part, entry)
    for option in OPTIONS:
        if option.avoids and call.take(option.name):
            entry.values["avoid"] = sorted({*entry.values.get("avoid", []), option.avoids})
    if call.take("no-mask"):
        draft.dropped["no-mask"] = (
            "the reference is a catalogue of stars, so no image is drizzled to mask its cosmic rays"
        )


def _reference_detector(part: str, entry: Entry) -> None:
    """hst123 takes every detector whose name holds the text."""
    slugs = {name: instruments.get(name).slug for name in instruments.names()}
    found = [name for name, slug in slugs.items() if part.lower() in slug]
    if len(found) == 1:
        entry.values["detector"] = found[0]
    elif found:
        entry.values["avoid"] = sorted(set(slugs) - set(found))
        entry.comments.append(f"`{part}` is of {' and '.join(found)}: others only if need be")
    else:
        entry.comments.append(f"no detector is called like {part!r}, and hst123 ignored it too")


def _align(call: Call, draft: Draft) -> None:
    entry = Entry("align")
    method = (call.take("align-with") or "tweakreg").lower()
    threshold, add_mask = call.take("tweak-thresh"), call.take("add-crmask")
    search, least = call.take("tweak-search"), call.take("tweak-min-obj")
    brightest, skip = call.take("tweak-nbright"), call.take("skip-tweakreg")
    hierarchical = call.take("hierarchical")
    if skip:
        method = "none"
    entry.values["method"] = method
    if hierarchical and not skip:
        entry.values |= {"method": "tweakwcs", "hierarchical": True}
        entry.comments.append("hst123 crashes at --hierarchical; merged stars are fitted here")
    if search is not None:
        entry.values["search_radius"] = f"{max(1, math.ceil(search / PIXEL_ARCSEC))} pix"
        entry.comments.append(
            f"hst123 rounds {search:g} arcsec to whole ones; these are pixels of {PIXEL_ARCSEC} "
            "arcsec, since TweakReg can be wrong with a radius in arcsec"
        )
    if least is not None:
        entry.values["min_matches"] = max(least, FEWEST_MATCHES)
    if brightest is not None:
        entry.values["brightest"] = min(max(brightest, 10), MOST_BRIGHTEST)
    stars = Entry("stars")
    if threshold is not None:
        stars.values["threshold"] = threshold
        stars.comments.append("hst123 reads --tweak-thresh and never uses it")
    if add_mask:
        stars.values["find_cosmic_rays"] = True
        entry.values["write_dq"] = True
    draft.stages += [stars, entry] if stars.values else [entry]


def _drizzle(call: Call, draft: Draft) -> None:
    every, visit = call.take("drizzle-all"), call.take("by-visit")
    entry = Entry("drizzle", _settings(call))
    _size(call, entry)
    _sky(call, draft, entry)
    _boxes(call, draft, entry)
    if call.take("redrizzle"):
        draft.dropped["redrizzle"] = "stacks are made again by themselves after an alignment"
    if call.take("no-nan"):
        draft.dropped["no-nan"] = (
            "it did nothing in hst123; pixels without weight are NaN, or what `drizzle.fill` says"
        )
    epochs = ["detector", "filter", "epoch"]
    if every or visit:
        draft.stages.append(Entry("drizzle", {"name": "epochs", "per": epochs, **entry.values}))
    draft.stages.append(Entry("drizzle", {"name": "stacks", **entry.values}, entry.comments))
    if visit:
        draft.stages[-1].comments.append(
            "hst123 reduces each visit by itself; here all are on one frame, and each epoch has "
            "its stacks and its photometry"
        )


def _settings(call: Call) -> dict[str, object]:
    values: dict[str, object] = {}
    if (kind := call.take("combine-type")) is not None:
        values["combine"] = kind
    if (weight := call.take("wht-type")) is not None:
        values["weight"] = weight.upper()
    if (scale := call.take("drizzle-scale")) is not None:
        values["scale"] = f"{scale:g} arcsec"
    if (zeropoint := call.take("fix-zpt")) is not None:
        values["zeropoint"] = zeropoint
    if call.take("no-rotation"):
        values["rotation"] = None
    if call.values.get("object"):
        values["object"] = call.values["object"]
    return values


def _size(call: Call, entry: Entry) -> None:
    side = call.take("drizzle-dim")
    if side is not None:
        entry.values["size"] = f"{side} pix"
    else:
        entry.comments.append(
            "hst123 makes stacks of 5200 pixels unless told otherwise; these cover all exposures"
        )


def _sky(call: Call, draft: Draft, entry: Entry) -> None:
    """Off only with --keep-short, whatever its help says."""
    wanted = call.take("sky-sub")
    if call.values.get("keep-short") and not wanted:
        entry.values["subtract_sky"] = False
    elif wanted and not call.values.get("keep-short"):
        draft.dropped["sky-sub"] = "the sky is subtracted anyway, in hst123 too"


def _boxes(call: Call, draft: Draft, entry: Entry) -> None:
    extra, box = call.take("drizzle-add"), call.take("drizzle-mask")
    if box is not None and extra is not None:
        ra, _, dec = box.partition(",")
        half = f"{200 * PIXEL_ARCSEC:g} arcsec"
        entry.values["mask"] = [{"position": f"{ra.strip()} {dec.strip()}", "half_size": half}]
        entry.values["extra"] = [PurePath(name.strip()).name[:9] for name in extra.split(",")]
    elif box is not None:
        draft.dropped["drizzle-mask"] = "without --drizzle-add it did nothing in hst123"
    elif extra is not None:
        draft.dropped["drizzle-add"] = (
            "all exposures that `select` lets through are in the stacks; without --drizzle-mask it "
            "only put them into the reference"
        )
