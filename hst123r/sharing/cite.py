"""What to cite and to acknowledge for a run: what it really used, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ARCHIVE: Final = (
    "Based on observations made with the NASA/ESA Hubble Space Telescope, obtained from the "
    "Mikulski Archive for Space Telescopes at the Space Telescope Science Institute, which is "
    "operated by the Association of Universities for Research in Astronomy, Inc., under NASA "
    "contract NAS 5-26555."
)
OWN: Final = """\
@software{{hst123r,
  author = {{{{The hst123r developers}}}}, title = {{hst123r: Hubble imaging from a recipe}},
  version = {{{version}}}}}
"""
SIMULATED: Final = "simulated"


def references(extract: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of the table of citations that apply to a run.

    Parameters
    ----------
    extract : mapping
        What the run rests on, see :func:`hst123r.provenance.extract.extract`.

    Returns
    -------
    list of dict
        With ``key``, ``bibtex`` and perhaps ``acknowledgement``, in the order of the table.
    """
    from ruamel.yaml import YAML

    entries = YAML(typ="safe").load(Path(__file__).with_name("citations.yaml"))
    packages = extract["environment"]["packages"]
    tools = {part["name"] for job in extract["jobs"] for part in job["parts"]
             if part["kind"] == "tool"}  # fmt: skip
    values = {(part["name"], _plain(part["value"])) for job in extract["jobs"]
              for part in job["parts"] if part["kind"] == "param"}  # fmt: skip
    return [entry for entry in entries if _applies(entry, packages, tools, values)]


def _applies(
    entry: Mapping[str, Any], packages: Mapping[str, str], tools: set[str],
    values: set[tuple[str, str]],
) -> bool:  # fmt: skip
    named = entry.get("packages", [])
    if named and entry.get("always"):
        return any(name in packages for name in named)
    if "archives" in entry:
        return any(("from", name) in values for name in entry["archives"])
    if "parts" in entry:
        return any(
            name == wanted and (text == value or re.search(rf"\b{re.escape(value)}\b", text))
            for wanted, value in entry["parts"].items()
            for name, text in values
        )
    return any(name in tools for name in named)


def _plain(value: object) -> str:
    return str(value).strip('"')


def proposals(extract: Mapping[str, Any]) -> list[str]:
    """Return the numbers of the proposals whose exposures a run used."""
    found = {str(facts["proposal"]) for facts in _exposures(extract) if facts.get("proposal")}
    return sorted(found, key=lambda number: (len(number), number))


def _exposures(extract: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for job in extract["jobs"]:
        if job["handler"] == "exposures":
            yield from (p["facts"] for p in job["products"] if p["kind"] == "exposure")


def citation_text(extract: Mapping[str, Any]) -> str:
    """Return BibTeX entries, software and acknowledgements of a run, as text.

    Parameters
    ----------
    extract : mapping
        What the run rests on.

    Returns
    -------
    str
        BibTeX, with the acknowledgements as comments that BibTeX ignores.
    """
    found = references(extract)
    packages = extract["environment"]["packages"]
    lines = [OWN.format(version=packages.get("hst123r", "unknown")).strip()]
    lines += [str(entry["bibtex"]).strip() for entry in found]
    acknowledged = [str(entry["acknowledgement"]) for entry in found if "acknowledgement" in entry]
    if not any(part["name"] == "from" and _plain(part["value"]) == SIMULATED
               for job in extract["jobs"] for part in job["parts"]):  # fmt: skip
        numbers = proposals(extract)
        about = f" These observations are of programs {', '.join(numbers)}." if numbers else ""
        acknowledged.insert(0, ARCHIVE + about)
    versions = ", ".join(f"{name} {number}" for name, number in sorted(packages.items()))
    lines += [f"% Acknowledgement: {text}" for text in acknowledged]
    lines.append(f"% Software: {versions}, Python {extract['environment']['python']}")
    return "\n\n".join(lines) + "\n"
