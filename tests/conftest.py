from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data():
    """Return the folder of real files that may stand beside the source tree."""
    for folder in Path(__file__).resolve().parents:
        place = folder.parent / "shared" / "data"
        if place.is_dir():
            return place
    pytest.skip("there is no folder shared/data with real files beside the source tree")
