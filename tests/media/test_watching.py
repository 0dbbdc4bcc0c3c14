"""Watching a film: who may, what the page says before it begins, and the words that belong to it. Over HTTP."""
import io
import re
from datetime import timedelta
from itertools import product

import pytest

import config
from core import clock
from core.database import db
from media import webvtt
from media.models import FILMS, Asset, Kind, State
from tests.media import test_grants
from tests.media.files import WORDS
from tests.media.test_assets import AGENT, BUYER, MANAGER, OPERATOR, RIVAL, TITLE, Studio, studio
from tests.media.test_grants import give, whom
from tests.stores import Place
from tests.test_pages import Visitor

__all__ = ["studio"]  # a fixture: both stores
a_day = test_grants.a_day
JSON = {"Accept": "application/json"}


@pytest.fixture
def house(world):
    return Studio(world, Place(world.extensions["store"]))


@pytest.fixture
def watchers(world):
    """`watchers(email)`: someone at a browser without script, signed in once."""
    known = {}

    def come(email):
        if email not in known:
            known[email] = Visitor(world, email)
        return known[email]
    return come


def made(house, kind, state=State.READY, **more):
    """The id of an asset in a state."""
    with house.app.app_context():
        asset = house.announce(kind, **more)["asset"]["id"]
        db.session.get(Asset, int(asset)).state = state.value
        db.session.commit()
    return asset


def send(visitor, path, body=None):
    visitor.kept = getattr(visitor, "kept", None) or visitor.token()
    return visitor.client.post(path, json=body or {}, headers={**JSON, "X-CSRFToken": visitor.kept})


def test_nobody_watches_what_is_not_theirs_to_watch(house, watchers):
    """The whole product of kind, state, role, company and grant; the page and what its player asks for answer alike."""
    known = {(kind, state): made(house, kind, state) for kind, state in product(Kind, State)}
    granted = made(house, "screener")
    give(house, granted, whom(house, BUYER))
    known[Kind.SCREENER, "granted"] = granted
    for email in (AGENT, RIVAL, BUYER, OPERATOR, None):
        for (kind, state), asset in known.items():
            live = state in (State.READY, "granted")
            own = email == AGENT and state != State.DELETED
            may = own or (live and kind == Kind.TRAILER) or (state == "granted" and email == BUYER)
            status = 404 if kind not in FILMS or not may else 200 if live else 409
            page = watchers(email).get(f"/media/{asset}/watch")
            begun = send(watchers(email), f"/media/{asset}/plays")
            if email is None:
                assert page.status_code == 302 and "/sign-in" in page.location and begun.status_code == 400
            else:
                assert (page.status_code, begun.status_code) == (status, 201 if status == 200 else status), (
                    email, kind, state)
            assert (b"/stored/" in begun.data) == (begun.status_code == 201)


def says(visitor, asset):
    """What stands on the page of a film, without marks."""
    page = visitor.get(f"/media/{asset}/watch")
    assert page.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", "", page.get_data(as_text=True)).split())


def test_the_page_says_what_a_play_is_before_it_begins(house, watchers):
    asset = made(house, "screener")
    give(house, asset, whom(house, BUYER), max_views=2)
    buyer = watchers(BUYER)
    said = says(buyer, asset)
    assert "Harbour Pictures lets Sakura TV watch this until 17 Mar 2027." in said
    assert "2 of 2 views are left; pressing Play uses one. A view lasts twelve hours" in said
    assert "Sakura TV · 10 Mar 2027" in said, "whose viewing it is"
    assert "/stored/" not in buyer.get(f"/media/{asset}/watch").get_data(as_text=True), "no address before it is begun"
    begun = send(buyer, f"/media/{asset}/plays").json
    assert "1 of 2 views is left" in says(buyer, asset) and "Go on" not in says(buyer, asset)
    send(buyer, f"/plays/{begun['id']}/progress", {"seconds": 3725})
    assert "Go on at 1:02:05" in says(buyer, asset)
    send(buyer, f"/media/{asset}/plays")
    said = says(buyer, asset)
    assert "The last view has begun." in said and "Go on at 1:02:05" in said and "beginning" not in said
    with clock.stopped_at(clock.now() + timedelta(hours=12, seconds=1)):
        said = says(buyer, asset)
        assert "Every view was used. Ask Harbour Pictures for another." in said and "Go on" not in said
    assert send(buyer, f"/media/{asset}/plays").status_code == 403
    own = says(watchers(AGENT), asset)
    assert "your own screener" in own and "Play" in own
    assert "watermark" not in watchers(BUYER).get(f"/media/{made(house, 'trailer')}/watch").get_data(as_text=True)


