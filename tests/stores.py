"""Both stores as a browser reaches them: a folder behind the application, and a real S3 server. For tests."""
import threading
import uuid
from dataclasses import dataclass

from werkzeug.serving import make_server

from core.storage import probe
from core.storage.contract import Form, Store
from core.storage.probe import Answer
from core.storage.s3 import S3Store

SITE = "http://127.0.0.1:5000"


@dataclass
class Place:
    """A store, and where its addresses lead."""
    store: Store
    base: str = ""

    def ask(self, method, url, body=None, headers=None) -> Answer:
        return probe.ask(method, self.base + url if url.startswith("/") else url, body, headers)

    def post(self, form, data: bytes, **changed) -> Answer:
        """Send a file by a signed form; `changed` replaces fields."""
        fields = {**form.fields, **{name.replace("_", "-"): value for name, value in changed.items()}}
        return probe.post(Form(self.base + form.url if form.url.startswith("/") else form.url, fields), data)


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
