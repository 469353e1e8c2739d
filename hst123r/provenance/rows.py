"""The nouns of the store's rows about jobs."""

from __future__ import annotations

from dataclasses import dataclass

from hst123r.provenance.contents import Known
from hst123r.records.outcome import Outcome, Product, Quality


@dataclass(frozen=True, slots=True)
class Part:
    """One named part of a job's key.

    Parameters
    ----------
    kind : str
        ``version``, ``param``, ``label``, ``argument``, ``tool``, ``input`` or ``order``.
    name : str
        Name within the kind.
    value : str
        Its value as text; for inputs the digest of what the job reads.
    origin : str
        Where a value came from, empty where that has no meaning.
    """

    kind: str
    name: str
    value: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class InputRow:
    """One thing a job read.

    Parameters
    ----------
    kind, name, role : str
        Kind and name of the product, and the role of the file; role ``facts`` has no file.
    position : int
        Its place among the inputs of its kind.
    path : str or None
        Absolute path.
    content_id : int or None
        Content of the file.
    identity : dict of str to str
        What counted: digest by facet, or ``facts`` and ``quality``.
    """

    kind: str
    name: str
    role: str
    position: int
    path: str | None
    content_id: int | None
    identity: dict[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """The last attempts at a job, as far as a decision needs them.

    Parameters
    ----------
    done_id : int or None
        Row of the last attempt that was done and not forgotten.
    key : str or None
        Its key.
    quality : str or None
        Verdict on its result.
    last_id : int
        Row of the last attempt of any state.
    last_state : str
        Its state.
    error : str or None
        Its error.
    incomplete : str
        Why the result of the last done attempt has to be tried for again, empty where it stays.
    """

    done_id: int | None
    key: str | None
    quality: str | None
    last_id: int
    last_state: str
    error: str | None
    incomplete: str = ""


@dataclass(slots=True)
class Made:
    """A product as the store has it.

    Parameters
    ----------
    product : Product
        Labels, facts and absolute paths.
    contents : dict of str to Known
        Content by role.
    owned : dict of str to bool
        By role, whether the job made the file or only refers to it.
    """

    product: Product
    contents: dict[str, Known]
    owned: dict[str, bool]


def concerns(subject: str, product: Product) -> bool:
    """Whether a measurement or caveat with a subject is about a product.

    Parameters
    ----------
    subject : str
        Empty when it is about the whole job.
    product : Product
        A product of that job.

    Returns
    -------
    bool
        True for the whole job, and where the subject is the product's name or a label of it.
    """
    return not subject or subject == product.name or subject in product.labels.values()


def product_quality(product: Product, outcome: Outcome) -> Quality:
    """Return the verdict on one product of a job.

    Parameters
    ----------
    product : Product
        The product.
    outcome : Outcome
        What its job handed over.

    Returns
    -------
    Quality
        The worst of the measurements and caveats that concern it, and of its own.
    """
    verdicts = [product.quality]
    verdicts += [m.quality for m in outcome.measurements if concerns(m.subject, product)]
    verdicts += [Quality.CAVEAT for c in outcome.caveats if concerns(c.subject, product)]
    return Quality.worst(verdicts)
