"""Every option of hst123 becomes a part of a recipe, an option of a run, or a reason why not."""

import pytest

from hst123r.errors import InputError
from hst123r.recipe.hst123.draft import Draft, text
from hst123r.recipe.hst123.options import OPTIONS, read_call
from hst123r.recipe.hst123.translate import translate
from hst123r.recipe.load import load

MEASURED = "--run-dolphot --sd"
SAYS = {
    "object": ("--object 'SN'", "{name: SN, position:"),
    "work-dir": ("--work-dir x", "--work-dir has no place here"),
    "raw-dir": ("--raw-dir cache", "from: directory, path: cache"),
    "cleanup": ("--cleanup", "--cleanup has no place here"),
    "keep-drizzle-artifacts": ("--keep-drizzle-artifacts", "--keep-drizzle-artifacts has no"),
    "redo": (f"--redo {MEASURED}", "--redo align --redo stacks --redo photometry"),
    "redo-astrometry": ("--redo-astrometry", "--redo align`"),
    "redo-astrodrizzle": ("--redo-astrodrizzle --drizzle-all", "--redo epochs --redo stacks`"),
    "redo-dolphot": (f"--redo-dolphot {MEASURED}", "--redo photometry`"),
    "clobber": ("--clobber", "--redo align --redo stacks`"),
    "by-visit": ("--by-visit", "per: [detector, filter, epoch]"),
    "version": ("--version", "--version has no place here"),
    "help": ("--help", "--help has no place here"),
    "max-cores": ("--max-cores 3", "--jobs 3`"),
    "download": ("--download", "from: mast"),
    "token": ("--token SECRET", "--token has no place here"),
    "archive": ("--archive /a/b", 'from: mast, archive: "/a/b"'),
    "skip-copy": ("--archive /a/b --skip-copy", "--skip-copy has no place here"),
    "no-clear-downloads": ("--no-clear-downloads", "--no-clear-downloads has no place"),
    "before": ("--before 2019-01-01", 'before: "2019-01-01"'),
    "after": ("--after 2011-02-03", 'after: "2011-02-03"'),
    "only-filter": ("--only-filter f555w,F814W", "filters: [F555W, F814W]"),
    "only-wide": ("--only-wide", "filter_classes: [W, X, LP]"),
    "keep-short": ("--keep-short", "min_exposure: 0 s"),
    "keep-indt": ("--keep-indt", "accept_expflags: [NORMAL, INDETERMINATE]"),
    "keep-tdf-down": ("--keep-tdf-down", "TDF-DOWN"),
    "reference": ("--ref mine.fits", "file: mine.fits"),
    "reference-filter": ("--ref-filter f814w", "filter: F814W"),
    "reference-instrument": ("--reference-instrument wfc3_uvis", "detector: WFC3/UVIS"),
    "avoid-wfpc2": ("--avoid-wfpc2", "avoid: [WFPC2]"),
    "no-mask": ("--no-mask", "--no-mask has no place here"),
    "drizzle-add": ("--drizzle-add a/ib1f01abq_flc.fits --drizzle-mask 1.5,2.5", "[ib1f01abq]"),
    "drizzle-mask": ("--drizzle-mask 1.5,2.5", "--drizzle-mask has no place here"),
    "align-with": ("--align-with jhat", "method: jhat"),
    "skip-tweakreg": ("--skip-tweakreg", "method: none"),
    "tweak-search": ("--tweak-search 0.4", "search_radius: 8 pix"),
    "tweak-min-obj": ("--tweak-min-obj 12", "min_matches: 12"),
    "tweak-nbright": ("--tweak-nbright 9000", "brightest: 5000"),
    "tweak-thresh": ("--tweak-thresh 7", "stars: {threshold: 7.0}"),
    "keep-objfile": ("--keep-objfile", "--keep-objfile has no place here"),
    "hierarchical": ("--hierarchical", "method: tweakwcs, hierarchical: true"),
    "hierarchical-test": ("--hierarchical --hierarchical-test", "--until align`"),
    "add-crmask": ("--add-crmask", "write_dq: true"),
    "drizzle-all": ("--drizzle-all", "name: epochs"),
    "redrizzle": ("--redrizzle", "--redrizzle has no place here"),
    "drizzle-dim": ("--drizzle-dim 2000", "size: 2000 pix"),
    "drizzle-scale": ("--drizzle-scale 0.04", "scale: 0.04 arcsec"),
    "sky-sub": ("--sky-sub", "--sky-sub has no place here"),
    "combine-type": ("--combine-type median", "combine: median"),
    "wht-type": ("--wht-type ivm", "weight: IVM"),
    "no-nan": ("--no-nan", "--no-nan has no place here"),
    "fix-zpt": ("--fix-zpt 27.5", "zeropoint: 27.5"),
    "no-rotation": ("--no-rotation", "rotation: null"),
    "run-dolphot": ("--run-dolphot", "photometry: {engine: dolphot"),
    "dolphot": (f"{MEASURED} --dp dp", "--dolphot has no place here"),
    "align-only": (f"{MEASURED} --align-only", "align_only: true"),
    "dolphot-lim": (f"{MEASURED} --dolphot-lim 3.0", "{SigFind: 3.0, SigFinal: 3.0}"),
    "fit-sky": (f"{MEASURED} --fit-sky 0", "{FitSky: 0}"),
    "include-all-splits": (f"{MEASURED} --include-all-splits", "photometry: {engine: dolphot}"),
    "do-fake": (f"{MEASURED} --do-fake", "fake: {number: 50000"),
    "scrape-dolphot": ("--scrape-dolphot", "scrape: {radius: 0.6 arcsec}"),
    "scrape-all": (f"{MEASURED} --scrape-all", "source: all"),
    "scrape-radius": (f"{MEASURED} --scrape-radius 0.25", "radius: 0.25 arcsec"),
    "brightest": (f"{MEASURED} --brightest", "source: brightest"),
    "no-cuts": (f"{MEASURED} --no-cuts", "--no-cuts has no place here"),
    "no-write-dolphot-hdf5": (f"{MEASURED} --no-write-dolphot-hdf5", "[ecsv, phot, snana]"),
    "write-dolphot-hdf5": (f"{MEASURED} --write-dolphot-hdf5", "[ecsv, phot, snana, hdf5]"),
}
"""Options, what they become by themselves or with those that they need."""


