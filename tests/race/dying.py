"""A process that signs an offer and is killed (SIGKILL) at one statement of it. For tests.

Reads orders from standard input, one JSON a line: {"offer", "token", "at"}. For each a child is forked that signs over
the API and kills itself before the statement numbered `at`, or before or after the commit, which are counted as
statements. Answers {"killed", "taken"}: whether it was, and how many it had taken when it was not.
"""
import json
import os
import signal
import sys
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from core.database import db
from tests.conftest import make_app


class Steps:
    """Counts, and ends the process at one of them."""

    def __init__(self, at):
        self.at, self.taken = at, 0

    def take(self, *_):
        self.taken += 1
        if self.taken == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def lay(self):
        event.listen(Engine, "before_cursor_execute", self.take)
        event.listen(Engine, "commit", self.take)
        event.listen(Session, "after_commit", self.take)


def sign(app, order, steps):
    headers = {"Authorization": f"Bearer {order['token']}"}
    client = app.test_client()
    steps.lay()
    return client.post(f"/api/v1/offers/{order['offer']}/steps", json={"action": "sign"}, headers=headers).status_code


def main(url, instance):
    app = make_app(url, Path(instance))
    app.test_client().get("/api/v1/me")  # everything is loaded before the first child
    with app.app_context():
        db.session.remove()
        db.engine.dispose()  # children share no connection
    print(json.dumps({"ready": True}), flush=True)
    for order in map(json.loads, sys.stdin):
        told, tell = os.pipe()
        child = os.fork()
        if not child:
            steps = Steps(order["at"])
            status = sign(app, order, steps)
            os.write(tell, json.dumps({"status": status, "taken": steps.taken}).encode())
            os._exit(0)
        os.close(tell)
        _, ended = os.waitpid(child, 0)
        assert ended in (0, signal.SIGKILL), ended
        said = os.read(told, 1000)
        os.close(told)
        print(json.dumps({"killed": ended == signal.SIGKILL, **json.loads(said or "{}")}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
