"""A running Slate, a browser, and people who sit before it."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.servers import free_port
from tests.stories.people import Person

ROOT = Path(__file__).parents[2]
PATIENCE = 20  # seconds; a loaded machine is slow, and a condition that holds is never waited for

expect.set_options(timeout=PATIENCE * 1000)


class Slate:
    """Web and worker as `flask serve` starts them, over an instance folder of their own."""

    def __init__(self, instance: Path, **environment):
        self.port, self.instance = free_port(), instance
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = {**os.environ, "SLATE_ENV": "development", "SLATE_INSTANCE": str(instance),
                            "LIMITS_TIMES": "1000",  # all who are in the stories come from one address, at once
                            "DATABASE_URL": f"sqlite:///{instance / 'slate.db'}",
                            "INDEX_FOLDER": str(instance / "index"), "SLATE_SITE": self.address,
                            "WEBHOOK_LOCAL": "1",  # receivers of the stories are on this machine
                            **environment}
        self.log = instance / "serve.log"

    def flask(self, *words):
        return [sys.executable, "-m", "flask", "--app", "wsgi", *words]

    def start(self):
        with self.log.open("w") as log:
            self.process = subprocess.Popen(self.flask("serve", "--port", str(self.port)), cwd=ROOT, stdout=log,
                                            stderr=subprocess.STDOUT, env=self.environment)
        self.until(self.up_to_date, "Slate did not start")
        return self

    def up_to_date(self) -> bool:
        """Whether all parts are up, and nothing waits to be indexed."""
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=5) as answer:
                return json.load(answer)["index_lag_seconds"] == 0
        except urllib.error.HTTPError as refusal:  # a part is not up yet
            refusal.close()
        except OSError:  # nobody listens yet
            pass
        return False

    def until(self, holds, otherwise):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert self.process.poll() is None and time.monotonic() < deadline, f"{otherwise}:\n{self.log.read_text()}"
            time.sleep(0.05)  # between two looks at the condition

    def settled(self):
        """Wait until the worker has indexed what was changed so far."""
        self.until(self.up_to_date, "The index did not catch up")

    def check(self):
        """`flask check` finds nothing wrong, and nothing failed in the server without a word to anyone."""
        self.settled()
        checked = subprocess.run(self.flask("check"), cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "Traceback" not in self.log.read_text(), self.log.read_text()

    def stop(self):
        """Stop as Ctrl-C stops it."""
        self.process.send_signal(signal.SIGINT)
        try:
            ended = self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
        assert ended == 0, self.log.read_text()


@pytest.fixture(scope="session")
def slate(templates, tmp_path_factory):
    """Slate with a fresh demo world, for all stories of this process: each that changes it lists a title of its own."""
    instance = tmp_path_factory.mktemp("stories") / "instance"
    shutil.copytree(templates("sqlite", True, None)[0], instance)
    slate = Slate(instance)
    try:
        yield slate.start()
    finally:
        slate.stop()


@pytest.fixture
def people(browser, slate):
    """`people("agent@harbour.test")`: someone signed in, at a browser context of their own; None is a stranger.

    Takes the settings of a browser context, such as java_script_enabled and viewport.
    """
    came = []

    def come(email=None, **settings):
        came.append(Person(browser, slate, email, **settings))
        return came[-1]

    yield come
    for person in came:
        person.leave()
