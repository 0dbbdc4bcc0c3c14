"""From a plan of payment to the last payment, in a browser, with and without script."""
import pytest
from playwright.sync_api import expect

from core.database import db
from tests.conftest import make_app
from tests.licensing.deals import AGENT, BUYER, MANAGER, title
from tests.stories.people import PHONE

pytestmark = [pytest.mark.story]
ASKED = "media=pay_tv&territories=JP&languages=*&starts_on=2027-01-01&ends_on=2029-12-31&exclusive=true"


@pytest.fixture
def film(slate):
    """The id of a film of its own, which nobody has licensed."""
    app = make_app(f"sqlite:///{slate.instance / 'slate.db'}", slate.instance)
    with app.app_context():
        made = title(name="Nachtfähre", language="de").id
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    app.extensions["index"].close()
    return made


@pytest.mark.parametrize("scripted", [True, False], ids=["with script", "without script"])
def test_from_the_plan_to_the_last_payment(people, film, scripted):
    buyer = people(BUYER, viewport=PHONE, java_script_enabled=scripted)
    buyer.open(f"/titles/{film}?{ASKED}")
    buyer.press(buyer.button("Draft an offer"))
    form = buyer.page
    form.get_by_label("Kind of price").select_option("per_run")
    expect(form.get_by_label("Price, USD")).to_be_hidden()
    form.get_by_label("Fee for one run, USD").fill("1,000.01")
    form.get_by_label("Runs", exact=True).fill("3")
    form.get_by_text("100 % on signature; 30 days to pay").click()
    for row, (much, on) in enumerate((("50 %", "on signature"), ("49 %", "on delivery")), 1):
        form.get_by_label(f"Part {row}", exact=True).fill(much)
        form.get_by_role("group", name=f"Instalment {row}").get_by_label("Due").select_option(on)
    buyer.may_be_refused = True
    buyer.press(buyer.button("Submit the offer"))
    expect(form.get_by_role("alert")).to_contain_text("99 % together, and must be 100 %")
    form.get_by_label("Part 2", exact=True).fill("50 %")
    buyer.press(buyer.button("Submit the offer"))
    expect(form.get_by_role("row").filter(has_text="on delivery")).to_contain_text("1,500.02")
    offer = form.url.rpartition("/")[2]

    agent, manager = people(AGENT), people(MANAGER, java_script_enabled=scripted)
    for who, button in ((agent, "Accept version 1"), (manager, "Approve version 1"), (agent, "Issue it"),
                        (buyer, "Sign"), (manager, "Sign")):
        who.open(f"/offers/{offer}")
        if button == "Issue it":
            who.page.get_by_text("Issue the deal memo").click()
        who.press(who.button(button))

    manager.go("Money")
    manager.press(manager.page.get_by_role("row").filter(has_text=f"Offer {offer}, instalment 1").get_by_role("link"))
    manager.page.get_by_label("Tax withheld, USD").fill("150")
    manager.page.get_by_label("Reference").fill("MT103 0815")
    manager.press(manager.button("Mark as paid"))
    expect(manager.page.get_by_text("It is paid.")).to_be_visible()

    buyer.go("Money")
    first = buyer.page.get_by_role("row").filter(has_text=f"Offer {offer}, instalment 1")
    assert not first.count(), "only what is open"
    buyer.open("/money?state=paid")
    buyer.press(first.get_by_role("link"))
    expect(buyer.page.get_by_text("MT103 0815")).to_be_visible()
    expect(buyer.page.get_by_text("and 150 tax withheld")).to_be_visible()

    manager.page.get_by_text("with a reason").click()
    manager.page.get_by_label("Why").fill("It was for another deal.")
    manager.press(manager.page.get_by_role("button", name="Undo the payment"))
    buyer.page.reload()
    expect(buyer.page.get_by_text("It was for another deal.")).to_be_visible()
    for each in (manager, agent, buyer):
        assert each.faults == []
        assert [words for words in each.problems if "/draft: 422" not in words] == []
