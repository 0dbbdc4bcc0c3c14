"""Counts that processes share in a Redis: one limit for all of them; and where it is away, each goes on by itself."""
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.database import db
from core.http import limits, refused
from core.http.limits import Applying, Row
from tests.conftest import settings
from tests.servers import Redis
from wsgi import create_app

pytestmark = pytest.mark.redis
AT_ONCE = 12


@pytest.fixture
def redis(tmp_path):
    running = Redis(tmp_path).start()
    yield running
    running.stop()


@pytest.fixture
def process(redis, app):
    """`process(4)`: an application that counts in the Redis, under a limit of so many requests a minute. Each is one
    more over the same database, as a process is."""
    made, known = [], settings(app.config["SQLALCHEMY_DATABASE_URI"], Path(app.config["INSTANCE"]))

    def under(times):
        made.append(create_app({**known, "LIMITS_STORE": redis.url}))
        limiter, = made[-1].extensions["limiter"]
        limiter.limit_manager._application_limits = [
            Applying(1, refused, [Row(None, limits.by_address, times, 60)]).bind(limiter)]
        return made[-1]
    yield under
    for each in made:
        each.extensions["index"].close()
        with each.app_context():
            db.engine.dispose()


def ask(app):
    with app.test_client() as client:
        return client.get("/sign-in")


def statuses(app, times):
    return [ask(app).status_code for _ in range(times)]


def test_what_one_process_counted_counts_in_the_other(process):
    one, two = process(4), process(4)
    assert statuses(one, 2) + statuses(two, 2) == [200] * 4
    for each in (one, two):
        answer = ask(each)
        assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_store_that_is_away_stops_nobody_and_each_counts_by_itself_until_it_is_back(process, redis, monkeypatch):
    monkeypatch.setattr(limits, "AWAY_SECONDS", 0.2)
    one, two = process(3), process(3)
    assert statuses(one, 1) == [200]
    redis.stop()
    assert statuses(one, 4) == statuses(two, 4) == [200] * 3 + [429], "by itself, from nothing"
    redis.start()
    time.sleep(0.3)  # of which it is said above that nobody looks sooner
    assert statuses(one, 2) + statuses(two, 2) == [200] * 3 + [429], "together again"


def test_nobody_at_all_is_failed_when_the_store_goes_away_under_many_at_once(process, redis):
    one = process(100_000)
    found = []

    def go(_):
        found.extend(statuses(one, 15))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        going = [pool.submit(go, each) for each in range(AT_ONCE)]
        while len(found) < AT_ONCE and not all(each.done() for each in going):
            time.sleep(0.01)
        redis.stop()
        for each in going:
            each.result()
    assert set(found) == {200} and len(found) == AT_ONCE * 15


def test_a_store_that_takes_connections_and_answers_nothing_costs_a_moment_and_not_every_request(process, redis):
    one = process(100_000)
    statuses(one, 2)
    redis.stall()
    began = time.monotonic()
    assert statuses(one, 10) == [200] * 10
    assert time.monotonic() - began < 2


def test_a_process_that_starts_while_the_store_is_away_answers(process, redis):
    redis.stop()
    assert statuses(process(2), 3) == [200, 200, 429]