def made(words: str) -> Draft:
    import shlex

    return translate(read_call(["12:45:08.14", "-00:27:32.8", *shlex.split(words)]))


def test_every_option_is_here():
    assert set(SAYS) == {option.name for option in OPTIONS}


@pytest.mark.parametrize("name", list(SAYS))
def test_an_option(name, tmp_path):
    words, says = SAYS[name]
    written = text(made(words), "made", "a call")
    assert says in written.replace("\n# ", " ").replace("\n  # ", " ")
    path = tmp_path / "made.yaml"
    path.write_text(written)
    load(path)


@pytest.mark.parametrize("name", ["scrape-radius 0.2", "do-fake", "fit-sky 1", "dolphot x"])
def test_what_nothing_comes_of_is_told(name):
    draft = made(f"--{name}")
    assert "measures nothing" in draft.dropped[name.split()[0]]
    assert [entry.stage for entry in draft.stages] == ["fetch", "reference", "align", "drizzle"]


def test_a_token_is_nowhere():
    assert "SECRET" not in text(made("--token SECRET --download"), "made", "a call")


def test_options_of_earlier_versions_are_named_with_a_reason():
    written = text(made("--makeclean --password SECRET --drizzleall"), "made", "a call")
    assert "--makeclean has no place here: it removed files" in written.replace("\n# ", " ")
    assert "--password has no place here" in written
    assert "SECRET" not in written
    assert "name: epochs" in written


def test_hst123s_own_mistakes_are_told():
    for words, says in [
        ("--tweak-search 1", "rounds 1 arcsec"),
        ("--tweak-thresh 7", "never uses it"),
        ("--hierarchical", "crashes"),
        (f"{MEASURED} --do-fake", "crashes"),
        (f"{MEASURED} --dolphot-lim 5", "ignores a --dolphot-lim above 3.5"),
        (f"{MEASURED} --scrape-radius 0", "radius of 0"),
        ("--keep-short", "subtract_sky: false"),
        ("--hierarchical --hierarchical-test", "never looks at it"),
        ("--drizzle-add a_flc.fits", "only put them into the reference"),
        ("--reference-instrument nicmos", "hst123 ignored it too"),
        ("--reference-instrument wfc3", "others only if need be"),
    ]:
        written = text(made(words), "made", "a call").replace("\n# ", " ").replace("\n  # ", " ")
        assert says in written, words


def test_positions_that_hst123_takes_for_something_else_are_refused():
    for words in (["12:45:08.14", "-0.459"], ["191.28", "-00:27:32.8"]):
        with pytest.raises(InputError, match="takes both of"):
            translate(read_call(words))
    assert translate(read_call(["191.28", "-0.459"])).targets == [("target", "191.28 -0.459")]


def test_raw_files_are_where_hst123_looks_for_them():
    paths = [made(words).stages[0].values["path"] for words in (
        "", "--work-dir /data/x", "--work-dir /data/x --raw-dir cache",
    )]  # fmt: skip
    assert paths == ["raw", "/data/x/raw", "cache"]


def test_a_name_that_cannot_be_one():
    assert made("--object 'SN 2019yvr'").targets[0][0] == "SN_2019yvr"
    with pytest.raises(InputError, match="cannot be a name of a target"):
        made("--object 'a/b'")
