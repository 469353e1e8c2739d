"""One job in its own process: run the stage, look at its products, write the result."""

from __future__ import annotations

import importlib
import json
import logging
import os
import pkgutil
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any, Final

from hst123r import instruments, log
from hst123r.engine.handover import OUT, Order, Result
from hst123r.engine.offline import forbidden
from hst123r.engine.tidings import Teller
from hst123r.errors import ENVIRONMENT, STAGE_FAILED, Hst123rError, StageError
from hst123r.files.content import Content, look
from hst123r.files.publish import no_room, sync
from hst123r.provenance.stamps import stamp
from hst123r.records.outcome import Outcome
from hst123r.stage import registry
from hst123r.stage.context import Context

ROOMS: Final = ("algorithms", "optics", "photometry", "sources", "products", "external")
"""Where the stages have their work done."""


def warm() -> None:
    """Import the stages and read the detector facts, once, before any job is forked.

    Where the stages' slow packages are imported already, our own modules that use them follow.
    """
    for name in registry.names():
        registry.get(name)
    if "photutils" in sys.modules:
        for room in ROOMS:
            package = importlib.import_module(f"hst123r.{room}")
            for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
                importlib.import_module(module.name)
    for name in instruments.names():
        instruments.get(name)


def main(argument: dict[str, Any]) -> int:
    """Do the job whose order lies in a folder; called in a freshly forked process.

    Parameters
    ----------
    argument : dict
        ``folder``: the attempt's scratch directory.

    Returns
    -------
    int
        0 when a result was written, be it of success or failure.
    """
    folder = Path(argument["folder"])
    order = Order.load(folder)
    logging.basicConfig(level=logging.INFO, format=log.FORMAT)
    logging.captureWarnings(capture=True)
    warnings.simplefilter("default")
    context = Context(
        scratch=folder / "work",
        out=folder / OUT,
        cores=order.cores,
        offline=order.offline,
        logger=log.get(f"job.{order.stage}"),
        home=Path(order.home),
        report=Teller(folder),
    )
    try:
        with forbidden(when=order.offline):
            result = _run(order, context)
    except Hst123rError as error:
        traceback.print_exc()
        result = Result(error=_error(type(error).__name__, str(error), error.exit_code))
    except MemoryError:
        traceback.print_exc()
        text = "not enough memory. Run fewer jobs at a time with --jobs, or on a larger machine"
        result = Result(error=_error("MemoryError", text, ENVIRONMENT))
    except OSError as error:
        traceback.print_exc()
        result = Result(error=_os_error(error))
    except Exception as error:  # noqa: BLE001  (a job's failure must reach the driver as a sentence)
        traceback.print_exc()
        text = f"unexpected {type(error).__name__}: {_first_line(error)}"
        result = Result(error=_error(type(error).__name__, text, STAGE_FAILED))
    result.usage = _usage()
    result.save(folder)
    return 0


def _usage() -> dict[str, Any]:
    """Return what the job cost so far, for a driver that did not see it end."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return {
        "cpu_seconds": sum(item.ru_utime + item.ru_stime for item in used),
        "peak_memory_mb": used[0].ru_maxrss / scale,
    }


def _run(order: Order, context: Context) -> Result:
    stage = registry.get(order.handler)
    params = stage.params.model_validate(order.values)
    begun = time.process_time()
    outcome = stage.run(order.job, params, context)
    log.get("worker").info("%s: %.2f s of CPU time", stage.name, time.process_time() - begun)
    # facts that JSON cannot hold are a mistake of the stage, and are reported as one
    json.dumps([product.facts for product in outcome.products], allow_nan=False)
    moves = _moves(order, context, outcome)
    contents: dict[str, Content] = {}
    for name, final in moves.items():
        path = context.out / name
        if order.stamps and path.suffix == ".fits":
            stamp(path, order.stamps)
        contents[final] = look(path, sha256=stage.home == "raw")
        sync(path)
    for row in outcome.downloads:
        if row.get("path") and "sha256" not in row:
            # this read of all bytes is the one that takes digests
            content = contents[os.path.join(order.home, Path(row["path"]).name)]  # noqa: PTH118
            row["sha256"] = content.sha256
    if moves:
        # the names, too, have to be there before the result that speaks of them
        sync(context.out)
    for product in outcome.products:
        product.files = {
            role: moves.get(Path(path).name, path) if Path(path).parent == context.out else path
            for role, path in product.files.items()
        }
    return Result(outcome, moves, contents, dict(context.looked))


def _moves(order: Order, context: Context, outcome: Outcome) -> dict[str, str]:
    """Final path of every file in ``out/``; a file no product names is a mistake of the stage."""
    present = {path.name for path in context.out.iterdir()} if context.out.is_dir() else set()
    named = {
        Path(path).name
        for product in outcome.products
        for path in product.files.values()
        if Path(path).parent == context.out
    }
    if missing := sorted(named - present):
        raise StageError(f"the stage named products that it did not write: {', '.join(missing)}")
    if stray := sorted(present - named):
        raise StageError(f"the stage wrote files that it did not name: {', '.join(stray)}")
    return {name: os.path.join(order.home, name) for name in sorted(present)}  # noqa: PTH118


def _error(kind: str, text: str, exit_code: int) -> dict[str, Any]:
    return {"error_kind": kind, "error": text, "exit_code": exit_code}


def _os_error(error: OSError) -> dict[str, Any]:
    if full := no_room(error):
        text = f"{full}. Free some space and run again; nothing is lost"
        return _error("EnvironmentProblem", text, ENVIRONMENT)
    return _error(type(error).__name__, f"{type(error).__name__}: {error}", STAGE_FAILED)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]