def test_a_grant_to_a_person_says_so_and_is_watched_though_the_title_is_a_draft(house, watchers):
    asset = made(house, "screener")
    with house.app.app_context():
        from accounts import people
        name = people.find(BUYER).name
    give(house, asset, {"email": BUYER})
    assert f"lets you, {name}, watch this" in says(watchers(BUYER), asset)
    assert "as often as you like" in says(watchers(BUYER), asset)
    house(AGENT).patch(f"/titles/{TITLE}", {"status": "draft"}, If_Match="*")
    assert f"/titles/{TITLE}" not in watchers(BUYER).get(f"/media/{asset}/watch").get_data(as_text=True)


def test_a_play_is_told_by_its_viewer_alone_with_the_forms_token_until_the_grant_ends(house, watchers):
    asset = made(house, "screener")
    grant = give(house, asset, whom(house, BUYER))
    buyer = watchers(BUYER)
    begun = send(buyer, f"/media/{asset}/plays")
    play = begun.json["id"]
    assert begun.json["lives"] == 300 and begun.json["tracks"] == {}
    assert buyer.client.post(f"/media/{asset}/plays", json={}, headers=JSON).status_code == 400
    assert buyer.client.post(f"/plays/{play}/progress", json={"seconds": 9}, headers=JSON).status_code == 400
    assert send(watchers(MANAGER), f"/plays/{play}/progress", {"seconds": 9}).status_code == 404
    with clock.stopped_at(clock.now() + timedelta(minutes=4)):
        assert send(buyer, f"/plays/{play}/progress", {"seconds": 600}).json["url"] != begun.json["url"]
    for wrong in ({"seconds": -1}, {"seconds": "far"}, {}):
        assert send(buyer, f"/plays/{play}/progress", wrong).status_code == 422
    [told] = house(AGENT).get(f"/assets/{asset}/grants").json
    assert [each["seconds"] for each in told["plays"]] == [600]
    house(AGENT).delete(f"/assets/{asset}/grants/{grant}")
    assert send(buyer, f"/plays/{play}/progress", {"seconds": 700}).status_code == 404
    assert buyer.get(f"/media/{asset}/watch").status_code == 404
    assert [each["seconds"] for each in house(AGENT).get(f"/assets/{asset}/grants").json[0]["plays"]] == [600]


# ------------------------------------------------------------------ words over a film

def test_words_are_read_by_exactly_those_who_may_watch_their_film(studio):
    film, other = made(studio, "screener"), made(studio, "trailer")
    words = studio.ready("subtitle", film_id=film, track="captions", language="zh-Hant")
    studio.ready("subtitle", film_id=other, language="en")
    give(studio, film, whom(studio, BUYER))
    told = studio(AGENT).get(f"/assets/{words}").json
    assert (told["film_id"], told["track"], told["language"]) == (film, "captions", "zh-Hant")
    assert studio(BUYER).get(f"/assets/{words}").status_code == 404
    buyer = Visitor(studio.app, BUYER)
    page = buyer.get(f"/media/{film}/watch").get_data(as_text=True)
    [track] = re.findall(r"<track[^>]+>", page)
    assert track.startswith('<track kind="captions" srclang="zh-Hant" label="') and f'data-id="{words}">' in track
    begun = send(buyer, f"/media/{film}/plays").json
    assert list(begun["tracks"]) == [words]
    answer = studio.place.ask("GET", studio.place.base + begun["tracks"][words] if studio.place.base
                              else begun["tracks"][words], headers={"Origin": "http://127.0.0.1:5000"})
    assert answer.body == WORDS and answer.headers["content-type"].startswith("text/vtt")
    assert "attachment" not in answer.headers.get("content-disposition", "")
    if not studio.place.base:
        assert answer.headers["access-control-allow-origin"] in ("*", "http://127.0.0.1:5000")
    assert send(Visitor(studio.app, RIVAL), f"/media/{film}/plays").status_code == 404
    studio(AGENT).delete(f"/assets/{film}")
    assert studio(AGENT).get(f"/assets/{words}").status_code == 404, "words go with their film"


