from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from hst123r.files.content import look
from hst123r.provenance.rows import InputRow, Part
from hst123r.provenance.store import Store
from hst123r.records.outcome import Outcome, Product

RECIPE = {"name": "r", "path": "/somewhere/r.yaml", "text": "hst123r: 1\n", "canonical": {"a": 1}}
ENVIRONMENT = {"python": "3.12", "platform": "Linux", "packages": {"astropy": "7.0"}}
RUN = {
    "uid": "u1", "command": ["run", "r.yaml"], "folder": "/somewhere", "user": "me",
    "host": "here", "pid": 1, "options": {}, "parameters": [],
}  # fmt: skip


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def store(work):
    opened = Store(work)
    yield opened
    opened.close()


@pytest.fixture
def begin(store):
    """Begin a run; keywords change what it is about."""

    def start(recipe=None, environment=None, **run):
        return store.begin_run(
            recipe={**RECIPE, **(recipe or {})},
            environment={**ENVIRONMENT, **(environment or {})},
            run={**RUN, **run},
        )

    return start


@pytest.fixture
def image():
    """Write a small FITS file."""

    def write(path, value=0.0, **cards):
        path.parent.mkdir(parents=True, exist_ok=True)
        primary = fits.PrimaryHDU()
        primary.header["EXPTIME"] = 100.0
        primary.header.update(cards)
        science = fits.ImageHDU(np.full((4, 5), value, "f4"), name="SCI", ver=1)
        science.header["CRVAL1"] = 10.0
        fits.HDUList([primary, science]).writeto(path, overwrite=True)
        return path

    return write


@pytest.fixture
def attempt(store, begin):
    """Record an attempt at a job that is done, with the files it read and made."""

    def record(
        stage="drizzle", label="a", *, run=None, key="k1", reads=(), makes=(), outcome=None,
        looks_at="pixels", **row,
    ):  # fmt: skip
        run_id = begin() if run is None else run
        given = {
            "run_id": run_id, "stage": stage, "handler": stage, "label": label, "labels": {},
            "version": 1, "key": key, "reasons": [["none", "no record of it"]], "log": "x.log",
            "handler_digest": "h", **row,
        }  # fmt: skip
        job_id = store.jobs.start(given)
        inputs = []
        for place, path in enumerate(reads):
            known = store.contents.look(str(path))
            identity = {looks_at: known.facet(looks_at)}
            inputs.append(
                InputRow("exposure", path.stem, "science", place, str(path), known.id, identity)
            )
        parts = [Part("version", "drizzle", "1"), Part("param", "pixfrac", "0.8", "default")]
        store.jobs.describe(job_id, parts, inputs, key)
        if outcome is None:
            files = {path.suffix[1:]: str(path) for path in makes}
            outcome = Outcome([Product("stack", label, {"filter": "F606W"}, files)])
        contents = {str(path): look(path) for path in makes}
        store.jobs.finish(job_id, outcome, contents, {"cpu_seconds": 1.5, "peak_memory_mb": 80.0})
        return job_id

    return record
