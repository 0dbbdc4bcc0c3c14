"""Fixtures: an application with a migrated database of its own, on SQLite or a real PostgreSQL.

`app` is empty, `world` holds the demo world. Nothing is pushed: domain tests open `app.app_context()`,
HTTP tests call. What a machine cannot run is named at the end, and is a failure where REQUIRE_ALL is set.
"""
import itertools
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import flask_migrate
import psycopg
import pytest
from playwright.sync_api import sync_playwright
from xdist.scheduler import LoadFileScheduling

from tests.scale import LONG
from tests.servers import CEPH, Ceph, PostgreSQL, postgresql_binaries

MEMORY, ENOUGH = Path("/dev/shm"), 6 << 30  # bytes
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)  # a database is copied four times as fast as on a disk

REQUIRE_ALL = bool(os.environ.get("REQUIRE_ALL"))
CORPUS = Path(os.environ.get("SLATE_CORPUS", Path(__file__).parent.parent.parent / "shared/data/corpus"))
YEARS = timedelta(days=36_500)
CHEAP = {"argon2__rounds": 1, "argon2__memory_cost": 64, "argon2__parallelism": 1}  # a sign-in is 60 ms of hashing else
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
MISSING = {
    "postgresql": (postgresql_binaries() is not None, "apt-get install postgresql"),
    "s3": (all(map(shutil.which, CEPH)),
           "apt-get install --no-install-recommends ceph-mon ceph-osd ceph-common radosgw"),
    "redis": (shutil.which("redis-server") is not None, "apt-get install --no-install-recommends redis-server"),
    "story": (shutil.which("chromium") is not None, "apt-get install chromium fonts-noto-cjk"),
    "ffmpeg": (all(map(shutil.which, ("ffmpeg", "ffprobe"))), "apt-get install --no-install-recommends ffmpeg"),
    "corpus": (CORPUS.is_dir(), "set SLATE_CORPUS to the folder of the corpus"),
}
both = pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)],
                               indirect=True)
both_when_long = both if LONG else pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
_numbers = itertools.count()


STORIES = "tests/stories/"
FIRST = ("stories", "canaries", "media", "search", "race")  # folders of files that take long: none is left for last


def pytest_xdist_make_scheduler(config, log):
    """One process tells the stories, for they share a server and a browser; of the rest a file stays in one."""
    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return STORIES if file.startswith(STORIES) else file
    return Files(config, log)


def pytest_collection_modifyitems(config, items):
    def turn(item):
        folder = item.path.parent.name
        return FIRST.index(folder) if folder in FIRST else len(FIRST)
    items.sort(key=turn)
    for item in items:
        for part, (there, command) in MISSING.items():
            if item.get_closest_marker(part) and not there and not REQUIRE_ALL:
                item.add_marker(pytest.mark.skip(reason=f"not run here: {part}; to run it: {command}"))


def pytest_terminal_summary(terminalreporter):
    for part, (there, command) in MISSING.items():
        if not there:
            terminalreporter.write_line(f"Not run on this machine: {part}. To run it: {command}")
    if REQUIRE_ALL and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("Skipped tests are failures here.", red=True)


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if REQUIRE_ALL and reporter and reporter.stats.get("skipped"):
        session.exitstatus = 1


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL of this test process."""
    folder = Path(tempfile.mkdtemp(prefix="slate-postgresql-"))
    running = PostgreSQL(folder).start()
    yield running
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def ceph():
    """An S3 server of this test process."""
    folder = Path(tempfile.mkdtemp(prefix="slate-ceph-"))
    running = Ceph(folder)
    try:
        yield running.start()
    finally:
        running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def backend(request):
    """Which database: sqlite unless a test asks for both."""
    return getattr(request, "param", "sqlite")


def settings(url, instance):
    return {"TESTING": True, "SQLALCHEMY_DATABASE_URI": url, "INSTANCE": str(instance), "LIMITS_TIMES": 10_000,
            "INDEX_FOLDER": str(instance / "index"), "MEDIA_FOLDER": str(instance / "media"),
            "MAIL_FOLDER": str(instance / "mail"), "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": CHEAP,
            "SESSION_IDLE": YEARS, "SESSION_WHOLE": YEARS}  # tests move the clock


def make_app(url, instance):
    from wsgi import create_app
    return create_app(settings(url, instance))


_idle = []  # applications of tests that ended
_first = {}  # of each kind of database the first engine


def another_app(url, instance):
    """As `make_app`, from what earlier tests no longer use: an application, for to put one together takes longer than
    most tests, and nothing of it but what is set here knows the database and the folders; and the statements that
    were compiled for the same kind of database."""
    from core.database import db
    app = _refitted(_idle.pop(), url, instance) if _idle else make_app(url, instance)
    with app.app_context():
        if db.engine.dialect.name not in _first:
            db.engine.connect().close()  # a dialect learns of its server at the first connection, and only then
        first = _first.setdefault(db.engine.dialect.name, db.engine)
        db.engine.dialect, db.engine._compiled_cache = first.dialect, first._compiled_cache
    return app


def _refitted(app, url, instance):
    from core import database, mail, storage
    from search.index import Index
    app.config.pop("SQLALCHEMY_ENGINE_OPTIONS")
    app.config.update(settings(url, instance))
    app._got_first_request = False
    del app.extensions["sqlalchemy"]
    database.init_app(app)
    app.extensions.update(store=storage.open_store(app.config), mailer=mail.open_mailer(app.config),
                          index=Index(app.config["INDEX_FOLDER"]))
    return app


def put_away(app):
    """Let go of everything that was the test's."""
    from core.database import db
    app.extensions["index"].close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    _idle.append(app)


