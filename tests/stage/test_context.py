"""What a running job may touch."""

import pytest

from hst123r.stage.context import Context


@pytest.fixture
def context(tmp_path):
    return Context(scratch=tmp_path / "work", out=tmp_path / "out")


def test_products_are_written_into_one_folder_under_plain_names(context, tmp_path):
    path = context.product("a_stack.fits")
    assert path == tmp_path / "out" / "a_stack.fits"
    path.write_text("x")
    assert context.product("a_stack.fits") == path


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "/etc/passwd", "a/"])
def test_a_name_with_a_folder_in_it_is_refused(context, tmp_path, name):
    with pytest.raises(ValueError, match="not a plain file name"):
        context.product(name)
    assert not (tmp_path / "out").exists()


def test_a_folder_in_scratch_is_fresh(context, tmp_path):
    folder = context.folder("drizzle")
    assert folder == tmp_path / "work" / "drizzle"
    assert list(folder.iterdir()) == []
    with pytest.raises(FileExistsError):
        context.folder("drizzle")


def test_a_job_is_offline_and_has_one_core_unless_told_otherwise(context):
    assert context.offline
    assert context.cores == 1
    assert context.logger.name == "hst123r.job"
