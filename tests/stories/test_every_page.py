"""Every page as each role sees it: what can be measured of it, on a phone and on a desk, in light and in dark."""
import re

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.licensing.sheets import TIDE, csv_of
from tests.scale import at
from tests.stories.people import MEASURE, PHONE, WIDE, Person, broken

pytestmark = [pytest.mark.story]

LINE = "media=svod&territories=HK,TW,JP&languages=*&starts_on=2027-01-01&ends_on=2029-12-31&exclusive=true"
AGENT, MANAGER, BUYER, OPERATOR = (
    f"{name}.test" for name in ("agent@harbour", "rights@harbour", "buyer@nordlys", "operator@market"))
ALL = ("/", f"/?q=tide&{LINE}&match=overlap", "/titles/2", "/titles/1/media", f"/titles/2?{LINE}", "/account",
       "/notices", "/searches", "/members", "/acting", "/markets", "/api/docs", "/no/such/page")
PAGES = {
    None: ("/sign-in", "/recovery", "/sign-in/passkey", "/apply", "/api/docs", "/no/such/page"),
    AGENT: (*ALL, "/offers", "/slate", "/titles/2/rights", "/titles/1/rights", f"/titles/1?{LINE}", "/approvals",
            "/screeners", "/titles/1/grants", "/briefs", "/briefs/1", "/money?state=all", "/approvals/policy",
            "/titles/1/franchise", "/licences", "/licences?standing=all&ends_by=soon", "/books", "/books/1",
            "/books/2", "/audit", "/titles/1/audience", "/titles/4/audience"),
    MANAGER: (*ALL, "/offers", "/slate", "/titles/2/rights", "/approvals", "/money", "/approvals/policy", "/refusals",
              "/licences?standing=ended", "/audit", "/audit?since=soon"),
    BUYER: (*ALL, "/offers", "/slate", "/your-screeners", "/refusals", "/titles/2/franchise", "/licences",
            "/?q=潮", f"/?{LINE}", "/?q=nothing-of-the-kind",
            "/?territories=HK&media=svod", "/titles/2?territories=Narnia&media=svod", "/titles/2/rights",
            f"/titles/2/rights?{LINE}", "/money", "/money?state=cancelled"),
    OPERATOR: (*ALL, "/account/password", "/account/codes", "/account/passkeys", "/applications", "/markets/1",
               "/webhooks", "/data",
               "/offers", "/money"),  # the last two are refused, as /approvals is to the agent and /slate to the buyer
}
OFFERS = {AGENT: ("requested", "submitted", "changes requested", "superseded"),
          MANAGER: ("pending approval", "signed one", "signed", "active"),
          BUYER: ("draft", "countered", "signed one", "expired")}
AXE = """async (rules) => {
  const found = await axe.run({ resultTypes: ["violations"], ...(rules && { runOnly: rules }) });
  return found.violations.flatMap((rule) => rule.nodes.map(
    (node) => `${rule.id}: ${node.target.join(" ")} ${node.html.slice(0, 120)}: ${node.failureSummary}`));
}"""
LANGUAGES = ("ja", "ko", "zh-Hant", "de")
everyone = pytest.mark.parametrize("email", [
    pytest.param(None, id="a stranger"), pytest.param(AGENT, id="an agent"),
    pytest.param(MANAGER, id="a rights manager"), pytest.param(BUYER, id="a buyer"),
    pytest.param(OPERATOR, id="the operator")])
LOOKS = [(PHONE, "light", False), (PHONE, "dark", True)]  # the last: whether everything is unfolded
IN_LIGHT_TOO = at(ci=False, long=True)  # axe-core's look at colours; our own measure looks in both schemes
AT_A_DESK = [(WIDE, "light", True)]  # by the two who between them see nearly everything


@pytest.fixture(scope="session")
def seen(browser, slate):
    """`seen(email)`: what is wrong with the pages of a person, as (rule, page, sentence). Each goes round once."""
    known = {}

    def by(email):
        if email not in known:
            person = Person(browser, slate, email, viewport=PHONE)
            try:
                known[email] = list(go_round(person)) + [
                    ("problem", person.email, each) for each in person.problems]
            finally:
                person.leave()
        return known[email]
    return by


def go_round(person):
    person.may_be_refused = True
    if person.email == AGENT:
        send_books(person)
    if person.email == OPERATOR:
        yield from measured(person, add_a_webhook(person))
    for path in pages_of(person):
        person.page.goto(path)
        yield from measured(person, path)
    if person.email is None:
        person.page.goto("/sign-in")
        person.page.get_by_label("Email").fill(BUYER)
        person.page.get_by_label("Password").fill("wrong")
        person.button("Sign in").click()
        expect(person.page.get_by_role("alert")).to_be_visible()
        yield from measured(person, "/sign-in with a wrong password")


def send_books(person):
    """One sheet with rows of every kind, and one that cannot be read."""
    for name, content in (("licences.csv", csv_of(TIDE, {**TIDE, "From": "2027-01-01"}, {**TIDE, "To": "soon"})),
                          ("what.csv", b"x")):
        person.page.goto("/books")
        person.page.get_by_label("Spreadsheet").set_input_files(
            {"name": name, "mimeType": "text/csv", "buffer": content})
        person.button("Try it").click()
        expect(person.page.get_by_text("tried, nothing recorded" if name == "licences.csv" else "cannot be read",
                                       exact=True)).to_be_visible()


