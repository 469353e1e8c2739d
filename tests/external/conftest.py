from __future__ import annotations

import shutil

import pytest


@pytest.fixture
def exposures(finished, tmp_path):
    """Copy exposures of the small run, as they came from the archive, into a private folder."""

    def copy(*roots):
        folder = tmp_path / "drizzlepac"
        folder.mkdir(exist_ok=True)
        for root in roots:
            path = folder / f"{root}_flc.fits"
            shutil.copy(finished / "raw" / path.name, path)
            path.chmod(0o644)
        return folder

    return copy


@pytest.fixture(scope="session")
def frames():
    """Return a function that simulates exposures of one visit."""

    def simulate(folder, detector, name, exposures=3):
        from hst123r.archives.simulated import Simulation, make, planned, programmes
        from hst123r.records.position import parse
        from hst123r.records.target import Target

        simulation = Simulation.model_validate(
            {
                "seed": 3,
                "observations": [
                    {"detector": detector, "filter": name, "dates": ["2005-04-01"],
                     "exposures": exposures, "exposure_time": "400 s", "size": "200 pix"},
                ],
                "stars": {"number": 60, "radius": "8 arcsec"},
            }
        )  # fmt: skip
        folder.mkdir(parents=True)
        (programme,) = programmes(simulation, (Target("T", parse("150.1 2.2")),), folder).values()
        return [make(programme, entry.root, folder, None) for entry in planned(programme)]

    return simulate
