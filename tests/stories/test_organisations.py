"""Invited, joined, asked into a second house, switching between the two, removed from one: with script and without; and
an organisation that asks to be admitted."""
import email
import email.policy
import re

import pytest
from playwright.sync_api import expect

from tests.stories.people import PHONE, WIDE

pytestmark = [pytest.mark.story]
ADMIN, OPERATOR, PASSWORD = "admin@harbour.test", "operator@market.test", "a tide that keeps its own books"
SETTINGS = [pytest.param({"viewport": WIDE}, id="at a desk"),
            pytest.param({"viewport": PHONE, "java_script_enabled": False, "color_scheme": "dark"}, id="on a phone")]


def link_to(slate, address, seen=()):
    """The newest link in the letters to an address, when it has come."""
    def found():
        return [path for path in letters() if path not in seen]

    def letters():
        for path in sorted((slate.instance / "mail").glob("*.eml"), key=lambda each: each.stat().st_mtime_ns):
            letter = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if letter["To"].addresses[0].addr_spec == address:
                words = letter.get_body(("plain",)).get_content()
                yield from re.findall(rf"{slate.address}(/(?:invitations|apply)/\S+)", words)
    slate.until(found, f"No letter came to {address}")
    return found()[-1]


def told(person, words):
    expect(person.page.get_by_role("status").filter(has_text=words)).to_be_visible()


def acts_for(person, house):
    expect(person.page.locator(".switch summary")).to_contain_text(house)


def switch(person, house):
    person.page.locator(".switch summary").click()
    person.press(person.button(house, person.page.locator(".switch")))
    told(person, f"You act for {house} now.")
    acts_for(person, house)


def invite(admin, address, *roles):
    admin.open("/members")
    form = admin.section("Invite somebody")
    form.get_by_label("Their address").fill(address)
    for role in roles:
        form.get_by_role("checkbox", name=re.compile(f"^{role}")).check()
    admin.press(admin.button("Invite", form))
    told(admin, f"a link is on its way to {address}")


@pytest.mark.parametrize("settings", SETTINGS)
def test_invited_into_two_houses_switching_and_removed_from_one(slate, people, settings):
    address = f"mina-{len(settings)}@houses.test"
    admin, mina = people(ADMIN, **settings), people(None, **settings)
    invite(admin, address, "agent")
    first = link_to(slate, address)
    mina.open(first)
    expect(mina.heading("Harbour Pictures invites you")).to_be_visible()
    mina.page.get_by_label("Your name").fill("Mina Wong")
    mina.page.get_by_label("Choose a password").fill(PASSWORD)
    mina.press(mina.button("Join Harbour Pictures"))
    told(mina, "Welcome to Harbour Pictures")
    mina.go("Slate")

    switch(admin, "Nordlys Distribution")
    invite(admin, address, "buyer")
    mina.open(link_to(slate, address, seen=[first]))
    mina.press(mina.button("Join"))
    told(mina, "Welcome to Nordlys Distribution: you act for it now.")
    acts_for(mina, "Nordlys Distribution")
    expect(mina.page.get_by_role("navigation", name="Main").get_by_text("Slate", exact=True)).to_have_count(0)
    switch(mina, "Harbour Pictures")
    mina.go("Slate")

    switch(admin, "Harbour Pictures")
    admin.open("/members")
    row = admin.page.get_by_role("row").filter(has_text=address)
    row.locator("summary").click()
    admin.press(admin.button("Remove from Harbour Pictures", row))
    told(admin, "Mina Wong can do nothing here any more.")
    mina.open("/slate")
    expect(mina.heading("For whom you act")).to_be_visible()
    mina.press(mina.button("Act for Nordlys Distribution"))
    expect(mina.page.locator(".whoami")).not_to_contain_text("Harbour Pictures")

    switch(admin, "Nordlys Distribution")
    admin.open("/members")
    row = admin.page.get_by_role("row").filter(has_text=address)
    row.locator("summary").click()
    admin.press(admin.button("Remove from Nordlys Distribution", row))
    mina.open("/")
    expect(mina.heading("You belong to no organisation")).to_be_visible()
    mina.press(mina.button("Sign out"))
    mina.page.get_by_label("Email").fill(address)
    mina.page.get_by_label("Password").fill(PASSWORD)
    mina.press(mina.button("Sign in"))
    expect(mina.heading("You belong to no organisation")).to_be_visible()
    mina.open("/sign-in")  # as the browser's own way back
    mina.press(mina.link("Ask to be admitted"))
    expect(mina.page.get_by_label("Your name")).to_be_visible()
    wrong = [each for person in (admin, mina) for each in (*person.problems, *person.faults)]
    assert not wrong, "\n".join(wrong)
    slate.check()


def test_an_organisation_asks_and_is_admitted(slate, people):
    address, house = "ingrid@kanalfjord.test", "Kanal Fjord"
    applicant, operator = people(None), people(OPERATOR, viewport=PHONE)
    applicant.open("/sign-in")
    applicant.press(applicant.link("ask to be admitted"))
    for label, value in (("Organisation", house), ("Your name", "Ingrid Moe"), ("Your email address", address),
                         ("A sentence about your organisation", "We broadcast from Bergen.")):
        applicant.page.get_by_label(label, exact=True).fill(value)
    applicant.page.get_by_label("Country").select_option("Norway")
    applicant.page.get_by_role("checkbox", name=re.compile("^Buys")).check()
    applicant.press(applicant.button("Apply"))
    expect(applicant.heading("Look into your mail")).to_be_visible()
    link = link_to(slate, address)
    applicant.open(link)
    applicant.press(applicant.button("Yes, confirm my address"))
    expect(applicant.heading("Your address is confirmed")).to_be_visible()

    operator.open("/")
    operator.go("Applications")
    expect(operator.heading("Nordlys Distribution Sweden")).to_be_visible()
    operator.press(operator.button(f"Admit {house}"))
    told(operator, f"{house} is admitted.")

    applicant.open(link_to(slate, address, seen=[link]))
    applicant.page.get_by_label("Choose a password").fill(PASSWORD)
    applicant.press(applicant.button(f"Join {house}"))
    applicant.open("/members")
    expect(applicant.section("Invite somebody")).to_be_visible()
    applicant.open("/account")
    applicant.page.get_by_text("Make a token").click()
    applicant.page.get_by_label("What it is for").fill("Our schedule")
    applicant.press(applicant.button("Make the token"))
    secret = applicant.page.locator("code.secret").inner_text()
    answer = applicant.page.request.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json()["acting_for"]["name"] == house
    wrong = [each for person in (applicant, operator) for each in (*person.problems, *person.faults)]
    assert not wrong, "\n".join(wrong)
