"""A CRDS server with reference files: its JSON-RPC service, and files with ranges and faults.

Methods and addresses are those that the client of CRDS 14 uses.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import pprint
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from loopback.holdings import Held

ROOT = "/crds"
FILES = f"{ROOT}/unchecked_get/references/hst/"


@dataclass
class Service:
    """What a CRDS server holds."""

    files: dict = field(default_factory=dict)
    best: dict = field(default_factory=dict)
    contexts: set = field(default_factory=lambda: {"hst_0001.pmap"})
    asked: list = field(default_factory=list)
    encoded: bool = False

    def add(self, name, data):
        self.files[name] = Held(data)

    def info(self, observatory, names, fields):
        """Return what is known of files; of one that is not there the real one says nothing."""
        assert observatory == "hst"
        return {
            name: {
                key: value
                for key, value in {
                    "size": str(len(held.data)), "sha1sum": hashlib.sha1(held.data).hexdigest(),
                }.items()
                if fields is None or key in fields
            }
            for name in names
            if (held := self.files.get(name)) is not None
        }  # fmt: skip

    def references(self, context, header, types):
        """Return the best references of a header, by type."""
        if context not in self.contexts:
            raise LookupError(f"unknown context {context}")
        assert header["INSTRUME"]
        return {name: self.best.get(name, "NOT FOUND n/a") for name in types}


def listed_by_the_client(cache, files):
    """Write the list of all files that the client of CRDS keeps in its cache."""
    about = {
        name: {"size": str(len(data)), "sha1sum": hashlib.sha1(data).hexdigest()}
        for name, data in files.items()
    }
    path = cache / "config" / "hst" / "server_config"
    path.parent.mkdir(parents=True, exist_ok=True)
    config = {"status": "server", "download_metadata": packed(about), "bad_files_list": []}
    path.write_text(pprint.pformat(config))
    return {name: entry["sha1sum"] for name, entry in about.items()}


def packed(value):
    """Pack an answer as CRDS does."""
    text = base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()
    return {"crds_encoded": "1.0", "crds_payload": text}


def answer(handler, body):
    """Answer one request."""
    service = handler.archive.crds
    path = urlsplit(handler.path).path
    if path.startswith(f"{ROOT}/json/") and handler.command == "POST":
        return handler.json(_call(handler, service, json.loads(body)))
    if path.startswith(FILES):
        held = service.files.get(path.removeprefix(FILES))
        if held is not None:
            return handler.give(held)
    return handler.send(404, b"no such file", "text/plain")


def _call(handler, service, call):
    kind = handler.fault.kind if handler.fault else ""
    service.asked.append(call["method"])
    methods = {
        "get_file_info_map": service.info,
        "get_best_references": service.references,
    }
    reply = {"jsonrpc": "1.0", "id": call["id"], "error": None, "result": None}
    if kind == "error":
        reply["error"] = {"message": handler.fault.get("body", "the database is away")}
        return reply
    try:
        reply["result"] = methods[call["method"]](*call["params"])
    except LookupError as error:
        reply["error"] = {"message": str(error)}
    if service.encoded:
        reply["result"] = packed(reply["result"])
    return reply
