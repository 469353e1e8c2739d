"""What an archive gives again stays out of a bundle; what goes in is as the run made it."""

import pytest

from hst123r.errors import InputError
from hst123r.sharing.choice import chosen


def test_tables_go_in_and_images_if_asked(extract, work):
    names = [item.name for item in chosen(extract, work, images=False)]
    assert names == ["results/products/scrape/a.ecsv", "results/report.html"]
    names = [item.name for item in chosen(extract, work, images=True)]
    assert "results/products/stack/a_drz.fits" in names
    assert not any("raw" in name for name in names)


@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_file_that_is_not_as_it_was_is_named(extract, work, harm):
    path = work / "products/scrape/a.ecsv"
    path.write_text("other") if harm == "changed" else path.unlink()
    with pytest.raises(InputError, match=r"no longer as it made them: results/products/scrape"):
        chosen(extract, work, images=False)
