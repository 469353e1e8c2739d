"""Runs of commands that have no recipe."""

from hst123r.engine import without_recipe
from hst123r.provenance import queries
from hst123r.provenance.store import Store


def test_such_a_run_says_what_it_was_and_who_asked(tmp_path):
    store = Store(tmp_path)
    first = without_recipe.begin(store, "adopt", "adopted", "adopted")
    later = without_recipe.begin(store, "rebuild", "rebuild", "rebuilt", number=7)
    assert (first, later) == (1, 7)
    runs = {run["run"]: run for run in queries.runs(store.db)}
    assert runs[7]["recipe"] == "rebuild"
    assert runs[7]["user"]
    assert runs[1]["uid"] != runs[7]["uid"]
    assert [runs[number]["options"]["what"] for number in (1, 7)] == ["adopt", "rebuild"]
    store.close()
