"""Questions: a file that was moved is found by the stamps in its header."""

import shutil

import pytest
from astropy.io import fits

from hst123r.engine.ask import show
from hst123r.errors import InputError

STACK = "products/stacks/SN-acs_wfc-f606w/SN-acs_wfc-f606w_drz.fits"


def test_a_file_in_its_place_is_found_by_its_path(finished):
    said = show(finished, str(finished / STACK))
    assert said["found"] == "by its path"
    assert said["made_by"]["label"] == "SN-acs_wfc-f606w"
    assert [name.partition("#")[0] for name in said["read_by"]] == ["detect:SN", "report:report"]


def test_a_stray_file_is_found_by_its_stamps(finished, tmp_path):
    stray = tmp_path / "renamed.fits"
    shutil.copy(finished / STACK, stray)
    said = show(finished, str(stray))
    assert said["found"] == "by the stamps in its header"
    assert said["made_by"]["job"] == show(finished, str(finished / STACK))["made_by"]["job"]


def test_a_file_of_another_work_directory_is_not_taken_for_ours(finished, tmp_path):
    """Job 1 is in every work directory; the run's own name is not."""
    stray = tmp_path / "theirs.fits"
    shutil.copy(finished / STACK, stray)
    fits.setval(stray, "H123RUN", value="20200101T000000Z-abcdef")
    assert show(finished, str(stray))["found"] == "not made here"


def test_a_file_that_is_gone_is_told_with_its_maker(copy_of_finished):
    (copy_of_finished / STACK).unlink()
    said = show(copy_of_finished, str(copy_of_finished / STACK))
    assert said["state"] == "missing"
    assert said["made_by"]["stage"] == "stacks"


def test_what_nobody_knows_is_the_users_error(finished):
    for what in ("99", "#9999", "stacks:nothing", "products/none.fits"):
        with pytest.raises(InputError, match="there is no"):
            show(finished, what)
