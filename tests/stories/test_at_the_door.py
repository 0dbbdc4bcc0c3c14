"""Signing in, by every way there is, and the proof before a signature: at a desk with script, on a phone without."""
import re

import pytest
from playwright.sync_api import expect

from accounts import people as directory
from accounts import security
from accounts.permissions import Role
from core.database import db
from tests.accounts.entry import App
from tests.conftest import make_app
from tests.stories.people import PHONE, WIDE, Person

pytestmark = [pytest.mark.story]
NEW = "seven lanterns in a harbour"
HOUSE = "Lighthouse Films"


@pytest.fixture
def application(slate):
    """The application itself, over the database of the running one."""
    app = make_app(f"sqlite:///{slate.instance / 'slate.db'}", slate.instance)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    app.extensions["index"].close()


@pytest.fixture
def newcomer(application):
    """`newcomer("ada@lighthouse.test")`: a rights manager of a house of their own, with the password demo."""
    def come(email):
        house = directory.organisation_named(HOUSE) or directory.found(HOUSE, ["seller"], "IE")
        person = directory.enrol(email, email.partition("@")[0].capitalize(), security.hashed("demo"))
        directory.join(person, house, [Role.RIGHTS_MANAGER, Role.SIGNATORY])
        db.session.commit()
        return email
    return come


def letter_to(slate, address, subject):
    """The path of the link in the latest letter to somebody, once it came."""
    def find():
        found = [text for path in sorted((slate.instance / "mail").glob("account-*.eml"))
                 for text in [decoded(path)] if f"<{address}>" in text and subject in text]
        return found and re.search(rf"{slate.address}(/\S+)", found[-1])[1]
    slate.until(find, f"No letter to {address} came")
    return find()


def decoded(path):
    import email
    from email.policy import default
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    return f"{message['To']} {message['Subject']}\n{message.get_body(('plain',)).get_content()}"


def an_hour_passes(person, application):
    """As if an hour had passed since this person showed who they are."""
    kept = next(each for each in person.context.cookies() if each["name"] == "session")
    signer = application.session_interface.get_signing_serializer(application)
    inside = signer.loads(kept["value"])
    inside["fs_paa"] -= 3600
    person.context.add_cookies([{**kept, "value": signer.dumps(inside)}])


def signs_in(person, email, password="demo", at="/sign-in"):
    person.open(at)
    person.page.get_by_label("Email").fill(email)
    person.page.get_by_label("Password").fill(password)
    person.press(person.button("Sign in"))


def signs_out(person, at="/account"):
    person.open(at)
    person.press(person.button("Sign out").first)
    expect(person.heading("Is it still free?")).to_be_visible()


def sets_the_policy(person, application, prove, at=""):
    """The policy of approvals, written long after signing in: nothing that was ticked is lost."""
    person.open(f"{at}/approvals/policy")
    person.page.get_by_label("Longer than so many years").fill("4")
    an_hour_passes(person, application)
    person.may_be_refused = True
    person.press(person.button("Set the policy"))
    expect(person.heading("Is it you?")).to_be_visible()
    prove()
    expect(person.page.get_by_role("status")).to_contain_text("The policy is set")
    expect(person.page.get_by_label("Longer than so many years")).to_have_value("4")
    person.problems.clear()  # the asking itself, which is refused so long
    person.may_be_refused = False


def no_faults(*some: Person):
    for person in some:
        assert person.problems == [] and person.faults == [], (person.problems, person.faults)


@pytest.mark.parametrize("settings", [{"viewport": WIDE}, {"viewport": PHONE, "java_script_enabled": False}],
                         ids=["at a desk", "on a phone without script"])
def test_codes_recovery_and_the_proof_before_a_policy_is_set(slate, application, newcomer, people, settings):
    email = newcomer(f"codes{len(settings)}@lighthouse.test")
    someone = people(None, **settings)
    signs_in(someone, email)
    sets_the_policy(someone, application, lambda: proves_by_password(someone))

    someone.open("/account")
    someone.press(someone.link("Set up codes"))
    app = App(someone.page.locator("code.key").inner_text())
    someone.page.get_by_label("Code", exact=True).fill(app.code(-1))
    someone.press(someone.button("Ask me for codes"))
    codes = someone.page.locator(".recovery code").all_inner_texts()
    someone.press(someone.link("I have kept them"))
    expect(someone.section("How you sign in")).to_contain_text("10 left")
    signs_out(someone)

    signs_in(someone, email)
    expect(someone.heading("Your code")).to_be_visible()
    someone.page.get_by_label("Code", exact=True).fill(app.code())
    someone.press(someone.button("Go on"))
    expect(someone.link("Account")).to_be_visible()
    signs_out(someone)

    signs_in(someone, email)
    someone.press(someone.link("I do not have the app at hand"))
    someone.page.get_by_label("Recovery code").fill(codes[0])
    someone.press(someone.button("Go on"))
    someone.open("/account")
    expect(someone.section("How you sign in")).to_contain_text("9 left")
    no_faults(someone)
    slate.check()


def proves_by_password(person):
    person.page.get_by_label("Password of").fill("not this one")
    person.press(person.button("Go on"))
    expect(person.page.get_by_text("That is not your password")).to_be_visible()
    person.page.get_by_label("Password of").fill("demo")
    person.press(person.button("Go on"))


