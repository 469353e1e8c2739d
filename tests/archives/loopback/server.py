"""The server: threads, real sockets, ranges, validators, tokens and every fault."""

from __future__ import annotations

import gzip
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from loopback import accounts, crds, missions, replies, tap
from loopback.faults import Faults
from loopback.holdings import PUBLIC, Holdings

PIECE = 64 * 1024
HTML = b"<html><body>MAST is down for maintenance</body></html>"
DOWNLOAD = "/api/v0.1/Download/file"
BUCKET = "/hst/"
NAMED_BUCKET = "/stpubdata"
"""Clients of S3 put the name of the bucket before the path where the host is a number."""


class Archive:
    """An archive that runs; a context manager."""

    def __init__(self, holdings=None):
        self.holdings = holdings or Holdings()
        self.tap = tap.Service()
        self.crds = crds.Service()
        self.plain = {}
        self.faults = Faults()
        self.log = []
        self.ranges = self.etags = self.lengths = True
        self.ending = threading.Event()
        self._server = None

    def __enter__(self):
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.archive = self
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def tap_url(self):
        return f"{self.url}{tap.ROOT}"

    @property
    def crds_url(self):
        return f"{self.url}{crds.ROOT}"

    def download_url(self, uri):
        return f"{self.url}{DOWNLOAD}?uri={uri}"

    def requests(self, part):
        """Return the requests whose line holds some text."""
        return [entry for entry in self.log if part in entry["request"]]


