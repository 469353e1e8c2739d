"""Which observations of an archive's list are wanted, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from hst123r import instruments
from hst123r.archives.criteria import Criteria, Cuts, LeftOut
from hst123r.archives.footprint import parse
from hst123r.archives.portal import COLLECTION, KIND, Row
from hst123r.instruments.detector import Detector
from hst123r.records.dates import iso
from hst123r.records.target import Target

IMAGING: Final = ("W", "M", "N", "LP", "X", "quad")
"""Classes of filters whose exposures are images of a band."""


@dataclass(slots=True)
class Observed:
    """An observation that is wanted.

    Parameters
    ----------
    row : dict
        As the archive lists it.
    detector : Detector
        Its detector.
    targets : list of str
        Targets that its footprint covers.
    """

    row: Row
    detector: Detector
    targets: list[str]

    @property
    def id(self) -> str:
        """The number by which its products are asked for."""
        return str(self.row["obsid"])


def choose(
    found: list[tuple[Target, list[Row]]], criteria: Criteria
) -> tuple[list[Observed], list[LeftOut]]:
    """Choose among the observations that were found.

    Parameters
    ----------
    found : list of (Target, list of dict)
        For each target, the rows of the archive's answer.
    criteria : Criteria
        What is wanted.

    Returns
    -------
    list of Observed
        In the order of their root names.
    list of LeftOut
        The others; one that covers any target is not among them.
    """
    kept: dict[str, Observed] = {}
    left: dict[str, LeftOut] = {}
    for target, rows in found:
        for row in rows:
            name = str(row.get("obs_id"))
            number = str(row.get("obsid"))
            verdict = _detector(row, criteria)
            if isinstance(verdict, Detector):
                reasons = list(_reasons(row, verdict, target, criteria))
                if not reasons:
                    known = kept.setdefault(number, Observed(row, verdict, []))
                    known.targets.append(target.name)
                    continue
                verdict = LeftOut(name, reasons[0][0], "; ".join(text for _, text in reasons))
            left.setdefault(number, verdict)
    others = [entry for number, entry in left.items() if number not in kept]
    chosen = sorted(kept.values(), key=lambda item: (str(item.row["obs_id"]), item.id))
    return chosen, sorted(others, key=lambda item: (item.subject, item.code))


def _detector(row: Row, criteria: Criteria) -> Detector | LeftOut:
    """Return the detector of an observation, or why its products are of no use."""
    name = str(row.get("obs_id"))
    collection = row.get("obs_collection")
    if collection != COLLECTION:
        return LeftOut(name, "collection", f"it belongs to {collection}, not to {COLLECTION}")
    if row.get("dataproduct_type") != KIND:
        return LeftOut(name, "kind", f"it is no {KIND} but {row.get('dataproduct_type')}")
    called = row.get("instrument_name")
    detectors = map(instruments.get, instruments.names())
    detector = next((item for item in detectors if called in item.archive.names), None)
    if detector is None:
        return LeftOut(name, "detector", f"hst123r does not know {called}")
    if detector.name not in criteria.detectors:
        wanted = " or ".join(criteria.detectors)
        return LeftOut(name, "detector", f"its detector is {detector.name}, not {wanted}")
    maker = row.get("provenance_name")
    if name.lower().startswith("hst_") or maker not in (None, *detector.archive.pipelines):
        wanted = " or ".join(detector.archive.pipelines)
        return LeftOut(name, "copy", f"it was made by {maker} from exposures of {wanted}")
    return detector


def _reasons(
    row: Row, detector: Detector, target: Target, criteria: Criteria
) -> Iterator[tuple[str, str]]:
    """Yield code and sentence of every cut that an observation fails for a target."""
    intent = row.get("intentType")
    if intent is not None and intent not in criteria.intents:
        yield "intent", f"its intent is {intent}, not {' or '.join(criteria.intents)}"
    elements = _elements(row, detector)
    cuts = criteria.cuts(detector.name, "+".join(elements))
    if row.get("filters"):
        # where the archive does not tell, the header has the last word
        yield from _band(elements, detector, cuts)
    yield from _time(row, cuts)
    if cuts.proposals is not None and str(row.get("proposal_id")) not in cuts.proposals:
        yield "proposal", f"its proposal is {row.get('proposal_id')}"
    if str(row.get("mtFlag")).lower() == "true" and not cuts.moving_targets:
        yield "moving_target", "it tracked a moving target"
    away = _away(row, target)
    if away > criteria.radius_arcsec:
        yield "footprint", f"{target.name} is {away:.1f} arcsec outside its footprint"


def _elements(row: Row, detector: Detector) -> list[str]:
    """Optical elements in the beam, without empty places; polarisers behind the filter."""
    names = str(row.get("filters") or "").upper().replace(",", ";").split(";")
    clear = tuple(prefix for prefix in detector.header.clear if prefix)
    found = [name for name in map(str.strip, names) if name and not name.startswith(clear)]
    known = detector.filters
    return sorted(found, key=lambda name: name in known and known[name].kind == "polariser")


def _band(elements: list[str], detector: Detector, cuts: Cuts) -> Iterator[tuple[str, str]]:
    shown = "+".join(elements) or "nothing"
    if cuts.filters is not None and not set(elements) & set(cuts.filters):
        yield "filter", f"its filter is {shown}, not {' or '.join(cuts.filters)}"
    kinds = {name: detector.filters[name].kind for name in elements if name in detector.filters}
    if len(kinds) < len(elements):
        # the archive may write an element in another way than the header, which has the last word
        return
    for name, kind in kinds.items():
        if kind in ("grism", "ramp"):
            yield kind, f"{name} is a {kind}"
    classes = {kind for kind in kinds.values() if kind in IMAGING}
    if cuts.filter_classes is not None and classes and not classes & set(cuts.filter_classes):
        wanted = " or ".join(cuts.filter_classes)
        yield (
            "filter_class",
            f"the class of {shown} is {' and '.join(sorted(classes))}, not {wanted}",
        )


def _time(row: Row, cuts: Cuts) -> Iterator[tuple[str, str]]:
    start, end, seconds = (_number(row.get(name)) for name in ("t_min", "t_max", "t_exptime"))
    if cuts.after_mjd is not None and end is not None and end < cuts.after_mjd:
        yield "after", f"it ended {iso(end)}"
    if cuts.before_mjd is not None and start is not None and start >= cuts.before_mjd:
        yield "before", f"it started {iso(start)}"
    # of several exposures the archive gives a sum, and that not always right
    single = not str(row.get("obs_id"))[-1:].isdigit()
    if single and seconds is not None and seconds < cuts.least_exposure_s:
        yield "exposure_time", f"{seconds:g} s is shorter than {cuts.least_exposure_s:g} s"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _away(row: Row, target: Target) -> float:
    """Arcseconds from a footprint, 0 where it is not known: then the WCS decides.

    The archive's own ``distance`` is that to the edge. Inside by either is inside.
    """
    said = _number(row.get("distance"))
    footprint = parse(row.get("s_region"))
    if footprint is None:
        # where it holds a placeholder, the distance is one from that
        return 0.0 if row.get("s_region") else said or 0.0
    place = target.position
    ours = footprint.distance_arcsec(place.ra_deg, place.dec_deg)
    return ours if said is None else min(said, ours)
