"""The key of a job: everything its result depends on, part by part and by name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hst123r.engine.environment import version
from hst123r.files.content import Signature, digest_bytes
from hst123r.provenance.contents import Contents, Known
from hst123r.provenance.rows import InputRow, Made, Part
from hst123r.recipe.resolve import Resolved
from hst123r.records.outcome import Product
from hst123r.stage.contract import Job, Need, Variant
from hst123r.stage.registry import AnyStage

LONGEST_VALUE: Final = 400
"""Longer values take part in a key as their digest, and arguments are stored so."""


@dataclass(slots=True)
class Key:
    """A job's key with its named parts.

    Parameters
    ----------
    digest : str or None
        None while an input is unknown.
    parts : list of Part
        All named parts, inputs included.
    inputs : list of InputRow
        What the job reads.
    uncertain : bool
        Whether an input is still to be made, so that the key may change.
    """

    digest: str | None
    parts: list[Part]
    inputs: list[InputRow]
    uncertain: bool = False


class Identities:
    """What is known of what jobs read: contents of files by path, and products not settled yet.

    Parameters
    ----------
    contents : Contents
        The store's contents.
    """

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self._by_path: dict[str, Known] = {}
        self._open: dict[int, Product] = {}

    def set(self, made: Made) -> None:
        """Note the contents of the files that were made for a product.

        A file that a product only refers to is somebody else's, and may have been made anew since.
        """
        for role, path in made.product.files.items():
            if made.owned[role]:
                self._by_path[path] = made.contents[role]

    def expect(self, made: Made) -> None:
        """Note that a product is going to be made again, perhaps with other facts and contents."""
        # by the object, since two stages may make products of one kind and name; kept, so that
        # its id is not given to another
        self._open[id(made.product)] = made.product

    def open(self, product: Product) -> bool:
        """Whether a product is still to be made again."""
        return id(product) in self._open

    def renew(self, path: str, known: Known) -> None:
        """Note that a file that was made has other bytes with the same meaning now."""
        self._by_path[path] = known

    def made(self, path: str) -> bool:
        """Whether a job of this recipe made the file."""
        return path in self._by_path

    def of(self, path: str, *, read: bool) -> Known | None:
        """Return the content of a file.

        Parameters
        ----------
        path : str
            Absolute path.
        read : bool
            Read a file that is new or looks changed; otherwise None for such files.
        """
        known = self._by_path.get(path)
        if known is not None:
            return known
        return self.contents.look(path) if read else self.contents.peek(path)


def build_key(
    stage: AnyStage,
    job: Job,
    resolved: Resolved,
    identities: Identities,
    variants: Sequence[tuple[Variant, dict[str, str]]] = (),
    *,
    read: bool,
) -> Key:
    """Build a job's key.

    Parameters
    ----------
    stage : Stage
        The stage.
    job : Job
        The job.
    resolved : Resolved
        Its parameters.
    identities : Identities
        Contents of files.
    variants : sequence of (Variant, dict)
        What the job chooses its parameters from, with origins.
    read : bool
        Read input files that are new to the store; otherwise the key stays unknown.

    Returns
    -------
    Key
        With its digest, unless an input is unknown.
    """
    parts = [Part("version", stage.name, str(stage.version))]
    parts += _parameters(stage, resolved, variants)
    parts += [Part("label", name, value) for name, value in sorted(job.labels.items())]
    parts += [Part("argument", name, short(value)) for name, value in sorted(job.arguments.items())]
    parts += [Part("tool", name, version(name)) for name in stage.software(resolved.params)]
    rows: list[InputRow] = []
    complete, uncertain = True, False
    for need in stage.needs:
        products = job.inputs.get(need.kind, [])
        if len(products) > 1:
            parts.append(Part("order", need.kind, short([item.name for item in products])))
        for position, product in enumerate(products):
            found, whole = _identify(need, position, product, identities, read=read)
            rows += found
            complete &= whole
            uncertain |= identities.open(product)
    parts += [
        Part("input", f"{row.kind}/{row.name}/{row.role}/{facet}", digest)
        for row in rows
        for facet, digest in row.identity.items()
    ]
    digest = key_digest(parts) if complete else None
    return Key(digest, parts, rows, uncertain)


def _parameters(
    stage: AnyStage, resolved: Resolved, variants: Sequence[tuple[Variant, dict[str, str]]]
) -> Iterator[Part]:
    for name, value in resolved.values.items():
        if name not in stage.divides_by:
            yield Part("param", name, as_text(value), resolved.origins[name])
    for variant, origins in variants:
        for name, value in variant.values.items():
            yield Part("param", f"{name} for {variant.about}", as_text(value), origins[name])


def _identify(
    need: Need, position: int, product: Product, identities: Identities, *, read: bool
) -> tuple[list[InputRow], bool]:
    """Return the rows of one input, and whether all contents are known."""
    facts = (
        product.facts
        if need.facts == ("*",)
        else {name: product.facts.get(name) for name in need.facts}
    )
    quality = product.quality.value
    if product.caveats:
        quality += ":" + ",".join(sorted({caveat.code for caveat in product.caveats}))
    about = {"quality": quality}
    if facts:
        about["facts"] = digest_bytes(_canonical(facts))
    rows = [InputRow(need.kind, product.name, "facts", position, None, None, about)]
    complete = True
    for role, path in product.files.items() if need.facets else ():
        known = identities.of(path, read=read)
        if known is None:
            complete = False
            wanted = dict.fromkeys(need.facets, "")
            rows.append(InputRow(need.kind, product.name, role, position, path, None, wanted))
            continue
        identity = {facet: known.facet(facet) for facet in need.facets if known.facets}
        identity = identity or {"bytes": known.digest}
        rows.append(InputRow(need.kind, product.name, role, position, path, known.id, identity))
    return rows, complete


def key_digest(parts: Iterable[Part]) -> str:
    """Return the digest of a job's named parts; origins take no part in it."""
    return digest_bytes(_canonical(sorted([p.kind, p.name, short(p.value)] for p in parts)))


def signatures(rows: Iterable[InputRow]) -> dict[str, Signature | None]:
    """Return what the file system says about every input file of a job."""
    return {row.path: Signature.of(row.path) for row in rows if row.path is not None}


def as_text(value: Any) -> str:
    """Return a value as text for the store."""
    return value if isinstance(value, str) else _canonical(value).decode()


def short(value: Any) -> str:
    """Return a value as text, its digest where it is long."""
    text = as_text(value)
    return text if len(text) <= LONGEST_VALUE else f"{digest_bytes(text.encode())} ({len(text)})"


def _canonical(value: Any) -> bytes:
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()
