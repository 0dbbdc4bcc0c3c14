"""Workers and web processes that are killed (SIGKILL) at one step between database and store. For tests.

Reads orders from standard input, one JSON a line: {"what", "at", "days"}. For each a child is forked that does it
and kills itself at the step numbered `at`; steps are what lies before and after each call of the store, each commit,
and each file the folder renames or removes. Answers {"port"} where it serves one request, then {"killed"}.
"""
import json
import os
import signal
import sys
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from core import clock, storage
from core.database import db
from core.storage.folder import FolderStore
from media import assets, checking, comparing, worker
from tests.conftest import settings
from wsgi import create_app

CALLS = ("put", "read", "head", "delete", "listing", "begin", "parts", "complete", "abort", "uploads")
FILES = {"os.rename", "os.link", "os.remove", "os.rmdir", "shutil.rmtree", "os.mkdir"}


class Steps:
    """Counts, and ends the process at one of them."""

    def __init__(self, at):
        self.at, self.taken = at, 0

    def take(self, *_):
        self.taken += 1
        if self.taken == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, act):
        def call(*args, **kwargs):
            self.take()
            done = act(*args, **kwargs)
            self.take()
            return done
        return call


def lay(store, steps):
    """Count the steps of this process from now on."""
    for name in CALLS:
        setattr(store, name, steps.around(getattr(store, name)))
    event.listen(Engine, "commit", steps.take)
    event.listen(Session, "after_commit", steps.take)
    if isinstance(store, FolderStore):
        def hear(name, args):
            if name in FILES and str(args[0]).startswith(str(store.folder)):
                steps.take()
        sys.addaudithook(hear)


def do(app, what):
    store = app.extensions["store"]
    if what == "serve":
        server = make_server("127.0.0.1", 0, app)
        print(json.dumps({"port": server.server_port}), flush=True)
        server.handle_request()
        return
    with app.app_context():
        if what == "work":
            worker.catch_up(store)
        elif what == "sweep":
            checking.sweep(store)
            db.session.commit()
        elif what == "repair":
            for each in comparing.compare(store):
                comparing.mend(each, store)
                db.session.commit()


def main(url, instance, more):
    app = create_app({**settings(url, Path(instance)), **json.loads(more)})
    assets.MOST_POSTED = 1_000  # what is larger comes in parts, so that films can be small
    app.test_client().get("/api/v1/me")
    for what in ("work", "repair"):  # everything is loaded before the first child
        do(app, what)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["store"] = storage.open_store(app.config)  # children share no connection
    print(json.dumps({"ready": True}), flush=True)
    for order in map(json.loads, sys.stdin):
        child = os.fork()
        if not child:
            later = clock.now() + timedelta(days=order["days"])
            with clock.stopped_at(later) if order["days"] else nullcontext():
                lay(app.extensions["store"], Steps(order["at"]))
                do(app, order["what"])
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGKILL), status
        print(json.dumps({"killed": status == signal.SIGKILL}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
