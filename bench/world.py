"""The data everything is measured on: the demo world and the whole corpus, in a temporary instance folder."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

import flask_migrate
from sqlalchemy import func, select

import seed
from accounts import people, tokens
from accounts.permissions import Viewer
from bench import report
from catalogue.models import Title
from core.database import db
from licensing.models import Line
from search import worker
from wsgi import create_app

CORPUS = Path(os.environ.get("SLATE_CORPUS", Path(__file__).parent.parent.parent / "shared/data/corpus"))
SELLER_NAME, SELLER, BUYER = "Harbour Pictures", "agent@harbour.test", "buyer@sakura.test"
SEED = 20271  # of every draw: the same questions at every commit
LINE = {"territories": ["HK", "TW"], "media": ["svod"], "languages": ["*"], "starts_on": date(2027, 1, 1),
        "ends_on": date(2029, 12, 31), "exclusive": True}
LINE_WORDS = "SVOD, Hong Kong + Taiwan, 2027-2029, exclusive"
WHOLE = {**LINE, "territories": ["World"], "media": ["all"], "ends_on": None}
WHOLE_WORDS = "World, all media, from 2027 in perpetuity, exclusive"


class Imported(NamedTuple):
    """What `flask import` did: rows of all files, seconds to load them, seconds of the whole command."""
    rows: int
    loading: float
    whole: float


class World:
    """An application with the corpus in it, and how long the import took."""

    def __init__(self, folder: Path, url: str | None = None):
        self.folder, self.url = folder, url or f"sqlite:///{folder / 'slate.db'}"
        self.app = application(self.url, folder)
        self.imported: Imported | None = None

    @property
    def index(self):
        return self.app.extensions["index"]

    def size(self) -> tuple[int, int]:
        """Titles, lines of mandates and licences."""
        with self.app.app_context():
            return (db.session.scalar(select(func.count()).select_from(Title)),
                    db.session.scalar(select(func.count()).select_from(Line)))

    def person(self, email: str) -> tuple[Viewer, str]:
        """Somebody of the demo world, and a token to call the API with."""
        with self.app.app_context():
            person = people.find(email)
            viewer, token = people.viewer(person.id), tokens.issue_whole(person)
            db.session.commit()
            return viewer, token

    def close(self):
        self.index.close()
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()


@contextmanager
def make_world():
    """The world, loaded; its folder is removed afterwards."""
    with folder() as place:
        world = World(place)
        try:
            _load(world)
            yield world
        finally:
            world.close()


@contextmanager
def folder():
    """A temporary folder."""
    place = Path(tempfile.mkdtemp(prefix="slate-bench-"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def application(url: str, place: Path):
    return create_app({"SQLALCHEMY_DATABASE_URI": url, "INSTANCE": str(place), "INDEX_FOLDER": str(place / "index"),
                       "LIMITS_TIMES": 10_000})  # who measures asks more than anybody


def _load(world):
    report.say("the demo world")
    with world.app.app_context():
        flask_migrate.upgrade()
        seed.load()
        db.session.commit()
        db.session.remove()
    report.say("importing the corpus")
    world.imported = _import(world)
    with world.app.app_context():
        assert worker.differences(world.index) == []
        db.session.remove()


def _import(world) -> Imported:
    """Run the command as a person would; its progress is seen on a terminal."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "import", str(CORPUS.absolute()),
               "--seller", SELLER_NAME, "--mandate"]
    began = time.monotonic()
    done = subprocess.run(command, cwd=report.ROOT, stdout=subprocess.PIPE, text=True, env={
        **os.environ, "DATABASE_URL": world.url, "SLATE_INSTANCE": str(world.folder),
        "INDEX_FOLDER": str(world.folder / "index")})
    seconds = time.monotonic() - began
    said = re.search(r"([\d,]+) rows in ([\d.]+) s", done.stdout)
    if done.returncode or not said:
        sys.exit(f"{done.stdout}\nThe corpus cannot be imported; its last words are above.")
    return Imported(int(said[1].replace(",", "")), float(said[2]), seconds)


# ------------------------------------------------------------------ asking

def wire(line: dict) -> dict:
    """A line as JSON carries it."""
    return {**line, **{name: line[name] and line[name].isoformat() for name in ("starts_on", "ends_on")}}


class Caller:
    """The API as one person calls it, each request timed whole: routing, sign-in, work, JSON."""

    def __init__(self, app, token: str):
        self.client, self.token = app.test_client(), token
        self.headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, expected: int = 200, **said) -> tuple[dict, float]:
        """(the answer, seconds)."""
        began = time.perf_counter()
        response = self.client.open(f"/api/v1{path}", method=method, headers=self.headers, **said)
        seconds = time.perf_counter() - began
        assert response.status_code == expected, f"{method} {path}: {response.status_code} {response.get_data(True)}"
        return response.get_json(), seconds
