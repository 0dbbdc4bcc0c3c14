"""Sending a file, having it checked, and who may have it: over the API, with both stores."""
import io
import re
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import select

from core import clock, outbox
from core.database import db
from core.storage.contract import Form
from core.storage.s3 import S3Store
from media import assets, checking, comparing, types, worker
from media.models import PICTURES, SHOWN, Asset, Kind, Rendition, State
from tests.conftest import Caller
from tests.media.files import FILM, PAPER, SOUND, WORDS, picture, sha256
from tests.stores import Place, Serving, bucket_of
from tests.test_pages import Visitor, text

AGENT, MANAGER, RIVAL, BUYER, OPERATOR = (
    "agent@harbour.test", "rights@harbour.test", "agent@lotus.test", "buyer@sakura.test", "operator@market.test")
POSTER = picture()
TITLE = 1  # of Harbour Pictures, published
LARGE = (65 << 20) + 5
FILES = {Kind.POSTER: ("image/png", POSTER), Kind.STILL: ("image/jpeg", picture("JPEG")),
         Kind.TRAILER: ("video/mp4", FILM), Kind.SCREENER: ("video/mp4", FILM), Kind.MASTER: ("video/mp4", FILM),
         Kind.SUBTITLE: ("text/vtt", WORDS), Kind.DOCUMENT: ("application/pdf", PAPER),
         Kind.AUDIO: ("audio/wav", SOUND), Kind.ART: ("image/png", POSTER)}


class Studio:
    """The demo world with a store, and people who send files to it."""

    def __init__(self, app, place):
        self.app, self.place, self.callers = app, place, {}

    def __call__(self, email):
        if email not in self.callers:
            self.callers[email] = Caller(self.app, email)
        return self.callers[email]

    def announce(self, sort, data=None, by=AGENT, status=201, **more):
        type, own = FILES[Kind(sort)]
        data = own if data is None else data
        answer = self(by).post(f"/titles/{TITLE}/assets", {
            "kind": str(sort), "filename": f"tide {sort}.bin", "content_type": type, "size": len(data),
            "sha256": sha256(data), **more})
        assert answer.status_code == status, answer.json
        return answer.json

    def send(self, kind, data=None, by=AGENT, sent=None, **more):
        """The id of a file that was announced, sent and completed, and is still to be checked."""
        data = FILES[Kind(kind)][1] if data is None else data
        told = self.announce(kind, data, by, **more)
        asset, upload = told["asset"]["id"], told["upload"]
        data = data if sent is None else sent
        if upload["method"] == "POST":
            assert self.post(upload, data).status in (200, 204)
        else:
            for part in upload["parts"]:
                start = (part["number"] - 1) * upload["part_size"]
                assert self.place.ask("PUT", self.reached(part["url"]), data[start:start + part["size"]]).status == 200
        done = self(by).post(f"/assets/{asset}/completion", {"sha256": more.get("sha256", sha256(data))})
        assert done.status_code == 202 and done.json["state"] == "checking", done.json
        return asset

    def post(self, upload, data):
        return self.place.post(Form(self.reached(upload["url"]), upload["fields"]), data)

    def reached(self, url):
        """The API answers with the host it was asked at; the folder is served at another here."""
        return url.replace("http://localhost", self.place.base) if self.place.base else url

    def work(self):
        with self.app.app_context():
            worker.catch_up(self.place.store)
            worker.make_renditions(self.place.store, say=lambda _: None)
            assert outbox.failing() == []

    def ready(self, kind, data=None, **more):
        asset = self.send(kind, data, **more)
        self.work()
        assert self.state(asset) == ("ready", None)
        return asset

    def state(self, asset, by=AGENT):
        told = self(by).get(f"/assets/{asset}").json
        return told["state"], told["reason"]

    def objects(self):
        return [each.key for each in self.place.store.listing()]


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.s3)])
def studio(request, world):
    if request.param == "folder":
        with Serving(world) as serving:
            yield Studio(world, Place(world.extensions["store"], serving.base))
    else:
        world.extensions["store"] = bucket_of(request.getfixturevalue("ceph"))
        yield Studio(world, Place(world.extensions["store"]))


