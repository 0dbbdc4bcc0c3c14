"""Both stores as a browser reaches them: a folder behind the application, and a real S3 server. For tests."""
import http.client
import threading
import uuid
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from werkzeug.serving import make_server

from core.storage import S3Store
from core.storage.contract import Store

SITE = "http://127.0.0.1:5000"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Place:
    """A store, and where its addresses lead."""
    store: Store
    base: str = ""

    def ask(self, method, url, body=None, headers=None) -> Answer:
        """One request over a connection of its own. A server may refuse a body before it has read it all."""
        where = urlsplit(self.base + url if url.startswith("/") else url)
        link = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):
                link.request(method, f"{where.path}?{where.query}", body, headers or {})
            answer = link.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        except (ConnectionResetError, http.client.RemoteDisconnected):
            return Answer(400, {}, b"the server hung up")
        finally:
            link.close()

    def post(self, form, data: bytes, **changed) -> Answer:
        """Send a file by a signed form, as a browser does; `changed` replaces fields."""
        fields = {**form.fields, **{name.replace("_", "-"): value for name, value in changed.items()}}
        edge = uuid.uuid4().hex
        body = b"".join(f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                        for name, value in fields.items())
        body += (f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="blob"\r\n'
                 "Content-Type: application/octet-stream\r\n\r\n").encode() + data + f"\r\n--{edge}--\r\n".encode()
        return self.ask("POST", form.url, body, {"Content-Type": f"multipart/form-data; boundary={edge}"})


def bucket_of(ceph, name=None, **more) -> S3Store:
    """A bucket of its own on the test server."""
    store = S3Store(name or f"media-{uuid.uuid4().hex}", **{
        "endpoint": ceph.endpoint, "region": ceph.region, "access_key": ceph.access_key,
        "secret_key": ceph.secret_key, **more})
    store.prepare([SITE])
    return store


class Serving:
    """An application on a port of its own, in a thread."""

    def __init__(self, app):
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
