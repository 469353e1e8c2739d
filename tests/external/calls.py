"""What children of a template call in the tests of drizzlepac's programs: the answer is a file."""

import json
from pathlib import Path

from hst123r.errors import StageError


def tweak(argument):
    """Align; answer with the shifts."""
    from hst123r.external.tweakreg import Settings, tweakreg

    stars = {
        name: {int(version): listed for version, listed in chips.items()}
        for name, chips in argument["stars"].items()
    }
    return _answer(
        argument,
        lambda: {
            name: None if shift is None else [shift.x_pix, shift.y_pix, shift.rotation_deg]
            for name, shift in tweakreg(
                Path.cwd(), stars, argument["reference"], Settings(**argument["settings"])
            ).items()
        },
    )


def drizzle(argument):
    """Drizzle; answer with the names of the images."""
    from hst123r.external.astrodrizzle import Grid, Settings, astrodrizzle

    return _answer(
        argument,
        lambda: {
            role: path.name
            for role, path in astrodrizzle(
                Path.cwd(), argument["names"], Grid(**argument["grid"]),
                Settings(**argument["settings"]),
            ).items()
        },
    )  # fmt: skip


def _answer(argument, work):
    try:
        said = work()
    except StageError as error:
        said = {"error": str(error)}
    Path(argument["out"]).write_text(json.dumps(said))
    return 0
