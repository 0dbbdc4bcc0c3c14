"""A screener asked for, granted in two clicks, seen and taken back: with script at a desk, without on a phone."""
import re

import pytest
from playwright.sync_api import expect

from core.database import db
from core.storage import probe
from core.storage.contract import Form
from tests.conftest import Caller, make_app
from tests.media.files import FILM, sha256
from tests.stories.people import PHONE, WIDE

pytestmark = [pytest.mark.story]
AGENT, BUYER = "agent@harbour.test", "buyer@sakura.test"


def test_a_screener_is_asked_for_granted_in_two_clicks_and_taken_back(slate, house, people):
    tell(send_a_screener(slate, house, "借看潮聲"), people, "借看潮聲", viewport=WIDE)
    slate.check()


def test_the_same_on_a_phone_without_script(slate, house, people):
    path = send_a_screener(slate, house, "夜渡樣片")
    tell(path, people, "夜渡樣片", viewport=PHONE, java_script_enabled=False, color_scheme="dark")


def tell(path, people, title, **settings):
    agent, buyer = (people(email, **settings) for email in (AGENT, BUYER))
    ask(buyer, path)
    agent.open(path)
    expect(navigation(agent, "Screeners").locator(".count")).to_have_text("waiting: 1")
    agent.go("Screeners")                                                # one
    expect(row(agent, title)).to_contain_text("In time for the spring slot")
    agent.press(agent.button(f"Grant {title} to Sakura TV"))             # two
    expect(agent.page.get_by_role("status")).to_contain_text("Granted: Sakura TV may watch it.")
    expect(agent.section("Granted").get_by_role("row").filter(has_text=title)).to_contain_text("nobody yet")

    buyer.go("Screeners")
    mine = buyer.section("To watch now").get_by_role("listitem").filter(has_text=title)
    expect(mine).to_contain_text("14 days left")
    expect(mine).to_contain_text("3 views left of 3")
    buyer.open(path)
    link = buyer.link("Watch the screener")
    address = link.get_attribute("href")
    buyer.press(link)
    expect(buyer.heading(title).first).to_be_visible()

    agent.press(agent.button(f"Take back {title} from Sakura TV"))
    expect(agent.section("Granted").get_by_role("row").filter(has_text=title)).to_contain_text("taken back")
    buyer.go("Screeners")
    expect(buyer.section("To watch now").get_by_text(title)).to_have_count(0)
    expect(buyer.section("Asked for").get_by_role("row").filter(has_text=title)).to_contain_text("taken back on")
    buyer.may_be_refused = True
    assert buyer.page.request.get(address).status == 404
    buyer.open(path)
    expect(buyer.page.get_by_text("Request a screener")).to_be_visible()
    wrong = [each for person in (agent, buyer) for each in (*person.problems, *person.faults)]
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def house(slate):
    """The API of the Slate that is served, in this process: its title and its film are not what is told here."""
    app = make_app(f"sqlite:///{slate.instance / 'slate.db'}", slate.instance)
    yield Caller(app, AGENT)
    app.extensions["index"].close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def send_a_screener(slate, house, title) -> str:
    """List a title with a screener, checked by the worker. Returns the address of its page."""
    made = house.post("/titles", {"kind": "film", "original_title": title, "original_language": "yue",
                                  "runtime_minutes": 97, "status": "published"}).json
    told = house.post(f"/titles/{made['id']}/assets", {
        "kind": "screener", "filename": "for-your-eyes.mp4", "content_type": "video/mp4", "size": len(FILM),
        "sha256": sha256(FILM)}).json
    form = Form(told["upload"]["url"].replace("http://localhost", slate.address), told["upload"]["fields"])
    assert probe.post(form, FILM).status == 204
    asset = f"/assets/{told['asset']['id']}"
    assert house.post(f"{asset}/completion").status_code == 202
    slate.until(lambda: house.get(asset).json["state"] == "ready", "The screener was not checked")
    return f"/titles/{made['id']}"


def ask(buyer, path):
    buyer.open(path)
    buyer.page.get_by_text("Request a screener").click()
    buyer.page.get_by_label("A word to Harbour Pictures").fill("In time for the spring slot")
    buyer.press(buyer.button("Send the request"))
    expect(buyer.page.get_by_role("status")).to_contain_text("Harbour Pictures is asked.")
    expect(buyer.page.get_by_text("has not answered yet")).to_be_visible()


def navigation(person, words):
    return person.page.get_by_role("navigation", name="Main").get_by_role("link", name=re.compile(f"^{words}"))


def row(agent, title):
    return agent.section("Requests").get_by_role("listitem").filter(has_text=title)
