"""Light curves of earlier runs against those of one: offsets, and what was otherwise."""

import json

import pytest

from hst123r.engine.editions import earlier
from hst123r.engine.sides import side_of
from hst123r.provenance.store import Store
from hst123r.provenance.tags import put

POINT = ("id", "job_id", "flux_njy")


def again(store, change="1.0", rows="1", **run):
    """Add a run whose light curves are those of the first, changed; return its number."""
    db = store.db
    columns = [name for name in db.table("run").columns_dict if name not in ("id", "uid", "reused")]
    number = db.execute("select max(id) + 1 from run").fetchone()[0]
    db.execute(
        f"insert into run (id, uid, reused, {', '.join(columns)}) "
        f"select ?, ?, '[]', {', '.join(columns)} from run where id = 1", [number, f"u{number}"],
    )  # fmt: skip
    for name, value in run.items():
        db.execute(f"update run set {name} = ? where id = ?", [value, number])
    own = db.table("job").columns_dict
    names = [name for name in own if name not in ("id", "run_id")]
    of_points = [name for name in db.table("photometry").columns_dict if name not in POINT]
    for (job,) in db.execute("select id from job where stage = 'scrape' and run_id = 1").fetchall():
        made = db.execute(
            f"insert into job (run_id, {', '.join(names)}) "
            f"select ?, {', '.join(names)} from job where id = ?", [number, job],
        ).lastrowid  # fmt: skip
        db.execute(
            f"insert into photometry (job_id, flux_njy, {', '.join(of_points)}) "
            f"select ?, flux_njy * ({change}), {', '.join(of_points)} from photometry "
            f"where job_id = ? and ({rows})", [made, job],
        )  # fmt: skip
    db.conn.commit()
    return number


@pytest.fixture
def store(copy_of_finished):
    found = Store(copy_of_finished)
    yield found
    found.close()


def test_the_first_run_has_none_before_it(store):
    again(store)
    assert earlier(store, side_of(store, "1")) == []


def test_offsets_are_in_units_of_both_errors(store):
    again(store, "1.01")
    (found,) = earlier(store, side_of(store, "2"))
    assert (found["runs"], found["same"], found["only_then"], found["only_now"]) == (
        [1], False, 0, 0,
    )  # fmt: skip
    rows = list(store.db.query(
        "select p.* from photometry p join job j on j.id = p.job_id where j.run_id = 1"
    ))  # fmt: skip
    expected = [0.01 * row["flux_njy"] / (2**0.5 * row["flux_err_njy"]) for row in rows]
    assert found["points"] == found["different"] == len(rows)
    assert found["largest_sigma"] == pytest.approx(max(map(abs, expected)))
    assert found["rms_sigma"] == pytest.approx((sum(x * x for x in expected) / len(rows)) ** 0.5)
    assert abs(found["rows"][0]["sigma"]) == pytest.approx(found["largest_sigma"])


def test_runs_that_reused_the_same_results_are_one_edition_and_the_latest_comes_first(store):
    again(store, "1.1")
    again(store)
    found = store.db.execute("select id from job where stage = 'scrape' and run_id = 3")
    jobs = json.dumps([job for (job,) in found.fetchall()])
    for number in (4, 5):
        store.db.execute(
            "insert into run (id, uid, recipe_id, environment_id, command, folder, user, host, "
            "pid, options, parameters, started, state, reused) select ?, ?, recipe_id, "
            "environment_id, command, folder, user, host, pid, options, parameters, started, "
            "state, ? from run where id = 1", [number, f"v{number}", jobs],
        )  # fmt: skip
    store.db.conn.commit()
    put(store.db, "paper-v1", 2, "")
    found = earlier(store, side_of(store, "5"))
    assert [(item["runs"], item["same"], item["tags"]) for item in found] == [
        ([3, 4], True, []), ([2], False, ["paper-v1"]), ([1], False, []),
    ]  # fmt: skip
    assert found[2]["different"] == 0


def test_points_of_one_run_only_and_what_was_asked_for(store):
    parameters = json.loads(store.db.execute("select parameters from run").fetchone()[0])
    (wanted,) = (p for p in parameters if (p["stage"], p["name"]) == ("scrape", "radius"))
    wanted["value"] = "9 arcsec"
    again(store, rows="level != 'epoch'", parameters=json.dumps(parameters))
    (found,) = earlier(store, side_of(store, "2"))
    assert found["only_then"] > 0
    assert found["only_now"] == found["different"] == 0
    assert [(p["stage"], p["name"], p["b"]) for p in found["parameters"]] == [
        ("scrape", "radius", "9 arcsec")
    ]


def test_an_absolute_path_of_an_earlier_run_is_left_out(store):
    parameters = json.loads(store.db.execute("select parameters from run").fetchone()[0])
    again(store)
    parameters[0] |= {"value": ["/data/group/x.csv"], "origin": "/data/group/r.yaml:3:4"}
    store.db.execute("update run set parameters = ? where id = 1", [json.dumps(parameters)])
    store.db.conn.commit()
    (found,) = earlier(store, side_of(store, "2"))
    (row,) = found["parameters"]
    assert (row["a"], row["origin_a"]) == (["outside/x.csv"], "outside/r.yaml:3:4")
    assert "/data" not in repr(found)


def test_a_second_stage_of_light_curves_leaves_the_first_comparable(store):
    again(store, "1.01")
    (before,) = earlier(store, side_of(store, "2"))
    own = [name for name in store.db.table("job").columns_dict if name not in ("id", "stage")]
    of_points = [name for name in store.db.table("photometry").columns_dict
                 if name not in ("id", "job_id")]  # fmt: skip
    jobs = "select id from job where stage = 'scrape' and run_id = 2"
    for (job,) in store.db.execute(jobs).fetchall():
        made = store.db.execute(
            f"insert into job (stage, {', '.join(own)}) select 'near', {', '.join(own)} "
            "from job where id = ?", [job],
        ).lastrowid  # fmt: skip
        store.db.execute(
            f"insert into photometry (job_id, {', '.join(of_points)}) select ?, "
            f"{', '.join(of_points)} from photometry where job_id = ?", [made, job],
        )  # fmt: skip
    store.db.conn.commit()
    (found,) = earlier(store, side_of(store, "2"))
    assert found["points"] == found["only_now"] == before["points"]
    assert found["only_then"] == 0
    assert found["largest_sigma"] == before["largest_sigma"]
    assert {row["stage"] for row in found["rows"]} == {"scrape", "near"}


def test_runs_of_other_recipes_and_without_a_light_curve_are_none(store):
    recipe = store.db.execute(
        "insert into recipe (digest, name, path, text, canonical, first_seen) "
        "select 'd2', 'other', path, text, canonical, first_seen from recipe"
    ).lastrowid
    again(store, recipe_id=recipe)
    again(store, rows="0")
    again(store)
    assert [item["runs"] for item in earlier(store, side_of(store, "4"))] == [[1]]
