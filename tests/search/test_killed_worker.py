"""kill -9 at any moment: the index converges to the tables by itself."""
import random
import time
from pathlib import Path

from accounts import people
from catalogue import titles
from catalogue.models import Title
from core import outbox
from core.database import db
from search import worker
from tests.conftest import both, make_app
from tests.race.crowd import PROCESSES
from tests.scale import at

KILLS = at(ci=4, long=50)  # on each of both databases
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
