"""Archive files are whole, and are what their names say."""

import numpy as np
import pytest
from astropy.io import fits

from hst123r.errors import InputError
from hst123r.files.verify import verify_exposure


def test_a_good_file(image):
    assert verify_exposure(image(), "jabc01a1q") == "absent"
    assert verify_exposure(image("b.fits", checksum=True), "jabc01a1q") == "verified"


def cut(path):
    path.write_bytes(path.read_bytes()[:-2880])


def drop_extension(path):
    with fits.open(path) as hdus:
        kept = fits.HDUList([hdu.copy() for hdu in hdus[:2]])
    kept[0].header["NEXTEND"] = 3
    kept.writeto(path, overwrite=True)


def no_science(path):
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((2, 2)), name="ERR")]).writeto(
        path, overwrite=True
    )


def other_root(path):
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["ROOTNAME"] = "jxyz01a1q"


def no_root(path):
    with fits.open(path, mode="update") as hdus:
        del hdus[0].header["ROOTNAME"]


def empty(path):
    path.write_bytes(b"")


def web_page(path):
    path.write_text("<html>The archive is down for maintenance</html>")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut, "truncated"),
        (drop_extension, "announces 3 extensions, there are 1"),
        (no_science, "no SCI extension"),
        (other_root, "its ROOTNAME is 'jxyz01a1q', its name says 'jabc01a1q'"),
        (no_root, "it has no ROOTNAME"),
        (empty, "the file is empty"),
        (web_page, "is not a FITS file"),
    ],
)
def test_damage_is_named(image, damage, says):
    path = image()
    damage(path)
    with pytest.raises(InputError) as caught:
        verify_exposure(path, "jabc01a1q")
    assert says in str(caught.value)
    assert path.name in str(caught.value)


def test_a_wrong_checksum_is_found(image):
    path = image(checksum=True)
    content = bytearray(path.read_bytes())
    with fits.open(path) as hdus:
        place = hdus["SCI"].fileinfo()["datLoc"]
    content[place + 10] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="verification failed"):
        verify_exposure(path, "jabc01a1q")