def _create(server, name, template="template0"):
    with psycopg.connect(f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres", autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    return server.url(name)


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """(backend, seeded) → a migrated database to copy, made once in this process."""
    made = {}

    def template(backend, seeded, server):
        if (backend, seeded) in made:
            return made[backend, seeded]
        instance = tmp_path_factory.mktemp("template")
        name = f"template_{seeded}"
        url = f"sqlite:///{instance / 'slate.db'}" if backend == "sqlite" else _create(server, name)
        app = make_app(url, instance)
        with app.app_context():
            from core.database import db
            flask_migrate.upgrade()
            if seeded:
                import seed
                from search import worker
                seed.load()
                db.session.commit()
                worker.catch_up(app.extensions["index"])
            db.session.remove()
            db.engine.dispose()
        app.extensions["index"].close()
        made[backend, seeded] = (instance, name)
        return made[backend, seeded]
    return template


@pytest.fixture
def fresh(request, backend, templates, tmp_path):
    """Make an application on a copy of a template: `fresh(seeded=True)`."""
    made = []

    def make(seeded=False):
        server = request.getfixturevalue("server") if backend == "postgresql" else None
        source, name = templates(backend, seeded, server)
        instance = tmp_path / f"instance{len(made)}"
        shutil.copytree(source, instance)
        if backend == "sqlite":
            url = f"sqlite:///{instance / 'slate.db'}"
        else:
            url = _create(server, f"test_{next(_numbers)}", name)
        made.append(another_app(url, instance))
        return made[-1]

    yield make
    for app in made:
        put_away(app)


@pytest.fixture
def app(fresh):
    """An application whose database is migrated and empty."""
    return fresh()


@pytest.fixture
def world(fresh):
    """An application with the demo world."""
    return fresh(seeded=True)


@pytest.fixture
def corpus():
    assert CORPUS.is_dir(), f"The corpus is not at {CORPUS}; set SLATE_CORPUS."
    return CORPUS


class Caller:
    """The API as one person calls it."""

    def __init__(self, app, email=None):
        self.client = app.test_client()
        self.headers = {}
        if email:
            with app.app_context():
                from accounts import people, tokens
                from core.database import db
                self.headers["Authorization"] = f"Bearer {tokens.issue_whole(people.find(email))}"
                db.session.commit()

    def call(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers={**self.headers, **headers})

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.call("POST", path, {} if body is None else body, **headers)

    def patch(self, path, body, **headers):
        return self.call("PATCH", path, body, **headers)

    def delete(self, path, **headers):
        return self.call("DELETE", path, **headers)


@pytest.fixture
def caller(world):
    """`caller("buyer@sakura.test")`: the API of the demo world, as one of its people."""
    known = {}

    def call_as(email=None):
        if email not in known:
            known[email] = Caller(world, email)
        return known[email]
    return call_as


def a_line(territories="HK,TW", media="svod", starts_on="2027-01-01", ends_on="2029-12-31", exclusive=True,
           languages="*", **more):
    """A line of the API from words separated by commas."""
    return {"territories": territories.split(","), "media": media.split(","), "languages": languages.split(","),
            "starts_on": starts_on, "ends_on": ends_on, "exclusive": exclusive, **more}


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests of this process."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        yield running
        running.close()
