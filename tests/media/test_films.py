"""What ffmpeg makes of a film, within limits; and that a film is shown whatever becomes of it."""
import io
import json
import select
import socket
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from core import clock, outbox
from core.database import db
from media import comparing, films, worker
from media.models import SMALLER, Asset
from tests.media.files import FILM, film
from tests.media.test_assets import AGENT, BUYER, Studio, studio
from tests.stores import Place
from tests.test_pages import Visitor

__all__ = ["studio"]  # a fixture: both stores
pytestmark = pytest.mark.ffmpeg


@pytest.fixture(scope="module")
def tall(tmp_path_factory):
    """A film of 1080 lines with two chapters and words about itself."""
    return film(tmp_path_factory.mktemp("tall"), 1, "1440x1080", "mp4", 5, ("The pier", "The sea"))


@pytest.fixture
def house(world):
    return Studio(world, Place(world.extensions["store"]))


def ready(house, data, kind="trailer", type="video/mp4"):
    """The id of a film that was checked, whose renditions are still to be made."""
    told = house.announce(kind, data, content_type=type)["asset"]["id"]
    with house.app.app_context():
        house.place.store.put(db.session.get(Asset, int(told)).arriving, io.BytesIO(data), type)
    house(AGENT).post(f"/assets/{told}/completion", {})
    with house.app.app_context():
        worker.catch_up(house.place.store)
    assert house.state(told) == ("ready", None)
    return told


def make(house) -> list[str]:
    """Make what is to be made; returns what was said of it."""
    said = []
    with house.app.app_context():
        worker.make_renditions(house.place.store, said.append)
        assert outbox.failing() == [] and outbox.waiting("film") == 0
    return said


def renditions(house, asset):
    with house.app.app_context():
        return {each.name: (each.width, each.height) for each in db.session.get(Asset, int(asset)).renditions}


def test_a_tall_film_gets_a_still_and_720_lines_with_its_chapters(studio, tall, tmp_path):
    asset = ready(studio, tall)
    assert make(studio) == []
    assert renditions(studio, asset) == {"320.webp": (320, 240), "640.webp": (640, 480), "1440.webp": (1440, 1080),
                                         SMALLER: (960, 720)}
    url = studio.reached(studio(BUYER).post(f"/assets/{asset}/plays").json["url"])
    assert f"/{SMALLER}" in url
    answer = studio.place.ask("GET", url)
    (tmp_path / "made.mp4").write_bytes(answer.body)
    told = json.loads(subprocess.run(["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_chapters",
                                      tmp_path / "made.mp4"], check=True, capture_output=True).stdout)
    assert [each["codec_name"] for each in told["streams"][:2]] == ["h264", "aac"]
    assert [each["tags"]["title"] for each in told["chapters"]] == ["The pier", "The sea"]
    assert answer.body.find(b"moov") < answer.body.find(b"mdat"), "it begins to play before it was read to its end"
    assert b"SECRET-PLACE" in tall and b"SECRET-PLACE" not in answer.body
    whole = studio.reached(studio(BUYER).get(f"/assets/{asset}/url?download=true").json["url"])
    assert studio.place.ask("GET", whole).body == tall
    page = Visitor(studio.app, BUYER).get(f"/media/{asset}/watch").get_data(as_text=True)
    still = page.split('poster="')[1].split('"')[0].replace("&amp;", "&")
    picture = studio.place.ask("GET", studio.place.base + still if studio.place.base else still)
    assert Image.open(io.BytesIO(picture.body)).format == "WEBP"
    with studio.app.app_context():
        assert comparing.differences(studio.place.store) == []
        outbox.put("film", int(asset))
        db.session.commit()
    make(studio)  # made again, it is the same
    assert len(renditions(studio, asset)) == 4
    studio(AGENT).delete(f"/assets/{asset}")
    with studio.app.app_context():
        from media import checking
        checking.remove(db.session.get(Asset, int(asset)), studio.place.store)
    assert studio.objects() == []


def test_a_small_film_gets_a_still_alone_and_what_is_none_is_shown_as_it_came(house, tmp_path):
    small, none = ready(house, film(tmp_path), type="video/webm"), ready(house, FILM)
    [first, second] = make(house)
    assert all(each.startswith(f"Film {none} is shown as it is") for each in (first, second))
    assert set(renditions(house, small)) == {"320.webp"} and renditions(house, none) == {}
    assert house.state(none) == ("ready", None)
    for asset in (small, none):
        assert "/original?" in house(BUYER).post(f"/assets/{asset}/plays").json["url"]


def test_without_ffmpeg_a_film_is_shown_as_it_came(house, tall, monkeypatch):
    asset = ready(house, tall)
    monkeypatch.setenv("PATH", "/nowhere")
    assert not films.can() and make(house) == []
    assert renditions(house, asset) == {} and house.state(asset) == ("ready", None)
    assert "apt-get install ffmpeg" in house.app.test_cli_runner().invoke(args=["doctor"]).output


