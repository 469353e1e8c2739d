"""Which products of observations are fetched: each exposure once, and why not the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hst123r.archives.criteria import LeftOut
from hst123r.archives.directory import PRODUCT_NAME
from hst123r.archives.observed import Observed
from hst123r.archives.portal import Row
from hst123r.archives.shared import cell_of
from hst123r.instruments.detector import Detector
from hst123r.records.dates import iso

PUBLIC: Final = "PUBLIC"
ORDER: Final = ("smnop", "qrt")
"""Last letters of root names, the better ones first: how the data reached the ground. ``s`` was
sent again after ``q``, ``m`` to ``p`` after ``r`` and ``t`` (MAST's page on ipppssoot names)."""


@dataclass(slots=True)
class Listed:
    """One file of an exposure, as the archive lists it.

    Parameters
    ----------
    uri, name : str
        What the archive calls it, and its file name.
    size : int or None
        Size in bytes, not always right.
    version : str
        Version of the pipeline that made it, empty where it is not told.
    sha256 : str or None
        Digest that it must have; archives do not tell, locks do.
    """

    uri: str
    name: str
    size: int | None
    version: str
    sha256: str | None = None


@dataclass(slots=True)
class Chosen:
    """An exposure to fetch.

    Parameters
    ----------
    root : str
        Root name.
    detector : str
        Its detector, as far as the archive can tell.
    files : dict of str to Listed
        By role: ``science``, and ``dq`` where data quality is a file of its own.
    rights : str
        ``PUBLIC``, or what else the archive says.
    release_mjd : float or None
        When it becomes, or became, public.
    observation, filters, proposal : str
        What the archive says of the observation it belongs to.
    targets : list of str
        Targets that the observation's footprint covers.
    cell : str
        Where it belongs in a shared archive, empty where that is not known.
    """

    root: str
    detector: str
    files: dict[str, Listed]
    rights: str
    release_mjd: float | None
    observation: str
    filters: str
    proposal: str
    targets: list[str]
    cell: str = ""

    @property
    def public(self) -> bool:
        """Whether everybody may have it."""
        return self.rights.upper() == PUBLIC

    @property
    def withheld(self) -> str:
        """Until when it is not public, as a sentence."""
        if self.public:
            return "it is public"
        if self.release_mjd is None:
            return "it is exclusive, MAST does not say until when"
        return f"it is exclusive until {iso(self.release_mjd, day=True)}"

    @property
    def size(self) -> int:
        """Bytes of its files, as far as they are listed."""
        return sum(item.size or 0 for item in self.files.values())


@dataclass(slots=True)
class _Exposure:
    parent: Observed
    files: dict[str, Row] = field(default_factory=dict)


def choose(
    rows: Sequence[Row], parents: Sequence[Observed], exclude: frozenset[str] = frozenset()
) -> tuple[list[Chosen], list[LeftOut]]:
    """Choose the products to fetch.

    Parameters
    ----------
    rows : sequence of dict
        The products of the observations, as the archive lists them.
    parents : sequence of Observed
        The observations.
    exclude : frozenset of str
        Root names to leave out.

    Returns
    -------
    list of Chosen
        In the order of their root names.
    list of LeftOut
        What is left out: by file where another file takes its place, by kind of product where
        nobody would want it.
    """
    left: list[LeftOut] = []
    exposures = _by_root(_each_once(rows), {item.id: item for item in parents}, left)
    best = _best_transmissions(exposures, exclude, left)
    chosen = []
    for root, exposure in sorted(best.items()):
        if root in exclude:
            left.append(LeftOut(root, "excluded", "the recipe leaves it out"))
            continue
        found = _take(root, exposure, left)
        if found is not None:
            chosen.append(found)
    return chosen, sorted(left, key=lambda item: (item.subject, item.code))


def _each_once(rows: Sequence[Row]) -> list[Row]:
    """Rows with a file of their own; one file is listed with every observation it is part of."""
    found: dict[str, Row] = {}
    for row in rows:
        found.setdefault(str(row.get("dataURI")), row)
    return list(found.values())


def _by_root(
    rows: Sequence[Row], parents: Mapping[str, Observed], left: list[LeftOut]
) -> dict[str, _Exposure]:
    exposures: dict[str, _Exposure] = {}
    unused: Counter[tuple[str, str]] = Counter()
    for row in rows:
        name = str(row.get("productFilename") or "").lower()
        project = str(row.get("project") or "")
        if name.startswith("hst_") or project.upper().startswith("HAP"):
            left.append(
                LeftOut(name, "copy", "a copy, with another WCS, of exposures that are there")
            )
            continue
        parent = parents.get(str(row.get("parent_obsid"))) or parents.get(str(row.get("obsID")))
        parent = parent or (next(iter(parents.values())) if len(parents) == 1 else None)
        match = PRODUCT_NAME.fullmatch(name)
        if match is None or parent is None or match[1][0] != parent.detector.root_letter:
            kind = name.partition(".")[0].rpartition("_")[2] or name
            unused[kind, ""] += 1
            continue
        root, suffix = match.groups()
        used = _used(parent.detector)
        if suffix not in used:
            unused[suffix, ", ".join(used)] += 1
            continue
        exposures.setdefault(root, _Exposure(parent)).files.setdefault(suffix, row)
    for (suffix, used_there), count in sorted(unused.items()):
        what = f" ({used_there})" if used_there else ""
        text = f"{count} file{'s' if count > 1 else ''}, not one of the products used{what}"
        left.append(LeftOut(f"*_{suffix}", "product", text))
    return exposures


def _used(detector: Detector) -> list[str]:
    companion = detector.products.companion
    return [*detector.products.science, *([companion] if companion else [])]


def _best_transmissions(
    exposures: dict[str, _Exposure], exclude: frozenset[str], left: list[LeftOut]
) -> dict[str, _Exposure]:
    """Of root names that differ in the last letter only, keep the best: they are one exposure.

    Those that are excluded or not whole take nobody's place; they stay, to be left out by name.
    """
    by_exposure: dict[str, list[str]] = {}
    for root in sorted(exposures):
        by_exposure.setdefault(root[:8], []).append(root)
    kept = {}
    for roots in by_exposure.values():
        usable = [root for root in roots if root not in exclude and _whole(exposures[root])]
        best = min(usable, key=_rank, default=None)
        for root in roots:
            if root == best or root not in usable:
                kept[root] = exposures[root]
                continue
            text = f"the same exposure as {best}, which was received better"
            left.append(LeftOut(root, "transmission", text))
    return kept


def _whole(exposure: _Exposure) -> bool:
    products = exposure.parent.detector.products
    return any(suffix in exposure.files for suffix in products.science) and (
        products.companion is None or products.companion in exposure.files
    )


def _rank(root: str) -> tuple[int, str]:
    for rank, letters in enumerate(ORDER):
        if root[8] in letters:
            return rank, root
    return len(ORDER), root


def _take(root: str, exposure: _Exposure, left: list[LeftOut]) -> Chosen | None:
    products = exposure.parent.detector.products
    there = [suffix for suffix in products.science if suffix in exposure.files]
    wanted = " or ".join(products.science)
    if not there:
        reason = f"the {wanted} it belongs to is missing"
        left += [LeftOut(f"{root}_{suffix}.fits", "companion", reason) for suffix in exposure.files]
        return None
    suffix, companion = there[0], products.companion
    for other in there[1:]:
        text = f"{suffix} is preferred to {other}"
        left.append(LeftOut(f"{root}_{other}.fits", "product", text))
    roles = {"science": suffix}
    if companion is not None:
        if companion not in exposure.files:
            text = f"its data quality {root}_{companion}.fits is missing, and one needs the other"
            left.append(LeftOut(f"{root}_{suffix}.fits", "companion", text))
            return None
        roles["dq"] = companion
    files = {role: _listed(exposure.files[name]) for role, name in roles.items()}
    parent = exposure.parent.row
    rights = [str(exposure.files[name].get("dataRights") or "") for name in roles.values()]
    shown = [right or str(parent.get("dataRights") or PUBLIC) for right in rights]
    release = parent.get("t_obs_release")
    return Chosen(
        root=root,
        detector=exposure.parent.detector.name,
        files=files,
        rights=next((right for right in shown if right.upper() != PUBLIC), PUBLIC),
        release_mjd=float(release) if isinstance(release, int | float) else None,
        observation=str(parent.get("obs_id")),
        filters=str(parent.get("filters") or ""),
        proposal=str(parent.get("proposal_id") or ""),
        targets=list(exposure.parent.targets),
        cell=cell_of(exposure.parent.detector.name, parent.get("s_ra")),
    )


def _listed(row: Row) -> Listed:
    size: Any = row.get("size")
    return Listed(
        uri=str(row["dataURI"]),
        name=str(row["productFilename"]).lower(),
        size=int(size) if isinstance(size, int | float) and size > 0 else None,
        version=str(row.get("prvversion") or ""),
    )
