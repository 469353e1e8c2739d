"""Verify and decide: every byte counts, and what cannot be read is said."""

import shutil

from hst123r.engine import verify as module
from hst123r.engine.hold import holding
from hst123r.engine.verify import verify

FILE = "raw/jsi00101q_flc.fits"


def hidden(content, where):
    """Change a byte that no facet covers."""
    changed = bytearray(content)
    if where == "padding of the data":
        changed[-1] ^= 1
    elif where == "comment of a card":
        place = content.index(b" / ") + 3
        changed[place] = ord("Z") if content[place] != ord("Z") else ord("Y")
    elif where == "padding of a header":
        changed[content.index(b"END     ") + 100] = ord("!")
    elif where == "structure":
        place = content.index(b"NEXTEND =") + 29
        changed[place] = ord("9")
    else:
        changed += bytes(2880)
    return bytes(changed)


def states(folder):
    return {row["file"]: (row["state"], row["what"]) for row in verify(folder)}


def test_every_byte_counts(ran, first_run, reasons):
    path = ran.workspace.folder / FILE
    path.chmod(0o644)
    whole = path.read_bytes()
    for where in (
        "padding of the data", "comment of a card", "padding of a header", "structure",
        "behind the last HDU",
    ):  # fmt: skip
        path.write_bytes(hidden(whole, where))
        state, what = states(ran.workspace.folder)[FILE]
        assert state == "altered", where
        assert what.startswith("bytes (padding, comments or structure) changed"), where
        assert reasons(ran.plan(first_run))["fetch:jsi00101q"] == [
            f"product {FILE} was altered (bytes)"
        ], where
    ran.run(first_run)
    assert path.read_bytes() == whole
    assert {state for state, _ in states(ran.workspace.folder).values()} == {"ok"}


def test_what_cannot_be_read_is_said(ran, first_run, monkeypatch):
    look = module.look

    def refuse(path):
        if path.name == "jsi00101q_flc.fits":
            raise PermissionError(13, "Permission denied")
        return look(path)

    monkeypatch.setattr(module, "look", refuse)
    found = states(ran.workspace.folder)
    assert found.pop(FILE) == ("unreadable", "cannot be read: Permission denied")
    assert {state for state, _ in found.values()} == {"ok"}


def test_a_forgotten_result_is_not_a_strangers(ran, first_run):
    with holding(ran.workspace) as store:
        store.jobs.forget("exposures", None)
    shutil.copy(first_run, ran.workspace.products / "notes.txt")
    found = states(ran.workspace.folder)
    assert found["products/exposures/all/exposures.ecsv"] == (
        "forgotten", "made by exposures:all, whose result counts no more",
    )  # fmt: skip
    assert found["products/notes.txt"] == ("not ours", "no job made it")


def test_what_is_still_arriving_is_no_strangers(ran, first_run):
    raw = ran.workspace.raw
    (raw / "incoming").mkdir()
    for name in ("incoming/jsi00103q_flc.fits.part", "incoming/no-answer", "incoming.txt"):
        (raw / name).write_text("x")
    odd = {file for file, (state, _) in states(ran.workspace.folder).items() if state != "ok"}
    assert odd == {"raw/incoming.txt"}


def test_quick_reads_what_looks_changed_and_nothing_else(ran, first_run, monkeypatch):
    folder = ran.workspace.folder
    # a copy has other inodes; whoever looks once has the store note these
    ran.run(first_run)
    path = folder / FILE
    path.chmod(0o644)
    path.write_bytes(hidden(path.read_bytes(), "padding of the data"))
    (folder / "products" / "exposures" / "all" / "exposures.ecsv").touch()
    read = []
    look = module.look
    monkeypatch.setattr(module, "look", lambda path: read.append(path.name) or look(path))
    found = {row["file"]: row["state"] for row in module.verify(folder, quick=True)}
    assert sorted(read) == ["exposures.ecsv", "jsi00101q_flc.fits"]
    assert found.pop(FILE) == "altered"
    assert set(found.values()) == {"ok"}


def test_several_at_once_find_the_same_and_tell_of_all_bytes(ran):
    folder = ran.workspace.folder
    (folder / FILE).unlink()
    told = []
    one = module.verify(folder, jobs=1)
    assert module.verify(folder, jobs=4, tell=lambda *size: told.append(size)) == one
    assert {row["state"] for row in one} == {"ok", "missing"}
    done, total = zip(*told, strict=True)
    assert list(done) == sorted(done)
    assert done[-1] == total[0] == total[-1] > 0
