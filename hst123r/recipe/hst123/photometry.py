"""The photometry of a call of hst123: DOLPHOT, what is taken out of it, and how it is written."""

from __future__ import annotations

from typing import Any, Final

from hst123r.recipe.hst123.draft import Draft, Entry
from hst123r.recipe.hst123.options import Call

RADIUS_ARCSEC: Final = 0.6
"""12 pixels of 0.05 arcsec, what hst123 takes by default."""
LIMIT: Final = 3.5
"""hst123's SigFind and SigFinal."""
FAKE: Final = {"number": 50000, "magnitudes": ["18 mag", "29.5 mag"]}
"""What hst123 would have taken for artificial stars."""
DEPENDENT: Final = (
    "dolphot", "align-only", "dolphot-lim", "fit-sky", "include-all-splits", "do-fake",
    "scrape-all", "scrape-radius", "brightest", "no-cuts", "no-write-dolphot-hdf5",
    "write-dolphot-hdf5",
)  # fmt: skip
"""Options that say nothing unless something is measured."""


def photometry(call: Call, draft: Draft) -> None:
    """Add the stages from photometry on, if any is asked for.

    Parameters
    ----------
    call : Call
        What was asked.
    draft : Draft
        Gets `photometry`, `scrape`, `export` and `report`.
    """
    scrape = call.take("scrape-dolphot")
    if not (call.take("run-dolphot") or scrape):
        for name in DEPENDENT:
            if call.take(name) is not None:
                draft.dropped[name] = (
                    "hst123 measures nothing without --run-dolphot or --scrape-dolphot"
                )
        return
    draft.stages.append(_dolphot(call, draft))
    taken = _scrape(call, draft)
    formats = ["ecsv", "phot", "snana"]
    call.take("write-dolphot-hdf5")
    if not call.take("no-write-dolphot-hdf5"):
        formats.append("hdf5")
    if scrape:
        draft.stages.append(taken)
        draft.add("export", formats=formats)
        draft.add("report")


def _dolphot(call: Call, draft: Draft) -> Entry:
    entry = Entry("photometry", {"engine": "dolphot"})
    settings: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    if call.take("dolphot") is not None:
        draft.dropped["dolphot"] = "files are named after field, detector and filter"
    if call.take("align-only"):
        settings["align_only"] = True
    if (limit := call.take("dolphot-lim")) is not None:
        parameters |= {"SigFind": limit, "SigFinal": limit}
        if limit > LIMIT:
            entry.comments.append(f"hst123 ignores a --dolphot-lim above {LIMIT}")
    if (sky := call.take("fit-sky")) is not None:
        parameters["FitSky"] = sky
        if sky == 0:
            entry.comments.append("hst123 ignores --fit-sky 0 and takes its default")
    if not call.take("include-all-splits"):
        settings["chips"] = "target"
    if call.take("do-fake"):
        settings["fake"] = dict(FAKE)
        entry.comments.append("hst123 crashes at --do-fake; these are the stars it meant to take")
    if parameters:
        settings["parameters"] = parameters
    if settings:
        entry.values["dolphot"] = settings
    entry.comments.append(
        "hst123 leaves out aperture corrections and charge transfer, and exposures of low S/N; "
        "here they count, so magnitudes differ"
    )
    return entry


def _scrape(call: Call, draft: Draft) -> Entry:
    entry = Entry("scrape")
    radius, every, brightest = (
        call.take(name) for name in ("scrape-radius", "scrape-all", "brightest")
    )
    entry.values["radius"] = f"{radius or RADIUS_ARCSEC:g} arcsec"
    if radius == 0:
        entry.comments.append("hst123 takes a radius of 0 for its default")
    if every:
        entry.values["source"] = "all"
        if brightest:
            draft.dropped["brightest"] = "with --scrape-all it only changes their order"
    elif brightest:
        entry.values["source"] = "brightest"
    if call.take("no-cuts"):
        draft.dropped["no-cuts"] = "no source is ever cut out of a catalogue here"
    else:
        entry.comments.append(
            "hst123 drops all but bright stars, type 1; here faint ones stay and types are told"
        )
    return entry
