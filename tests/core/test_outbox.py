"""What follows a change: promised in its transaction, done after it, never lost and never in the way."""
from datetime import timedelta

import pytest

from core import clock, outbox
from core.database import db
from tests.conftest import both


@both
def test_a_promise_is_kept_once_its_transaction_commits(app):
    with app.app_context():
        outbox.put("title", 1)
        db.session.rollback()
        assert outbox.waiting() == 0
        outbox.put("title", 2)
        outbox.put("mail", 3)
        db.session.commit()
        handled = []
        assert outbox.drain("title", handled.append) == 1
        assert handled == [{2}] and outbox.waiting("mail") == 1


def test_a_poisoned_row_waits_alone_and_is_tried_again_later(app):
    with app.app_context():
        for subject in (1, 2, 3):
            outbox.put("title", subject)
        db.session.commit()
        done = set()

        def handle(ids):
            if 2 in ids:
                raise ValueError("two is poisoned")
            done.update(ids)

        outbox.drain("title", handle)
        assert done == {1, 3}
        (poisoned,) = outbox.failing()
        assert (poisoned.subject_id, poisoned.attempts) == (2, 1) and "poisoned" in poisoned.error
        assert outbox.drain("title", handle) == 0, "not before its pause is over"
        with clock.stopped_at(clock.now() + timedelta(seconds=5)):
            assert outbox.drain("title", lambda ids: None) == 1
        assert outbox.waiting() == 0


def test_one_poisoned_row_among_a_thousand_is_soon_found(app):
    with app.app_context():
        outbox.put_all("title", range(1_000))
        db.session.commit()
        asked = []

        def handle(ids):
            asked.append(ids)
            assert 700 not in ids
        outbox.drain("title", handle, limit=1_000)
        assert [row.subject_id for row in outbox.failing()] == [700] and outbox.waiting() == 1
        assert len(asked) <= 21, "its halves, and theirs"


def test_what_is_no_rows_fault_puts_none_off(app):
    def handle(ids):
        raise ConnectionError("the store is away")
    with app.app_context():
        outbox.put("asset", 1)
        db.session.commit()
        for _ in range(3):
            with pytest.raises(ConnectionError):
                outbox.drain("asset", handle, passing=(ConnectionError,))
        assert outbox.failing() == [] and outbox.drain("asset", lambda ids: None) == 1


def test_the_index_follows_and_the_check_names_differences(world):
    from accounts import people
    from catalogue import titles
    from search import worker
    index = world.extensions["index"]
    with world.app_context():
        assert worker.differences(index) == []
        house = people.organisation_named("Harbour Pictures")
        made = titles.create(house.id, kind="film", original_title="灯塔", titles=[], status="published")
        db.session.commit()
        assert index.find("灯塔").tolist() == []
        assert worker.differences(index) == [], "what waits in the outbox is no difference"
        worker.catch_up(index)
        assert index.find("灯塔").tolist() == [made.id]
        index.replace([], gone=[made.id])
        assert worker.differences(index) == [f"Title {made.id} is missing from the index."]
        assert worker.rebuild(index) == len(index.stamps())
        assert worker.differences(index) == []


def test_a_worker_is_alone(world):
    from search import worker
    instance = world.config["INSTANCE"]
    assert not worker.alive(instance)
    with worker.only_one(instance):
        assert worker.alive(instance)
        with pytest.raises(BlockingIOError), worker.only_one(instance):
            pass
