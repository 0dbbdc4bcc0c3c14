"""Pictures and films as people send and see them: with the folder, and with a real S3 server on another host."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.media.files import FILM, picture
from tests.stores import bucket_of
from tests.stories.conftest import ROOT, Slate
from tests.stories.people import Person

pytestmark = [pytest.mark.story]
AGENT, BUYER = "agent@harbour.test", "buyer@sakura.test"
MEDIA = "/titles/1/media"
MB = 1 << 20
PART = re.compile(r"[?&]part(?:Number)?=(\d+)")

LOSE = """() => { // the connection: once for the first part, for the third and later ones until this tab is closed
  const { open, send } = XMLHttpRequest.prototype;
  window.tried = [];
  XMLHttpRequest.prototype.open = function (method, url) {
    this.part = Number(/[?&]part(?:Number)?=(\\d+)/.exec(url)?.[1] ?? 0);
    return open.call(this, method, url);
  };
  XMLHttpRequest.prototype.send = function (body) {
    const lost = this.part >= 3 || (this.part === 1 && !window.tried.includes(1));
    window.tried.push(this.part);
    return lost ? setTimeout(() => this.onerror()) : send.call(this, body);
  };
}"""


@pytest.fixture(scope="module")
def away(ceph, templates, tmp_path_factory):
    """Slate whose objects lie in a bucket on an S3 server."""
    instance = tmp_path_factory.mktemp("away") / "instance"
    shutil.copytree(templates("sqlite", True, None)[0], instance)
    slate = Slate(instance, S3_BUCKET=bucket_of(ceph).bucket, S3_ENDPOINT=ceph.endpoint, S3_REGION=ceph.region,
                  S3_ACCESS_KEY=ceph.access_key, S3_SECRET_KEY=ceph.secret_key)
    subprocess.run(slate.flask("media", "prepare"), cwd=ROOT, env=slate.environment, check=True, capture_output=True)
    try:
        yield slate.start()
    finally:
        slate.stop()


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.s3)])
def come(request, browser):
    """`come(email)`: someone at a Slate with one of the stores."""
    slate = request.getfixturevalue("slate" if request.param == "folder" else "away")
    came = []

    def arrive(email, **settings):
        came.append(Person(browser, slate, email, **settings))
        return came[-1]
    yield arrive
    for person in came:
        person.leave()


@pytest.fixture
def film(tmp_path) -> Path:
    """A film of 66 MB: five parts."""
    path = tmp_path / "tide.mp4"
    with path.open("wb") as file:
        file.write(FILM)
        file.truncate(66 * MB)
    return path


def choose(person, kind, path):
    person.page.get_by_label("Kind").select_option(kind)
    person.page.get_by_label("File", exact=True).set_input_files(path)


def row(person, name):
    return person.page.get_by_role("row").filter(has_text=name).first


def number_of(request) -> int | None:
    """The number of the part that a request sends; None for any other request."""
    found = PART.search(request.url)
    return found and int(found[1])


def test_a_poster_is_sent_and_everyone_sees_it(come, tmp_path):
    path = tmp_path / "tide-poster.png"
    path.write_bytes(picture(size=(800, 1200)))
    agent = come(AGENT)
    agent.open(MEDIA)
    choose(agent, "poster", path)
    agent.page.get_by_label("What a picture shows").first.fill("A pier in the fog")
    agent.button("Send").click()
    expect(row(agent, "tide-poster.png").get_by_text("ready")).to_be_visible()
    buyer = come(BUYER)
    for page in ("/titles/1", "/?q=tide"):
        buyer.open(page)
        shown = buyer.page.get_by_role("img", name="A pier in the fog").first
        expect(shown).to_be_visible()
        buyer.page.wait_for_function("each => each.complete && each.naturalWidth > 0", arg=shown.element_handle())
    assert agent.problems == buyer.problems == []
    assert agent.faults == buyer.faults == []


def test_what_pretends_to_be_a_picture_is_rejected_with_the_reason(come, tmp_path):
    path = tmp_path / "not-a-poster.png"
    path.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    agent = come(AGENT)
    agent.open(MEDIA)
    choose(agent, "poster", path)
    agent.button("Send").click()
    expect(row(agent, "not-a-poster.png")).to_contain_text("its content is nothing that is taken here")
    choose(agent, "trailer", path)
    agent.button("Send").click()
    expect(agent.page.get_by_text("Not sent: A trailer is one of video/mp4, video/webm.")).to_be_visible()


def test_a_film_goes_on_after_lost_connections_and_a_closed_tab(come, film):
    agent = come(AGENT)
    agent.open(MEDIA)
    agent.page.evaluate(LOSE)
    choose(agent, "trailer", film)
    with (agent.page.expect_response(lambda answer: number_of(answer) == 1 and answer.ok),
          agent.page.expect_response(lambda answer: number_of(answer) == 2 and answer.ok)):
        agent.button("Send").click()
    expect(agent.page.locator(".sending [role=status]")).to_contain_text("MB/s")
    assert agent.page.evaluate("() => window.tried.filter((each) => each === 1).length") == 2
    agent.page.close()

    agent.page = agent.context.new_page()
    agent.open(MEDIA)
    assert "uploading" in row(agent, "tide.mp4").inner_text()
    sent = []
    agent.page.on("request", lambda request: sent.append(number_of(request)))
    choose(agent, "trailer", film)
    agent.button("Send").click()
    expect(row(agent, "tide.mp4").get_by_text("ready")).to_be_visible()
    assert set(sent) - {None} == {3, 4, 5}
    assert agent.page.get_by_role("row").filter(has_text="tide.mp4").count() == 1


def test_the_checksum_made_in_the_browser_is_sha_256(people):
    import hashlib
    agent = people(AGENT, bypass_csp=True)  # this test is no script of ours, and imports one
    agent.open(MEDIA)
    data = bytes(range(256)) * 999
    for length in (0, 1, 55, 56, 63, 64, 65, 1000, len(data)):
        made = agent.page.evaluate("""async ([length]) => {
          const { Sha256 } = await import('/static/js/sha256.mjs');
          const digest = new Sha256(), data = new Uint8Array(length).map((_, place) => place % 256);
          for (let at = 0; at < length; at += 77) digest.update(data.subarray(at, Math.min(length, at + 77)));
          return digest.hex();
        }""", [length])
        assert made == hashlib.sha256(data[:length]).hexdigest(), length


@pytest.mark.s3
def test_the_web_process_carries_no_bytes_of_a_bucket(away, browser, film):
    """Every byte goes between browser and store: none of the requests to Slate is larger than a form."""
    agent = Person(browser, away, AGENT)
    large = []
    agent.context.on("request", lambda request: large.append(request.url) if (
        request.url.startswith(away.address) and len(request.post_data_buffer or b"") > 100_000) else None)
    agent.open(MEDIA)
    os.utime(film)
    choose(agent, "master", film)
    agent.button("Send").click()
    expect(row(agent, "tide.mp4").get_by_text("ready")).to_be_visible()
    agent.leave()
    assert large == []
    assert not (away.instance / "media").exists()
