"""Good and bad recipes, for the loader and the schema alike.

Each bad one differs from :data:`GOOD` in one place. ``semantic`` ones are refused by the loader
only: they are about relations that a draft-07 schema cannot say (names that must differ, stages
that need others).
"""

from dataclasses import dataclass

GOOD = """\
hst123r: 1
name: good
targets:
  - {name: T, position: "12:45:08.14 -00:27:32.8"}
select: {min_exposure: 15 s}
stages:
  - fetch: {from: directory, path: data}
  - drizzle: {pixfrac: 0.8}
"""


@dataclass(frozen=True)
class Entry:
    """A recipe, whether it is good, and what a message about it must say."""

    name: str
    text: str
    good: bool
    says: str = ""
    place: str = ""
    semantic: bool = False


def _change(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def good(name: str, old: str, new: str) -> Entry:
    return Entry(name, _change(old, new), good=True)


def bad(name: str, old: str, new: str, says: str, place: str = "", **options: bool) -> Entry:
    return Entry(name, _change(old, new), False, says, place, **options)


DRIZZLE = "drizzle: {pixfrac: 0.8}"
SELECT = "select: {min_exposure: 15 s}"
FETCH = "fetch: {from: directory, path: data}"
TARGET = '{name: T, position: "12:45:08.14 -00:27:32.8"}'

ENTRIES = [
    Entry("plain", GOOD, good=True),
    good("degrees", '"12:45:08.14 -00:27:32.8"', '"191.2839 -0.4591"'),
    good("title and paper", "name: good", "name: good\ntitle: t\npaper: {doi: 10.1/x, bibcode: b}"),
    good("authors", "name: good", "name: good\nauthors: [A, B]\ndescription: long"),
    good("no select", SELECT + "\n", ""),
    good("zero exposure", "15 s", "0 s"),
    good("minutes", "15 s", "0.25 min"),
    good("detectors", SELECT, "select: {detectors: [ACS/WFC, WFPC2]}"),
    good("filters", SELECT, "select: {filters: [F606W, F160W]}"),
    good("classes", SELECT, "select: {filter_classes: [W, LP]}"),
    good("proposal as number", SELECT, "select: {proposals: [10775]}"),
    good("proposal as text", SELECT, 'select: {proposals: ["10775"]}'),
    good("dates", SELECT, "select: {after: 2009-01-01, before: 2012-06-01T12:00:00}"),
    good("mjd", SELECT, "select: {after: MJD 55000.5}"),
    good("flags", SELECT, "select: {accept_expflags: [NORMAL, EXTENDED]}"),
    good("booleans", SELECT, "select: {accept_moving_targets: true, accept_polarisers: false}"),
    good("empty stage", DRIZZLE, "drizzle:"),
    good("empty mapping", DRIZZLE, "drizzle: {}"),
    good("pixfrac one", "0.8", "1"),
    good("pixfrac small", "0.8", "1e-3"),
    good("two drizzles", DRIZZLE, "drizzle: {}\n  - drizzle: {name: again, pixfrac: 0.5}"),
    good("for a detector", DRIZZLE, "drizzle: {for: {WFC3/IR: {scale: 0.09 arcsec}}}"),
    good("for a filter", DRIZZLE, "drizzle: {for: {F814W: {pixfrac: 0.9}}}"),
    good("for both", DRIZZLE, "drizzle: {for: {WFC3/IR F160W: {pixfrac: 0.9}}}"),
    good("on bad", DRIZZLE, "drizzle: {on_bad: use}"),
    good("bits", DRIZZLE, "drizzle: {bits: [64, 32]}"),
    good("lists", DRIZZLE, "drizzle: {per: [detector, filter, epoch], cr_snr: [4, 3.5]}"),
    good("rotation", DRIZZLE, "drizzle: {rotation: 0 deg}"),
    good("several targets", TARGET, TARGET + '\n  - {name: U, position: "10 20"}'),
    good("recursive", FETCH, "fetch: {from: directory, path: data, recursive: true}"),
    good(
        "simulated", FETCH,
        "fetch: {from: simulated, simulation: {observations: "
        "[{detector: ACS/WFC, filter: F606W, dates: [2019-04-01]}]}}",
    ),
    good("epoch gap", FETCH, FETCH + "\n  - exposures: {epoch_gap: 2 day}"),
    good("an alias", SELECT, "select: {filters: &f [F606W], exclude: []}"),
    bad("no version", "hst123r: 1\n", "", "hst123r: is missing here", "1:1"),
    bad("wrong version", "hst123r: 1", "hst123r: 2", "2 is not one of 1", "1:10"),
    bad("version as text", "hst123r: 1", 'hst123r: "1"', "is not one of 1", "1:10"),
    bad("no name", "name: good\n", "", "name: is missing here"),
    bad("name with a slash", "name: good", "name: a/b", "right form", "2:7"),
    bad("empty name", "name: good", 'name: ""', "right form"),
    bad("unknown key", "name: good", "name: good\ntargetz: 1", "did you mean 'targets'?", "3:1"),
    bad("unknown paper key", "name: good", "name: good\npaper: {dio: x}", "did you mean 'doi'?"),
    bad("no targets", f"targets:\n  - {TARGET}\n", "", "targets: is missing here"),
    bad("empty targets", f"targets:\n  - {TARGET}\n", "targets: []\n", "at least 1 needed"),
    bad("targets no list", f"targets:\n  - {TARGET}\n", "targets: T\n", "is not a list"),
    bad("target without position", TARGET, "{name: T}", "position: is missing here"),
    bad("target with ra", TARGET, "{name: T, ra: 1, position: '1 2'}", "unknown parameter"),
    bad("bad position", '"12:45:08.14 -00:27:32.8"', "here", "is not a position", "4:25"),
    bad("position as number", '"12:45:08.14 -00:27:32.8"', "12.5", "write it as text"),
    bad("bare number", "15 s", "15", "15 has no unit, write for example 15 s", "5:24"),
    bad("wrong dimension", "15 s", "15 arcsec", "is an angle; a time is needed"),
    bad("unknown unit", "15 s", "15 fortnight", "is not a unit known here"),
    bad("bad detector", SELECT, "select: {detectors: [ACS/WCF]}", "did you mean 'ACS/WFC'?"),
    bad("bad filter", SELECT, "select: {filters: [F814]}", "did you mean 'F814W'?"),
    bad("detector as text", SELECT, "select: {detectors: ACS/WFC}", "is not a list"),
    bad("empty filters", SELECT, "select: {filters: []}", "at least 1 needed"),
    bad("bad class", SELECT, "select: {filter_classes: [Z]}", "is not one of W, M"),
    bad("bad proposal", SELECT, "select: {proposals: [GO-1]}", "is not a proposal number"),
    bad("bad date", SELECT, "select: {after: last year}", "is not a date"),
    bad("bad boolean", SELECT, "select: {accept_polarisers: yes}", "is not true or false"),
    bad("select unknown", SELECT, "select: {min_exposur: 15 s}", "did you mean 'min_exposure'?"),
    bad("no stages", GOOD[GOOD.index("stages:"):], "", "stages: is missing"),
    bad("empty stages", GOOD[GOOD.index("stages:"):], "stages: []\n", "is a list of stages"),
    bad("stage as text", DRIZZLE, "drizzle", "write `- drizzle: {}`"),
    bad("unknown stage", DRIZZLE, "drizle: {}", "did you mean 'drizzle'?", "8:5"),
    bad("two keys", DRIZZLE, "{drizzle: {}, align: {}}", "a stage has one key"),
    bad("parameters as list", DRIZZLE, "drizzle: [1]", "parameters of a stage are a mapping"),
    bad("unknown parameter", "pixfrac: 0.8", "pixfrak: 0.8", "did you mean 'pixfrac'?", "8:15"),
    bad("above range", "0.8", "1.8", "stages[1].drizzle.pixfrac: 1.8 is above 1", "8:24"),
    bad("at the open end", "0.8", "0", "0 is not above 0"),
    bad("text for number", "0.8", "much", "is not a number"),
    bad("boolean for number", "0.8", "true", "true is not a number"),
    bad("bad choice", "pixfrac: 0.8", "kernel: sqare", "did you mean 'square'?"),
    bad("scale without unit", "pixfrac: 0.8", "scale: 0.05", "has no unit"),
    bad("float bit", "pixfrac: 0.8", "bits: [1.5]", "is not a whole number"),
    bad("one threshold", "pixfrac: 0.8", "cr_snr: [3]", "at least 2 needed"),
    bad("bad on_bad", "pixfrac: 0.8", "on_bad: ignore", "is not one of stop, exclude, use"),
    bad("bad instance name", "pixfrac: 0.8", "name: Epochs", "is no stage name"),
    bad("empty for", "pixfrac: 0.8", "for: {}", "`for` maps a detector"),
    bad("for unknown parameter", "pixfrac: 0.8", "for: {F814W: {pix: 1}}", "unknown parameter"),
    bad("for above range", "pixfrac: 0.8", "for: {F814W: {pixfrac: 2}}", "2 is above 1"),
    bad("uses a number", "pixfrac: 0.8", "uses: 3", "give the name of an earlier stage"),
    bad("unknown archive", "from: directory", "from: directry", "did you mean 'directory'?"),
    bad("fetch without archive", "from: directory, ", "", "from: is missing here"),
    bad(
        "simulation without observations", FETCH,
        "fetch: {from: simulated, simulation: {seed: 1}}", "observations: is missing here",
    ),
    bad(
        "simulation deep inside", FETCH,
        "fetch: {from: simulated, simulation: {observations: "
        "[{detector: ACS/WFC, filter: F606W, dates: [2019-04-01], exposurs: 3}]}}",
        "did you mean 'exposures'?",
    ),
    bad("null name", "name: good", "name:", "is not text"),
    bad(
        "for an unknown detector", "pixfrac: 0.8", "for: {WFC3/IRR: {pixfrac: 1}}",
        "is neither a detector nor a filter", semantic=True,
    ),
    bad(
        "same name twice", DRIZZLE, "drizzle: {}\n  - drizzle: {}", "is taken by stages[1]",
        semantic=True,
    ),
    bad(
        "same target twice", TARGET, TARGET + "\n  - " + TARGET, "is taken by targets[0]",
        semantic=True,
    ),
    bad(
        "nothing fetched", f"  - {FETCH}\n", "", "that no earlier stage makes; put fetch before it",
        semantic=True,
    ),
    bad(
        "uses a later stage", "pixfrac: 0.8", "uses: stacks", "no earlier stage is called",
        semantic=True,
    ),
    bad(
        "named like another stage", "pixfrac: 0.8", "name: exposures",
        "is the name of another stage",
        semantic=True,
    ),
]  # fmt: skip
