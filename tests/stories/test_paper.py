"""From the memo to the signed extension in a browser, with and without script."""
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pypdfium2 import PdfDocument

from core.database import db
from licensing import drafts
from seed import line
from tests.conftest import make_app
from tests.licensing.deals import AGENT, BUYER, MANAGER, step, title, viewer
from tests.stories.people import PHONE

pytestmark = [pytest.mark.story]


@pytest.fixture
def offer(slate):
    """The id of an approved offer over a title of its own."""
    app = make_app(f"sqlite:///{slate.instance / 'slate.db'}", slate.instance)
    with app.app_context():
        said = {**line("JP", "svod", "2027-01-01", "2029-12-31", languages="ja:sub"), "price": 4000,
                "title_id": title(name="霧の手紙", language="ja").id}
        made = drafts.create(viewer(BUYER), currency="EUR", seller_id=viewer(AGENT).organisation_id, lines=[said])
        for who, action in ((BUYER, "submit"), (AGENT, "accept"), (MANAGER, "approve")):
            step(made, who, action)
        made = made.id
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    app.extensions["index"].close()
    return made


def test_from_the_memo_to_the_signed_extension(people, offer):
    agent = people(AGENT)
    agent.open(f"/offers/{offer}")
    agent.page.get_by_text("Issue the deal memo").click()
    agent.page.get_by_label("Governing text").fill("The courts of Hong Kong decide.")
    agent.press(agent.button("Issue it"))
    expect(agent.page.get_by_text("none yet", exact=True)).to_be_visible()

    buyer = people(BUYER, java_script_enabled=False)
    buyer.open(f"/offers/{offer}")
    said = paper(buyer)
    assert "霧の手紙" in said and "The courts of Hong Kong decide." in said and "Not signed yet." in said
    buyer.press(buyer.button("Sign"))
    manager = people(MANAGER, viewport=PHONE)
    manager.open(f"/offers/{offer}")
    manager.press(manager.button("Sign"))
    assert "Signed by Rights manager and signatory" in paper(manager).replace("\r\n", " ")
    manager.page.get_by_text("Record the long form").click()
    manager.page.get_by_label("It is").select_option("sent")
    manager.press(manager.button("Record it"))
    expect(manager.page.get_by_text("Long form: sent to the other side.")).to_be_visible()

    buyer.open("/licences?q=霧の手紙")
    expect(buyer.page.get_by_role("row").filter(has_text="霧の手紙")).to_contain_text("31 Dec 2029")
    buyer.open(f"/offers/{offer}")
    buyer.page.get_by_text("Propose an amendment or an extension").click()
    form = buyer.page.locator("#amend")
    form.get_by_label(re.compile("^To")).fill("2031-12-31")
    form.get_by_label("Price, EUR").fill("5500")
    form.get_by_label("Note to the other side").fill("Two more years?")
    buyer.press(buyer.button("Send the new terms"))
    expect(buyer.page.get_by_text(f"amends offer {offer}")).to_be_visible()
    path = buyer.page.url.removeprefix(buyer.slate.address)

    manager.open(path)
    manager.press(manager.button("Accept version 2"))
    agent.open(path)
    expect(agent.page.get_by_role("row").filter(has_text="31 Dec 2031")).to_be_visible()
    manager.press(manager.button("Approve version 2"))
    manager.page.get_by_text("Issue the deal memo").click()
    manager.press(manager.button("Issue it"))
    manager.press(manager.button("Sign"))
    buyer.open(path)
    buyer.press(buyer.button("Sign"))
    buyer.open("/licences?q=霧の手紙")
    expect(buyer.page.get_by_role("row").filter(has_text="霧の手紙")).to_contain_text("31 Dec 2031")

    manager.open(f"/offers/{offer}")
    expect(manager.link(f"Extension, offer {path.rpartition('/')[2]}")).to_be_visible()
    manager.page.get_by_text("Revert the rights, with a reason").click()
    back = manager.page.locator("details").filter(has_text="Revert the rights")
    back.get_by_label("Why").fill("Handed back by agreement.")
    back.get_by_label("First day that is free again").fill("2028-07-01")
    manager.press(manager.button("Revert the rights"))
    buyer.open("/licences?q=霧の手紙")
    expect(buyer.page.get_by_role("row").filter(has_text="霧の手紙")).to_contain_text("30 Jun 2028")
    with buyer.page.expect_download() as coming:
        buyer.link("Calendar, .ics").click()
    assert b"DTEND;VALUE=DATE:20280701" in Path(coming.value.path()).read_bytes()
    for each in (manager, agent, buyer):
        assert each.faults == []
        assert [words for words in each.problems if not words.endswith("net::ERR_ABORTED")] == []  # a download
    manager.slate.check()


def paper(person) -> str:
    """What stands on the memo that the page leads to."""
    answer = person.context.request.get(person.link("Deal memo, PDF").get_attribute("href"))
    return "\n".join(page.get_textpage().get_text_bounded() for page in PdfDocument(answer.body()))
