"""A paragraph for a paper that says what a run did, with its numbers."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from typing import Any, Final

from hst123r.photometry.flags import Flag
from hst123r.sharing.cite import SIMULATED

VARIABLE: Final = int(Flag.VARIABLE)


def methods(extract: Mapping[str, Any]) -> str:
    """Describe a run in the past tense.

    Parameters
    ----------
    extract : mapping
        What the run rests on, see :func:`hst123r.provenance.extract.extract`.

    Returns
    -------
    str
        Sentences, each with what was measured; nothing is said of stages that were not run.
    """
    parts = (_exposures, _adopted, _alignment, _stacks, _photometry, _targets, _software)
    return " ".join(sentence for part in parts for sentence in part(extract))


def _jobs(extract: Mapping[str, Any], handler: str) -> list[Mapping[str, Any]]:
    return [job for job in extract["jobs"] if job["handler"] == handler]


def _products(extract: Mapping[str, Any], handler: str, kind: str) -> list[Mapping[str, Any]]:
    return [p for job in _jobs(extract, handler) for p in job["products"] if p["kind"] == kind]


def _value(jobs: Iterable[Mapping[str, Any]], name: str) -> str:
    """Return the value of a parameter, or all that jobs have, with slashes between."""
    found = {str(p["value"]).strip('"') for job in jobs for p in job["parts"]
             if p["kind"] == "param" and p["name"] == name}  # fmt: skip
    return "/".join(sorted(found))


def _numbers(jobs: Iterable[Mapping[str, Any]], name: str) -> list[float]:
    return [m["value"] for job in jobs for m in job["measurements"]
            if m["name"] == name and m["value"] is not None]  # fmt: skip


def _exposures(extract: Mapping[str, Any]) -> list[str]:
    exposures = _products(extract, "exposures", "exposure")
    if not exposures:
        return []
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for product in exposures:
        facts = product["facts"]
        groups.setdefault(f"{facts['detector']} {facts['filter']}", []).append(facts)
    described = [
        f"{len(found)} in {name} ({sum(f['exposure_time_s'] for f in found):.0f} s)"
        for name, found in sorted(groups.items())
    ]
    simulated = _value(_jobs(extract, "fetch"), "from") == SIMULATED
    whose = "simulated exposures" if simulated else "exposures of the Hubble Space Telescope"
    rejected = {r["subject"] for job in _jobs(extract, "select") for r in job["rejects"]}
    left = f"; {len(rejected)} were left out by its cuts" if rejected else ""
    return [f"We used {len(exposures)} {whose}: {', '.join(described)}{left}."]


def _adopted(extract: Mapping[str, Any]) -> list[str]:
    """Say what was not made by the run; a bundle of an earlier version does not tell."""
    return [
        f"The {row['kind'].removeprefix('adopted ')} {row['name']} was made elsewhere and adopted"
        + (f" ({row['facts']['note']})." if row["facts"].get("note") else ".")
        for row in extract.get("adopted", [])
    ]


def _alignment(extract: Mapping[str, Any]) -> list[str]:
    jobs = _jobs(extract, "align")
    rms, matches = _numbers(jobs, "residual_rms"), _numbers(jobs, "matches")
    if not jobs or not rms:
        return []
    method, geometry = _value(jobs, "method"), _value(jobs, "geometry")
    said = (
        f"They were aligned by {method} ({geometry}) to a common catalogue of stars, with a median "
        f"of {statistics.median(matches):.0f} matched stars an exposure and a median residual of "
        f"{statistics.median(rms):.3f} pixel rms along an axis (at most {max(rms):.3f})."
    )
    frames = {
        p["facts"].get("frame", "header") for p in _products(extract, "reference", "reference")
    }
    absolute = sorted(frame for frame in frames if frame not in ("header", ""))
    return [said, f"The frame is that of {', '.join(absolute)}."] if absolute else [said]


def _stacks(extract: Mapping[str, Any]) -> list[str]:
    engines: dict[bool, list[Mapping[str, Any]]] = {}
    for job in _jobs(extract, "drizzle"):
        engines.setdefault(_value([job], "engine") == "drizzle", []).append(job)
    return [text for kernels, jobs in sorted(engines.items()) for text in _stacks_of(jobs, kernels)]


def _stacks_of(jobs: list[Mapping[str, Any]], kernels: bool) -> list[str]:
    stacks = [p for job in jobs for p in job["products"] if p["kind"] == "stack"]
    if not stacks:
        return []
    scales = sorted({float(product["facts"]["scale_arcsec"]) for product in stacks})
    shown = " and ".join(f"{scale:g}" for scale in scales)
    engine = (
        "The kernels of the package drizzle, in the sequence of AstroDrizzle,"
        if kernels
        else "AstroDrizzle"
    )
    said = (
        f"{engine} combined them into {len(stacks)} stacks with pixels of {shown} arcsec and "
        f"a pixfrac of {_value(jobs, 'pixfrac')}."
    )
    return [said]


def _photometry(extract: Mapping[str, Any]) -> list[str]:
    jobs, products = _jobs(extract, "photometry"), _products(extract, "photometry", "photometry")
    if not products:
        return []
    engine = _value(jobs, "engine")
    names = {"psf": "the simultaneous PSF fit of hst123r", "dolphot": "DOLPHOT"}
    most = max(int(product["facts"]["sources"]) for product in products)
    said = (
        f"Fluxes of up to {most} sources were measured in all exposures by "
        f"{names.get(engine, engine)}; those of exposures were averaged by their inverse "
        "variances, negative ones included."
    )
    return [said, *_dolphot([job for job in jobs if _value([job], "engine") == "dolphot"])]


def _dolphot(jobs: list[Mapping[str, Any]]) -> list[str]:
    """Say what DOLPHOT measured with, and what it found."""
    stars = _numbers(jobs, "stars")
    if not stars:
        return []
    settings = [json.loads(p["value"]) for job in jobs for p in job["parts"]
                if p["kind"] == "param" and p["name"] == "dolphot"]  # fmt: skip
    files = {name for job in jobs for p in job["parts"]
             if p["kind"] == "order" and p["name"] == "dolphot file"
             for name in json.loads(p["value"])}  # fmt: skip
    said = []
    if settings:
        library = settings[0]["psf"] == "library"
        number = sum(name.endswith(".psf") for name in files)
        known = f" ({number} of them)" if number else ""
        psf = f"the PSFs of its library{known}" if library else "an analytic PSF that it fitted"
        own = ", ".join(f"{k}={v}" for k, v in sorted(settings[0]["parameters"].items()))
        values = f"{settings[0]['preset']}'s parameters{f' but for {own}' if own else ''}"
        said.append(f"DOLPHOT used {psf} and {values}.")
    corrections = [value for value in _numbers(jobs, "aperture_correction") if value]
    middle = (
        f", with aperture corrections of {min(corrections):.3f} to {max(corrections):.3f} mag "
        f"(median {statistics.median(corrections):.3f}, {len(corrections)} images)"
        if corrections
        else ", without aperture corrections"
    )
    chi = _numbers(jobs, "chi_of_bright_sources")
    fit = f"; the median chi of bright ones is {statistics.median(chi):.2f}" if chi else ""
    left = sum(_numbers(jobs, "stars_deleted"))
    said.append(f"It wrote {sum(stars):.0f} stars and deleted {left:.0f}{middle}{fit}.")
    return said


def _targets(extract: Mapping[str, Any]) -> list[str]:
    rows = [row for row in extract["photometry"] if row["level"] == "filter"]
    said = []
    for target in dict.fromkeys(row["target"] for row in rows):
        mine = [row for row in rows if row["target"] == target]
        # of several sources around a target the first is the one that was chosen
        found = [_magnitude(row) for row in mine if row["source"] == mine[0]["source"]]
        found = [text for text in found if text]
        if found:
            said.append(f"For {target} we find {', '.join(found)} mag (AB).")
    return said


def _magnitude(row: Mapping[str, Any]) -> str:
    """Return a magnitude or a limit in words, empty where there is neither."""
    name = f"{row['detector']} {row['filter']}"
    if row["mag_ab"] is not None:
        varies = " (the mean of a source that varies)" if int(row["flags"]) & VARIABLE else ""
        shared = row.get("mag_sys")
        known = shared is not None
        shared = f" +- {shared:.3f} (systematic)" if known else " (systematic error not known)"
        return f"{name} = {row['mag_ab']:.3f} +- {row['mag_err']:.3f}{shared}{varies}"
    if row["limit_ab"] is not None:
        return f"{name} > {row['limit_ab']:.2f} ({row['limit_sigma']:g} sigma)"
    return ""


def _software(extract: Mapping[str, Any]) -> list[str]:
    version = extract["environment"]["packages"].get("hst123r", "of unknown version")
    return [f"All was done by hst123r {version}, run {extract['run']['uid']}."]
