"""What an archive gives again stays out of a bundle; what goes in is as the run made it."""

import pytest

from hst123r.errors import InputError
from hst123r.files.content import look
from hst123r.sharing.choice import chosen


def test_tables_go_in_and_images_if_asked(extract, work):
    names = [item.name for item in chosen(extract, work, images=False)]
    assert names == ["results/products/scrape/a.ecsv", "results/report.html"]
    names = [item.name for item in chosen(extract, work, images=True)]
    assert "results/products/stack/a_drz.fits" in names
    assert not any("raw" in name for name in names)


def test_headerlets_go_in_where_their_exposures_do_not(extract, work):
    """By them the alignment is had without the pixels."""
    names = {role: f"products/align/v/a_{role}.fits" for role in ("science", "headerlet")}
    files = []
    for role, name in names.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(role)
        digest = look(work / name).digest
        files.append({"role": role, "path": name, "owned": True, "digest": digest, "facets": {}})
    made = {"kind": "exposure", "name": "a", "labels": {}, "facts": {}, "files": files}
    extract["jobs"].append({**extract["jobs"][1], "stage": "align", "products": [made]})
    found = {item.name: item.role for item in chosen(extract, work, images=False)}
    assert found[f"results/{names['headerlet']}"] == "headerlet"
    assert f"results/{names['science']}" not in found


@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_file_that_is_not_as_it_was_is_named(extract, work, harm):
    path = work / "products/scrape/a.ecsv"
    path.write_text("other") if harm == "changed" else path.unlink()
    with pytest.raises(InputError, match=r"no longer as it made them: results/products/scrape"):
        chosen(extract, work, images=False)
