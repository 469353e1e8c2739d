"""Which cases of a test stand for all of them in every run, and which are run before a release."""

from __future__ import annotations

import pytest

RELEASE = (pytest.mark.heavy, pytest.mark.release)


def these(cases, *always):
    """Return cases as parameters; those not named as run always are marked `heavy` and `release`.

    A case is a name, or a tuple that begins with one.
    """
    params = []
    for case in cases:
        values = case if isinstance(case, tuple) else (case,)
        params.append(pytest.param(*values, marks=() if values[0] in always else RELEASE))
    return params
