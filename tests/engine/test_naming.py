"""Targets by name: looked up once, then where the lock has them."""

import pytest
from loopback.server import Archive

from hst123r.archives import endpoints
from hst123r.cli.main import invoke
from hst123r.engine.naming import placed
from hst123r.engine.options import Options
from hst123r.errors import ArchiveError, InputError
from hst123r.recipe import lock as lock_file
from hst123r.recipe.load import load
from hst123r.recipe.lock import Lock

TARGET = '{name: "NGC 4993", resolve: true}'


@pytest.fixture
def archive(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Archive() as running:
        running.holdings.add_name("NGC 4993", 197.4487, -23.3839)
        monkeypatch.setenv(endpoints.VARIABLE, running.url)
        yield running


@pytest.fixture
def write(tmp_path):
    def write(target=TARGET):
        path = tmp_path / "r.yaml"
        path.write_text(
            f"hst123r: 1\nname: r\ntargets:\n  - {target}\n"
            "stages: [fetch: {from: directory, path: data}, exposures: {}]\n"
        )
        return path

    return write


def test_a_name_is_looked_up_only_when_asked_and_once(archive, write, tmp_path):
    recipe = load(write())
    with pytest.raises(InputError, match="where NGC 4993 is has not been looked up"):
        _ = recipe.targets
    found = placed(recipe, tmp_path, Options())
    (target,) = found.targets
    assert (target.name, target.position.ra_deg) == ("NGC4993", 197.4487)
    # the answer is kept in the work directory
    placed(recipe, tmp_path, Options(offline=True))
    placed(recipe, tmp_path, Options())
    assert len(archive.log) == 1
    with pytest.raises(ArchiveError, match="--offline forbids it"):
        placed(recipe, tmp_path / "other", Options(offline=True))
    plain = load(write('{name: T, position: "1 2"}'))
    assert placed(plain, tmp_path, Options()) is plain


def test_the_lock_says_where_it_is(archive, write, tmp_path):
    recipe = load(write())
    row = {"name": "NGC4993", "asked": "NGC 4993", "ra_deg": 10.0, "dec_deg": 2.0, "service": "NED"}
    head = {"name": "r", "digest": f"blake3:{'ab' * 32}"}
    lock_file.save(
        Lock.model_validate({"recipe": head, "targets": [row]}), tmp_path / "r.lock.yaml"
    )
    (target,) = placed(recipe, tmp_path / "w", Options(offline=True)).targets
    assert target.position.ra_deg == 10.0
    assert archive.log == []
    # an update asks, and another name is another question
    (target,) = placed(recipe, tmp_path / "w", Options(update=True)).targets
    assert target.position.ra_deg == 197.4487
    archive.holdings.add_name("host", 5.0, 6.0)
    other = load(write('{name: NGC4993, resolve: "host"}'))
    (target,) = placed(other, tmp_path / "w", Options()).targets
    assert target.position.ra_deg == 5.0


def test_check_asks_nobody_and_plan_tells_what_is_wrong(
    archive, write, tmp_path, capfd, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert invoke(["check", str(write())]) == 0
    assert "looked up by 'NGC 4993'" in capfd.readouterr().out
    assert archive.log == []
    assert invoke(["plan", str(write("{name: odd, resolve: true}"))]) == 2
    assert "nobody whom MAST asks knows 'odd'" in capfd.readouterr().err
