"""kill -9 at any moment: the index converges to the tables by itself."""
import gc
import random
import time
from pathlib import Path

import pytest

from accounts import people
from catalogue import titles
from catalogue.models import Title
from core import outbox
from core.database import db
from search import worker
from search.engine import Document
from search.index import Index
from tests.conftest import both, make_app
from tests.race.crowd import PROCESSES
from tests.scale import at

KILLS = at(ci=4, long=50)  # on each of both databases
DOCUMENTS, SECONDS = 50, at(ci=5, long=60)
MANY = 3  # changed titles above which the killed worker builds anew


def work(url, instance, anew):
    """A worker as `flask work` runs it, which now and then builds the whole index anew."""
    app = make_app(url, Path(instance))
    worker.REBUILD_AT = MANY if anew else worker.REBUILD_AT
    with app.app_context():
        worker.work(app.extensions["index"])


def change(rng, number):
    """Titles come, are renamed and go."""
    house = people.organisation_named("Harbour Pictures")
    for each in range(rng.randint(1, 8)):
        titles.create(house.id, kind="film", original_title=f"Killed {number} {each}", status="published")
    for title in rng.sample(db.session.scalars(db.select(Title)).all(), 3):
        titles.revise(title, original_title=f"Renamed {number} {title.id}")
    db.session.commit()


@both
def test_a_worker_killed_at_any_moment_leaves_nothing_behind(fresh):
    app, rng, cut = fresh(seeded=True), random.Random(5), 0
    index, instance = app.extensions["index"], app.config["INSTANCE"]
    with app.app_context():
        url = db.engine.url.render_as_string(hide_password=False)
        for number in range(KILLS):
            change(rng, number)
            process = PROCESSES.Process(target=work, args=(url, instance, number % 2), daemon=True)
            process.start()
            handled = time.monotonic() + 15
            while outbox.waiting("title") and time.monotonic() < handled and rng.random() > 0.02:
                time.sleep(0.01)
            cut += outbox.waiting("title") > 0
            process.kill()
            process.join()
            index.find("renamed")  # who searches meanwhile is answered
        assert cut, "some died before they were done"
        while worker.turn(index):
            pass
        assert worker.differences(index) == [] and outbox.waiting("title") == 0
        for title in db.session.scalars(db.select(Title).order_by(Title.id.desc()).limit(20)):
            assert title.id in index.find(f'"{title.original_title}"').tolist()


def commit(folder, stop):
    index, number = Index(folder), 0
    while not stop.is_set():
        number += 1
        index.replace([Document(number % DOCUMENTS, str(number), names=[f"Harbour {number}"])])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Whoosh leaves files to the collector
def test_who_asks_between_two_commits_finds_nothing_damaged(tmp_path):
    """A commit takes away the segments that it merged, also from under whoever has just read which there are."""
    index, asked, stop = Index(tmp_path), 0, PROCESSES.Event()
    index.rebuild(Document(number, "", names=["Harbour"]) for number in range(DOCUMENTS))
    writer = PROCESSES.Process(target=commit, args=(tmp_path, stop), daemon=True)
    writer.start()
    until = time.monotonic() + SECONDS
    try:
        while time.monotonic() < until:
            assert len(index.find("harbour")) == DOCUMENTS
            asked += 1
    finally:  # else it would go on for as long as all other tests take
        stop.set()
        writer.join()
        index.close()
        gc.collect()
    assert asked > 100 and not index.damaged
