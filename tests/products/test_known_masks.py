"""Masks of cosmic rays that are put to use again."""

import shutil
from pathlib import Path

import numpy as np
from astropy.io import fits

from hst123r.external.astrodrizzle import CR_BIT
from hst123r.products.known_masks import flag_known, known_masks
from hst123r.products.quality import write_mask
from hst123r.records.outcome import Product


def mask(name, epochs=1, path=""):
    return Product("cosmic-ray mask", name, {}, {"mask": path}, {"epochs": epochs})


def exposure(path):
    return Product("exposure", path.name[:9], {}, {"science": str(path)})


def test_masks_count_where_each_exposure_has_one_of_its_own_epoch():
    members = [Product("exposure", name, {"epoch": name}, {}) for name in ("a", "b")]
    one, other = mask("a"), mask("b")
    assert known_masks(members, [other, one]) == [one, other]
    assert known_masks(members, [one]) == []
    assert known_masks(members, [one, mask("b", epochs=2)]) == []
    # one that was left out where its epoch was searched
    members.append(Product("exposure", "c", {"epoch": "b"}, {}))
    assert known_masks(members, [other, one]) == [one, other]


def test_they_are_flagged_in_the_copies_and_nowhere_else(made_exposures, tmp_path):
    first, second = sorted(Path(made_exposures).glob("*_fl?.fits"))[:2]
    copies = [Path(shutil.copy2(path, tmp_path / path.name)) for path in (first, second)]
    for path in copies:
        path.chmod(0o644)
    with fits.open(first) as file:
        hit = np.zeros(file["DQ", 1].data.shape, dtype=bool)
        versions = [hdu.ver for hdu in file if hdu.name == "DQ"]
    hit[3, 5] = True
    write_mask(dict.fromkeys(versions, hit), tmp_path / "m.fits", "CRMASK")
    masks = [mask(first.name[:9], path=str(tmp_path / "m.fits"))]
    flag_known(
        {"exposure": [exposure(first), exposure(second)], "cosmic-ray mask": masks},
        tmp_path,
        CR_BIT,
    )
    for source, copy, flagged in ((first, copies[0], True), (second, copies[1], False)):
        with fits.open(source) as old, fits.open(copy) as new:
            for version in versions:
                changed = old["DQ", version].data != new["DQ", version].data
                assert not (changed & ~hit).any()
                assert bool(new["DQ", version].data[3, 5] & CR_BIT) >= flagged
                assert flagged or not changed.any()
