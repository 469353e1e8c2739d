"""Origins without a history: two orders of the same attempts come to one thing."""

from hst123r.sharing.impersonal import impersonal


def job(number, stage, label, reads=(), *, own=True, key=None, set_=0):
    return {
        "job": number, "run": number + 3, "started": f"20{number}", "stage": stage, "label": label,
        "key": key or f"k-{stage}-{label}", "own": own, "reads": list(reads), "set": set_,
    }  # fmt: skip


def about(jobs, sets, made_by, behind, rests_on):
    file = {"path": "outside/x.fits", "digest": "d", "made_by": made_by}
    return {
        "rests_on": rests_on,
        "run": {"run": 4, "recipe": "r", "started": "then", "ended": "later", "state": "done"},
        "jobs": jobs, "sets": sets, "files": {f"/home/{rests_on}/x.fits": file},
        "lineages": {"a": {"jobs": behind, "files": [f"/home/{rests_on}/x.fits"]}},
        "points": [], "environment": {}, "earlier": [{"runs": [1]}],
    }  # fmt: skip


ANN = about(
    [job(1, "fetch", "a"), job(2, "fetch", "b", set_=1), job(3, "sum", "all", [1, 2])],
    {"fetch": [["p"], ["q"]], "sum": [[]]}, 1, [1, 2, 3], "ann",
)  # fmt: skip
BOB = about(
    [
        job(5, "fetch", "b"),
        job(6, "fetch", "a", own=False, set_=1),
        job(7, "sum", "all", [5, 6]),
        job(9, "fetch", "a", set_=1),
    ],
    {"fetch": [["q"], ["p"]], "sum": [[]]}, 6, [5, 6, 7], "bob",
)  # fmt: skip


def without_places(found):
    return {**found, "files": list(found["files"].values()),
            "lineages": {name: row["jobs"] for name, row in found["lineages"].items()}}  # fmt: skip


def test_two_histories_of_the_same_are_one():
    ann, bob = map(impersonal, (ANN, BOB))
    assert without_places(ann) == without_places(bob)
    assert [(row["job"], row["stage"], row["label"]) for row in ann["jobs"]] == [
        (1, "fetch", "a"), (2, "fetch", "b"), (3, "sum", "all"),
    ]  # fmt: skip
    assert ann["jobs"][2]["reads"] == [1, 2]
    assert [ann["sets"]["fetch"][row["set"]] for row in ann["jobs"][:2]] == [["p"], ["q"]]
    assert ann["lineages"]["a"]["jobs"] == [1, 2, 3]
    assert ann["earlier"] is None
    assert not {"run", "started"} & set(ann["jobs"][0])


def test_points_are_by_target_whichever_was_measured_first():
    rows = [
        {"stage": "scrape", "target": target, "level": level}
        for target in ("A", "B")
        for level in ("visit", "epoch")
    ]
    other = impersonal({**ANN, "points": [*rows[2:], *rows[:2]]})
    assert other["points"] == rows


def test_another_key_is_another_thing():
    other = {**ANN, "jobs": [{**ANN["jobs"][0], "key": "new"}, *ANN["jobs"][1:]]}
    assert impersonal(other)["rests_on"] != impersonal(ANN)["rests_on"]
    older = job(8, "fetch", "a", own=False, key="old")
    kept = impersonal({**ANN, "jobs": [*ANN["jobs"], older]})
    assert [row["key"] for row in kept["jobs"] if row["label"] == "a"] == ["k-fetch-a", "old"]


def test_what_was_given_is_as_it_was():
    before = repr(ANN)
    impersonal(ANN)
    assert repr(ANN) == before
