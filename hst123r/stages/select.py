"""Decide which exposures are used, and say why the others are not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.records.amount import Amount
from hst123r.records.dates import iso, parse
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat, Outcome, Product, Reject
from hst123r.records.params import (
    Date,
    DetectorName,
    Duration,
    FilterName,
    Misfit,
    Params,
    Pixels,
    RootName,
)
from hst123r.stage.context import Context
from hst123r.stage.contract import ASTROPY, SCIENCE, WCS, Job, Need, Scope, Stage

UNKNOWN: Final = "exclude"
"""The job that tells of names in ``exclude`` that no exposure has."""

FilterClass = Literal["W", "M", "N", "LP", "X", "quad"]


def _proposal(value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch("[0-9]+", text):
        raise ValueError(f"{value!r} is not a proposal number, write for example 10775")
    return text.lstrip("0")


Proposal = Annotated[
    str,
    BeforeValidator(_proposal),
    WithJsonSchema({"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+$"}),
]


class SelectParams(Params):
    """Parameters of the stage `select`; they stand at the top level of a recipe."""

    detectors: list[DetectorName] | None = Field(
        None, min_length=1, description="Only these detectors"
    )
    filters: list[FilterName] | None = Field(None, min_length=1, description="Only these filters")
    filter_classes: list[FilterClass] | None = Field(
        None, min_length=1, description="Only filters of these classes"
    )
    proposals: list[Proposal] | None = Field(
        None, min_length=1, description="Only these proposals, by number"
    )
    after: Date | None = Field(None, description="Only exposures that start at or after this")
    before: Date | None = Field(None, description="Only exposures that start before this")
    min_exposure: Duration = Field(
        Amount(15.0, "s"), description="Shortest exposure time that is used, itself included"
    )
    margin: Pixels = Field(
        Amount(0.0, "pix"), description="How far inside a chip a target must fall"
    )
    accept_expflags: list[str] = Field(
        ["NORMAL"], description="Values of EXPFLAG that are used; INDETERMINATE, EXTENDED …"
    )
    accept_failed_guiding: bool = Field(
        False, description="Use exposures whose guide stars were not held (FGSLOCK, QUALITY)"
    )
    accept_moving_targets: bool = Field(
        False, description="Use exposures that tracked a moving target"
    )
    accept_polarisers: bool = Field(False, description="Use exposures through a polariser")
    exclude: list[RootName] = Field(
        default_factory=list, description="Root names of exposures to leave out, in any case"
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say what would leave no exposure whatever there is."""
        del targets
        if self.after and self.before and parse(self.after) >= parse(self.before):
            yield ("before",), f"{self.before} is not later than `after`, {self.after}"
        facts = [instruments.get(name) for name in self.detectors or instruments.names()]
        if self.filters and not any(name in one.filters for one in facts for name in self.filters):
            names = " or ".join(one.name for one in facts)
            yield ("filters",), f"{names} has none of these filters"


