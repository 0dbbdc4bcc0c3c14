"""Workers and web processes are killed at every step between database and store: rows and objects agree after it."""
import io
import json
import subprocess
import sys
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core import clock
from core.database import db
from core.storage import probe
from media import assets, checking, comparing, worker
from media.models import Asset
from tests.media import test_assets
from tests.media.files import FILM, PAPER, picture
from tests.media.test_assets import AGENT, TITLE
from tests.scale import at

studio = test_assets.studio
ROOT = Path(__file__).parents[2]
LITTLE = picture(size=(100, 150))


class Mortals:
    """Processes over the same database and store as the studio's."""

    def __init__(self, studio):
        store, self.studio = studio.place.store, studio
        more = {} if not store.origin else {
            "S3_BUCKET": store.bucket, "S3_ENDPOINT": store.client.meta.endpoint_url,
            "S3_REGION": store.client.meta.region_name,
            "S3_ACCESS_KEY": studio.keys[0], "S3_SECRET_KEY": studio.keys[1]}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.media.mortal", studio.app.config["SQLALCHEMY_DATABASE_URI"],
             studio.app.config["INSTANCE"], json.dumps(more)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._line()

    def _line(self):
        return json.loads(self.process.stdout.readline())

    def _order(self, what, at, days):
        self.process.stdin.write(json.dumps({"what": what, "at": at, "days": days}) + "\n")
        self.process.stdin.flush()

    def run(self, what, at, days=0) -> bool:
        """Whether it was killed before it was done."""
        self._order(what, at, days)
        return self._line()["killed"]

    def ask(self, path, body, at):
        """(whether it was killed, the answer) of one request to a web process."""
        self._order("serve", at, 0)
        url = f"http://127.0.0.1:{self._line()['port']}/api/v1{path}"
        answer = probe.ask("POST", url, json.dumps(body).encode(), {
            **self.studio(AGENT).headers, "Content-Type": "application/json"})
        return self._line()["killed"], answer

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def mortals(studio, monkeypatch, request):
    monkeypatch.setattr(assets, "MOST_POSTED", 1_000)
    if studio.place.store.origin:
        ceph = request.getfixturevalue("ceph")
        studio.keys = ceph.access_key, ceph.secret_key
    running = Mortals(studio)
    yield running
    running.stop()


def agree(studio, days=0):
    """Rows and objects agree just now: what waits is still to be done, and nothing else."""
    with studio.app.app_context(), clock.stopped_at(clock.now() + timedelta(days=days)):
        assert comparing.differences(studio.place.store) == []


def points(studio, folder, s3):
    """The steps to be killed at: all of them, or for CI some."""
    return count(1, at(ci=s3 if studio.place.store.origin else folder, long=1))


def left(studio):
    """What still arrives: objects, and uploads that can be gone on with."""
    store = studio.place.store
    return [each.key for each in store.listing("arriving/")], [each.key for each in store.uploads() if each.key]


def test_rows_and_objects_agree_whenever_a_process_was_killed(studio, mortals):
    """One world for all of it: making one takes longer than a hundred kills."""
    removing(studio, mortals)
    sweeping(studio, mortals)
    announcing(studio, mortals)
    completing(studio, mortals)
    repairing(studio, mortals)
    checks(studio, mortals, "document", PAPER)
    checks(studio, mortals, "trailer", FILM)
    checks(studio, mortals, "poster", LITTLE, folder=11)


def checks(studio, mortals, kind, data, folder=9):
    """The worker, while it checks what was sent."""
    for point in points(studio, folder, s3=25):
        asset = studio.send(kind, data)
        killed = mortals.run("work", point)
        agree(studio)
        studio.work()
        assert studio.state(asset) == ("ready", None), point
        assert left(studio) == ([], []), point
        if not killed:
            break
    assert point > 15
    agree(studio)
    swept(studio)


def swept(studio):
    """What a killed folder left half written is swept with the uploads."""
    with studio.app.app_context(), clock.stopped_at(clock.now() + timedelta(days=8)):
        checking.sweep(studio.place.store)
        db.session.commit()
        assert list(studio.place.store.uploads()) == []


