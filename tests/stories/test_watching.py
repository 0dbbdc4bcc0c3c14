"""A screener as its viewer watches it: across the ends of its addresses, with words and a mark, until it is revoked."""
import io
import shutil
import sqlite3
import time
from datetime import timedelta
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from accounts import people
from core import clock
from core.database import db
from media import assets, grants
from media.models import Asset, Grant, State
from tests.conftest import make_app
from tests.media.files import film, sha256
from tests.scale import at
from tests.stores import Place, bucket_of
from tests.stories.conftest import Slate
from tests.stories.people import PHONE, Person

pytestmark = [pytest.mark.story, pytest.mark.ffmpeg]
AGENT, BUYER = "agent@harbour.test", "buyer@sakura.test"
LIFE, LENGTH = 3, 14  # seconds: of an address, and of the film
WORDS = "WEBVTT\n\n00:00.000 --> 00:20.000\nThe tide turns\n"
CHAPTERS = "WEBVTT\n\n00:00.000 --> 00:10.000\nThe pier\n\n00:10.000 --> 00:14.000\n<b>The sea & I\n"


class Cinema:
    """Slate whose addresses live three seconds, with films that are ready, in either store."""

    def __init__(self, instance, film, **environment):
        self.slate, self.film = Slate(instance, READING_SECONDS=str(LIFE), **environment), film
        self.app = make_app(self.slate.environment["DATABASE_URL"], instance)

    def screener(self, **more) -> tuple[int, int]:
        """(asset, grant) of a screener with subtitles and chapters, granted to the buyer's organisation."""
        with self.app.app_context():
            agent, buyer = (people.viewer(people.find(email).id) for email in (AGENT, BUYER))
            asset = self._put(agent, "screener", self.film, "video/webm", "tide.webm")
            for track, words in (("subtitles", WORDS), ("chapters", CHAPTERS)):
                self._put(agent, "subtitle", words.encode(), "text/vtt", f"{track}.vtt", film_id=asset.id, track=track,
                          language="en")
            grant = grants.give(asset, agent, organisation_id=buyer.organisation_id, starts_on=clock.today(),
                                ends_on=clock.today() + timedelta(days=7), **more)
            db.session.commit()
            return asset.id, grant.id

    def trailer(self) -> int:
        with self.app.app_context():
            asset = self._put(people.viewer(people.find(AGENT).id), "trailer", self.film, "video/webm", "trailer.webm")
            db.session.commit()
            return asset.id

    def _put(self, by, kind, data, type, name, **more) -> Asset:
        from catalogue import titles
        asset = assets.create(titles.get(1, by), by, self.store, kind=kind, filename=name, content_type=type,
                              size=len(data), sha256=sha256(data), **more)
        self.store.put(asset.kept, io.BytesIO(data), type)
        asset.state = State.READY.value
        return asset

    def revoke(self, grant):
        with self.app.app_context():
            db.session.get(Grant, grant).ended_at = clock.now()
            db.session.commit()

    def furthest(self, asset) -> list[int]:
        """How far each play of a film went, as the database has it."""
        with sqlite3.connect(self.slate.instance / "slate.db") as link:
            plays = link.execute("SELECT seconds FROM play WHERE asset_id = ? ORDER BY id", [asset])
            return [seconds for seconds, in plays]


@pytest.fixture(scope="module")
def reel(tmp_path_factory):
    return film(tmp_path_factory.mktemp("reel"), LENGTH, rate=5)


def cinema(templates, folder, reel, **environment):
    instance = folder / "instance"
    shutil.copytree(templates("sqlite", True, None)[0], instance)
    return Cinema(instance, reel, **environment)


@pytest.fixture(scope="module", params=at(ci=[pytest.param("s3", marks=pytest.mark.s3)],
                                          long=["folder", pytest.param("s3", marks=pytest.mark.s3)]))
def house(request, templates, tmp_path_factory, reel):
    """A Cinema; in CI with the objects on another host, as browsers have it harder there."""
    instance = tmp_path_factory.mktemp("cinema") / "instance"
    shutil.copytree(templates("sqlite", True, None)[0], instance)
    if request.param == "folder":
        made = Cinema(instance, reel)
        made.store = made.app.extensions["store"]
    else:
        ceph = request.getfixturevalue("ceph")
        bucket = bucket_of(ceph)
        made = Cinema(instance, reel, S3_BUCKET=bucket.bucket, S3_ENDPOINT=ceph.endpoint, S3_REGION=ceph.region,
                      S3_ACCESS_KEY=ceph.access_key, S3_SECRET_KEY=ceph.secret_key)
        made.store = bucket
        bucket.prepare([made.slate.address])
    try:
        made.slate.start()
        yield made
    finally:
        made.slate.stop()
        made.app.extensions["index"].close()


@pytest.fixture
def come(browser):
    came = []

    def arrive(cinema, email=BUYER, **settings):
        came.append(Person(browser, cinema.slate, email, **settings))
        return came[-1]
    yield arrive
    for person in came:
        person.leave()


