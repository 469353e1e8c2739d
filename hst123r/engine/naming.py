"""Places of targets that a recipe gives by name only: from the lock, or looked up once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hst123r.engine.locking import Locking
from hst123r.engine.offline import forbidden
from hst123r.engine.options import Options
from hst123r.recipe.model import Place, Recipe


def placed(recipe: Recipe, folder: Path, options: Options) -> Recipe:
    """Return a recipe with the places of its targets.

    The lock is asked first, so that a target stays where it was; an update asks anew.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    folder : Path
        Its work directory; answers are kept there if it exists.
    options : Options
        What the user asked for.

    Returns
    -------
    Recipe
        The same where no target has to be looked up.

    Raises
    ------
    InputError
        If a name is unknown or could mean several places.
    ArchiveError
        If MAST does not answer, or must not be asked.
    """
    wanted = {entry.label: entry.asked for entry in recipe.head.targets if entry.asked}
    if not wanted or recipe.places:
        return recipe
    lock = Locking(recipe, folder, replace(options, locked=False)).lock
    places = {
        row.name: Place(row.asked, row.ra_deg, row.dec_deg, row.service)
        for row in (lock.targets if lock is not None else [])
        if wanted.get(row.name) == row.asked
    }
    missing = {name: asked for name, asked in wanted.items() if name not in places}
    if missing:
        from hst123r.archives import endpoints, names
        from hst123r.archives.replies import Replies
        from hst123r.stages.fetch import ANSWERS

        kept = folder / "raw" / ANSWERS
        replies = Replies(
            kept, keep=folder.is_dir(), offline=options.offline,
            renew=options.update and not options.offline,
        )  # fmt: skip
        with forbidden(when=options.offline):
            for name, asked in missing.items():
                found = names.look_up(asked, endpoints.mast(), replies)
                position = found.position
                places[name] = Place(asked, position.ra_deg, position.dec_deg, found.service)
    return replace(recipe, places=places)
