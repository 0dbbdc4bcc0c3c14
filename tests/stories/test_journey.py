"""From a title listed to a licence signed, told twice: with script on a wide screen, without on a phone."""
import os
import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.stories.conftest import ROOT
from tests.stories.people import PHONE, WIDE

pytestmark = [pytest.mark.story]
LICENSEE, CONTRACT = "Kavalan Vision", "HP-D-088"  # what no buyer may ever read
FROM, TO = "2027-01-01", "2029-12-31"


@dataclass
class Work:
    """The title of a telling, and the words by which a buyer finds it."""
    original: str
    english: str
    words: str
    synopsis: str


def test_a_title_found_by_english_words_is_licensed_from_listing_to_signature(slate, people):
    tell(slate, people, Work("霧港來信", "Letters from a Fog Harbour", "letters fog harbour",
                             "A postwoman sorts what the ferries bring after the last ferry has gone."),
         viewport=WIDE)


def test_the_same_deal_is_made_on_a_phone_without_script_by_the_chinese_name(slate, people):
    tell(slate, people, Work("渡輪上的燈塔", "The Lighthouse on the Ferry", "燈塔",
                             "Two brothers keep a light that nobody steers by any more."),
         viewport=PHONE, java_script_enabled=False, color_scheme="dark")


def tell(slate, people, work, **settings):
    """The journey, by people who each sit at a browser of their own with these settings."""
    agent, buyer, manager, rival = (people(f"{name}.test", **settings) for name in (
        "agent@harbour", "buyer@sakura", "rights@harbour", "buyer@nordlys"))
    buyer.must_not_read = (LICENSEE, CONTRACT)
    rival.must_not_read = (LICENSEE, CONTRACT, "Sakura")

    list_the_title(agent, work)
    record_the_rights(agent)
    publish(agent)
    slate.settled()

    search(buyer, work.words)
    expect(buyer.heading(work.original)).to_have_count(0)
    count_any_part_as_a_match(buyer)
    buyer.press(buyer.heading(work.original).get_by_role("link"))
    shared = read_that_it_is_partly_free(buyer)
    take_the_alternative(buyer)
    offer_for_it(buyer, "14,000")
    counter(agent, work, "16500", until="2030-06-30")
    accept(buyer, work)
    approve(manager, work)
    issue_the_memo(agent, work)
    sign(buyer, work, "signed one")
    sign(manager, work, "signed")
    read_the_licence(manager, work)
    open_the_offer(buyer, work)
    read_the_licence(buyer, work)

    slate.settled()
    rival.open(shared)
    expect(rival.section("Is it free?").get_by_text("Not available", exact=True)).to_be_visible()
    search(rival, work.words)
    expect(rival.heading(work.original)).to_have_count(0)
    count_any_part_as_a_match(rival)
    expect(rival.heading(work.original)).to_have_count(0)

    slate.check()
    everyone = (agent, buyer, manager, rival)
    wrong = [each for person in everyone for each in (*person.problems, *person.faults)]
    assert not wrong, "\n".join(wrong)


# -------------------------------------------------------------- the agent lists, records, publishes

def list_the_title(agent, work):
    agent.go("Slate")
    form = agent.section("Add a title")
    for label, words in (("Original title", work.original), ("Its language", "yue"), ("English title", work.english),
                         ("Year", "2026"), ("Countries", "HK, TW"), ("Genres", "Drama"), ("Length in minutes", "101"),
                         ("Synopsis in English", work.synopsis)):
        form.get_by_label(label).fill(words)
    form.get_by_label("Kind").select_option("Film")
    agent.press(agent.button("Add the title", form))
    expect(agent.page.get_by_role("heading", level=1)).to_have_text(work.original)
    expect(agent.page.get_by_role("status")).to_contain_text(re.compile("listed as a draft", re.I))
    expect(agent.page.get_by_text("Only your organisation sees it.")).to_be_visible()


