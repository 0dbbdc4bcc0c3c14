"""From the signature to the licensee's disk: a deal's materials in a browser, with and without script."""
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.database import db
from tests.conftest import make_app
from tests.licensing.deals import AGENT, BUYER, MANAGER, agreed, title
from tests.media.files import SOUND
from tests.stories.people import PHONE

pytestmark = [pytest.mark.story]


@pytest.fixture
def offer(slate):
    """The id of an offer over a title of its own, which the seller's signature is missing from."""
    app = make_app(f"sqlite:///{slate.instance / 'slate.db'}", slate.instance)
    with app.app_context():
        made = agreed((title(name="Deich bei Nacht", language="de"), "ja:dub")).id
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    app.extensions["index"].close()
    return made


def test_from_the_signature_to_the_downloaded_file(people, offer, tmp_path):
    manager = people(MANAGER)
    manager.open(f"/offers/{offer}")
    assert not manager.link("Materials").count(), "nothing is owed before both signed"
    manager.press(manager.button("Sign"))
    manager.press(manager.link("Materials"))
    expect(manager.page.get_by_role("row")).to_have_count(1 + 5)

    agent = people(AGENT, viewport=PHONE)
    agent.open(f"/offers/{offer}/materials")
    agent.press(agent.link("Dub, Japanese"))
    sound = tmp_path / "deich-ja.wav"
    sound.write_bytes(SOUND)
    agent.page.get_by_label("File").set_input_files(sound)
    with agent.page.expect_navigation():  # sent, checked, and the page is made anew
        agent.button("Send the file").click()
    agent.look()
    agent.page.get_by_label("Note").first.fill("Stereo, 48 kHz.")
    agent.press(agent.button("Deliver this file"))
    expect(agent.page.get_by_text("unless it is rejected")).to_be_visible()

    buyer = people(BUYER, java_script_enabled=False)
    buyer.open(f"/offers/{offer}")
    buyer.press(buyer.link("Materials"))
    expect(buyer.page.get_by_text(re.compile("accepted on .* unless you reject it"))).to_be_visible()
    assert fetched(buyer, "deich-ja.wav") == SOUND
    buyer.press(buyer.link("Reject Dub, Japanese of Deich bei Nacht"))
    buyer.page.get_by_text("Reject, with a reason").click()
    buyer.page.get_by_label("Why").fill("Hisses from minute 12.")
    buyer.press(buyer.button("Reject"))
    expect(buyer.page.get_by_role("link", name="Download")).to_have_count(0)

    agent.page.reload()
    expect(agent.page.get_by_text("Hisses from minute 12.")).to_be_visible()
    agent.press(agent.button("Deliver this file"))
    buyer.open(f"/offers/{offer}/materials")
    buyer.press(buyer.button("Accept Dub, Japanese of Deich bei Nacht"))
    expect(buyer.page.get_by_role("row").filter(has_text="Dub").get_by_text("accepted")).to_be_visible()
    assert fetched(buyer, "deich-ja.wav") == SOUND

    manager.open(f"/offers/{offer}")
    manager.page.get_by_text("Terminate, with a reason").click()
    manager.page.get_by_label("Why").first.fill("The first instalment never came.")
    manager.press(manager.button("Terminate"))
    buyer.open(f"/offers/{offer}/materials")
    expect(buyer.page.get_by_text("The licences of this deal have ended.")).to_be_visible()
    assert not buyer.link("deich-ja.wav").count()
    for each in (manager, agent, buyer):
        assert each.faults == []
        assert [words for words in each.problems if not words.endswith("net::ERR_ABORTED")] == []  # a download


def fetched(person, name) -> bytes:
    """The bytes of a file behind a link."""
    with person.page.expect_download() as coming:
        person.link(name).click()
    assert coming.value.suggested_filename == name
    return Path(coming.value.path()).read_bytes()