def second(person) -> float:
    return of_film(person, "video.currentTime")


def address(person) -> str:
    return of_film(person, "video.currentSrc")


def of_film(person, what):
    return person.page.evaluate(f"() => {{ const video = document.querySelector('video'); return {what}; }}")


def until_second(person, least):
    person.page.wait_for_function("least => document.querySelector('video').currentTime >= least", arg=least)


def until_renewed(person, old):
    person.page.wait_for_function("old => document.querySelector('video').currentSrc !== old", arg=old)


def answers(cinema, url) -> int:
    return Place(cinema.store).ask("GET", url, headers={"Range": "bytes=0-9"}).status


def broken(person) -> list[str]:
    """What went wrong in the page, but for a film's own requests: their addresses end, and then they are refused."""
    return [each for each in person.problems if "/kept/" not in each]


def test_a_screener_plays_across_the_ends_of_its_addresses(house, come):
    asset, _ = house.screener(max_views=2)
    buyer = come(house)
    buyer.open(f"/media/{asset}/watch")
    expect(buyer.page.get_by_text("2 of 2 views are left; pressing Play uses one.")).to_be_visible()
    expect(buyer.page.get_by_text("Harbour Pictures lets Sakura TV watch this until")).to_be_visible()
    assert buyer.page.locator("video").get_attribute("src") is None and house.furthest(asset) == []

    buyer.tab_to(buyer.button("Play"))
    buyer.page.keyboard.press("Enter")
    until_second(buyer, 0.5)
    buyer.page.evaluate("""() => {
      const video = document.querySelector("video");
      window.seen = [];
      video.volume = 0.4; video.playbackRate = 1.25; video.textTracks[1].mode = "showing";
      setInterval(() => window.seen.push(video.currentTime), 20);
    }""")
    first = address(buyer)
    assert answers(house, first) == 206
    until_renewed(buyer, first)
    until_gone(house, first)
    assert answers(house, address(buyer)) == 206
    until_second(buyer, LIFE + 1)
    seen = buyer.page.evaluate("() => window.seen")
    assert seen == sorted(seen), "it never goes back"
    assert max(later - one for one, later in pairwise(seen)) < 2, "nor leaves anything out"
    assert of_film(buyer, "[video.volume, video.playbackRate]") == [0.4, 1.25]
    assert of_film(buyer, "[...video.textTracks].map((each) => `${each.kind} ${each.mode}`)") == [
        "chapters hidden", "subtitles showing"]
    assert of_film(buyer, "video.textTracks[1].activeCues[0].text") == "The tide turns"

    buyer.page.keyboard.press("Space")  # the film has the focus
    buyer.page.wait_for_function("() => document.querySelector('video').paused")
    stood, old = second(buyer), address(buyer)
    buyer.slate.until(lambda: house.furthest(asset) == [int(stood)], "how far it went was not told")
    until_gone(house, old)
    buyer.page.keyboard.press("Space")
    until_renewed(buyer, old)
    until_second(buyer, stood + 0.5)
    assert buyer.page.evaluate("() => Math.min(...window.seen.slice(-20))") >= stood - 0.01
    assert broken(buyer) == buyer.faults == []


def until_gone(cinema, url):
    deadline = time.monotonic() + 10
    while answers(cinema, url) != 403:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_chapters_are_links_that_wind_and_the_mark_goes_with_the_screen(house, come):
    asset, _ = house.screener()
    buyer = come(house)
    buyer.open(f"/media/{asset}/watch")
    buyer.button("Play").click()
    until_second(buyer, 0.2)
    buyer.look()
    chapters = buyer.page.get_by_role("navigation", name="Chapters").get_by_role("link")
    expect(chapters).to_have_text(["0:00:00The pier", "0:00:10<b>The sea & I"])
    expect(chapters.first).to_have_attribute("aria-current", "true")
    buyer.tab_to(chapters.last)
    buyer.page.keyboard.press("Enter")
    until_second(buyer, 10)
    expect(chapters.last).to_have_attribute("aria-current", "true")

    mark = buyer.page.locator(".watermark")
    expect(mark).to_contain_text("Sakura TV")
    expect(mark).to_contain_text(str(clock.today().year))
    for move in ("places", "drift"):
        buyer.page.emulate_media(reduced_motion="reduce" if move == "places" else "no-preference")
        assert buyer.page.evaluate(PLACES) == {"moves": 4, "between": move == "drift", "inside": True, "open": True}
    buyer.page.locator("video").focus()
    buyer.page.keyboard.press("f")
    buyer.page.wait_for_function("() => document.fullscreenElement?.matches('.screen')")
    assert buyer.page.evaluate("() => document.fullscreenElement.contains(document.querySelector('.watermark'))")
    expect(mark).to_be_visible()
    buyer.button("Leave full screen").click()
    buyer.page.wait_for_function("() => !document.fullscreenElement")
    assert broken(buyer) == buyer.faults == []
    buyer.page.evaluate("() => document.querySelector('video').requestFullscreen()")
    buyer.page.wait_for_function("() => !document.fullscreenElement?.matches('video')")  # never the video alone


