"""A run is read by its number, or the last one."""

import pytest

from hst123r.errors import InputError
from hst123r.provenance.store import Store
from hst123r.sharing.run import of_run

RUN = {
    "uid": "u", "command": ["run", "r.yaml"], "folder": "/f", "user": "me", "host": "here",
    "pid": 1, "options": {}, "parameters": [],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    store = Store(tmp_path)
    for number in (1, 2):
        store.begin_run(
            recipe={"name": "r", "path": f"/p/{number}.yaml", "text": f"{number}\n",
                    "canonical": {"a": number}},
            environment={"python": "3.12", "platform": "Linux", "packages": {}},
            run={**RUN, "uid": f"u{number}"},
        )  # fmt: skip
    store.close()
    return tmp_path


def test_by_number_or_the_last(folder):
    assert of_run(folder, "1").recipe == "1\n"
    last = of_run(folder, "")
    assert (last.number, last.recipe_path, last.extract["run"]["uid"]) == (2, "/p/2.yaml", "u2")


def test_no_such_run(folder):
    with pytest.raises(InputError, match="there is no run 7"):
        of_run(folder, "7")


def test_the_lock_is_that_of_the_run_and_kept_once(folder):
    store = Store(folder)
    end = {"state": "done", "exit_code": 0, "ran": 0, "reused": [], "blocked": []}
    for number, text in ((1, "a: 1\n"), (2, "a: 1\n")):
        store.end_run(number, lock=text, **end)
    assert store.db.execute("select count(*) from lock").fetchone() == (1,)
    store.end_run(2, lock="a: 2\n", **end)
    store.close()
    assert [of_run(folder, str(number)).lock for number in (1, 2)] == ["a: 1\n", "a: 2\n"]
    store = Store(folder)
    store.end_run(2, **end)
    store.close()
    assert of_run(folder, "2").lock is None