def record_the_rights(agent):
    """A mandate for the world; in it a licence that takes Taiwan away."""
    form = agent.section("Record a mandate")
    for label, words in (("Territories", "World"), ("From, included", "2026-01-01"), ("Contract", "HP-2026-09"),
                         ("Licensor", "Blue Ferry Films")):
        form.get_by_label(label).fill(words)
    form.get_by_label("No end").check()
    agent.press(agent.button("Record the mandate", form))
    expect(agent.section("Rights in")).to_contain_text("HP-2026-09")

    form = agent.section("Record a licence done elsewhere")
    for label, words in (("Territories", "Taiwan"), ("From, included", "2026-07-01"), ("To, included", TO),
                         ("Licensee", LICENSEE), ("Contract", CONTRACT)):
        form.get_by_label(label).fill(words)
    form.get_by_label("Exclusive", exact=True).check()
    form.get_by_label("SVOD").check()
    agent.press(agent.button("Record the licence", form))
    expect(agent.section("Rights out")).to_contain_text(LICENSEE)


def publish(agent):
    agent.press(agent.button("Publish"))
    expect(agent.page.get_by_role("status")).to_contain_text("Published")


# -------------------------------------------------------------- the buyer searches, asks, offers

def search(buyer, words):
    """Words and a line: SVOD, Hong Kong + Taiwan, 2027 to 2029, exclusive."""
    buyer.go("Search")
    buyer.page.get_by_label("Title, person, subject").fill(words)
    ask_the_line(buyer)
    buyer.press(buyer.button("Show what is free"))
    expect(buyer.page.get_by_text("You are asking: SVOD · Hong Kong")).to_be_visible()
    expect(buyer.page.get_by_label("All of it is free")).to_be_checked()


def ask_the_line(buyer):
    opened(buyer, "Media").get_by_label("SVOD").check()
    opened(buyer, "Territories").get_by_label("Territories").fill("Hong Kong, Taiwan")
    dates = opened(buyer, "Dates")
    dates.get_by_label("From, included").fill(FROM)
    dates.get_by_label("To, included").fill(TO)
    opened(buyer, "Exclusivity").get_by_label("Exclusive", exact=True).check()


def opened(person, words):
    """A slot of the line after a click on it; the one before it closes."""
    slot = person.slot(words)
    slot.locator("summary").click()
    person.look()
    return slot


def count_any_part_as_a_match(buyer):
    """With script a choice is applied at once, without it by the button."""
    choice = buyer.page.get_by_label("Any part is free")
    if buyer.scripted:
        buyer.press(choice)
    else:
        choice.check()
        buyer.press(buyer.button("Apply"))
    expect(buyer.page.get_by_label("Any part is free")).to_be_checked()


def read_that_it_is_partly_free(buyer):
    """Returns the address of the answer."""
    answer = buyer.section("Is it free?")
    expect(answer.get_by_text(re.compile("^Partly free, 50 %"))).to_be_visible()
    expect(answer.get_by_role("listitem").filter(has_text="Licensed: Taiwan, SVOD")).to_be_visible()
    expect(answer.get_by_role("listitem").filter(has_text="Hong Kong").first).to_be_visible()
    return buyer.page.url


def take_the_alternative(buyer):
    answer = buyer.section("Is it free?")
    buyer.press(answer.get_by_role("link", name=re.compile("^Without Taiwan: Hong Kong")))
    expect(answer.get_by_text("Available", exact=True)).to_be_visible()


def offer_for_it(buyer, price):
    buyer.press(buyer.button("Draft an offer"))
    expect(buyer.page.get_by_role("heading", level=1)).to_contain_text("Draft for Harbour Pictures")
    form = buyer.section("Terms")
    expect(form.get_by_label("Territories")).to_have_value(re.compile("HK|Hong Kong"))
    form.get_by_label("Price, USD").fill(price)
    form.get_by_label("Valid until").fill(FROM)
    form.get_by_label("Note to the other side").fill("For our Sunday nights.")
    buyer.press(buyer.button("Submit the offer"))
    stands(buyer, "submitted")
    expect(buyer.page.get_by_text("USD14,000").first).to_be_visible()


