"""Which exposures are exclusive and cannot be had."""

from __future__ import annotations

from pathlib import Path

from hst123r.archives import endpoints, mast_token, token_check
from hst123r.archives.product_choice import Chosen
from hst123r.archives.shared import Shared
from hst123r.records.dates import mjd_now


def closed(
    exposures: list[Chosen], raw: Path | None, archive: Path | None, *, ask: bool
) -> dict[str, tuple[str, str, str]]:
    """Return the exposures that cannot be had: not public yet, not here, and there is no token.

    Parameters
    ----------
    exposures : list of Chosen
        What is wanted.
    raw : Path or None
        Where files may be already.
    archive : Path or None
        A shared archive, likewise.
    ask : bool
        Whether MAST is asked if it takes the user's token, where one is needed.

    Returns
    -------
    dict of str to (str, str, str)
        Root name, code and reason, by root name.

    Raises
    ------
    InputError
        If there is a token and it is none, or MAST does not take it.
    """
    now = mjd_now()
    found = {}
    for exposure in exposures:
        if exposure.public or (exposure.release_mjd is not None and exposure.release_mjd <= now):
            continue
        names = [item.name for item in exposure.files.values()]
        if raw is not None and all((raw / name).is_file() for name in names):
            continue
        if archive is not None:
            places = Shared(archive, exposure.cell)
            if all(places.has(name) for name in names):
                continue
        found[exposure.root] = (exposure.root, "exclusive", exposure.withheld)
    # the keyring is only asked where it matters
    token = mast_token.find() if found else None
    if token is None:
        return found
    if ask:
        token_check.check(token, endpoints.mast())
    return {}
