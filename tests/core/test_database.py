"""How transactions begin: who only reads waits for nobody who writes."""
import sqlite3
import time
from contextlib import closing, contextmanager

from core.database import db
from tests.conftest import Caller, a_line
from tests.test_pages import Visitor, text


@contextmanager
def writing(app):
    """Another process that writes, and does not end."""
    with app.app_context():
        path = db.engine.url.database
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        yield
        writer.execute("ROLLBACK")


def test_a_question_is_answered_while_another_process_writes(fresh):
    app = fresh(seeded=True)
    buyer = Caller(app, "buyer@sakura.test")
    with writing(app):
        began = time.monotonic()
        assert buyer.post("/titles/1/avails", a_line("HK")).status_code == 200
        assert buyer.get("/search?q=").status_code == 200
        assert time.monotonic() - began < 10, "a writer is waited for 20 seconds, then given up"


def test_who_waits_for_a_writer_in_vain_is_told_to_try_again(fresh, monkeypatch):
    monkeypatch.setattr("core.database.BUSY_SECONDS", 0.1)
    app = fresh(seeded=True)
    agent, visitor = Caller(app, "agent@harbour.test"), Visitor(app, "agent@harbour.test")
    with writing(app):
        refused = agent.post("/titles", {"kind": "film", "original_title": "Tide"})
        assert refused.status_code == 503 and refused.headers["Retry-After"] == "10"
        assert "try again" in refused.get_json(force=True)["detail"]
        page = visitor.submit("/notices/seen", {}, form="/account")
        assert page.status_code == 503 and "try again" in text(page)
    assert agent.post("/titles", {"kind": "film", "original_title": "Tide"}).status_code == 201
