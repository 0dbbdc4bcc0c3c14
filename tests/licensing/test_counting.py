"""What is kept of a title between two questions is what its rows say now, whoever changed them."""
import contextlib
import random
from datetime import timedelta

import pytest

import seed
from accounts import people
from catalogue import titles
from core import clock
from core.database import db
from licensing import contracts, counting, mandates, terms
from licensing.models import Licence
from tests.conftest import both
from tests.licensing.test_doors import some_terms
from tests.scale import at


@pytest.fixture
def kept(monkeypatch):
    """Titles with few rows are kept here as well."""
    monkeypatch.setattr(counting, "MANY_ROWS", 1)
    monkeypatch.setattr(counting, "MANY_TITLES", 3)
    counting._known.clear()
    yield
    counting._known.clear()


def read_anew(monkeypatch, *asked, **how):
    with monkeypatch.context() as nothing_kept:
        nothing_kept.setattr(counting, "_known", {})
        return counting.shares(db.session, *asked, **how)


@both
def test_what_is_kept_is_never_stale(fresh, kept, monkeypatch):
    """Grants, terminations, a new episode, undone transactions that give their ids back, and past days."""
    app, rng, moments = fresh(), random.Random(7), []
    with app.app_context():
        house = people.found("House", ["seller"])
        film, series = (titles.create(house.id, kind=kind, original_title=kind, titles=[], status="published")
                        for kind in ("film", "series"))
        for title in (film, series):
            mandates.record(title, terms.read(seed.line("World", "all", "2020-01-01", None)))
        db.session.commit()
        for turn in range(at(ci=25, long=60)):
            title = rng.choice([film, series])
            act = rng.choice(["grant", "grant", "terminate", "episode"])
            if act == "grant":
                with contextlib.suppress(contracts.RightsTaken):
                    contracts.grant(house.id, [(title, some_terms(rng))], licensee_id=None, licensee_name="Buyer",
                                    recording=True)
            elif act == "terminate" and (licences := db.session.query(Licence).all()):
                licence = rng.choice(licences)
                day = clock.today() + timedelta(days=rng.randrange(900))
                if contracts.reaches(licence, day):
                    contracts.terminate(licence, day)
            elif act == "episode" and turn % 10 == 0:
                contracts.follow(titles.create(house.id, kind="episode", original_title=f"{turn}", titles=[],
                                               parent=series, status="published"), old_root=series.id)
            db.session.flush()
            for asked in ([film.id], [series.id], [film.id, series.id]):
                assert counting.shares(db.session, asked) == read_anew(monkeypatch, asked)
            db.session.rollback() if rng.random() < 0.4 else db.session.commit()
            moments.append(clock.now())
            for how in ({}, {"at": rng.choice(moments)}, {"leaving_out": 1}):
                for asked in ([film.id], [series.id], [film.id, series.id]):
                    assert counting.shares(db.session, asked, **how) == read_anew(monkeypatch, asked, **how)
        assert counting._known and db.session.query(Licence).count() > 5