# the mark at eighty moments of its way: to how many places it goes, and whether it is ever between them
PLACES = """async () => {
  const mark = document.querySelector(".watermark"), screen = document.querySelector(".screen");
  const [way] = mark.getAnimations(), places = new Set(), whole = way.effect.getComputedTiming().duration;
  let inside = true;
  way.pause();
  for (let part = 0; part < 80; part += 1) {
    way.currentTime = (whole * part) / 80;
    const box = mark.getBoundingClientRect(), around = screen.getBoundingClientRect();
    places.add(`${Math.round(box.x - around.x)} ${Math.round(box.y - around.y)}`);
    inside &&= box.x >= around.x && box.right <= around.right && box.y >= around.y && box.bottom <= around.bottom - 40;
  }
  way.play();
  const open = getComputedStyle(mark).pointerEvents === "none";
  return { moves: Math.min(4, places.size - 1), between: places.size > 5, inside, open };
}"""


def test_a_grant_taken_back_stops_the_film_and_says_why(house, come):
    asset, grant = house.screener()
    buyer = come(house, viewport=PHONE, color_scheme="dark")
    buyer.open(f"/media/{asset}/watch")
    buyer.button("Play").click()
    until_second(buyer, 1)
    house.revoke(grant)
    expect(buyer.page.get_by_text("Your leave to watch this has ended, so it stops here. "
                                  "Ask Harbour Pictures for another.")).to_be_visible()
    assert of_film(buyer, "[video.paused, video.controls, video.getAttribute('src'), video.currentTime]") == [
        True, False, None, 0]
    buyer.look()
    buyer.may_be_refused = True
    assert buyer.page.goto(f"/media/{asset}/watch").status == 404


def test_how_far_it_went_is_told_on_leaving_and_a_view_goes_on_though_its_address_is_refused(house, come):
    asset, _ = house.screener(max_views=1)
    buyer = come(house)
    buyer.open(f"/media/{asset}/watch")
    buyer.button("Play").click()
    until_second(buyer, 0.2)
    buyer.page.evaluate("() => { document.querySelector('video').currentTime = 8; }")
    until_second(buyer, 8.1)
    buyer.open("/account")
    buyer.slate.until(lambda: house.furthest(asset) == [8], "leaving was not told")
    buyer.open(f"/media/{asset}/watch")
    expect(buyer.page.get_by_text("The last view has begun.")).to_be_visible()
    assert buyer.button("Play").count() == 0
    refused = []
    buyer.page.route("**/kept/*/original*", lambda route: (refused.append(route.request.url), route.fulfill(status=403))
                     if not refused else route.continue_())  # as an address is that ended while the machine slept
    buyer.page.get_by_role("button", name="Go on at 0:00:08").click()
    until_second(buyer, 8.1)
    assert address(buyer) not in refused
    assert len(house.furthest(asset)) == 1, "no other view was used"


def test_a_trailer_plays_by_the_same_player_though_the_address_in_its_page_ended(house, come, tmp_path):
    asset = house.trailer()
    agent = come(house, AGENT)
    agent.open("/titles/1/media")
    (tmp_path / "tide.vtt").write_text(WORDS)
    assert not agent.page.get_by_label("Shown over").is_visible()
    agent.page.get_by_label("Kind").select_option("subtitle")
    agent.page.get_by_label("File", exact=True).set_input_files(tmp_path / "tide.vtt")
    agent.page.get_by_label("Language").fill("yue")
    agent.page.get_by_label("Shown over").select_option("Trailer, trailer.webm")
    agent.button("Send").click()
    sent = agent.page.get_by_role("row").filter(has_text="subtitles of trailer.webm")
    expect(sent.get_by_text("ready")).to_be_visible()
    buyer = come(house)
    buyer.open("/titles/1/media")
    expect(buyer.page.locator("track[srclang=yue]")).to_have_count(1)
    assert answers(house, address(buyer)) == 206, "it plays without script"
    until_gone(house, address(buyer))
    assert buyer.page.locator(".watermark").count() == 0 and house.furthest(asset) == []
    buyer.page.locator("video").focus()
    buyer.page.keyboard.press("Space")
    until_second(buyer, LIFE + 1)
    buyer.slate.until(lambda: house.furthest(asset)[0] >= LIFE, "how far it went was not told")
    assert of_film(buyer, "video.textTracks[0].cues[0].text") == "The tide turns"
    assert broken(agent) == agent.faults == buyer.faults == []
    buyer.context.clear_cookies()
    expect(buyer.page.get_by_text("You are signed out. Sign in again")).to_be_visible()
    assert of_film(buyer, "[video.paused, video.getAttribute('src')]") == [True, None]
