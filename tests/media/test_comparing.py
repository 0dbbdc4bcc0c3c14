"""`flask media check`: where rows and objects disagree is named and mended, also while people send and work goes on."""
import io
import threading
from datetime import timedelta

import pytest
from sqlalchemy import event

from core import clock, outbox
from core.database import db
from core.storage.folder import FolderStore
from core.storage.s3 import S3Store
from media import checking, comparing, worker
from media.models import Asset, State
from tests.media import test_assets
from tests.media.files import FILM, PAPER, picture, sha256
from tests.media.test_assets import AGENT, BUYER, LARGE, Studio
from tests.scale import at
from tests.stores import Place

studio = test_assets.studio
NOBODYS = f"kept/{'0' * 32}/original"
ALL_WELL = "The objects are those that the rows name."


def run(studio, *options, days=0):
    with clock.stopped_at(clock.now() + timedelta(days=days)):
        done = studio.app.test_cli_runner().invoke(args=["media", "check", *options])
    return done.exit_code, done.output


def key_of(studio, asset):
    with studio.app.app_context():
        return db.session.get(Asset, int(asset)).kept


def put(studio, key, data):
    studio.place.store.put(key, io.BytesIO(data), "video/mp4")


def test_what_is_nobodys_is_removed_when_it_is_older_than_a_day(studio):
    poster = studio.ready("poster")
    put(studio, NOBODYS, b"nobody's")
    put(studio, key_of(studio, poster).rpartition("/")[0] + "/999.webp", b"beside what is there")
    put(studio, f"arriving/{'1' * 32}", b"sent to nobody")
    studio.place.store.begin(f"kept/{'2' * 32}/original", "video/mp4")
    there = studio.objects()
    code, said = run(studio, "--repair")
    assert code == 1 and said.count("belongs to no asset") == 2 and said.count("left alone") == 2
    assert studio.objects() == there
    code, said = run(studio, "--repair", days=2)
    assert code == 1 and said.count("It is removed.") == 4
    assert f"An upload of kept/{'2' * 32}/original was begun on" in said
    assert run(studio, days=2) == (0, f"{ALL_WELL}\n")
    assert list(studio.place.store.uploads()) == [] and len(studio.objects()) == len(there) - 3
    assert studio.state(poster) == ("ready", None)


def test_nobody_is_led_to_what_is_lost(studio):
    poster, film, paper = studio.ready("poster"), studio.ready("trailer"), studio.ready("document")
    studio.place.store.delete(key_of(studio, poster))
    put(studio, key_of(studio, film), FILM + b"!")
    code, said = run(studio, "--repair")
    assert code == 1 and said.count(f"Asset {poster} is rejected.") == said.count(f"Asset {film} is rejected.") == 1
    assert studio(BUYER).get(f"/assets/{poster}/url").status_code == 404
    assert studio.state(film) == ("rejected", comparing.LOST)
    studio.work()
    assert studio.objects() == [key_of(studio, paper)]
    assert run(studio) == (0, f"{ALL_WELL}\n")


def test_a_changed_checksum_is_found_by_reading(studio):
    film, poster, paper = studio.ready("trailer"), studio.ready("poster"), studio.ready("document")
    assert run(studio, "--checksums") == (0, f"{ALL_WELL}\n")
    put(studio, key_of(studio, film), FILM[:-1] + b"?")
    webp = b"".join(studio.place.store.read(key_of(studio, poster)))
    put(studio, key_of(studio, poster), b"!" + webp[1:])
    assert run(studio) == (0, f"{ALL_WELL}\n")
    code, said = run(studio, "--checksums", "--repair")
    assert code == 1 and f"Asset {film} has another checksum (SHA-256) than its object" in said
    assert f"of asset {poster} is no picture any more" in said
    assert studio.state(film)[0] == studio.state(poster)[0] == "rejected" and studio.state(paper)[0] == "ready"
    studio.work()
    assert run(studio, "--checksums") == (0, f"{ALL_WELL}\n")


# ------------------------------------------------------------------ the folder is enough

@pytest.fixture
def house(world):
    return Studio(world, Place(world.extensions["store"]))


def kept(house, data=PAPER, kind="document"):
    """A file that was put into the store as a form would, and is still to be checked."""
    told = house.announce(kind, data)["asset"]["id"]
    with house.app.app_context():
        house.place.store.put(db.session.get(Asset, int(told)).arriving, io.BytesIO(data), "any")
    assert house(AGENT).post(f"/assets/{told}/completion", {"sha256": sha256(data)}).status_code == 202
    return told


