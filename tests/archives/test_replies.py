"""Answers that are kept: found again, never believed when they were changed."""

import json

import pytest

from hst123r.archives.replies import Replies
from hst123r.errors import ArchiveError

QUESTION = {"service": "x", "place": [1.0, 2.0]}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "kept"


def answer(*bodies):
    return lambda: list(bodies)


def never():
    raise AssertionError("it was asked")


def test_an_answer_is_asked_for_once(folder):
    replies = Replies(folder)
    assert replies.get("x", QUESTION, answer("a", "b")) == ["a", "b"]
    again = Replies(folder, offline=True)
    assert again.get("x", QUESTION, never) == ["a", "b"]
    assert (replies.asked, again.asked) == (1, 0)
    assert replies.used == again.used


def test_another_question_has_another_answer(folder):
    replies = Replies(folder)
    replies.get("x", QUESTION, answer("a"))
    assert replies.get("x", {**QUESTION, "place": [1.0, 3.0]}, answer("b")) == ["b"]


def test_offline_a_question_without_an_answer_is_named(folder):
    with pytest.raises(ArchiveError, match="not asked for these products yet"):
        Replies(folder, offline=True).get("products", QUESTION, never)


def test_it_is_asked_again_when_that_is_wanted(folder):
    Replies(folder).get("x", QUESTION, answer("a"))
    assert Replies(folder, renew=True).get("x", QUESTION, answer("b")) == ["b"]
    assert Replies(folder).get("x", QUESTION, never) == ["b"]


def test_a_plan_keeps_nothing(folder):
    Replies(folder, keep=False).get("x", QUESTION, answer("a"))
    Replies(None).get("x", QUESTION, answer("a"))
    assert not folder.exists()


@pytest.mark.parametrize("change", ["reply", "question", "cut", "list"])
def test_an_answer_that_was_changed_is_not_believed(folder, change):
    Replies(folder).get("x", QUESTION, answer("a"))
    (path,) = folder.iterdir()
    kept = json.loads(path.read_text())
    if change == "reply":
        kept["replies"] = ["b"]
    elif change == "question":
        kept["question"]["place"] = [7.0, 7.0]
    path.write_text(
        "[]" if change == "list" else json.dumps(kept)[: 40 if change == "cut" else None]
    )
    with pytest.raises(ArchiveError, match="damaged"):
        Replies(folder).get("x", QUESTION, never)
    assert Replies(folder, renew=True).get("x", QUESTION, answer("c")) == ["c"]


def test_what_was_heard_a_moment_ago_is_not_asked_again_and_kept_all_the_same(tmp_path):
    asked, heard = [], {}

    def ask():
        asked.append(1)
        return ["one"]

    first = Replies(tmp_path, keep=False, renew=True, heard=heard)
    assert first.get("rows", {"a": 1}, ask) == ["one"]
    assert list(tmp_path.glob("*.json")) == []
    second = Replies(tmp_path, renew=True, heard=heard)
    assert second.get("rows", {"a": 1}, ask) == ["one"]
    assert (len(asked), first.asked, second.asked) == (1, 1, 0)
    assert second.queries() == first.queries()
    assert len(list(tmp_path.glob("*.json"))) == 1
