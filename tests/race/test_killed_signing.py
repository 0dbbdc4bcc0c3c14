"""A signing is killed between every two of its statements: the step is whole, or it is absent."""
import json
import subprocess
import sys
from itertools import count
from pathlib import Path

from accounts import people, tokens
from core.database import db
from licensing import checks
from licensing.models import Licence, Offer
from search import worker
from tests.conftest import both
from tests.licensing import deals
from tests.licensing.deals import MANAGER
from tests.scale import LONG, at

ROOT = Path(__file__).parents[2]


def rows(app):
    """Every row of every table, but for the stamp of who was last here."""
    with app.app_context():
        found = {table.name: sorted(map(repr, db.session.execute(db.select(table)).all()))
                 for table in db.metadata.sorted_tables if table.name not in ("api_token", "outbox")}
        found["outbox"] = sorted(map(repr, db.session.execute(db.text(
            "SELECT topic, subject_id FROM outbox WHERE topic NOT LIKE 'token%'")).all()))
        db.session.rollback()
    return found


@both
def test_whole_or_absent_whenever_it_is_killed(fresh):
    app = fresh(seeded=True)
    with app.app_context():
        made = [deals.title(name=name) for name in ("一", "二")]
        offer_id = deals.agreed(*((each, "*") for each in made)).id
        token = tokens.issue_whole(people.find(MANAGER))
        db.session.commit()
        url = db.engine.url.render_as_string(hide_password=False)
        db.session.remove()
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "tests.race.dying", url, app.config["INSTANCE"]],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert json.loads(process.stdout.readline()) == {"ready": True}

        def sign(point):
            process.stdin.write(json.dumps({"offer": offer_id, "token": token, "at": point}) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        sign(1)
        before, kills = rows(app), 0
        for point in count(1, at(ci=15, long=1)):
            said = sign(point)
            if rows(app) == before:
                assert said["killed"], said
                kills += 1
                continue
            break  # it is in the books: from here on it must be there whole
        whole(app, offer_id, made)
        assert kills > at(ci=2, long=32), kills
        assert not LONG or (said["killed"] and "taken" not in said), "killed after its commit, and before its answer"
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def whole(app, offer_id, made):
    with app.app_context():
        offer = db.session.get(Offer, offer_id)
        assert (offer.state, offer.steps[-1].action, offer.steps[-1].from_state) == ("signed", "sign", "signed_one")
        [licence] = db.session.scalars(db.select(Licence).filter_by(offer_id=offer_id)).all()
        assert [line.title_id for line in licence.lines] == [line.title_id for line in offer.current.lines]
        if db.engine.dialect.name == "postgresql":
            assert db.session.scalar(db.text("SELECT count(*) FROM licence_guard WHERE licence_id = :id"),
                                     {"id": licence.id}) == len(made)
        owed = db.session.scalar(db.text("SELECT count(DISTINCT title_id) FROM material WHERE offer_id = :id"),
                                 {"id": offer_id})
        assert owed == len(made)
        assert checks.sold_twice() == [] and checks.outside_mandates() == []
        db.session.rollback()
        while worker.turn(app.extensions["index"]):
            pass
        assert worker.differences(app.extensions["index"]) == []
