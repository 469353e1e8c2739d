"""What is here of DOLPHOT, and what a recipe needs of it."""

from __future__ import annotations

from hst123r import instruments
from hst123r.errors import Hst123rError
from hst123r.external import dolphot_installation as installation
from hst123r.external.dolphot import THREADS
from hst123r.external.dolphot_installation import Installation
from hst123r.files.content import digest_file
from hst123r.photometers.dolphot import module_files, needed_files
from hst123r.photometers.params import PhotometryParams
from hst123r.recipe.model import Recipe
from hst123r.recipe.resolve import resolve, selection
from hst123r.records.outcome import Product

ENGINE = "dolphot"
SPLIT, SKY = "splitgroups", "calcsky"
DIGITS = 18
"""Of the digest of the program: which one it is; there is no option that tells a version."""
Row = tuple[str, str, str]
"""State, what, and what was found."""


def rows(recipe: Recipe | None) -> list[Row]:
    """Examine DOLPHOT.

    Parameters
    ----------
    recipe : Recipe or None
        A recipe, for which what it needs and is not there is missing; without one nothing is.

    Returns
    -------
    list of (str, str, str)
        State, what, and what was found.
    """
    wanted = _wanted(recipe) if recipe is not None else []
    masks = {name: instruments.get(name).dolphot.mask for name in instruments.names()}
    try:
        found = installation.find({*(mask.keyword for mask in masks.values()), THREADS})
    except Hst123rError as error:
        return [("missing", "DOLPHOT", str(error))]
    if found is None:
        text = f"not installed, and only needed for `engine: dolphot`. {installation.INSTALL}"
        return [("missing" if wanted else "ok", "DOLPHOT", text)]
    about = f"{found.program}, {_version(found)}, {digest_file(found.program)[:DIGITS]}"
    result = [("ok", "DOLPHOT", about)]
    result.append(
        ("ok", "DOLPHOT's data", str(found.base))
        if found.base is not None
        else (
            "caveat",
            "DOLPHOT's data",
            f"folder not known; {installation.BASE_VARIABLE} names it",
        )
    )
    result += [
        ("ok", f"DOLPHOT's {name}", f"{path}, {digest_file(path)[:DIGITS]}; it reads it unasked")
        for name, path in found.unasked().items()
    ]
    known = {masks[n].module: masks[n].keyword in found.words for n in masks}
    listed = ", ".join(name for name, there in sorted(known.items()) if there) or "none"
    result.append(("ok", "DOLPHOT's modules", listed))
    result += _programs(found, wanted, sorted(known))
    for params, needing in wanted:
        result += _recipe_rows(found, params, needing, known)
    return result


def _version(found: Installation) -> str:
    """Return which version it is, by a parameter that came with the third."""
    if found.script:
        return "a script, of unknown version"
    return "version 3" if THREADS in found.words else "version 2"


def _wanted(recipe: Recipe) -> list[tuple[PhotometryParams, list[Product]]]:
    """Return the stages that run DOLPHOT, with what their exposures may be."""
    wanted = []
    for instance in recipe.instances:
        params = resolve(instance).params
        if isinstance(params, PhotometryParams) and params.engine == ENGINE:
            wanted.append((params, _possible(recipe)))
    return wanted


def _possible(recipe: Recipe) -> list[Product]:
    """Return every detector and filter that a recipe names, as exposures of all chips."""
    chosen = selection(recipe)
    result = []
    for name in chosen["detectors"] or instruments.names():
        detector = instruments.get(name)
        chips = [{"number": chip.number} for chip in detector.dolphot.mask.chips]
        result += [
            Product(
                "exposure", through, {"detector": name, "filter": through}, {}, {"chips": chips}
            )
            for through in chosen["filters"] or ()
            if through in detector.filters
        ]
    return result


def _programs(
    found: Installation, wanted: list[tuple[PhotometryParams, list[Product]]], modules: list[str]
) -> list[Row]:
    """Look for the programs beside DOLPHOT; only masking by them needs any."""
    external = any(params.dolphot.mask == "external" for params, _ in wanted)
    used = {
        f"{instruments.get(item.labels['detector']).dolphot.mask.module}mask"
        for params, items in wanted
        for item in items
        if params.dolphot.mask == "external"
    }
    result: list[Row] = []
    for name in (SKY, SPLIT, *(f"{module}mask" for module in modules)):
        path = found.sibling(name)
        needed = name in used or (external and name == SPLIT)
        state = "missing" if needed and path is None else "ok"
        result.append((state, name, str(path or "not installed; hst123r has its own")))
    return result


def _recipe_rows(
    found: Installation, params: PhotometryParams, items: list[Product], known: dict[str, bool]
) -> list[Row]:
    """Name the modules and files that a recipe needs and that are not there."""
    if not items:
        text = "name `detectors` and `filters` in `select` to see which files it needs"
        return [("ok", "DOLPHOT's files", text)]
    result: list[Row] = []
    if params.dolphot.psf == "library":
        modules = {instruments.get(i.labels["detector"]).dolphot.mask.module for i in items}
        for module in sorted(modules):
            if not known[module]:
                text = "DOLPHOT was built without it, which the recipe needs"
                result.append(("missing", f"module {module}", text))
    if found.base is None:
        return result
    names = sorted({*needed_files(params, items), *module_files(found)})
    absent = [name for name in names if not (found.base / name).is_file()]
    result += [("missing", name, f"not in {found.base}") for name in absent]
    if names and not absent:
        result.append(("ok", "DOLPHOT's files", f"all {len(names)} that the recipe needs"))
    return result
