"""Orders for `tests.accounts.mortal`: what a process does, and when it is killed in it."""
import json
import subprocess
import sys

import pytest


class Mortal:
    """Children of a process of their own, each killed (SIGKILL) at one statement, letter or call."""

    def __init__(self, app):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.accounts.mortal", app.config["SQLALCHEMY_DATABASE_URI"],
             app.config["INSTANCE"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert json.loads(self.process.stdout.readline()) == {"ready": True}

    def __call__(self, what, at, offer=0) -> bool:
        """Whether it was killed: it is not, where it takes fewer steps."""
        print(json.dumps({"what": what, "at": at, "offer": offer}), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())["killed"]

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(20) == 0
        self.process.stdout.close()


@pytest.fixture
def mortal(world):
    running = Mortal(world)
    yield running
    running.end()
