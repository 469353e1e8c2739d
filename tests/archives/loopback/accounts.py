"""Who a token belongs to, and where the public bucket has a file.

The shapes are those that the client of MAST reads: ``anon`` and ``attrib`` of the one, and of the
other, ``status_code`` and ``path`` by URI, as in a recorded reply.
"""

from __future__ import annotations

from urllib.parse import urlsplit

WHO, WHERE = "/whoami", "/api/v0.1/path_lookup/"
PATHS = {WHO, WHERE}


def token_of(handler):
    """Return the token of a request: of its header, or of the cookie of the archive's client."""
    kind, _, token = handler.headers.get("Authorization", "").partition(" ")
    if kind in {"token", "Bearer"}:
        return token
    for part in handler.headers.get("Cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "mast_token":
            return value
    return ""


def answer(handler, asked):
    """Answer one request."""
    holdings = handler.archive.holdings
    if urlsplit(handler.path).path == WHO:
        token = token_of(handler)
        if token not in holdings.tokens | holdings.strangers:
            # one that it does not know is the same as none
            return handler.json({"anon": True, "ezid": "anonymous", "attrib": {}, "scopes": []})
        return handler.json(
            {
                "anon": False, "ezid": "somebody", "scopes": ["mast:exclusive_access"],
                "attrib": {"display_name": "Some Body", "email": "somebody@example.org"},
            }
        )  # fmt: skip
    found = {uri: holdings.path_of(uri) for uri in asked.get("uri", [])}
    return handler.json(
        {
            uri: {"status_code": 404 if path is None else 200, "path": path}
            for uri, path in found.items()
        }
    )
