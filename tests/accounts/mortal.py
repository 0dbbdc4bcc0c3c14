"""Processes that are killed (SIGKILL) at one statement of a step, or of sending mail or webhooks. For tests.

Reads orders from standard input, one JSON a line: {"what", "at", "offer"}. For each a child is forked that does it and
kills itself at the moment numbered `at`: moments lie before and after each statement, each commit, each letter and each
call of a receiver.
"""
import json
import os
import signal
import sys
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from accounts import mailings, people, post, security
from accounts.webhooks import worker
from accounts.webhooks.worker import Sender
from core.database import db
from core.outbound import Outbound
from licensing import offers
from tests.conftest import settings
from wsgi import create_app


class Moments:
    """Counts, and ends the process at one of them."""

    def __init__(self, at):
        self.left = at

    def pass_(self, *_):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, act):
        def call(*args):
            self.pass_()
            done = act(*args)
            self.pass_()
            return done
        return call


def do(app, order, moments):
    with app.app_context():
        mailer, outbound = app.extensions["mailer"], Outbound(local=True)
        outbound.post = moments.around(outbound.post)
        mailer.send = moments.around(mailer.send)
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(Engine, name, moments.pass_)
        event.listen(Session, "after_commit", moments.pass_)
        if order["what"] == "post":
            post.deliver(mailer, "https://slate.test")
        elif order["what"] == "account post":
            mailings.deliver(mailer, "https://slate.test", security.links.of, 60)
        elif order["what"] == "webhooks":
            worker.deliver(Sender(outbound, app.extensions["webhooks"].seal))
        else:
            by = people.viewer(people.find("agent@harbour.test").id)
            offers.advance(offers.lock(order["offer"], by), by, order["what"], note="No.")
            db.session.commit()


def main(url, instance):
    app = create_app(settings(url, Path(instance)))
    app.test_client().get("/api/v1/me")
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    print(json.dumps({"ready": True}), flush=True)
    for order in map(json.loads, sys.stdin):
        child = os.fork()
        if not child:
            do(app, order, Moments(order["at"]))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGKILL), status
        print(json.dumps({"killed": status == signal.SIGKILL}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