def test_a_file_of_each_kind_is_sent_checked_and_read_and_its_key_tells_nothing(studio):
    for kind in Kind:
        asset = studio.ready(kind)
        told = studio(AGENT).get(f"/assets/{asset}/url").json
        answer = studio.place.ask("GET", studio.reached(told["url"]))
        assert answer.status == 200
        if kind in PICTURES:
            assert answer.headers["content-type"] == "image/webp" and answer.body[8:12] == b"WEBP"
        else:
            assert answer.body == FILES[kind][1] and answer.headers["content-type"].startswith(FILES[kind][0])
        assert ("attachment" in answer.headers.get("content-disposition", "")) == (
            kind not in PICTURES | {Kind.TRAILER, Kind.SCREENER})
    for key in studio.objects():
        place, random, name = key.split("/")
        assert place == "kept" and len(random) == 32 and set(random) <= set("0123456789abcdef")
        assert name == "original" or name.removesuffix(".webp").isdigit()


def test_what_is_large_comes_in_parts_and_is_found_true(studio):
    film = FILM + bytes(LARGE - len(FILM))
    told = studio.announce("trailer", film)
    parts = told["upload"]["parts"]
    assert [part["size"] for part in parts] == [16 << 20] * 4 + [(1 << 20) + 5]
    asset = studio.send("trailer", film)
    studio.work()
    assert studio.state(asset) == ("ready", None)
    url = studio.reached(studio(BUYER).get(f"/assets/{asset}/url").json["url"])
    assert studio.place.ask("GET", url, headers={"Range": "bytes=0-11"}).body == FILM[:12]


def test_an_upload_goes_on_where_it_stood(studio):
    film = FILM + bytes(LARGE - len(FILM))
    told = studio.announce("trailer", film)
    asset, upload = told["asset"]["id"], told["upload"]
    for part in upload["parts"][::2]:
        start = (part["number"] - 1) * upload["part_size"]
        studio.place.ask("PUT", studio.reached(part["url"]), film[start:start + part["size"]])
    early = studio(AGENT).post(f"/assets/{asset}/completion", {})
    assert early.status_code == 409 and "2 parts have not arrived, the first of them is part 2" in early.json["detail"]
    state = studio(AGENT).post(f"/assets/{asset}/parts", {"numbers": [2, 4]}).json
    assert (state["arrived"], state["count"]) == ([1, 3, 5], 5)
    for part in state["parts"]:
        start = (part["number"] - 1) * state["part_size"]
        studio.place.ask("PUT", studio.reached(part["url"]), film[start:start + part["size"]])
    assert studio(AGENT).post(f"/assets/{asset}/completion", {}).status_code == 202
    studio.work()
    assert studio.state(asset) == ("ready", None)


LIES = [  # kind, what was announced, what was sent where it was something else, what the reason says
    ("poster", POSTER, POSTER[:-1] + b"!", "checksum"),
    ("poster", b"<svg xmlns='http://www.w3.org/2000/svg'/>", None, "its content is nothing that is taken here"),
    ("poster", FILM, None, "its content is video/mp4"),
    ("trailer", POSTER, None, "its content is image/png"),
    ("document", b"<html><script>alert(1)</script>", None, "its content is nothing"),
    ("trailer", b"MZ" + bytes(100), None, "its content is nothing"),
    ("poster", POSTER[:2000], None, "not a PNG that can be read"),
    ("subtitle", b"\x00\x00\x00\x1cftypavif" + bytes(100), None, "its content is nothing"),
    ("audio", FILM, None, "its content is video/mp4"),
    ("audio", b"RIFF\x24\x00\x00\x00AVI LIST" + bytes(100), None, "its content is nothing"),
    ("art", b"<svg xmlns='http://www.w3.org/2000/svg'/>", None, "its content is nothing"),
]