def removing(studio, mortals):
    """The worker, while it removes what was rejected."""
    for point in points(studio, folder=9, s3=25):
        asset = studio.send("trailer", FILM[:-1] + b"!", sent=FILM, sha256="0" * 64)
        killed = mortals.run("work", point)
        agree(studio)
        studio.work()
        assert studio.state(asset)[0] == "rejected" and studio.objects() == [], point
        agree(studio)
        if not killed:
            break
    assert point > 8


def sweeping(studio, mortals):
    """The worker, while it sweeps what was deleted or never sent."""
    for point in points(studio, folder=9, s3=25):
        asset = studio.ready("document")
        never = studio.announce("trailer", FILM)["asset"]["id"]
        assert studio(AGENT).delete(f"/assets/{asset}").status_code == 204
        studio.work()
        killed = mortals.run("sweep", point, days=8)
        agree(studio)
        with studio.app.app_context(), clock.stopped_at(clock.now() + timedelta(days=8)):
            checking.sweep(studio.place.store)
            db.session.commit()
            worker.catch_up(studio.place.store)
            assert db.session.get(Asset, int(asset)).swept_at is not None
        assert studio.state(never)[0] == "rejected" and studio.objects() == [] and left(studio) == ([], []), point
        agree(studio, days=20)
        if not killed:
            break
    assert point > 8


def repairing(studio, mortals):
    """Who repairs."""
    for point in points(studio, folder=9, s3=25):
        lost, kept = studio.ready("document"), studio.ready("document")
        with studio.app.app_context():
            studio.place.store.delete(db.session.get(Asset, int(lost)).kept)
        for name in "01":
            studio.place.store.put(f"kept/{name * 32}/original", io.BytesIO(b"nobody's"), "any")
        killed = mortals.run("repair", point, days=2)
        mortals.run("repair", 0, days=2)
        with studio.app.app_context(), clock.stopped_at(clock.now() + timedelta(days=3)):
            worker.catch_up(studio.place.store)
        agree(studio, days=2)
        assert (studio.state(lost)[0], studio.state(kept)[0]) == ("rejected", "ready"), point
        if not killed:
            break
    assert point > 10


def announcing(studio, mortals):
    """A web process, while a large file is announced."""
    body = {"kind": "trailer", "filename": "tide.mp4", "content_type": "video/mp4", "size": len(FILM),
            "sha256": test_assets.sha256(FILM)}
    for point in points(studio, folder=2, s3=5):
        rows = count_rows(studio)
        killed, answer = mortals.ask(f"/titles/{TITLE}/assets", body, point)
        agree(studio)
        if killed:
            assert count_rows(studio) - rows in (0, 1), point  # of the answer alone it cannot be known
        else:
            assert answer.status == 201 and count_rows(studio) == rows + 1
            break
    assert point > 4
    begun = len(list(studio.place.store.uploads()))
    mortals.run("repair", 0, days=2)
    assert len(list(studio.place.store.uploads())) == count_rows(studio) <= begun  # what no row knows is gone
    with studio.app.app_context(), clock.stopped_at(clock.now() + timedelta(days=8)):
        checking.sweep(studio.place.store)
        db.session.commit()
        worker.catch_up(studio.place.store)
    assert left(studio) == ([], [])


def completing(studio, mortals):
    """A web process, while a large file is completed."""
    for point in points(studio, folder=2, s3=5):
        told = studio.announce("trailer", FILM)
        asset, [part] = told["asset"]["id"], told["upload"]["parts"]
        assert studio.place.ask("PUT", studio.reached(part["url"]), FILM).status == 200
        killed, answer = mortals.ask(f"/assets/{asset}/completion", {}, point)
        agree(studio)
        if killed:
            assert studio(AGENT).post(f"/assets/{asset}/completion", {}).status_code in (202, 409), point
        else:
            assert answer.status == 202
        studio.work()
        assert studio.state(asset) == ("ready", None), point
        if not killed:
            break
    assert point > 4
    agree(studio)


def count_rows(studio) -> int:
    with studio.app.app_context():
        return db.session.scalar(select(func.count()).select_from(Asset).filter_by(state="uploading"))