def test_the_wrong_bucket_is_no_loss(house):
    asset = kept(house)
    house.work()
    house.app.extensions["store"] = FolderStore(house.place.store.folder / "elsewhere", "secret")
    code, said = run(house, "--repair")
    assert code == 1 and "holds nothing at all, and nothing was repaired" in said
    assert house.state(asset) == ("ready", None)


def test_it_is_compared_in_pages_and_the_rows_are_not_held(house, monkeypatch):
    assets = [kept(house) for _ in range(7)]
    house.work()
    monkeypatch.setattr(comparing, "PAGE", 2)
    put(house, NOBODYS, b"first of all")
    put(house, f"kept/{'f' * 32}/original", b"last of all")
    house.place.store.delete(key_of(house, assets[3]))
    counted = []
    with house.app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *call: counted.append(call[2]))
        assert len(comparing.differences(house.place.store)) == 3
    pages = [each for each in counted if "ORDER BY asset.key" in each]
    assert len(pages) <= 4 + 1 + 2 * 3  # the rows in pages and the end, and each difference twice more


def test_people_send_and_delete_and_the_worker_works_meanwhile(house):
    """The check runs beside them for a while, repairs, and finds nothing to repair."""
    stop, failed = threading.Event(), []

    def act(do):
        try:
            while not stop.is_set():
                do()
        except BaseException as problem:
            failed.append(problem)
            raise

    def send():
        asset = kept(house)
        if int(asset) % 3 == 0:
            house(AGENT).delete(f"/assets/{asset}")

    def work():
        with house.app.app_context():
            worker.catch_up(house.place.store)
            db.session.remove()
        stop.wait(0.01)

    house(AGENT)
    threads = [threading.Thread(target=act, args=[each]) for each in (send, work)]
    for each in threads:
        each.start()
    seen = [run(house, "--repair", "--checksums") for _ in range(at(ci=6, long=60))]
    stop.set()
    for each in threads:
        each.join()
    house.work()
    assert failed == [] and {*seen, run(house)} == {(0, f"{ALL_WELL}\n")}
    with house.app.app_context():
        states = set(db.session.scalars(db.select(Asset.state)))
        assert {State.READY} <= states <= {State.READY, State.DELETED, State.REJECTED} and outbox.failing() == []
        assert not db.session.scalar(db.select(Asset.id).filter_by(reason=comparing.LOST))


def test_reading_tells_how_far_it_is(house, monkeypatch):
    film = FILM + bytes(3 << 20)
    asset = kept(house, film, "trailer")
    house.work()
    told = []
    with house.app.app_context():
        assert list(comparing.compare(house.place.store, checksums=True, told=lambda *far: told.append(far))) == []
    assert told[-1] == (len(film), len(film)) and len(told) == 4
    monkeypatch.setattr("commands.TOLD_EVERY_SECONDS", 0)
    said = house.app.test_cli_runner().invoke(args=["media", "check", "--checksums"]).stderr
    assert "% of 3 MB, " in said and " MB/s, " in said and " s left" in said
    assert house.state(asset)[0] == "ready"


def test_the_check_of_everything_compares_the_store_or_says_that_it_does_not_answer(house):
    invoke = house.app.test_cli_runner().invoke
    kept(house, picture(), "poster")
    assert "objects equal assets" in invoke(args=["check"]).output
    put(house, NOBODYS, b"nobody's")
    done = invoke(args=["check"])
    assert done.exit_code == 1 and f"The object {NOBODYS} belongs to no asset." in done.output
    house.app.extensions["store"] = S3Store("media", endpoint="http://127.0.0.1:9", region="x", access_key="a",
                                            secret_key="b")
    done = invoke(args=["check"])
    assert done.exit_code == 1 and "The store does not answer, so its objects could not be compared" in done.output
    assert "The store does not answer" in invoke(args=["media", "check"]).output
    assert "The store refused" in invoke(args=["media", "prepare"]).output


def test_an_upload_whose_asset_waited_for_its_check_is_not_swept(house):
    """The worker was away for a week: what was sent to its end before is checked all the same."""
    told = house.announce("trailer", bytes(LARGE))["asset"]["id"]
    small = kept(house)
    with house.app.app_context():
        row = db.session.get(Asset, int(told))
        row.state = State.CHECKING.value
        db.session.commit()
        upload_id, key, paper = row.upload_id, row.arriving, db.session.get(Asset, int(small)).arriving
        with clock.stopped_at(clock.now() + timedelta(days=9)):
            checking.sweep(house.place.store)
            db.session.commit()
        assert [each.upload_id for each in house.place.store.uploads()] == [upload_id]
        assert house.place.store.parts(key, upload_id) == [] and house.place.store.head(paper).size == len(PAPER)
