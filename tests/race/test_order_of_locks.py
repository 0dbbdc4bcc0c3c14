"""Whoever waits for another finds the world as that one left it, and whoever waits twice waits in one order."""
import re
import threading
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import event, func, select, text

import seed
from accounts import people
from catalogue import titles
from catalogue.imports import Report
from catalogue.models import RightsClock, Title
from core.database import db
from core.errors import NotFound
from licensing import imports, offers, terms
from licensing.models import Licence, Mandate, Offer
from tests.conftest import both
from tests.licensing import deals

on_postgresql = pytest.mark.parametrize(
    "backend", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)  # SQLite has one writer
LINE = seed.line("HK", "svod", "2027-01-01", None, exclusive=False)


@contextmanager
def waiting_for_us(app, act):
    """Let another thread run into our lock with `act`. After the block it has gone on, and what it says is added."""
    said = []

    def run():
        with app.app_context():
            said.append(act())
            db.session.commit()

    other = threading.Thread(target=run)
    other.start()
    while not db.session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
        assert other.is_alive(), "it did not wait"
        time.sleep(0.01)
    yield said
    other.join(20)
    assert said, "it failed"


@pytest.fixture
def series(fresh, backend):
    """An application with two series, and an episode of the first. Their ids."""
    app = fresh()
    with app.app_context():
        house = people.found("House", ["seller"])

        def made(kind, parent=None):
            return titles.create(house.id, kind=kind, original_title=kind, titles=[], parent=parent,
                                 external_id=f"{kind}{time.monotonic_ns()}", status="published")

        first, second = made("series"), made("series")
        ids = first.id, second.id, made("episode", first).id
        db.session.commit()
        yield app, *ids


@on_postgresql
def test_a_lock_follows_a_title_that_was_moved_while_it_was_waited_for(series):
    app, first, second, episode = series
    titles.revise(db.session.get(Title, episode), parent=db.session.get(Title, second))

    def wait():
        titles.lock([episode])
        with db.engine.connect() as elsewhere:
            return elsewhere.scalars(text("SELECT root_id FROM rights_clock ORDER BY 1 FOR UPDATE SKIP LOCKED")).all()

    with waiting_for_us(app, wait) as free:
        db.session.commit()
    assert second not in free[0], "whoever sells the other series must wait"


@on_postgresql
def test_an_import_that_waited_for_another_leaves_what_that_one_wrote(series):
    app, first, _, _ = series
    done = [imports.Done(first, 2, "Tube", None, "tube|1", terms.read(LINE))]

    def load(commit):
        report = Report()
        imports.load_mandates({first}, report, commit)
        imports.load_licences(done, 1, report, commit)
        return {name: number for name, number in report.counts.items() if number}

    assert load(db.session.flush) == {"mandates recorded": 1, "licences recorded": 1}
    with waiting_for_us(app, lambda: load(db.session.commit)) as counts:
        db.session.commit()
    assert counts == [{"mandates unchanged": 1, "licences unchanged": 1}]
    assert [db.session.scalar(db.select(db.func.count()).select_from(each)) for each in (Mandate, Licence)] == [1, 1]


@on_postgresql
def test_a_deal_is_held_by_its_parties_alone(world):
    """A stranger who names it is told that it is not there, and makes nobody wait meanwhile."""
    with world.app_context():
        offer = deals.agreed((deals.title(), "*")).id
        db.session.commit()

        def held():
            """Which of its rows somebody else could not have now."""
            with db.engine.connect() as elsewhere:
                return {table for table in (Offer.__table__, RightsClock.__table__) if elsewhere.scalar(
                    select(func.count()).select_from(table)) > len(elsewhere.execute(
                        select(table).with_for_update(skip_locked=True)).all())}

        for email in (deals.OTHER, deals.RIVAL, deals.OPERATOR):
            with pytest.raises(NotFound):
                offers.lock(offer, deals.viewer(email))
            assert held() == set(), email
            db.session.rollback()
        offers.lock(offer, deals.viewer(deals.BUYER))
        assert held() == {Offer.__table__, RightsClock.__table__}
        db.session.rollback()


@both
def test_sets_of_terms_are_written_in_one_order_whatever_the_order_of_the_lines(app):
    one, other = (terms.read({**LINE, "territories": [place]}) for place in ("HK", "TW"))
    written = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute",
                     lambda *args: written.append(re.findall(r"\w+:\w{24}", str(args[3]))))
        for lines in ((one, other), (other, one)):
            terms.write_sets(*lines)
            db.session.rollback()
    first, second = filter(None, written)
    assert first == second == sorted(first) and len(first) == 4