def _service(path):
    """Return what answers all requests below a path, None where that is the server itself."""
    services = (tap, crds, missions)
    return next((one for one in services if path.startswith(one.ROOT)), None)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Say nothing of clients that went away, which tests make them do."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    @property
    def archive(self):
        return self.server.archive

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._serve(lambda: self._post(body), body)

    def do_GET(self):
        self._serve(self._get, "")

    def do_DELETE(self):
        self._serve(self._get, "")

    def do_HEAD(self):
        self._serve(self._get, "")

    def _serve(self, answer, body):
        request = f"{self.command} {self.path}"
        self.archive.log.append({"request": request, "headers": dict(self.headers), "body": body,
                                 "time": time.monotonic()})  # fmt: skip
        self.fault = self.archive.faults.take(request)
        try:
            if not self._refused():
                answer()
            self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _refused(self):
        """Answer with a fault that needs nothing of the archive; whether there was one."""
        fault = self.fault
        kind = fault.kind if fault else ""
        if kind == "hang":
            self.archive.ending.wait(fault.get("seconds", 60))
            self.close_connection = True
        elif kind == "drop":
            self.close_connection = True
        elif kind == "status":
            headers = {}
            if fault.get("retry_after") is not None:
                headers["Retry-After"] = str(fault.get("retry_after"))
            self.send(fault.get("code", 503), fault.get("body", HTML), "text/html", headers)
        elif kind == "html":
            self.send(200, HTML, "text/html")
        elif kind == "garbage":
            self.send(200, b"\x00\xff{not json" * 50, "application/json")
        elif kind == "body":
            self.send(200, fault.get("body"))
        elif kind == "redirect":
            self.send(302, b"", "text/plain", {"Location": fault.get("to") or self.path})
        else:
            return False
        return True

    def send(self, code, body, kind="application/json", headers=None):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _post(self, body):
        path = urlsplit(self.path).path
        holdings = self.archive.holdings
        service = _service(path)
        if service is not None:
            return service.answer(self, body)
        if path.endswith("/columnsconfig"):
            rows = [{**row, "distance": 0.0} for row in holdings.observations]
            return self.json(replies.columns_config(rows))
        if path != "/api/v0/invoke":
            return self.send(404, b"{}")
        kind = self.fault.kind if self.fault else ""
        if kind == "executing":
            return self.json({"status": "EXECUTING", "msg": "", "data": [], "fields": []})
        if kind == "error":
            text = self.fault.get("body", "the database is away")
            return self.json({"status": "ERROR", "msg": text, "data": [], "fields": []})
        answer = replies.invoke(body, holdings)
        if kind == "short_page":
            answer["data"] = answer["data"][:-1]
        if kind == "truncate":
            return self._cut_json(answer)
        return self.json(answer)

    def json(self, answer):
        body, headers = json.dumps(answer).encode(), {}
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body, headers = gzip.compress(body, 1), {"Content-Encoding": "gzip"}
        self.send(200, body, headers=headers)

    def _cut_json(self, answer):
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True

    def _get(self):
        parts = urlsplit(self.path)
        service = _service(parts.path)
        if service is not None:
            return service.answer(self, "")
        if parts.path in self.archive.plain:
            return self.give(self.archive.plain[parts.path])
        if parts.path == DOWNLOAD:
            return self.file(parse_qs(parts.query)["uri"][0])
        if parts.path in accounts.PATHS:
            return accounts.answer(self, parse_qs(parts.query))
        path = parts.path.removeprefix(NAMED_BUCKET)
        if path.startswith(BUCKET):
            return self._of_the_bucket(path)
        return self.send(404, b"not here", "text/plain")

    def give(self, held):
        """Send bytes that are held, as those of the archive: with ranges, validators and faults."""
        return self._bytes(held, self.fault.kind if self.fault else "")

    def _of_the_bucket(self, path):
        """Answer as the public bucket does, which says 403 of all that it does not have."""
        holdings = self.archive.holdings
        for uri in holdings.files:
            if holdings.path_of(uri) == unquote(path):
                return self.file(uri)
        return self.send(403, b"<Error>AccessDenied</Error>", "application/xml")

    def file(self, uri):
        archive, fault = self.archive, self.fault
        kind = fault.kind if fault else ""
        if kind in {"replace", "replace_ignoring_if_range"}:
            archive.holdings.replace(uri, fault.get("data"))
        with archive.holdings.lock:
            held = archive.holdings.files.get(uri)
        if held is None:
            return self.send(404, b"no such file", "text/plain")
        if held.rights != PUBLIC:
            token = accounts.token_of(self)
            if not token:
                return self.send(401, b"log in", "text/plain")
            if token not in archive.holdings.tokens:
                return self.send(403, b"not yours", "text/plain")
        return self._bytes(held, kind)

    def _bytes(self, held, kind):
        data, fault = held.data, self.fault
        if kind == "corrupt":
            at = int(len(data) * fault.get("at", 0.5))
            data = data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]
        start, code = self._range(held, kind)
        if start >= len(data) and code == 206:
            return self.send(416, b"", "text/plain", {"Content-Range": f"bytes */{len(data)}"})
        self._head(held, data, start, code, kind)
        if self.command != "HEAD":
            self._body(data[start:], kind)
        return None

    def _range(self, held, kind):
        asked = self.headers.get("Range", "")
        able = self.archive.ranges and kind not in {"no_ranges", "ignore_range"}
        condition = self.headers.get("If-Range")
        if not asked.startswith("bytes=") or not able:
            return 0, 200
        if kind == "replace_ignoring_if_range":
            condition = None
        if condition is not None and condition not in {held.etag, held.last_modified}:
            return 0, 200
        return int(asked[6:].partition("-")[0]), 206

    def _head(self, held, data, start, code, kind):
        self.send_response(code)
        self.send_header("Content-Type", "application/fits")
        if self.archive.etags:
            self.send_header("ETag", held.etag)
            self.send_header("Last-Modified", held.last_modified)
        if self.archive.ranges and kind != "no_ranges":
            self.send_header("Accept-Ranges", "bytes")
        if code == 206:
            said = start + 10 if kind == "wrong_range" else start
            self.send_header("Content-Range", f"bytes {said}-{len(data) - 1}/{len(data)}")
        length = len(data) - start
        if kind == "short_length":
            length -= 2880
        if kind == "long_length":
            length += 2880
            self.close_connection = True
        if kind in {"chunked", "truncate_chunked"}:
            self.send_header("Transfer-Encoding", "chunked")
        elif kind in {"no_length", "truncate_no_length"} or not self.archive.lengths:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _body(self, data, kind):
        fault = self.fault
        if kind == "short_length":
            data = data[:-2880]
        end = len(data)
        if kind in {"truncate", "truncate_no_length", "truncate_chunked", "stall"}:
            end = int(len(data) * fault.get("at", 0.5))
        chunked = "chunked" in kind
        pause = PIECE / fault.get("rate") if kind == "slow" else 0.0
        for begin in range(0, end, PIECE):
            piece = data[begin : min(begin + PIECE, end)]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if chunked else piece)
            if pause:
                self.wfile.flush()
                if self.archive.ending.wait(pause):
                    break
        if kind == "chunked":
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
        if kind == "stall":
            self.archive.ending.wait(fault.get("seconds", 60))
        if end < len(data):
            self.close_connection = True
