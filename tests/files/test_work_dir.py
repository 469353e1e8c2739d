"""What tells a work directory from other folders."""

from hst123r.files.work_dir import OWN, STORE, is_work_dir
from hst123r.provenance.store import Store


def test_a_folder_is_one_when_it_holds_a_store(tmp_path):
    for name in OWN:
        (tmp_path / name).mkdir()
    assert not is_work_dir(tmp_path)
    Store(tmp_path).close()
    assert is_work_dir(tmp_path)
    assert (tmp_path / STORE).is_file()
