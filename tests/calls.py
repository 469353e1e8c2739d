"""What children of a template call in the tests; the answer is a file."""

import json
from pathlib import Path

from hst123r.errors import Hst123rError


def tweak(argument):
    """Align; answer with the shifts."""
    return _answer(argument, lambda: _shifts(Path.cwd(), argument))


def tweak_there(argument):
    """Align in another folder; answer with the shifts and what is left of it in the process."""
    import logging
    import sys

    def state():
        root = logging.getLogger()
        return {
            "folder": str(Path.cwd()),
            "level": root.level,
            "handlers": [repr(handler) for handler in root.handlers],
            "streams": [id(stream) for stream in (sys.stdout, sys.stderr, sys.excepthook)],
            "files": sorted(path.name for path in Path.cwd().iterdir()),
        }

    def answer():
        before, said = state(), {}
        try:
            said["shifts"] = _shifts(Path(argument["there"]), argument)
        except Hst123rError as error:
            said["error"] = str(error)
        after = state()
        return {**said, "changed": sorted(k for k in before if before[k] != after[k])}

    return _answer(argument, answer)


def _shifts(folder, argument):
    from hst123r.external.tweakreg import Settings, tweakreg

    stars = {
        name: {int(version): listed for version, listed in chips.items()}
        for name, chips in argument["stars"].items()
    }
    settings = Settings(**argument["settings"])
    if "radius" in argument:
        # what is refused otherwise
        object.__setattr__(settings, "search_radius_pix", argument["radius"])
    found = tweakreg(folder, stars, argument["reference"], settings)
    return {
        name: None if shift is None else [shift.x_pix, shift.y_pix, shift.rotation_deg]
        for name, shift in found.items()
    }


def drizzle(argument):
    """Drizzle; answer with the names of the images."""
    from hst123r.external.astrodrizzle import Grid, Settings
    from hst123r.external.drizzle_engines import make_stack

    def answer():
        found, apart = make_stack(
            argument.get("engine", "astrodrizzle"), Path.cwd(), argument["names"],
            Grid(**argument["grid"]), Settings(**argument["settings"]),
        )  # fmt: skip
        return {role: _written(role, image).name for role, image in found.items()} | {
            "apart": apart
        }

    return _answer(argument, answer)


def _written(role, image):
    """Return the path of an image, after writing it where it is in memory."""
    if isinstance(image, Path):
        return image
    path = Path.cwd() / f"drizzle_{role}.fits"
    image.writeto(path, overwrite=True)
    return path


def refit(argument):
    """Build a WCS anew; answer with what became of the variables."""
    import os

    from hst123r.engine.offline import forbidden
    from hst123r.external.updatewcs import refit as work

    for variable, value in argument.get("variables", {}).items():
        os.environ[variable] = value

    def answer():
        with forbidden(when=argument.get("offline", False)):
            work(
                Path.cwd(), argument["image"], argument["references"], **argument.get("options", {})
            )
        return {v: os.environ.get(v) for v in ("jref", "iref", "uref")}

    return _answer(argument, answer)


def apply(argument):
    """Put the solution of a headerlet or an alternate into use."""
    from hst123r.external.headerlets import apply_alternate, apply_headerlet

    def answer():
        if "index" in argument:
            apply_headerlet(argument["path"], argument["index"])
        else:
            apply_alternate(argument["path"], argument["key"])
        return {}

    return _answer(argument, answer)


def stage(argument):
    """Do one job of a stage; answer with its outcome."""
    from hst123r.records.outcome import Product
    from hst123r.stage import registry
    from hst123r.stage.context import Context
    from hst123r.stage.contract import Job

    handler = registry.get(argument["stage"])
    given = argument["job"]
    inputs = {
        kind: [Product.from_json(item) for item in items] for kind, items in given["inputs"].items()
    }
    job = Job(given["label"], given["labels"], inputs, given["arguments"], given["notes"])
    params = handler.params.model_validate(argument["params"])
    cores = argument.get("cores", 1)
    context = Context(scratch=Path.cwd() / "scratch", out=Path.cwd() / "out", cores=cores)
    return _answer(argument, lambda: handler.run(job, params, context).as_json())


def _answer(argument, work):
    try:
        said = work()
    except Hst123rError as error:
        said = {"error": str(error)}
    Path(argument["out"]).write_text(json.dumps(said))
    return 0