@pytest.mark.parametrize("head, type", [
    (b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav"), (b"RF64\xff\xff\xff\xffWAVEds64", "audio/wav"),
    (b"BW64\xff\xff\xff\xffWAVEds64", "audio/wav"), (b"RIFF\x24\x00\x00\x00AVI LIST", None),
    (b"fLaC\x00\x00\x00\x22", "audio/flac"), (b"\x00\x00\x00\x1cftypM4A \x00", "audio/mp4"),
    (b"\x00\x00\x00\x1cftypisom\x00", "video/mp4"), (b"PK\x03\x04\x14\x00", "application/zip"),
    (b"PK\x05\x06" + bytes(18), None), (b"WAVERIFF", None)])
def test_sounds_and_archives_are_known_by_their_first_bytes(head, type):
    assert types.of(head.ljust(64, b"\x00")) == type


def test_a_lie_is_rejected_with_the_reason_and_removed(studio):
    for kind, said, sent, why in LIES:
        asset = studio.send(kind, said, sent=sent, **({"sha256": sha256(said)} if sent else {}))
        studio.work()
        state, reason = studio.state(asset)
        assert state == "rejected" and why in reason
        assert studio.objects() == []
        assert studio(AGENT).get(f"/assets/{asset}/url").status_code == 409


def test_what_was_never_sent_is_rejected(studio):
    asset = studio.announce("poster")["asset"]["id"]
    studio(AGENT).post(f"/assets/{asset}/completion", {})
    studio.work()
    assert studio.state(asset) == ("rejected", "The file never arrived.")


def test_a_form_used_again_changes_nothing_that_was_checked(studio):
    told = studio.announce("document")
    asset, upload = told["asset"]["id"], told["upload"]
    studio.post(upload, PAPER)
    studio(AGENT).post(f"/assets/{asset}/completion", {})
    studio.work()
    assert studio.post(upload, b"%PDF-evil".ljust(len(PAPER))).status in (200, 204)
    url = studio.reached(studio(AGENT).get(f"/assets/{asset}/url").json["url"])
    assert studio.place.ask("GET", url).body == PAPER


def test_a_worker_killed_at_any_point_goes_on_where_it_stood(studio, monkeypatch):
    """Each write to the store and to the row fails once; the next turn ends well all the same."""
    store, broke = studio.place.store, []
    sent = [studio.send("poster"), studio.send("trailer", FILM + bytes(LARGE - len(FILM)))]

    class Killed(BaseException):
        pass

    def once(name, act):
        def call(*args, **kwargs):
            for when in ("before", "after"):
                if (name, when) not in broke and broke.append((name, when)) is None:
                    if when == "after":
                        act(*args, **kwargs)
                    raise Killed
            return act(*args, **kwargs)
        return call
    for name in ("put", "delete", "complete", "head"):
        monkeypatch.setattr(store, name, once(name, getattr(store, name)))
    monkeypatch.setattr(assets, "accept", once("accept", assets.accept))
    for _ in range(20):
        try:
            studio.work()
            break
        except Killed:
            with studio.app.app_context():
                db.session.remove()
    assert len(broke) == 10
    assert [studio.state(each) for each in sent] == [("ready", None)] * 2
    assert not [key for key in studio.objects() if key.startswith("arriving/")]


def test_deleting_takes_it_from_everyone_at_once_and_its_objects_later(studio):
    asset = studio.ready("poster")
    assert studio(AGENT).delete(f"/assets/{asset}").status_code == 204
    for email in (AGENT, BUYER):
        assert studio(email).get(f"/assets/{asset}").status_code == 404
        assert studio(email).get(f"/assets/{asset}/url").status_code == 404
    with studio.app.app_context():
        assert checking.sweep(studio.place.store) == 0
        assert studio.objects()
        with clock.stopped_at(clock.now() + timedelta(days=8)):
            assert checking.sweep(studio.place.store) == 1
        db.session.commit()
        assert studio.objects() == []
        assert db.session.scalar(select(Asset.swept_at)) is not None


def test_what_was_never_sent_to_its_end_is_swept(studio):
    small, large = studio.announce("poster"), studio.announce("trailer", bytes(LARGE))
    studio.post(small["upload"], POSTER)
    with studio.app.app_context(), clock.stopped_at(clock.now() + timedelta(days=8)):
        assert checking.sweep(studio.place.store) == 2
        db.session.commit()
    studio.work()
    assert studio.objects() == []
    assert {studio.state(each["asset"]["id"])[0] for each in (small, large)} == {"rejected"}
    assert studio(AGENT).post(f"/assets/{large['asset']['id']}/parts", {"numbers": [1]}).status_code == 409


def test_the_check_names_what_is_missing_changed_or_nobodys(studio):
    poster, film = studio.ready("poster"), studio.ready("master")
    studio.announce("trailer", bytes(LARGE))
    studio.send("document")  # what is still to be checked is no difference
    store, compare = studio.place.store, lambda: comparing.differences(studio.place.store)
    with studio.app.app_context():
        assert compare() == []
        keys = {name: db.session.get(Asset, int(each)).kept for name, each in (("poster", poster), ("film", film))}
        store.delete(keys["poster"])
        store.put(keys["film"], io.BytesIO(b"other"), "video/mp4")
        store.put(f"kept/{'0' * 32}/original", io.BytesIO(b"nobody's"), "video/mp4")
        assert set(compare()) == {
            f"Asset {poster} lacks its object {keys['poster']}.",
            f"Asset {film} has {len(FILM):,} bytes, its object {keys['film']} has 5.",
            f"The object kept/{'0' * 32}/original belongs to no asset."}


def test_a_description_is_not_replaced_unread(studio):
    asset = studio.ready("poster")
    first, second = Visitor(studio.app, AGENT), Visitor(studio.app, "rights@harbour.test")
    page, path = f"/titles/{TITLE}/media", f"/media/{asset}/description"

    def revision(shown):
        return re.search(r'name="revision" value="(\w+)"', text(shown))[1]
    opened = revision(second.get(page))
    sent = {"alt_text": "A boat", "x": "40", "y": "60"}
    assert first.submit(path, {**sent, "revision": revision(first.get(page))}, form=page).status_code == 302
    late = {**sent, "alt_text": "A ferry at night"}
    refused = second.submit(path, {**late, "revision": opened}, form=page)
    assert refused.status_code == 412 and "“A boat”, in view 40 %" in text(refused)
    assert 'value="A ferry at night"' in text(refused)
    assert studio(AGENT).get(f"/assets/{asset}").json["alt_text"] == "A boat"
    assert second.submit(path, {**late, "revision": revision(refused)}, form=page).status_code == 302
    assert studio(AGENT).get(f"/assets/{asset}").json["alt_text"] == "A ferry at night"


# ------------------------------------------------------------------ the API alone

@pytest.fixture
def house(world):
    return Studio(world, Place(world.extensions["store"]))


IMPOSSIBLE = [
    ({"content_type": "image/svg+xml"}, "content_type"), ({"content_type": "video/mp4"}, "content_type"),
    ({"size": 65 << 20}, "size"), ({"size": 0}, "size"), ({"size": -1}, "size"), ({"kind": "virus"}, "kind"),
    ({"sha256": "A" * 64}, "sha256"), ({"filename": ""}, "filename"), ({"filename": "a\x00b"}, "filename"),
    ({"focal_point": {"x": 2, "y": 0}}, "focal_point"), ({"size": 1 << 50}, "size"), ({"language": "??"}, "language")]


def test_what_cannot_be_is_refused_before_it_is_sent(house):
    for changed, field in IMPOSSIBLE:
        assert field in house.announce("poster", status=422, **changed)["errors"], changed


def test_who_may_send(house):
    for email, status in ((AGENT, 201), (MANAGER, 201), (RIVAL, 403), (BUYER, 403), (OPERATOR, 403)):
        house.announce("poster", by=email, status=status)
    asset = house.announce("poster")["asset"]["id"]
    for email, status in ((RIVAL, 404), (BUYER, 403), (OPERATOR, 403)):
        for path in (f"/assets/{asset}/parts", f"/assets/{asset}/completion"):
            assert house(email).post(path, {}).status_code == status, (email, path)
        assert house(email).delete(f"/assets/{asset}").status_code == status
        assert house(email).patch(f"/assets/{asset}", {}).status_code == status


def test_a_checksum_is_wanted_and_may_not_change(house):
    asset = house.announce("poster", sha256=None)["asset"]["id"]
    assert "sha256" in house(AGENT).post(f"/assets/{asset}/completion", {}).json["errors"]
    asset = house.announce("poster")["asset"]["id"]
    assert house(AGENT).post(f"/assets/{asset}/completion", {"sha256": "0" * 64}).status_code == 422
    assert house(AGENT).post(f"/assets/{asset}/completion", {}).status_code == 202
    assert house(AGENT).post(f"/assets/{asset}/completion", {}).status_code == 409


def test_nobody_sees_what_is_not_theirs_to_see(house):
    """The whole product of kind, state, role and company, on the API; a draft's media are its seller's alone."""
    known = {}
    for kind, state in product(Kind, State):
        known[kind, state] = house.announce(kind)["asset"]["id"]
        with house.app.app_context():
            db.session.get(Asset, int(known[kind, state])).state = state.value
            db.session.commit()
    for email in (AGENT, MANAGER, RIVAL, BUYER, OPERATOR, None):
        listed = house(email).get(f"/titles/{TITLE}/assets?page_size=100")
        assert listed.status_code == (200 if email in (AGENT, MANAGER) else 403 if email else 401)
        for (kind, state), asset in known.items():
            mine = email in (AGENT, MANAGER) and state != State.DELETED
            open_to_all = state == State.READY and kind in SHOWN and email is not None
            seen = 401 if email is None else 200 if mine or open_to_all else 404
            told = house(email).get(f"/assets/{asset}")
            assert told.status_code == seen, (email, kind, state)
            assert seen != 200 or told.json["filename"] == (f"tide {kind}.bin" if mine else kind)
            url = house(email).get(f"/assets/{asset}/url").status_code
            assert url == (409 if seen == 200 and state != State.READY else seen), (email, kind, state)
            if email in (AGENT, MANAGER):
                assert (asset in [each["id"] for each in listed.json]) == (seen == 200), (email, kind, state)
    assert house(AGENT).patch(f"/titles/{TITLE}", {"status": "draft"}, If_Match="*").status_code == 200
    for email in (RIVAL, BUYER, OPERATOR):
        assert house(email).get(f"/titles/{TITLE}/assets").status_code == (404 if email == RIVAL else 403)  # by role
        for asset in known.values():
            assert house(email).get(f"/assets/{asset}").status_code == 404


def test_a_picture_is_described(house):
    asset = house.announce("poster", alt_text="A pier", focal_point={"x": 0.25, "y": 0.8})["asset"]
    assert (asset["alt_text"], asset["focal_point"]) == ("A pier", {"x": 0.25, "y": 0.8})
    told = house(AGENT).patch(f"/assets/{asset['id']}", {"alt_text": "A pier at night"}).json
    assert (told["alt_text"], told["focal_point"]) == ("A pier at night", {"x": 0.25, "y": 0.8})


def test_a_store_that_does_not_answer_is_said_calmly(world):
    world.extensions["store"] = S3Store("media", endpoint="http://127.0.0.1:9", region="x", access_key="a",
                                        secret_key="b")
    house = Studio(world, Place(world.extensions["store"]))
    refused = house.announce("trailer", bytes(1), status=503, size=LARGE)
    assert "Try again" in refused["detail"] and "127.0.0.1" not in str(refused)
    house.announce("poster")  # what needs no answer of the store goes on


def test_a_page_asks_the_store_nothing(house):
    """A store that is gone makes no page slower: its posters are addresses, signed here, and letters stand below."""
    asset = house.announce("poster", alt_text="A pier")["asset"]["id"]
    with house.app.app_context():
        row = db.session.get(Asset, int(asset))
        row.state = State.READY.value
        row.renditions = [Rendition(name=f"{width}.webp", width=width, height=width, size=1) for width in (72, 352)]
        db.session.commit()
    house.app.extensions["store"] = S3Store("media", endpoint="http://127.0.0.1:9", region="x", access_key="a",
                                            secret_key="b")
    visitor = Visitor(house.app, BUYER)
    for path in (f"/titles/{TITLE}", f"/titles/{TITLE}/media", "/?q=tide"):
        page = visitor.get(path)
        assert page.status_code == 200 and b'src="http://127.0.0.1:9/media/kept/' in page.data, path
        assert b'alt="A pier"' in page.data
