"""What a run shows at its end."""

from hst123r.cli.runs import MANY, _caveats


def row(number, text="no distortion model", subject=None):
    return {"job": f"select:e{number}", "text": text, "subject": subject or "", "code": "c"}


def test_a_caveat_is_a_line():
    rows = [row(1), row(2, subject="x"), row(3, text="other")]
    assert list(_caveats(rows)) == [
        "caveat: select:e1: no distortion model", "caveat: select:e2, x: no distortion model",
        "caveat: select:e3: other",
    ]  # fmt: skip


def test_the_same_of_many_is_one_line():
    rows = [row(n, subject=f"e{n}") for n in range(1000)]
    assert list(_caveats([*rows, row(1, text="other")])) == [
        "caveat: select, 1000 times (e0, e1, e2, …): no distortion model",
        "caveat: select:e1: other",
    ]
    assert len(list(_caveats(rows[:MANY]))) == MANY
