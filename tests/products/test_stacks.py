"""Stacks: what their headers say."""

import numpy as np
from astropy.io import fits

from hst123r.products.stacks import write_stack


def test_no_path_of_this_machine_is_in_a_stack(tmp_path):
    paths = {role: tmp_path / f"{role}.fits" for role in ("science", "weight", "context")}
    for path in paths.values():
        hdu = fits.PrimaryHDU(np.ones((4, 4), "f4"))
        hdu.header.update(
            RULEFILE="/home/ann/venv/fitsblender/acs_header.rules", EXPTIME=100.0,
            IDCTAB="jref$0461802ej_idc.fits", PHOTFLAM=7.8e-20, PHOTPLAM=5921.0,
        )  # fmt: skip
        hdu.writeto(path)
    write_stack(paths, tmp_path / "stack.fits", {}, "ELECTRONS/S")
    with fits.open(tmp_path / "stack.fits") as hdus:
        cards = [str(card.value) for hdu in hdus for card in hdu.header.cards]
        assert hdus[0].header["RULEFILE"] == "acs_header.rules"
        assert "jref$0461802ej_idc.fits" in cards
    assert not any("/home/ann" in value for value in cards)