def test_what_was_deleted_meanwhile_gets_nothing(house, tall, monkeypatch):
    asset = ready(house, tall)
    take = films.still

    def and_delete(*given):
        assert house(AGENT).delete(f"/assets/{asset}").status_code == 204
        return take(*given)
    monkeypatch.setattr(films, "still", and_delete)
    monkeypatch.setattr(films, "smaller", lambda *_: [])
    make(house)
    assert renditions(house, asset) == {}


WORK = """
import sys
from pathlib import Path
from tests.conftest import make_app
from media import worker
app = make_app(sys.argv[1], Path(sys.argv[2]))
with app.app_context():
    worker.make_renditions(app.extensions["store"])
"""


def test_a_worker_killed_half_way_takes_ffmpeg_with_it_and_begins_again(house, tall):
    asset = ready(house, tall)
    config = house.app.config
    with subprocess.Popen([sys.executable, "-c", WORK, config["SQLALCHEMY_DATABASE_URI"], config["INSTANCE"]],
                          cwd=Path(films.__file__).parents[1]) as running:
        try:
            encoder = until(lambda: next((each for each in children(running.pid) if is_ffmpeg(each)), None))
        finally:
            running.kill()
    until(lambda: not is_ffmpeg(encoder))
    assert renditions(house, asset) == {}
    with house.app.app_context():
        assert outbox.waiting("film") == 1
    make(house)
    assert renditions(house, asset)[SMALLER] == (960, 720)


def test_what_a_killed_worker_left_is_removed_a_day_later(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in (f"{films.PREFIX}a", "others"):
        (tmp_path / name).mkdir()
        (tmp_path / name / SMALLER).write_bytes(b"half")
    films.sweep()
    assert len(list(tmp_path.iterdir())) == 2
    with clock.stopped_at(clock.now() + timedelta(seconds=films.LEFT_SECONDS + 60)):
        films.sweep()
    assert [each.name for each in tmp_path.iterdir()] == ["others"]


def until(holds):
    deadline = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return found


def children(number) -> list[str]:
    return Path(f"/proc/{number}/task/{number}/children").read_text().split()


def is_ffmpeg(number) -> bool:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes().partition(b"\0")[0].endswith(b"/ffmpeg")
    except OSError:
        return False


ENDLESS = ("-v", "error", "-f", "lavfi", "-i", "testsrc=s=640x360", "-f", "null", "-")


def test_ffmpeg_has_limits_of_time_memory_and_size(tmp_path, monkeypatch):
    with pytest.raises(films.Failed, match="longer than 1 s"):
        films.run("ffmpeg", 1, *ENDLESS)
    monkeypatch.setattr(films, "PROCESSORS", 0)  # no time of the processor
    with pytest.raises(films.Failed):
        films.run("ffmpeg", 20, *ENDLESS)
    monkeypatch.undo()
    monkeypatch.setattr(films, "LARGEST", 10_000)
    with pytest.raises(films.Failed):
        films.run("ffmpeg", 20, *ENDLESS[:-3], "-t", "2", "-f", "rawvideo", str(tmp_path / "large"))
    assert (tmp_path / "large").stat().st_size <= 10_000
    monkeypatch.undo()
    monkeypatch.setattr(films, "MEMORY", 100 << 20)
    with pytest.raises(films.Failed):
        films.run("ffmpeg", 20, *ENDLESS[:-3], "-t", "0.1", "-f", "null", "-")


def test_a_film_that_names_other_places_opens_none_of_them(house, tmp_path):
    """What pretends to be a film and is a playlist: ffmpeg as such would fetch what it names, from our own network."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        trap = (f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:{door.getsockname()[1]}/secret.ts\n"
                "#EXT-X-ENDLIST\n").encode()
        (tmp_path / "trap.m3u8").write_bytes(trap)
        house.place.store.put("kept/trap/original", io.BytesIO(trap), "video/mp4")

        def is_followed(*words):
            with subprocess.Popen(["ffprobe", "-v", "quiet", *words], stdout=subprocess.DEVNULL) as running:
                try:
                    while running.poll() is None:
                        if select.select([door], [], [], 0.05)[0]:
                            return True
                    return False
                finally:
                    running.kill()
        assert is_followed("-protocol_whitelist", "file,http,tcp", "-i", str(tmp_path / "trap.m3u8"))
        door.accept()[0].close()
        assert not is_followed(*films._input(Asset(key="trap", type="video/mp4"), house.place.store, 9))


def test_what_ffmpeg_says_gives_no_address_away():
    with pytest.raises(films.Failed) as failure:
        films.run("ffprobe", 20, "-v", "error", "-i", "http://127.0.0.1:9/kept/0?Signature=abc")
    assert "Signature" not in str(failure.value) and "the film" in str(failure.value)
