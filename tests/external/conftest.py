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
