"""No change waits for what else the worker has to do."""
import time
from datetime import timedelta

import seed
from accounts import people
from catalogue import titles
from core import clock
from core.database import db
from licensing import mandates, terms
from licensing.after import alerts
from search import worker
from tests.conftest import both
from tests.race.crowd import PROCESSES
from tests.scale import at
from tests.search.test_killed_worker import work

ENDING = at(ci=160, long=400)  # mandates that end tomorrow: to tell of each of them takes a commit


@both
def test_a_change_is_found_while_hundreds_are_told_that_their_rights_end(fresh):
    app = fresh(seeded=True)
    index, tomorrow = app.extensions["index"], (clock.today() + timedelta(days=1)).isoformat()
    with app.app_context():
        house = people.organisation_named("Harbour Pictures")
        for number in range(ENDING):
            title = titles.create(house.id, kind="film", original_title=f"Ending {number}", status="published")
            mandates.record(title, terms.read(seed.line("World", "all", "2020-01-01", tomorrow)))
        db.session.commit()
        worker.catch_up(index)
        url = db.engine.url.render_as_string(hide_password=False)
        process = PROCESSES.Process(target=work, args=(url, app.config["INSTANCE"], False), daemon=True)
        process.start()
        try:
            while len(alerts.to_tell()) < ENDING / 2:  # it is at it
                db.session.rollback()
                time.sleep(0.05)
            began = time.monotonic()
            titles.revise(title, original_title="Changed meanwhile")
            db.session.commit()
            while not len(index.find('"changed meanwhile"')):
                time.sleep(0.02)
                assert time.monotonic() - began < 5
            left = len(alerts.to_tell())
        finally:
            process.kill()
            process.join()
        assert left > ENDING / 4, "it was found while others were still to be told"