class Select(Stage[SelectParams]):
    """Decide which exposures are used, and say why the others are not.

    Blocks `for:` are chosen by the detector and filter of the exposure's header.
    """

    name = "select"
    params = SelectParams
    version = 1
    needs = (Need("file", facets=(WCS, SCIENCE)),)
    makes = ("selected",)
    implied = True
    per = "exposure"
    varies_by = ("detector", "filter")
    preload = ASTROPY

    def divide(
        self, inputs: dict[str, list[Product]], params: SelectParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each exposure; the targets take part in its key."""
        known = {product.name for product in inputs["file"]}
        # an archive was not asked for them in the first place
        unknown = sorted(set(params.exclude) - known - scope.excluded)
        if unknown:
            yield Job(UNKNOWN, arguments={"unknown": unknown})
        targets = {t.name: [t.position.ra_deg, t.position.dec_deg] for t in scope.targets}
        for product in inputs["file"]:
            yield Job(product.name, dict(product.labels), {"file": [product]}, {"targets": targets})

    def run(self, job: Job, params: SelectParams, context: Context) -> Outcome:
        """Read the headers of one exposure and apply every cut."""
        from hst123r.products.exposures import read_exposure
        from hst123r.products.quality import check_companion

        del context
        if "unknown" in job.arguments:
            text = "`exclude` names it, and no exposure that was fetched has this name"
            return Outcome(caveats=[Caveat("unknown", text, r) for r in job.arguments["unknown"]])
        (source,) = job.inputs["file"]
        targets = {name: (ra, dec) for name, (ra, dec) in job.arguments["targets"].items()}
        path, margin = source.files["science"], params.margin
        try:
            exposure = read_exposure(path, targets, margin.to("pix"))
            params = job.varied(params, exposure.detector, exposure.band)
            if params.margin != margin:
                # only now it is known which margin counts
                exposure = read_exposure(path, targets, params.margin.to("pix"))
            check_companion(source.files, exposure)
        except InputError as error:
            return Outcome(rejects=[Reject(job.label, "unusable", str(error), dict(job.labels))])
        labels = {
            "exposure": exposure.root,
            "detector": exposure.detector,
            "filter": exposure.filter,
        }
        failed = [cut for cut in cuts(exposure, params) if cut is not None]
        if failed:
            code = failed[0][0]
            reason = "; ".join(text for _, text in failed)
            return Outcome(rejects=[Reject(exposure.root, code, reason, labels)])
        product = Product(
            "selected", exposure.root, labels, dict(source.files), exposure.as_facts()
        )
        return Outcome([product], caveats=list(_caveats(exposure)))


Cut = tuple[str, str] | None
_LOST: Final = (
    "LOCKLOST", "LOCK LOST", "LOST LOCK", "LOSS OF LOCK", "GSFAIL", "ACQ2FAIL",
    "GUIDE STAR ACQUISITION FAIL", "TDF-DOWN", "TDF DOWN", "SHUTTER",
)  # fmt: skip
"""Remarks of the pipeline on exposures that were not guided, or not exposed, as planned."""


def cuts(exposure: Exposure, params: SelectParams) -> Iterator[Cut]:
    """Apply every cut to an exposure.

    Parameters
    ----------
    exposure : Exposure
        Its record.
    params : SelectParams
        The cuts.

    Yields
    ------
    (str, str) or None
        Code and sentence of each cut that it fails; None for the others.
    """
    yield _cut(exposure.root in params.exclude, "excluded", "the recipe leaves it out")
    yield from _configuration(exposure, params)
    yield from _time(exposure, params)
    yield from _condition(exposure, params)
    yield _cut(not exposure.targets, "footprint", "no target falls on a chip")


def _cut(fails: bool, code: str, sentence: str) -> Cut:
    return (code, sentence) if fails else None


def _configuration(exposure: Exposure, params: SelectParams) -> Iterator[Cut]:

    yield _not_in(exposure.detector, params.detectors, "detector", "its detector")
    yield _not_in(exposure.band, params.filters, "filter", "its filter")
    yield _not_in(exposure.proposal, params.proposals, "proposal", "its proposal")
    kind = exposure.filter_class
    words = {
        "grism": f"{exposure.filter} is a grism, the image is a spectrum",
        "ramp": f"{exposure.filter} is a ramp filter, its band changes over the field",
        "crossed": f"two filters are in the beam ({exposure.filter})",
        "clear": "no filter is in the beam",
        "unknown": f"{exposure.filter} is not a filter of {exposure.detector}",
        "polariser": f"{exposure.filter} alone is in the beam",
        "quad": f"{exposure.filter} covers a quarter of the chip; name the class quad to use it",
    }
    if kind == "quad" and kind in (params.filter_classes or ()):
        del words["quad"]
    yield _cut(kind in words, kind, words.get(kind, ""))
    if kind not in words:
        yield _not_in(kind, params.filter_classes, "filter_class", "the class of its filter")
        facts = instruments.get(exposure.detector)
        polarised = [
            name
            for name in exposure.elements
            if name in facts.filters and facts.filters[name].kind == "polariser"
        ]
        refused = bool(polarised) and not params.accept_polarisers
        yield _cut(refused, "polariser", f"the polariser {', '.join(polarised)} is in the beam")
    expected = len(instruments.get(exposure.detector).chips)
    found = len(exposure.chips)
    incomplete = found < expected and not exposure.subarray
    yield _cut(incomplete, "incomplete", f"{found} of {expected} chips are in the file")


def _not_in(value: str, wanted: Sequence[str] | None, code: str, what: str) -> Cut:
    if wanted is None:
        return None
    return _cut(value not in wanted, code, f"{what} is {value}, not {' or '.join(wanted)}")


def _time(exposure: Exposure, params: SelectParams) -> Iterator[Cut]:
    least = params.min_exposure.to("s")
    seconds = f"{exposure.exposure_time_s:g} s is shorter than {least:g} s"
    yield _cut(exposure.exposure_time_s < least, "exposure_time", seconds)
    start = iso(exposure.start_mjd)
    if params.after is not None:
        early = exposure.start_mjd < parse(params.after)
        yield _cut(early, "after", f"it started {start}, before {params.after}")
    if params.before is not None:
        late = exposure.start_mjd >= parse(params.before)
        yield _cut(late, "before", f"it started {start}, not before {params.before}")


def _condition(exposure: Exposure, params: SelectParams) -> Iterator[Cut]:
    flag = exposure.expflag or "NORMAL"
    accepted = [item.upper() for item in params.accept_expflags]
    yield _cut(flag.upper() not in accepted, "expflag", f"its EXPFLAG is {flag}")
    lost = _lost_lock(exposure)
    yield _cut(bool(lost) and not params.accept_failed_guiding, "guiding", lost)
    moving = exposure.moving.upper() in {"T", "TRUE", "1"} and not params.accept_moving_targets
    yield _cut(moving, "moving_target", "it tracked a moving target (MTFLAG)")


def _lost_lock(exposure: Exposure) -> str:
    """Say how guiding failed, empty when it did not.

    FGSLOCK is what was commanded, ``FINE``, ``COARSE``, ``GYROS`` …; QUALITY holds remarks of the
    pipeline such as ``LOCKLOST`` or ``GSFAIL`` (ACS Data Handbook, section 2.4; WFC3 likewise).
    """
    if exposure.fgslock and not exposure.fgslock.upper().startswith(("FINE", "COARSE")):
        return f"it was guided by {exposure.fgslock} (FGSLOCK)"
    remark = exposure.quality.upper()
    return f"QUALITY says {exposure.quality}" if any(sign in remark for sign in _LOST) else ""


def _caveats(exposure: Exposure) -> Iterator[Caveat]:
    if not exposure.distorted:
        yield Caveat(
            "no_distortion",
            "its WCS has no distortion model; positions away from the reference pixel are wrong "
            "by up to several arcseconds",
            exposure.root,
        )
    if not exposure.expflag:
        text = "its header has no EXPFLAG, so whether it was interrupted is not known"
        yield Caveat("no_expflag", text, exposure.root)
    if "+" in exposure.filter:
        text = f"the zeropoint of {exposure.band} does not hold through a polariser"
        yield Caveat("polariser", text, exposure.root)
    without = [str(chip.number) for chip in exposure.chips if chip.zeropoint_ab is None]
    if without:
        text = f"chip {', '.join(without)} has no PHOTFLAM or PHOTPLAM, so there is no zeropoint"
        yield Caveat("no_zeropoint", text, exposure.root)
