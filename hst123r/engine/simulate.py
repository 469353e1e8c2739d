"""Making the simulated archive of a recipe into a folder, outside any work directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hst123r.errors import InputError
from hst123r.files.publish import machine_errors
from hst123r.recipe.model import Recipe
from hst123r.recipe.resolve import resolve


def simulate(recipe: Recipe, out: Path) -> Iterator[dict[str, str]]:
    """Make every exposure that the recipe's simulated archive holds, and its truth.

    Parameters
    ----------
    recipe : Recipe
        A recipe whose stage `fetch` has a ``simulation``.
    out : Path
        Folder for the files; it is made. Files that are there already are never replaced.

    Yields
    ------
    dict
        ``root``, ``detector``, ``filter``, ``start`` and ``files`` of each exposure as it is
        made.

    Raises
    ------
    InputError
        If the recipe simulates nothing, or a file is in the way.
    EnvironmentProblem
        If the folder cannot be written.
    """
    from hst123r.archives.simulated import TRUTH, grid_of, make, planned, programmes, template_of
    from hst123r.records.dates import iso

    params = next(
        (resolve(item).params for item in recipe.instances if item.stage == "fetch"), None
    )
    simulation = getattr(params, "simulation", None)
    if simulation is None:
        raise InputError(
            "the recipe simulates nothing",
            where=str(recipe.path),
            hint="Its stage fetch needs `simulation: {observations: …}`",
        )
    folder = recipe.path.resolve().parent
    template = template_of(simulation, folder)
    made = programmes(simulation, recipe.targets, folder)
    todo = [(programme, entry) for programme in made.values() for entry in planned(programme)]
    with machine_errors("write the exposures", out):
        out.mkdir(parents=True, exist_ok=True)
        present = {path.name[:9] for path in out.glob("*.fits")}
        taken = sorted(entry.root for _, entry in todo if entry.root in present)
        if taken:
            raise InputError(f"{taken[0]} is there already", where=str(out))
        for programme, entry in todo:
            grid = grid_of(simulation, folder, entry)
            paths = make(programme, entry.root, out, template, grid)
            yield {
                "root": entry.root,
                "detector": entry.detector,
                "filter": entry.filter,
                "start": iso(entry.start_mjd),
                "files": ", ".join(p.name for p in paths.values() if not p.name.endswith(TRUTH)),
            }
