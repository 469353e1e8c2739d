from __future__ import annotations

import copy

import pytest

from hst123r.files.content import look

RUN = {
    "uid": "u1", "started": "2026-01-02T03:04:05.000Z", "ended": "2026-01-02T03:05:05.000Z",
    "state": "done", "exit_code": 0, "options": {"set": ["stacks.pixfrac=0.6"], "jobs": 2},
    "parameters": [], "recipe": "r", "recipe_digest": "blake3:0",
}  # fmt: skip
FLUX = {
    "target": "SN", "source": "1", "level": "epoch", "detector": "ACS/WFC", "filter": "F606W",
    "epoch": "20190401", "visit": "", "exposure": "", "mjd": 58574.0, "exposure_time_s": 100.0,
    "n_exposures": 2, "flux_njy": 100.0, "flux_err_njy": 2.0, "snr": 50.0, "mag_ab": 26.4,
    "mag_err": 0.02, "mag_sys": 0.012, "limit_ab": 28.0, "limit_sigma": 3.0, "flags": 0,
    "caveats": "",
}  # fmt: skip
FACETS = {"pixels": "blake3:1", "dq": "blake3:2", "wcs": "blake3:3", "science": "blake3:4"}


def job(stage, products, inputs=(), **more):
    return {
        "stage": stage, "handler": stage, "label": "a", "labels": {}, "version": 1, "key": "k",
        "quality": "good", "incomplete": None, "inputs": list(inputs), "products": products,
        "parts": [{"kind": "param", "name": "scale", "value": "0.05", "origin": "r.yaml:3:4"}],
        "measurements": [], "caveats": [], "rejects": [], "downloads": [], "references": [],
        **more,
    }  # fmt: skip


def product(kind, path, role, content, facets=None):
    file = {
        "role": role, "path": path, "owned": True, "digest": content.digest, "sha256": None,
        "size": content.size, "kind": "file", "facets": facets or {},
    }  # fmt: skip
    return {
        "kind": kind, "name": "a", "labels": {}, "facts": {}, "quality": "good", "files": [file],
    }  # fmt: skip


@pytest.fixture
def work(tmp_path):
    """Return a work directory with the files of :func:`extract`."""
    folder = tmp_path / "r"
    for name, text in {
        "raw/a_flc.fits": "raw", "products/stack/a_drz.fits": "stack",
        "products/scrape/a.ecsv": "# %ECSV", "report.html": "<html></html>",
    }.items():  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def extract(work):
    """Return the extract of a small run."""

    def content(path):
        return look(work / path)

    raw = product("file", "raw/a_flc.fits", "science", content("raw/a_flc.fits"), FACETS)
    stack = product("stack", "products/stack/a_drz.fits", "science",
                    content("products/stack/a_drz.fits"), FACETS)  # fmt: skip
    stack["facts"]["scale_arcsec"] = 0.05
    curve = product("light curve", "products/scrape/a.ecsv", "table",
                    content("products/scrape/a.ecsv"))  # fmt: skip
    report = product("report", "report.html", "page", content("report.html"))
    used = {"kind": "file", "name": "a", "role": "science", "path": "raw/a_flc.fits",
            "identity": "blake3:5", "digest": content("raw/a_flc.fits").digest}  # fmt: skip
    taken = {"uri": "mast:HST/product/a_flc.fits", "size": 3, "sha256": None, "status": "fetched"}
    return copy.deepcopy({
        "format": "hst123r-extract/1", "run": RUN,
        "environment": {"python": "3.11", "platform": "Linux", "packages": {"astropy": "7.0"},
                        "crds_context": None},
        "jobs": [
            job("fetch", [raw], downloads=[taken]),
            job("stacks", [stack], [used], handler="drizzle"),
            job("scrape", [curve]),
            job("report", [report]),
        ],
        "photometry": [FLUX],
    })  # fmt: skip


@pytest.fixture
def bundled(extract, work, tmp_path):
    """Write a bundle of it; return its path."""
    from hst123r.sharing.bundle import bundle

    path = tmp_path / "paper.zip"
    bundle(extract, "hst123r: 1\nname: r\n", work, path, lock_text="x: 1\n", version="1.0")
    return path