def add_a_webhook(person):
    """The page that shows its secret; its own page then lists a test that was told to nobody."""
    person.page.goto("/webhooks")
    person.page.get_by_label("Address").fill("https://hooks.market.invalid/a-path-that-is-long/" + "x" * 60)
    person.button("Add").click()
    expect(person.page.get_by_text("it is shown this once")).to_be_visible()
    return "the page of a new webhook"


def pages_of(person):
    """The addresses above, and those that a page names."""
    page, paths = person.page, list(PAGES[person.email])
    if person.email == BUYER:
        page.goto("/")
        page.goto(f"/?q=tide&{LINE}&match=overlap")
        person.press(page.get_by_role("button", name="Add to basket").first)
        paths.append("/basket")
        page.goto("/")
        found = [page.locator(f"h3[lang={tag}]").get_by_role("link").first for tag in LANGUAGES]
        paths += [f"{link.get_attribute('href')}?{LINE}" for link in found]
    if person.email == OPERATOR:
        page.goto("/webhooks")
        paths.append(page.get_by_role("region", name="Who is told").get_by_role("link").last.get_attribute("href"))
        page.goto(paths[-1])
        person.button("Send a test").click()
        expect(page.get_by_role("status")).to_contain_text("A test is on its way")
        person.slate.until(lambda: page.reload() and page.get_by_text("leads nowhere").count(), "It was not tried")
    if person.email == AGENT:
        page.goto("/slate")
        draft = page.get_by_role("row").filter(has_text="Draft").get_by_role("link", name="Rights record").last
        paths.append(draft.get_attribute("href"))
    if person.email in OFFERS:
        page.goto("/offers")
        for state in OFFERS[person.email]:
            row = page.get_by_role("row").filter(has=page.get_by_text(state, exact=True))
            paths.append(row.get_by_role("link").first.get_attribute("href"))
            if state in ("signed", "expired"):
                paths.append(f"{paths[-1]}/materials")
        for state in ("paid", "overdue"):
            page.goto(f"/money?state={state}")
            if (found := page.locator(".owed").get_by_role("link")).count():
                paths.append(found.first.get_attribute("href"))
        if person.email == MANAGER:
            page.goto(next(path for path in paths if path.endswith("/materials")))
            paths.append(page.get_by_role("link", name=re.compile("^Dub")).first.get_attribute("href"))
    return paths


def measured(person, path):
    """What is wrong with a page as it comes, and with everything unfolded, in light and in dark."""
    for viewport, scheme, unfolded in LOOKS + (AT_A_DESK if person.email in (AGENT, BUYER) else []):
        person.page.set_viewport_size(viewport)
        person.page.emulate_media(color_scheme=scheme)
        if unfolded:
            person.page.evaluate("() => document.querySelectorAll('details').forEach("
                                 "(each) => { each.removeAttribute('name'); each.open = true; })")
        found = person.page.evaluate(MEASURE)
        assert found["texts"] > 5, f"{path} shows next to nothing"
        found["axe"] = axe(person.page, unfolded) if viewport == PHONE and (unfolded or IN_LIGHT_TOO) else []
        for rule, each in broken(found):
            yield rule, f"{path} at {viewport['width']}px in {scheme}", each


def axe(page, everything):
    """What axe-core finds, by all its rules, those of good practice too; or of colours alone."""
    if not page.evaluate("() => 'axe' in window"):  # half a megabyte of script, once for each page
        page.evaluate(AXE_SCRIPT)
    return page.evaluate(AXE, None if everything else ["color-contrast"])


def nothing(found, rule):
    """Nothing was found that breaks the rule. What stands on many pages is said once, for the first of them."""
    first = {}
    for broke, where, what in found:
        if broke == rule:
            first.setdefault(what, where)
    assert not first, "\n".join(f"{where}: {what}" for what, where in first.items())


@everyone
def test_no_page_scrolls_sideways(seen, email):
    nothing(seen(email), "width")


@everyone
def test_every_text_has_contrast_enough_in_light_and_in_dark(seen, email):
    nothing(seen(email), "contrast")


@everyone
def test_every_control_has_a_label_of_its_own(seen, email):
    nothing(seen(email), "labels")


@everyone
def test_every_page_has_one_first_heading_and_leaves_no_level_out(seen, email):
    nothing(seen(email), "headings")


@everyone
def test_every_chinese_japanese_and_korean_text_says_its_language(seen, email):
    nothing(seen(email), "language")


@everyone
def test_axe_finds_nothing(seen, email):
    nothing(seen(email), "axe")


@everyone
def test_no_page_makes_the_browser_complain(seen, email):
    nothing(seen(email), "problem")


def test_a_script_that_somebody_smuggled_into_a_page_does_not_run(slate, people):
    """Not even one that lies on this host: what is meant to run carries the nonce of its answer."""
    def smuggle(route):
        answer = route.fetch()
        tag = f'<script src="{slate.address}/static/js/suggest.mjs" type="module"></script><body'
        route.fulfill(response=answer, body=answer.text().replace("<body", tag, 1))
    person = people(BUYER)
    person.page.route("**/account", smuggle)
    with person.page.expect_console_message(lambda message: "Content Security Policy" in message.text) as told:
        person.page.goto("/account")
    assert "suggest.mjs" in told.value.text and "script-src 'nonce-" in told.value.text
