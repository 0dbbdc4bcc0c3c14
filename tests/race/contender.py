"""One of several processes that sign at the same moment. Reads orders from standard input, answers each in a line.

An order is JSON: {"offer", "token", "at"}; at that instant (Unix time) the offer is signed over the API.
With --control the lock is replaced by nothing, SQLite by the driver's default transactions, and there are
50 ms between check and write: then rights must be sold twice, or the test proves nothing.
"""
import json
import sys
import time

from sqlalchemy import event
from sqlalchemy.engine import Engine

from core import database
from core.database import db
from licensing import contracts, guard, offers
from tests.conftest import make_app


def take_the_lock_away(app):
    """Check, wait, write: as a program without a lock would."""
    offers.lock = lambda offer_id, viewer: offers.get(offer_id, viewer)
    guard.post = lambda line: None
    really = contracts.refused
    checked = []

    def refused(*args, **more):
        if checked:
            checked.clear()
            return []  # the write follows the check without asking again
        found = really(*args, **more)
        checked.append(True)
        time.sleep(0.05)
        return found

    contracts.refused = refused
    event.remove(Engine, "begin", database._begin)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", lambda connection, _: setattr(connection, "isolation_level", ""))


def main(url, instance, control):
    from pathlib import Path
    app = make_app(url, Path(instance))
    if control:
        take_the_lock_away(app)
    client = app.test_client()
    client.get("/api/v1/me")  # everything is loaded before the first race
    print("ready", flush=True)
    for order in map(json.loads, sys.stdin):
        while time.time() < order["at"]:
            time.sleep(0.0002)
        try:
            response = client.post(f"/api/v1/offers/{order['offer']}/steps", json={"action": "sign"},
                                   headers={"Authorization": f"Bearer {order['token']}"})
            said = {"status": response.status_code, "body": response.get_json(force=True, silent=True)}
        except Exception as problem:
            said = {"status": 500, "body": repr(problem)}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--control" in sys.argv)
