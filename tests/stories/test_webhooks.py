"""An administrator names an address of a program of theirs, reads what it was told and how it answered, mends it, sends
again and removes it: with script and without."""
import re

import pytest
from playwright.sync_api import expect

from tests.receivers import Receiver
from tests.stories.people import PHONE, WIDE

pytestmark = [pytest.mark.story]
ADMIN = "admin@harbour.test"
SETTINGS = [pytest.param({"viewport": WIDE}, id="at a desk"),
            pytest.param({"viewport": PHONE, "java_script_enabled": False, "color_scheme": "dark"}, id="on a phone")]


def told(admin, words):
    """The only row of what was told, when these words stand in it."""
    row = admin.section("What it was told").get_by_role("row").filter(has_text="attempt")
    admin.slate.until(lambda: admin.page.reload() and row.filter(has_text=re.compile(words, re.DOTALL)).count(),
                      f"Nothing says {words}")
    return row


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_webhook_is_added_fails_is_mended_sends_again_and_is_removed(people, settings):
    admin = people(ADMIN, **settings)
    with Receiver(*[(500, "Not <b>now</b>", {})] * 20) as receiver:
        admin.open("/account")
        admin.press(admin.link("Webhooks", admin.section("More")))
        new = admin.section("Add one")
        new.get_by_label("Address").fill(receiver.url)
        new.get_by_role("checkbox", name=re.compile("offer.step")).check()
        admin.press(admin.button("Add", new))
        secret = admin.page.locator("section[role=status] code").inner_text()
        assert secret.startswith("whsec_")
        admin.open("/webhooks")
        assert secret not in admin.page.content()
        admin.press(admin.link(receiver.url))
        assert secret not in admin.page.content(), "shown once"
        address = admin.page.url
        admin.press(admin.button("Send a test"))
        told(admin, "500 Not <b>now</b>")
        receiver.answers.clear()  # mended
        sent = told(admin, "sent.*attempts.*204")
        before = len(receiver.got)
        admin.press(sent.get_by_role("button", name=re.compile("^Send again")))
        expect(admin.page.get_by_role("status")).to_contain_text("sent again, under the same id")
        admin.slate.until(lambda: len(receiver.got) > before, "It was not sent again")
        told(admin, f"sent.*{len(receiver.got)} attempts.*204")
        ids = [{name.lower(): value for name, value in headers.items()}["webhook-id"]
               for _, headers, _ in receiver.got]
        assert len(ids) > 2 and len(set(ids)) == 1
        admin.page.goto(address)
        admin.page.get_by_label("On", exact=True).uncheck()
        admin.press(admin.button("Save"))
        assert not admin.button("Send a test").count()
        admin.press(admin.button("Remove this webhook"))
        expect(admin.page.get_by_role("status")).to_contain_text("nothing is sent there any more")
        assert not admin.link(receiver.url).count()
    assert not admin.problems and not admin.faults, admin.problems + admin.faults
