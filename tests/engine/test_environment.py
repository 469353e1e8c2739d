"""Versions of what a run ran on."""

from importlib import metadata

from hst123r.engine import environment


def test_versions_are_those_that_the_packages_say():
    assert environment.software()["hst123r"]
    for name in environment.PACKAGES:
        found = environment.version(name)
        if found != "missing":
            assert found == metadata.version(name), name
    assert environment.version("no-such-distribution") == "missing"