def test_words_belong_to_a_film_of_their_title_and_have_a_language(house):
    film, poster, gone = made(house, "trailer"), made(house, "poster"), made(house, "screener", State.DELETED)
    assert house.announce("subtitle", film_id=film, language="en")["asset"]["track"] == "subtitles"
    assert house.announce("subtitle")["asset"]["film_id"] is None, "a material of its own"
    for more, field in (({"film_id": film}, "language"), ({"film_id": poster, "language": "en"}, "film_id"),
                        ({"film_id": gone, "language": "en"}, "film_id"), ({"track": "captions"}, "film_id"),
                        ({"film_id": "99999", "language": "en"}, "film_id"),
                        ({"film_id": film, "language": "en", "track": "metadata"}, "track")):
        assert field in house.announce("subtitle", status=422, **more)["errors"], more
    assert "film_id" in house.announce("poster", status=422, film_id=film, language="en")["errors"]
    assert "size" in house.announce("subtitle", status=422, size=(2 << 20) + 1)["errors"]
    told = house(AGENT).post("/titles/2/assets", {"kind": "subtitle", "filename": "a.vtt", "content_type": "text/vtt",
                                                  "size": 9, "film_id": film, "language": "en"})
    assert told.status_code == 422 and "film_id" in told.json["errors"]


def test_an_address_lives_five_minutes_at_most():
    assert config.read({})["READING_SECONDS"] == 300 and config.read({"READING_SECONDS": "3"})["READING_SECONDS"] == 3
    for wrong in ("0", "301", "-1", "soon", "2.5"):
        with pytest.raises(config.BadSettings, match="a number from 1 to 300"):
            config.read({"READING_SECONDS": wrong})


CUE = "00:01.000 --> 00:02.000\nwords\n"


@pytest.mark.parametrize("text", [
    "WEBVTT\n\n" + CUE, "\ufeffWEBVTT\n\n" + CUE, "WEBVTT - of the tide\r\n\r\n" + CUE.replace("\n", "\r\n"),
    "WEBVTT\nKind: captions\n\nNOTE a remark --\n\nSTYLE\n::cue { color: red }\n\n1\n" + CUE,
    "WEBVTT\n\n01:00:00.000 --> 100:00:00.000 line:0 align:start\n潮\n", "WEBVTT\n\n" + CUE + "\n" + CUE,
    "WEBVTT\r\r" + CUE.replace("\n", "\r")])
def test_webvtt_of_every_make_is_taken(text):
    webvtt.check(text.encode())


@pytest.mark.parametrize("text, words", [
    ("", "The first line of subtitles is WEBVTT"), ("WEBVTTX\n\n" + CUE, "The first line"),
    ("1\n00:00:01,000 --> 00:00:02,000\nwords\n", "The first line"), ("WEBVTT", "There are no words"),
    ("WEBVTT\n\n00:00:01,000 --> 00:00:02,000\nwords\n", "Line 3: “00:00:01,000 --> 00:00:02,000” is no timing."),
    ("WEBVTT\n\nname\n00:61.000 --> 00:62.000\nwords\n", "Line 4"), ("WEBVTT\n\nwords alone\n", "Line 3: here should"),
    ("WEBVTT\n\n00:02.000 --> 00:01.000\nwords\n", "Line 3: the words end before they begin."),
    ("WEBVTT\n\n00:05.000 --> 00:06.000\na\n\n" + CUE, "Line 6: the words begin before those above them."),
    ("WEBVTT\n\n00:01.000 --> 00:02.000\na\0b\n", "U+0000"),
    ("WEBVTT\n\n" + (CUE + "\n") * 20_001, "20,000 are the most")])
def test_what_is_no_webvtt_is_refused_with_the_line_that_is_wrong(text, words):
    with pytest.raises(webvtt.Unfit) as refusal:
        webvtt.check(text.encode())
    assert words in str(refusal.value)


def test_words_that_no_player_can_show_are_rejected_with_the_reason(house):
    for data, words in ((b"WEBVTT\n\n\xff\xfe", "Byte 8 of the subtitles is not UTF-8."),
                        (b"WEBVTT\n\nNOTE nothing\n", "There are no words in these subtitles.")):
        with house.app.app_context():
            told = house.announce("subtitle", data)["asset"]["id"]
            row = db.session.get(Asset, int(told))
            house.place.store.put(row.arriving, io.BytesIO(data), "text/vtt")
            house(AGENT).post(f"/assets/{told}/completion", {})
        house.work()
        assert house.state(told)[0] == "rejected" and words in house.state(told)[1]
