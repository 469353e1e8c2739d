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

SIMULATION = "simulation: {observations: [{detector: ACS/WFC, filter: F606W, dates: [2019-04-01]}]}"
TRANSIENT = "{dates: [2019-04-01, 2019-05-01], magnitudes: [20 mag, 22 mag]}"


def simulated(observation: str = "", more: str = "") -> str:
    """Return a stage `fetch` with a simulation that has some more in it."""
    inside = SIMULATION.replace("[2019-04-01]", f"[2019-04-01]{observation}")
    return f"fetch: {{from: simulated, {inside[:-1]}{more}}}}}"


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
    good("a target by its name", TARGET, '{name: "NGC 4993", resolve: true}'),
    good("a target by another name", TARGET, '{name: T, resolve: "NGC 4993"}'),
    good("several targets", TARGET, TARGET + '\n  - {name: U, position: "10 20"}'),
    good("recursive", FETCH, "fetch: {from: directory, path: data, recursive: true}"),
    good(
        "simulated", FETCH,
        "fetch: {from: simulated, simulation: {observations: "
        "[{detector: ACS/WFC, filter: F606W, dates: [2019-04-01]}]}}",
    ),
    good("epoch gap", FETCH, FETCH + "\n  - exposures: {epoch_gap: 2 day}"),
    good("an alias", SELECT, "select: {filters: &f [F606W], exclude: []}"),
    good("sizes", FETCH, simulated(", size: 64 pix, exposure_time: 0.5 s")),
    good("transient", FETCH, simulated(more=f", transient: {TRANSIENT}")),
    good("errors of visits", FETCH, simulated(more=", errors: [{east: -0.1 arcsec}]")),
    good("observed targets", FETCH, simulated(more=", at: [T], dither: 0 arcsec, sky: null")),
    good("margin zero", SELECT, "select: {margin: 0 pix}"),
    good("exclude in any case", SELECT, "select: {exclude: [J8BT06NYQ]}"),
    good("select among the stages", SELECT + f"\nstages:\n  - {FETCH}",
         f"stages:\n  - {FETCH}\n  - select: {{on_bad: use}}"),
    good("select for a detector", SELECT, "select: {for: {ACS/HRC: {min_exposure: 1 s}}}"),
    good("align for a detector", DRIZZLE, "align: {for: {WFC3/IR: {search_radius: 8 pix}}}"),
    good("a plus sign", "15 s", "+15 s"),
    good("short hours", '"12:45:08.14 -00:27:32.8"', '"12h45m -00d27m"'),
    good("decimal hours", '"12:45:08.14 -00:27:32.8"', '"12.75h -0.46"'),
    good("comma alone", '"12:45:08.14 -00:27:32.8"', '"191.28,-0.459"'),
    good("braces", "name: good", 'name: good\ntitle: "{0} and {b}"'),
    bad("braces in a name", "name: good", 'name: "a{b}"', "'a{b}' does not have the right form"),
    bad("braces in a target", "name: T", 'name: "{0}"', "does not have the right form", "4:12"),
    bad("line break in a name", "name: good", 'name: "good\\n"', "right form"),
    bad("version true", "hst123r: 1", "hst123r: true", "reads version 1 of", "1:10"),
    bad("other digits", SELECT, 'select: {proposals: ["１２"]}', "is not a proposal number"),
    bad("other digits in a position", '"12:45:08.14 -00:27:32.8"', '"１２ 3"', "is not a position"),
    bad("ambiguous position", '"12:45:08.14 -00:27:32.8"', '"10 20 30 40"', "is not a position"),
    bad("negative time", "15 s", "-5 s", "-5 s is below 0 s", "5:24"),
    bad("negative margin", SELECT, "select: {margin: -3000 pix}", "-3000 pix is below 0 pix"),
    bad("negative gap", FETCH, FETCH + "\n  - exposures: {epoch_gap: -1 day}", "is below 0 day"),
    bad("no scale", "pixfrac: 0.8", "scale: 0 arcsec", "0 arcsec is not above 0 arcsec"),
    bad("no time", FETCH, simulated(", exposure_time: 0 s"), "0 s is not above 0 s", "7:129"),
    bad("negative size", FETCH, simulated(", size: -64 pix"), "-64 pix is below 0 pix"),
    bad("negative radius", FETCH, simulated(more=", stars: {radius: -5 arcsec}"), "is below 0"),
    bad("negative dither", FETCH, simulated(more=", dither: -1 arcsec"), "is below 0 arcsec"),
    bad("observed nowhere", FETCH, simulated(more=", at: []"), "at least 1 needed"),
    bad("negative bit", "pixfrac: 0.8", "bits: [-64]", "-64 is not one bit", "8:22"),
    bad("two bits", "pixfrac: 0.8", "bits: [64, 3]", "3 is not one bit", "8:26"),
    bad("no root name", SELECT, "select: {exclude: [j8bt]}", "is not the root name"),
    bad("top select named", SELECT, "select: {name: other}", "stands with stages only", "5:10"),
    bad("top select that uses", SELECT, "select: {uses: fetch}", "stands with stages only"),
    bad("name is a list", "pixfrac: 0.8", "name: [x]", "this list is no stage name"),
    bad("on bad is a list", "pixfrac: 0.8", "on_bad: [use]", "this list is not one of stop"),
    bad(
        "for where jobs do not differ", FETCH, FETCH + "\n  - exposures: "
        "{for: {ACS/HRC: {epoch_gap: 9 day}}}", "exposures has no jobs of one detector", "8:22",
    ),
    bad(
        "align for a filter", DRIZZLE, "align: {for: {F606W: {search_radius: 8 pix}}}",
        "a job of align is not about one filter; it can differ by detector only", "8:19",
    ),
    bad(
        "select in both places", "stages:\n", "stages:\n  - select: {}\n",
        "stages[0].select: `select` stands at the top level too, in line 5", "7:5", semantic=True,
    ),
    bad("name as number", "name: good", "name: 2019", '2019 is not text; write it in quotes'),
    bad("month 13", SELECT, "select: {after: 2009-13-01}", "is not a date", semantic=True),
    bad("far future", SELECT, "select: {after: MJD 99999999999}", "is not a date between 1900",
        semantic=True),
    bad("declination 95", '"12:45:08.14 -00:27:32.8"', '"10 95"', "is outside -90", semantic=True),
    bad("infinite time", "15 s", "1e999 s", "is not finite", semantic=True),
    bad("half a pixel", DRIZZLE, "align: {search_radius: 1.5 pix}", "no whole number",
        semantic=True),
    # JSON has one kind of number
    bad("bit with a point", "pixfrac: 0.8", "bits: [64.0]", "is not a whole number",
        semantic=True),
    bad("proposal with a point", SELECT, "select: {proposals: [5.0]}", "not a proposal number",
        semantic=True),
    bad("for a filter it has not", "pixfrac: 0.8", "for: {ACS/WFC F160W: {pixfrac: 1}}",
        "ACS/WFC has no filter F160W", semantic=True),
    bad("for a filter in small letters", "pixfrac: 0.8", "for: {f814w: {pixfrac: 1}}",
        "did you mean 'F814W'?", semantic=True),
    bad("for the same twice", "pixfrac: 0.8",
        "for: {WFC3/IR F160W: {pixfrac: 1}, F160W WFC3/IR: {pixfrac: 0.5}}",
        "there is another block for the same", semantic=True),
    bad("before is earlier", SELECT, "select: {after: 2012-01-01, before: MJD 55000}",
        "select.before: MJD 55000 is not later than `after`, 2012-01-01", "5:37", semantic=True),
    bad("no such filter there", SELECT, "select: {detectors: [WFC3/IR], filters: [F555W]}",
        "WFC3/IR has none of these filters", "5:41", semantic=True),
    bad("block against the recipe", SELECT,
        "select: {after: 2012-01-01, for: {ACS/HRC: {before: 2011-01-01}}}",
        "select.for.ACS/HRC.before: 2011-01-01 is not later", "5:53", semantic=True),
    bad("block that the recipe contradicts", SELECT,
        "select: {before: 2012-01-01, for: {ACS/HRC: {after: 2013-01-01}}}",
        "2012-01-01 is not later than `after`, 2013-01-01", "5:45", semantic=True),
    bad("blocks against each other", SELECT,
        "select: {for: {ACS/HRC: {after: 2013-01-01}, F606W: {before: 2012-01-01}}}",
        "select: for ACS/HRC F606W: before: 2012-01-01 is not later", "5:9", semantic=True),
    bad("directory without path", ", path: data", "", "needs `path`", "7:19", semantic=True),
    bad("simulated without simulation", "from: directory, path: data", "from: simulated",
        "needs `simulation`", "7:19", semantic=True),
    bad("detector without the filter", FETCH,
        simulated().replace("ACS/WFC", "WFC3/IR"), "filter: WFC3/IR has no F606W", "7:86",
        semantic=True),
    bad("grism", FETCH, simulated().replace("F606W", "G800L"),
        "G800L is a grism without a known band", semantic=True),
    bad("size below", FETCH, simulated(", size: 10 pix"), "10 pix is not between 32 and 4096",
        semantic=True),
    bad("size above", FETCH, simulated(", size: 100000 pix"), "is not between 32 and 4096 pix",
        semantic=True),
    bad("size in parts", FETCH, simulated(", size: 64.5 pix"), "is no whole number of pixels",
        semantic=True),
    bad("endless", FETCH, simulated(", exposure_time: 2 day"), "2 day is above 1 day",
        semantic=True),
    bad("one date twice", FETCH, simulated().replace("[2019-04-01]", "[2019-04-01, MJD 58574]"),
        "MJD 58574 stands here twice", semantic=True),
    bad("no such target", FETCH, simulated(more=", at: [T, U]"),
        "simulation.at[1]: there is no target 'U', known are T", semantic=True),
    bad("light curve of two lengths", FETCH,
        simulated(more=f", transient: {TRANSIENT.replace(', 22 mag', '')}"),
        "2 dates and 1 magnitudes; a light curve needs as many of each", semantic=True),
    bad("light curve backwards", FETCH,
        simulated(more=f", transient: {TRANSIENT.replace('05-01', '03-01')}"),
        "dates[1]: 2019-03-01 is not later than 2019-04-01", semantic=True),
    bad("a second sun", FETCH,
        simulated(more=f", transient: {TRANSIENT.replace('20 mag', '-30 mag')}"),
        "is brighter than -5 mag", semantic=True),
    bad("luminosity function backwards", FETCH,
        simulated(more=", stars: {brightest: 25 mag, faintest: 20 mag}"),
        "stars.faintest: 20 mag is not fainter", semantic=True),
    bad("too many stars apart", FETCH,
        simulated(more=", stars: {number: 1000, separation: 20 arcsec}"),
        "leave room for about 27 stars within 60 arcsec, not 1000", semantic=True),
    bad("errors for other visits", FETCH,
        simulated(more=", errors: [{east: 1 arcsec}, {north: 1 arcsec}]"),
        "2 errors for 1 visits", semantic=True),
    bad("no version", "hst123r: 1\n", "", "hst123r: is missing here", "1:1"),
    bad("wrong version", "hst123r: 1", "hst123r: 2", "recipe language, not 2", "1:10"),
    bad("version as text", "hst123r: 1", 'hst123r: "1"', "recipe language, not '1'", "1:10"),
    bad("no name", "name: good\n", "", "name: is missing here"),
    bad("name with a slash", "name: good", "name: a/b", "right form", "2:7"),
    bad("empty name", "name: good", 'name: ""', "right form"),
    bad("unknown key", "name: good", "name: good\ntargetz: 1", "did you mean 'targets'?", "3:1"),
    bad("unknown paper key", "name: good", "name: good\npaper: {dio: x}", "did you mean 'doi'?"),
    bad("no targets", f"targets:\n  - {TARGET}\n", "", "targets: is missing here"),
    bad("empty targets", f"targets:\n  - {TARGET}\n", "targets: []\n", "is empty, at least 1"),
    bad("targets no list", f"targets:\n  - {TARGET}\n", "targets: T\n", "is not a list"),
    bad("target without position", TARGET, "{name: T}", "position: is missing here", semantic=True),
    bad("a place and a name to look up", TARGET, "{name: T, position: '1 2', resolve: true}",
        "resolve: `position` says where it is", semantic=True),
    bad("a blank in a name", TARGET, "{name: T T, position: '1 2'}", "a blank can stand only",
        semantic=True),
    bad("nothing to look up", TARGET, "{name: T, resolve: 1}", "it is true, or the name"),
    bad("blank to look up", TARGET, "{name: T, resolve: ' '}", "does not have the right form"),
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
    bad("empty stages", GOOD[GOOD.index("stages:"):], "stages: []\n", "stages: is empty"),
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
