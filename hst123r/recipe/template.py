"""The recipe that ``hst123r new`` writes: complete, commented, and good as it stands."""

from __future__ import annotations

import json
from typing import Final

from hst123r import instruments
from hst123r.records.position import SkyPosition
from hst123r.resources import folder

_TEXT: Final = """\
# yaml-language-server: $schema={schema}
# (the line above lets editors complete and check; it holds a path of this machine)
#
# {name}: a recipe for hst123r. Check it with `hst123r check {name}.yaml`,
# see what it would do with `hst123r plan {name}.yaml`, run it with `hst123r run {name}.yaml`.
hst123r: 1
name: {quoted_name}
title: {title}

targets:
  # {sexagesimal} = {decimal}
  - {{name: {quoted_target}, position: {position}}}

# Which exposures are used; everything left out is listed with the reason.
select:
  # detectors: [{detectors}]
  # filters: [{filters}]
  # after: 2009-01-01
  min_exposure: 15 s

stages:
  # Your own calibrated exposures (flc, flt, c0m with c1m), in a folder beside this recipe.
  # They are copied, and never changed.
  - fetch: {{from: directory, path: data}}
  # The deepest visit becomes the reference that all others are aligned to.
  - reference: {{}}
  - align: {{}}
  # One stack for every epoch, and one of everything.
  - drizzle: {{name: epochs, per: [detector, filter, epoch]}}
  - drizzle: {{name: stacks, per: [detector, filter]}}
  - photometry: {{}}
  - scrape: {{radius: 0.3 arcsec}}
  - export: {{formats: [ecsv, hdf5]}}
  - report: {{}}
"""


def text(name: str, target: str, written: str, position: SkyPosition) -> str:
    """Return the text of a new recipe.

    Parameters
    ----------
    name : str
        Name of the recipe.
    target : str
        Name of its target.
    written : str
        The position as the user wrote it.
    position : SkyPosition
        The same, read.

    Returns
    -------
    str
        YAML.
    """
    wide = [
        name
        for detector in map(instruments.get, instruments.names())
        for name, found in detector.filters.items()
        if found.kind == "W"
    ]
    return _TEXT.format(
        schema=folder("schemas") / "recipe.schema.json",
        name=name,
        quoted_name=_quoted(name),
        quoted_target=_quoted(target),
        title=_quoted(f"Photometry of {target}"),
        position=_quoted(written),
        detectors=", ".join(instruments.names()),
        filters=", ".join(sorted(set(wide), key=lambda name: (-wide.count(name), name))[:2]),
        sexagesimal=position.sexagesimal,
        decimal=position.decimal,
    )


def _quoted(value: str) -> str:
    """Return text as YAML that stays text; 2019 and true would be read as something else."""
    # what JSON quotes, YAML 1.2 reads as the same
    return json.dumps(value)
