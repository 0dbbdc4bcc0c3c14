"""How transactions begin: who only reads waits for nobody who writes. And what errors say."""
import sqlite3
import time
from contextlib import closing, contextmanager

from catalogue.models import Title
from core import outbox
from core.database import db
from tests.conftest import Caller, a_line, both
from tests.test_pages import Visitor, text

WRITTEN = "Lantern of Nobody"


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


@both
def test_what_people_wrote_stands_in_no_log_where_the_database_refuses_it(fresh, monkeypatch, caplog):
    """Not among the parameters, and not in the row that PostgreSQL writes out."""
    def refused(*_, **__):
        db.session.execute(Title.__table__.insert().values(original_title=WRITTEN, organisation_id=1))

    app = fresh(seeded=True)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr("catalogue.titles.touch", refused)
    answer = Caller(app, "agent@harbour.test").post("/titles", {"kind": "film", "original_title": WRITTEN})
    assert answer.status_code == 500 and WRITTEN not in answer.get_data(as_text=True)
    assert "INSERT INTO title" in caplog.text and WRITTEN not in caplog.text
    with app.app_context():
        outbox.put("poisoned", 1)
        db.session.commit()
        outbox.drain("poisoned", refused)
        failed = outbox.failing()[0].error
    assert "INSERT INTO title" in failed and WRITTEN not in failed
