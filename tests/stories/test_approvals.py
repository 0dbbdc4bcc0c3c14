"""From the sequel that is linked to the deal that is approved: at a desk with script, on a phone without."""
import re

import pytest
from playwright.sync_api import expect

from core.database import db
from licensing import drafts, promises, terms
from seed import line
from tests.conftest import make_app
from tests.licensing.deals import AGENT, BUYER, MANAGER, OTHER, step, title, viewer
from tests.stories.people import PHONE, WIDE

pytestmark = [pytest.mark.story]


@pytest.fixture
def saga(slate):
    """`saga(name)`: (a film, its sequel to be, an offer for the sequel that the agent may accept), by id."""
    def made(name):
        app = make_app(f"sqlite:///{slate.instance / 'slate.db'}", slate.instance)
        with app.app_context():
            first, second = title(name=name), title(name=f"{name} II")
            promises.hold_back(second, terms.read(line("NO", "svod", "2027-01-01", "2027-06-30")), hard=False,
                               binds=promises.LICENSOR, note="A quiet spring")
            offer = drafts.create(viewer(BUYER), currency="EUR", seller_id=second.organisation_id, lines=[
                {**line("NO,SE", "svod", "2027-01-01", "2028-12-31"), "title_id": second.id, "price": 8000}])
            step(offer, BUYER, "submit")
            found = first.id, second.id, offer.id
            db.session.commit()
            db.session.remove()
            db.engine.dispose()
        app.extensions["index"].close()
        return found
    return made


def test_the_holder_passes_and_the_deal_is_approved(slate, saga, people):
    tell(slate, saga("潮霧"), "潮霧 II", people, viewport=WIDE)
    slate.check()


def test_the_same_on_a_phone_without_script(slate, saga, people):
    tell(slate, saga("夜霧"), "夜霧 II", people, viewport=PHONE, java_script_enabled=False, color_scheme="dark")


def tell(slate, ids, name, people, **settings):
    first, second, offer = ids
    agent, holder, manager = (people(email, **settings) for email in (AGENT, OTHER, MANAGER))
    give_the_last_refusal(agent, first)
    link(agent, second, first)
    agent.may_be_refused = True
    agent.open(f"/offers/{offer}")
    agent.press(agent.button("Accept version 1"))
    expect(agent.page.get_by_role("alert")).to_contain_text("Nordlys Distribution has the last refusal")
    expect(agent.section("Approval")).to_contain_text("A last refusal is open")
    agent.may_be_refused = False
    agent.problems.clear()  # the refusal itself

    slate.until(lambda: asked(holder, name), "The worker did not ask the holder")
    waiting = holder.page.get_by_role("listitem").filter(has_text=name)
    expect(waiting).to_contain_text("20 days left")
    holder.press(holder.button(f"Pass on {name}"))
    expect(holder.page.get_by_role("status")).to_contain_text("You passed. Harbour Pictures")

    agent.open(f"/titles/{second}/franchise")
    expect(agent.page.get_by_text("Everybody who had to be asked has answered.")).to_be_visible()
    agent.open(f"/offers/{offer}")
    agent.press(agent.button("Accept version 1"))
    expect(agent.page.get_by_text("pending approval", exact=True)).to_be_visible()

    manager.go("Approvals")
    case = manager.page.locator("details").filter(has_text=name)
    case.locator("summary").click()
    expect(case).to_contain_text("A quiet spring")
    expect(case.get_by_role("img", name="1 Jan 2027–30 Jun 2027").first).to_be_visible()
    case.get_by_label("Why this may be passed over").fill("The festival gave leave.")
    manager.press(manager.button("Approve version 1", case))
    expect(manager.page.get_by_role("status")).to_contain_text(f"Approved: offer {offer}")
    manager.open(f"/offers/{offer}")
    expect(manager.page.get_by_text("The festival gave leave.")).to_have_count(0)
    expect(manager.section("Approval")).to_contain_text("Version 1 is approved by")
    for each in (agent, holder, manager):
        assert each.faults == [] and each.problems == []


def give_the_last_refusal(agent, first):
    agent.open(f"/titles/{first}")
    agent.press(agent.link("Franchise"))
    form = agent.section("Give a first word")
    form.get_by_label("Which").select_option("Last refusal")
    form.get_by_label("Whose").select_option("Nordlys Distribution")
    form.get_by_label("Days to answer").fill("20")
    form.get_by_label("Territories").fill("Nordics")
    form.locator("summary").click()
    form.get_by_label("All media").check()
    agent.press(agent.button("Record it", form))
    expect(agent.page.get_by_text(re.compile("Last refusal of Nordlys Distribution, 20 days"))).to_be_visible()


def link(agent, second, first):
    agent.open(f"/titles/{second}/franchise")
    form = agent.section("Link it")
    form.get_by_label("or a title by its number").fill(str(first))
    agent.press(agent.button("Link", form))
    expect(agent.page.get_by_role("status")).to_have_text("Linked. To be asked first: Nordlys Distribution.")
    expect(agent.page.get_by_text("Must be asked")).to_be_visible()


def asked(holder, name):
    holder.open("/refusals")
    return holder.page.get_by_role("listitem").filter(has_text=name).count() > 0
