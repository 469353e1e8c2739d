"""The files people publish."""

from pathlib import Path

import h5py
import pytest

from hst123r.products import tables


@pytest.fixture
def inputs(small):
    return {
        "light curve": small.products("scrape", "light curve"),
        "photometry": small.products("photometry", "photometry"),
        "exposure table": small.products("exposures", "exposure table"),
    }


@pytest.mark.parametrize(
    ("formats", "names"),
    [
        (["ecsv", "hdf5"], {"r.h5", "r_light_curves.ecsv"}),
        (["hdf5"], {"r.h5"}),
        (["ecsv"], {"r_light_curves.ecsv"}),
        (["phot", "snana"], {"SN.phot", "SN.snana", "nothing.phot", "nothing.snana"}),
    ],
)
def test_the_formats_asked_for_are_made_and_no_others(inputs, divide, do, formats, names):
    (job,) = divide("export", inputs).values()
    outcome = do("export", job, {"formats": formats})
    (product,) = outcome.products
    assert {Path(path).name for path in product.files.values()} == names
    assert all(Path(path).is_file() for path in product.files.values())
    folder = Path(next(iter(product.files.values()))).parent
    assert {path.name for path in folder.iterdir()} == names


def test_every_target_and_every_filter_is_in_it(inputs, divide, do):
    (job,) = divide("export", inputs).values()
    outcome = do("export", job)
    files = outcome.products[0].files
    with h5py.File(files["hdf5"]) as store:
        names = {name for name in store["light_curves"] if "__" not in name}
        assert names == {"SN", "nothing"}
        assert set(store["photometry"]) == {"SN-acs_wfc-f606w", "SN-acs_wfc-f814w"}
        assert store.attrs["recipe"] == "r"
    assert set(tables.read(files["light_curves"])["target"]) == {"SN", "nothing"}


def test_the_order_of_the_inputs_does_not_matter(inputs, divide, do):
    """The same results make the same bytes, however the jobs happened to end."""
    (job,) = divide("export", inputs).values()
    turned = {kind: list(reversed(found)) for kind, found in inputs.items()}
    (other,) = divide("export", turned).values()
    one, two = (do("export", given).products[0].files for given in (job, other))
    for role in one:
        assert Path(one[role]).read_bytes() == Path(two[role]).read_bytes()


def test_a_format_that_is_not_known_is_refused():
    from pydantic import ValidationError

    from hst123r.stages.export import ExportParams

    for given in ({"formats": ["csv"]}, {"formats": []}):
        with pytest.raises(ValidationError):
            ExportParams.model_validate(given)


def test_what_became_of_artificial_stars_is_exported_with_its_group():
    from hst123r.records.outcome import Product
    from hst123r.stages.export import Export, tables_of

    measured = Product("photometry", "SN-acs", {}, {"catalog": "c.ecsv"})
    stars = {"table": "t.ecsv", "stars": "s.ecsv", "plot": "p.png"}
    found = tables_of([measured], [Product("artificial stars", "SN-acs", {}, stars)])
    wanted = {"catalog": "c.ecsv", "completeness": "t.ecsv", "artificial_stars": "s.ecsv"}
    assert found == {"SN-acs": wanted}
    assert any(need.kind == "artificial stars" and need.optional for need in Export.needs)
