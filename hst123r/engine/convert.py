"""A work directory of hst123 as one of hst123r: its results adopted, and a recipe to go on with."""

from __future__ import annotations

import re
from pathlib import Path

from hst123r.engine.adopt import Taken, adopt
from hst123r.engine.hold import holding
from hst123r.engine.hst123_folder import ALIGNED_HERE, MASKED, Survey
from hst123r.engine.hst123_names import CATALOGUE, CURVE, DRIZZLED, RAW, REFERENCE, TABLE
from hst123r.engine.workspace import Workspace
from hst123r.errors import InputError
from hst123r.recipe.hst123.draft import Draft, text
from hst123r.recipe.hst123.options import read_call
from hst123r.recipe.hst123.recipes import recipes
from hst123r.recipe.hst123.translate import translate
from hst123r.recipe.model import NAME_PATTERN

NOTE = "made by hst123"


def check_places(folder: Path, work_dir: Path) -> None:
    """Make sure that the new work directory can be one, and lies apart from the folder of hst123.

    Raises
    ------
    InputError
        If one would be inside the other, or its name cannot be that of a recipe.
    """
    if not re.fullmatch(NAME_PATTERN, work_dir.name):
        raise InputError(
            f"{work_dir.name!r} cannot be the name of a recipe", where=str(work_dir),
            hint="Name a work directory of letters, digits and + . _ - with --work-dir",
        )  # fmt: skip
    one, other = folder.resolve(), work_dir.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise InputError(
            "the work directory would lie in the folder of hst123, or the other way about",
            where=str(work_dir),
            hint="Name another one with --work-dir; nothing in the old folder is changed",
        )


def sketch(found: Survey, name: str, work_dir: Path, call: str = "") -> str:
    """Write a recipe for what hst123 did, as `import-hst123` makes it of a command line.

    Parameters
    ----------
    found : Survey
        What lies in its folder.
    name : str
        Name of the recipe.
    work_dir : Path
        The new work directory.
    call : str
        The command line, where it is known; without it one is supposed from what there is.

    Returns
    -------
    str
        YAML with comments.

    Raises
    ------
    InputError
        If the call cannot be read, or nothing tells where the target is.
    """
    if call:
        (draft,) = recipes(call, "--call")[:1]
        draft.notes.append(f"Its results in {found.folder} were adopted into {work_dir}.")
    else:
        draft = _supposed(found)
    _read_from(draft, found)
    references = found.of(REFERENCE)
    if references:
        reference = _adopted(work_dir, references[0].file)
        draft.notes.append(
            f"hst123 aligned to {references[0].file}; to align to it again write reference: "
            f"{{file: {reference}}}, and what is made from it will say that it was adopted."
        )
    return text(draft, name, f"the folder {found.folder}")


def _read_from(draft: Draft, found: Survey) -> None:
    """Have a stage that reads a folder read the exposures, without those that are none any more.

    A stage that asks an archive gets all of them as they were, whatever is in the folder.
    """
    fetches = [
        entry
        for entry in draft.stages
        if entry.stage == "fetch" and entry.values.get("from") == "directory"
    ]
    masked = found.masked()
    for entry in fetches:
        entry.values["path"] = str(found.raw)
        if masked:
            entry.values["exclude"] = masked
    if fetches and masked:
        draft.notes.append(
            f"Left out are {', '.join(masked)}: {MASKED}. MAST has them as they were."
        )
    aligned = [item.file for item in found.of(RAW) if item.why == ALIGNED_HERE]
    if fetches and aligned:
        draft.notes.append(
            f"{len(aligned)} exposures in {found.raw} are as hst123 aligned them, and there is no "
            "copy from before; MAST has them as they were."
        )


def _adopted(work_dir: Path, file: str) -> str:
    return f"{work_dir.name}/adopted/hst123/{file}"


def _supposed(found: Survey) -> Draft:
    """Make a recipe of a call that would have made what is there."""
    if found.position is None:
        raise InputError(
            "neither a light curve nor an exposure tells where the target is",
            where=str(found.folder),
            hint="Give the command line with --call 'hst123 RA DEC …'",
        )
    words = [*found.position, "--raw-dir", str(found.raw)]
    name = re.sub(r"[^A-Za-z0-9+._-]+", "_", found.target).strip("_.")
    if name:
        words += ["--object", name]
    if found.of(DRIZZLED):
        words.append("--drizzle-all")
    if found.of(CATALOGUE, TABLE):
        words.append("--run-dolphot")
    if found.of(CURVE):
        words.append("--scrape-dolphot")
    draft = translate(read_call(words, "the folder"), "the folder")
    draft.notes.append(
        "It supposes a call of hst123 that would make what is there; options that leave no trace "
        "are not known. With the call itself use --call, or import-hst123."
    )
    draft.notes.append(f"The position is that of {found.where}.")
    return draft


def convert(found: Survey, workspace: Workspace, note: str = "") -> list[Taken]:
    """Adopt what hst123 made.

    Parameters
    ----------
    found : Survey
        What lies in its folder.
    workspace : Workspace
        The new work directory; it is made if it is not there.
    note : str
        What the user says of it.

    Returns
    -------
    list of Taken
        Every file that was adopted, or was before.
    """
    wanted = [item.found for item in found.entries if item.found is not None]
    if not wanted:
        return []
    told = f"{NOTE} in {found.folder.name}" + (f"; {note}" if note else "")
    with holding(workspace) as store:
        return adopt(store, workspace, wanted, told)
