"""People at the door of the demo world: browsers without script, their letters and their apps for codes."""
import email
import re
from email.policy import default
from html import unescape

from passlib.totp import TOTP

from accounts import mailings, people, security
from accounts.models import Person
from core import clock
from core.database import db
from tests.test_pages import Visitor, text

SITE = "https://slate.test"
BUYER, MANAGER, AGENT = "buyer@sakura.test", "rights@harbour.test", "agent@harbour.test"


def fields(page: str, form: str = "<form") -> dict:
    """The hidden fields of the first form after some words."""
    part = page[page.index(form):]
    part = part[:part.index("</form>")]
    found = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', part))
    return {name: unescape(value) for name, value in found.items()}


def letters(app) -> list:
    """What the worker sends now."""
    with app.app_context():
        mailings.deliver(app.extensions["mailer"], SITE, security.links.of, 60)
        folder = app.extensions["mailer"].folder
        found = [email.message_from_bytes(path.read_bytes(), policy=default) for path in sorted(folder.glob("*.eml"))]
        for path in folder.glob("*.eml"):
            path.unlink()
        db.session.remove()
    return found


def link_in(letter) -> str:
    """The path of the link in a letter."""
    return re.search(rf"{SITE}(\S+)", letter.get_body(("plain",)).get_content())[1]


class App:
    """An app for codes, which knows a key."""

    def __init__(self, key):
        self.totp = TOTP(key=key.replace("-", "").replace(" ", ""))

    def code(self, steps=0):
        """The code of this moment, or of some steps of half a minute later."""
        return self.totp.generate(time=clock.now().timestamp() + 30 * steps).token


def sets_up_codes(visitor: Visitor) -> tuple[App, list[str]]:
    """Someone scans the picture and types the first code: the app, and the recovery codes they are shown."""
    page = text(visitor.get("/account/codes"))
    app = App(re.search(r'<code class="key">([^<]+)', page)[1])
    shown = visitor.client.post("/account/codes", data={**fields(page, 'class="stack after"'), "code": app.code(-1)})
    assert shown.status_code == 200, text(shown)
    return app, re.findall(r"<li><code>([^<]+)", text(shown))


def person(email) -> Person:
    return people.find(email)