def test_a_forgotten_password_and_two_browsers(slate, newcomer, people):
    email = newcomer("forgot@lighthouse.test")
    desk, phone = people(None), people(None, viewport=PHONE, java_script_enabled=False, color_scheme="dark")
    signs_in(desk, email)
    signs_in(phone, email)
    desk.open("/account")
    expect(desk.section("Where you are signed in").get_by_role("row")).to_have_count(3)
    desk.press(desk.section("Where you are signed in").get_by_role("button", name=re.compile("^Sign out of")))
    phone.open("/account")
    expect(phone.heading("Is it still free?")).to_be_visible()

    phone.press(phone.link("I cannot sign in"))
    phone.page.get_by_label("Email").fill(email)
    phone.press(phone.button("Send me a link"))
    expect(phone.page.get_by_role("status")).to_contain_text("If there is an account with this address")
    phone.open(letter_to(slate, email, "Set a new password"))
    phone.page.get_by_label("New password").fill("short")
    phone.page.get_by_label("The same again").fill("short")
    phone.press(phone.button("Set it"))
    expect(phone.page.get_by_text("at least 12 characters")).to_be_visible()
    phone.page.get_by_label("New password").fill(NEW)
    phone.page.get_by_label("The same again").fill(NEW)
    phone.press(phone.button("Set it"))
    expect(phone.page.get_by_role("status")).to_contain_text("Your new password is set")
    desk.open("/account")
    expect(desk.heading("Is it still free?")).to_be_visible()
    phone.page.get_by_label("Email").fill(email)
    phone.page.get_by_label("Password").fill(NEW)
    phone.press(phone.button("Sign in"))
    expect(phone.link("Account")).to_be_visible()
    no_faults(desk, phone)


def test_an_address_is_changed_from_both_letters(slate, newcomer, people):
    email, new = newcomer("moving@lighthouse.test"), "moved@lighthouse.test"
    someone, reader = people(None), people(None, viewport=PHONE, java_script_enabled=False)
    signs_in(someone, email)
    someone.open("/account")
    someone.page.get_by_label("Another address").fill(new)
    someone.press(someone.button("Ask for it"))
    expect(someone.section("Your address")).to_contain_text("the old address and in that at the new one")
    for address, subject, said in ((email, "Confirm your change of address", "Confirmed here"),
                                   (new, "Confirm your new address", "Done")):
        reader.open(letter_to(slate, address, subject))
        reader.press(reader.button("Yes, I agree"))
        expect(reader.page.get_by_role("status")).to_contain_text(said)
    someone.open("/account")
    expect(someone.section("Your address")).to_contain_text(f"You sign in with {new}")
    signs_in(reader, new)
    no_faults(someone, reader)


@pytest.fixture
def with_a_key(people):
    """Someone whose browser has an authenticator that finds its person's finger at once."""
    def come(**settings):
        person = people(None, **settings)
        wire = person.context.new_cdp_session(person.page)
        wire.send("WebAuthn.enable")
        wire.send("WebAuthn.addVirtualAuthenticator", {"options": {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True}})
        return person
    return come


def test_a_passkey_in_place_of_the_password_and_as_the_proof(slate, application, newcomer, with_a_key):
    """By the name of the site, for browsers give passkeys to names alone."""
    email, home = newcomer("keys@lighthouse.test"), slate.address.replace("127.0.0.1", "localhost")
    someone = with_a_key()
    signs_in(someone, email, at=f"{home}/sign-in")
    adds_a_key(someone, home, "Work laptop", "In place of the password")
    expect(someone.section("How you sign in")).to_contain_text("Work laptop")
    signs_out(someone, f"{home}/account")

    someone.button("Sign in with a passkey").click()
    expect(someone.link("Account")).to_be_visible()
    sets_the_policy(someone, application, lambda: someone.button("Use the passkey").click(), at=home)

    someone.open(f"{home}/account")
    someone.press(someone.button("Remove Work laptop"))
    expect(someone.page.get_by_role("status")).to_contain_text("opens nothing any more")
    signs_out(someone, f"{home}/account")
    someone.button("Sign in with a passkey").click()
    expect(someone.page.get_by_text("did not open your account")).to_be_visible()
    no_faults(someone)


def test_a_passkey_after_the_password(slate, newcomer, with_a_key, people):
    email, home = newcomer("second@lighthouse.test"), slate.address.replace("127.0.0.1", "localhost")
    someone = with_a_key(viewport=PHONE, color_scheme="dark")
    signs_in(someone, email, at=f"{home}/sign-in")
    adds_a_key(someone, home, "Key ring", "After the password")
    signs_out(someone, f"{home}/account")
    signs_in(someone, email, at=f"{home}/sign-in?next=/approvals")
    expect(someone.heading("One more proof")).to_be_visible()
    someone.open(f"{home}/account")
    expect(someone.heading("Is it still free?")).to_be_visible()
    signs_in(someone, email, at=f"{home}/sign-in?next=/approvals")
    someone.button("Use a passkey").click()
    expect(someone.heading("Approvals")).to_be_visible()
    thief = people(None)  # who has the password, and no key
    signs_in(thief, email, at=f"{home}/sign-in")
    expect(thief.heading("One more proof")).to_be_visible()
    thief.open(f"{home}/account")
    expect(thief.heading("Is it still free?")).to_be_visible()
    no_faults(someone, thief)


def adds_a_key(person, home, name, use):
    person.open(f"{home}/account")
    person.press(person.link("Add a passkey"))
    person.page.get_by_label("What to call it").fill(name)
    person.page.get_by_label(use).check()
    person.button("Go on").click()
    expect(person.page.get_by_role("status")).to_contain_text("The passkey is there")