# -------------------------------------------------------------- both sides negotiate, approve, sign

def open_the_offer(party, work):
    """Found among the offers the first time; later the page is open already, and only loaded again."""
    if "/offers/" in party.page.url:
        party.open(party.page.url)
    else:
        party.go("Offers")
        party.press(party.link(work.original))


def stands(party, state):
    expect(party.page.get_by_text(state, exact=True)).to_be_visible()


def counter(agent, work, price, until):
    open_the_offer(agent, work)
    stands(agent, "Your move")
    read_the_terms(agent, "SVOD", "Hong Kong", "31 Dec 2029", "14,000")
    terms = agent.page.locator("details").filter(has=agent.page.locator("summary", has_text="Counter with version 2"))
    terms.locator("summary", has_text="Counter with version 2").click()
    terms.get_by_label("Price, USD").fill(price)
    terms.get_by_label("To, included").fill(until)
    terms.get_by_label("Note to the other side").fill("Half a year more, and a little more for it.")
    agent.press(agent.button("Send version 2", terms))
    stands(agent, "countered")


def read_the_terms(party, *words):
    terms = party.page.get_by_role("table", name="Terms by version")
    for each in words:
        expect(terms.get_by_text(each, exact=True).locator("visible=true").first).to_be_visible()


def accept(buyer, work):
    open_the_offer(buyer, work)
    stands(buyer, "Your move")
    read_the_terms(buyer, "SVOD", "Hong Kong", "30 Jun 2030", "16,500")
    expect(buyer.page.get_by_text("Half a year more, and a little more for it.")).to_be_visible()
    buyer.press(buyer.button("Accept version 2"))
    stands(buyer, "pending approval")


def approve(manager, work):
    manager.go("Approvals")
    case = manager.page.locator("details").filter(has_text=work.original)
    case.locator("summary").click()
    expect(case.get_by_text("every deal is approved").last).to_be_visible()
    manager.press(manager.button("Approve version 2", case))
    expect(manager.page.get_by_role("status")).to_contain_text("Approved: offer")
    open_the_offer(manager, work)
    stands(manager, "approved")


def issue_the_memo(agent, work):
    open_the_offer(agent, work)
    agent.page.get_by_text("Issue the deal memo").click()
    agent.press(agent.button("Issue it"))
    stands(agent, "memo issued")


def sign(party, work, becomes):
    open_the_offer(party, work)
    party.press(party.button("Sign"))
    stands(party, becomes)


def read_the_licence(party, work):
    stands(party, "signed")
    licence = party.section("Licences").get_by_role("listitem")
    expect(licence).to_have_count(1)
    for words in (work.original, "SVOD", "Hong Kong", "1 Jan 2027–30 Jun 2030", "exclusive"):
        expect(licence).to_contain_text(words)


# -------------------------------------------------------------- the picture in the README

def test_a_question_about_asia_brings_the_result_list_that_the_readme_shows(people):
    buyer = people("buyer@sakura.test", viewport=WIDE, color_scheme="light")
    buyer.open("/?q=tide&media=svod&territories=HK,TW,JP,KR,SG&languages=*&starts_on=2027-01-01&ends_on=2029-12-31"
               "&exclusive=true&match=overlap")
    verdicts = buyer.page.locator(".verdict").all_inner_texts()
    assert any(each.startswith("Available") for each in verdicts)
    assert sum(each.startswith("Partly free") for each in verdicts) >= 2
    assert not buyer.problems
    if os.environ.get("SCREENSHOTS") == "1":
        (ROOT / "docs").mkdir(exist_ok=True)
        buyer.page.screenshot(path=ROOT / "docs/search.png")
