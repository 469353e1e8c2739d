"""The noise drizzlepac expects of hits; its use is in tests/truth/test_skies.py."""

import pytest


class Chip:
    _effGain = 7.0  # noqa: N815


class Image:
    scienceExt = "SCI"  # noqa: N815

    def __init__(self):
        self.chips = [Chip(), Chip()]

    def returnAllChips(self, extname):  # noqa: N802
        assert extname == self.scienceExt
        return self.chips


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fails", [False, True])
def test_gains_are_one_while_it_looks_and_what_they_were_after(monkeypatch, fails):
    from drizzlepac import drizCR

    from hst123r.external.rejection_noise import noise_in_electrons

    seen = []

    def look(image, outputs):
        seen.extend(chip._effGain for chip in image.chips)
        if fails:
            raise ValueError(outputs)

    monkeypatch.setattr(drizCR, "_driz_cr", look)
    image = Image()
    with noise_in_electrons():
        if fails:
            with pytest.raises(ValueError, match="stack"):
                drizCR._driz_cr(image, "stack")
        else:
            drizCR._driz_cr(image, "stack")
    assert seen == [1.0, 1.0]
    assert [chip._effGain for chip in image.chips] == [7.0, 7.0]
    assert drizCR._driz_cr is look
