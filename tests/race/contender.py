"""One of several processes that sign at the same moment. Reads orders from standard input, answers each in a line.

An order is JSON: {"offer", "token", "at"}; at that instant (Unix time) the offer is signed over the API.
With --control the lock is replaced by nothing, SQLite by the driver's default transactions, and there are
0.3 s between check and write: then rights must be sold twice, or the test proves nothing.
"""
import json
import sys
import time

from sqlalchemy import event
from sqlalchemy.engine import Engine

from catalogue import titles
from core import database
from core.database import db
from licensing import avails, contracts, guard, offers
from tests.conftest import make_app

pause = 0.3  # seconds between check and write, where the lock is taken away: a busy machine lets one of two run first


def take_the_lock_away():
    """Check, wait, write: as a program without a lock would."""
    titles.lock = lambda title_ids: None
    offers.lock = offers.get
    guard.post = lambda line: None
    check_one, check_many = contracts.refused, avails.granting_all

    def refused(*args, **more):
        if db.session.info.pop("checked", False):
            return []  # the write follows the check without asking again
        found = check_one(*args, **more)
        db.session.info["checked"] = True
        time.sleep(pause)
        return found

    def granting_all(wanted):
        found = check_many(wanted)
        time.sleep(pause)
        return found

    contracts.refused, avails.granting_all = refused, granting_all
    event.remove(Engine, "begin", database._begin)
    event.listen(Engine, "connect", _with_the_drivers_transactions)


def _with_the_drivers_transactions(connection, _record):
    if type(connection).__module__.startswith("sqlite3"):
        connection.isolation_level = ""


def main(url, instance, control):
    from pathlib import Path
    if control:
        take_the_lock_away()
    app = make_app(url, Path(instance))
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
