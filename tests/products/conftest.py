from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

RA, DEC = 150.1, 2.2


def simulated(folder, detector, filter_name, **more):
    """Make one small exposure without noise of the sky's own, and return its paths by role."""
    from hst123r.archives.simulated import Simulation, make, planned, programmes
    from hst123r.records.position import parse
    from hst123r.records.target import Target

    folder.mkdir(parents=True, exist_ok=True)
    simulation = Simulation.model_validate(
        {
            "observations": [
                {"detector": detector, "filter": filter_name, "dates": ["2005-04-01"],
                 "exposures": 1, "exposure_time": "100 s", "size": "64 pix"},
            ],
            "stars": {"number": 5, "radius": "2 arcsec"},
            "pointing_error": "0 arcsec", "roll_error": "0 deg", **more,
        }
    )  # fmt: skip
    target = Target("T", parse(f"{RA} {DEC}"))
    (programme,) = programmes(simulation, (target,), folder).values()
    (entry,) = planned(programme)
    return {role: str(path) for role, path in make(programme, entry.root, folder, None).items()}


@pytest.fixture(scope="session")
def wfpc2_made(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("wfpc2"), "WFPC2", "F555W")


@pytest.fixture
def wfpc2(wfpc2_made, tmp_path):
    """Return the two files of a WFPC2 exposure, in counts, that a test may change."""
    folder = tmp_path / "wfpc2"
    folder.mkdir()
    copies = {}
    for role in ("science", "dq"):
        copies[role] = str(shutil.copy(wfpc2_made[role], folder))
    return copies


@pytest.fixture
def acs(data):
    """Return an ACS exposure that a test may change."""
    return {"science": str(data / "jsi00101q_flc.fits")}


@pytest.fixture
def read():
    """Read the record of an exposure."""
    from hst123r.products.exposures import read_exposure

    def call(files, targets=None, margin=0.0):
        return read_exposure(str(files["science"]), targets or {"T": (RA, DEC)}, margin)

    return call


@pytest.fixture
def drizzled(tmp_path):
    """Write the three images of a stack as AstroDrizzle does; keywords change its header."""

    def write(science=None, weight=None, **cards):
        shape = (40, 50) if science is None else science.shape
        science = np.zeros(shape, "f4") if science is None else science
        header = fits.Header()
        header.update(
            BUNIT="COUNTS/S", PHOTFLAM=7.8e-20, PHOTPLAM=5921.0, EXPTIME=400.0, ROOTNAME="x",
            CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRVAL1=RA, CRVAL2=DEC, CRPIX1=25.0, CRPIX2=20.0,
            CD1_1=-0.05 / 3600, CD1_2=0.0, CD2_1=0.0, CD2_2=0.05 / 3600, TARGNAME="SN",
        )  # fmt: skip
        header.update(cards)
        header = fits.Header([card for card in header.cards if card.value is not None])
        header.add_history("drizzled")
        planes = {
            "science": science,
            "weight": np.full(shape, 400.0, "f4") if weight is None else weight,
            "context": np.ones(shape, "i4"),
        }
        paths = {}
        for role, plane in planes.items():
            paths[role] = Path(tmp_path / f"stack_drz_{role}.fits")
            own = header if role == "science" else None
            fits.PrimaryHDU(plane, own).writeto(paths[role], overwrite=True)
        return paths

    return write


@pytest.fixture
def stack(drizzled, tmp_path):
    """Write a stack of ours."""
    from hst123r.products.stacks import write_stack

    def write(science=None, weight=None, unit="ELECTRONS/S", zeropoint=None, fill=np.nan, **cards):
        path = tmp_path / "stack.fits"
        path.unlink(missing_ok=True)
        images = drizzled(science, weight, **cards)
        about = {"NINPUT": (2, "number of exposures")}
        facts = write_stack(images, path, about, unit, fill=fill, zeropoint=zeropoint)
        return path, facts

    return write
