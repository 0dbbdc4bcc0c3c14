"""Someone at a browser: what they do there, and all that was wrong with what they were shown."""
import re
from pathlib import Path

MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")
FOCUS = """() => {
  const each = document.activeElement, box = each.getBoundingClientRect(), style = getComputedStyle(each);
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const called = `${each.localName} ${(each.textContent.trim() || each.name || "").slice(0, 40)}`;
  const seen = top && (each.contains(top) || top.contains(each));
  const own = each.type === "date" || each.localName === "video", inside = own && !each.matches(":focus-visible"); // on
  // a button in it, the browser's own
  return [style.outlineStyle === "none" && !inside && `${called} shows no focus`,
          !seen && `${called} is covered or out of sight`].filter(Boolean);
}"""
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


class Person:
    """One person in a browser context of their own, signed in unless they have no address.

    `problems` collects what the browser complains of: errors of scripts, refused or failed requests,
    violations of the content security policy (the browser reports them as errors of the console).
    `faults` collects what `look` finds wrong with the pages on their way.
    """

    def __init__(self, browser, slate, email=None, viewport=WIDE, **settings):
        self.slate, self.email, self.problems, self.faults, self.said = slate, email, [], [], set()
        self.may_be_refused = False  # whether pages that answer 403, 404 or 422 are a part of the story
        self.must_not_read, self.scripted = (), settings.get("java_script_enabled", True)
        self.context = browser.new_context(base_url=slate.address, viewport=viewport, locale="en-GB",
                                           timezone_id="UTC", reduced_motion="reduce", **settings)
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda problem: self._note(problem.error))
        self.context.on("requestfailed", self._fail)
        self.context.on("request", self._ask)
        self.context.on("response", self._receive)
        self.context.set_default_timeout(20_000)
        self.page = self.context.new_page()
        if email:
            self.open("/")
            self.page.get_by_label("Email").fill(email)
            self.page.get_by_label("Password").fill("demo")
            self.press(self.button("Sign in"))

    def _hear(self, message):
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self._note(message.text)  # what failed to load is noted with its address, by _receive

    def _ask(self, request):
        """No page asks anybody but Slate and the store it was told of."""
        stores = (self.slate.environment.get(f"S3_{each}") for each in ("PUBLIC_ENDPOINT", "ENDPOINT"))
        home = self.slate.address, self.slate.address.replace("127.0.0.1", "localhost")
        ours = (*home, *filter(None, stores))
        if not request.url.startswith((*ours, "data:", "blob:", "about:")):
            self._note(f"{request.url}: asked of a third party")

    def _receive(self, answer):
        page = answer.request.is_navigation_request()
        if answer.status >= (500 if page and self.may_be_refused else 400):
            self._note(f"{answer.request.method} {answer.url}: {answer.status}")

    def _fail(self, request):
        if "/static/" not in request.url or request.failure != "net::ERR_ABORTED":  # by who goes on before it came
            self._note(f"{request.url}: {request.failure}")

    def _note(self, problem):
        self.problems.append(f"{self.email or 'A stranger'} at {self.page.url}: {problem}")

    def leave(self):
        self.context.close()

    # -------------------------------------------------------------- finding

    def button(self, words, within=None):
        return (within or self.page).get_by_role("button", name=words, exact=True)

    def link(self, words, within=None):
        return (within or self.page).get_by_role("link", name=words, exact=True)

    def heading(self, words):
        return self.page.get_by_role("heading", name=words)

    def section(self, words):
        """The part of the page under a heading."""
        return self.page.locator("section").filter(has=self.heading(words))

    def slot(self, words):
        """One slot of the line that is asked: media, territories, languages, dates, exclusivity."""
        return self.page.get_by_role("search").locator("details").filter(
            has=self.page.locator("summary").filter(has_text=re.compile(f"^{words}")))

    # -------------------------------------------------------------- doing

    def open(self, path):
        self._arrive(self.page.goto(path))

    def press(self, what):
        """Click what leads to another page, and look at it."""
        with self.page.expect_navigation() as going:
            what.click()
        self._arrive(going.value)

    def _arrive(self, answer):
        allowed = 500 if self.may_be_refused else 400
        assert answer.status < allowed, f"{answer.url} answers {answer.status}:\n{self.page.inner_text('main')[:500]}"
        self.look()

    def go(self, words):
        """Follow a link of the main navigation."""
        self.press(self.page.get_by_role("navigation", name="Main").get_by_role("link", name=re.compile(f"^{words}")))

    def tab_to(self, what, most=60):
        """Press Tab until the focus stands on it; each stop on the way is seen, and covered by nothing."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            self.faults += [f"{self.page.url}: focus: {each}" for each in self.page.evaluate(FOCUS)]
            if what.evaluate("each => each === document.activeElement"):
                return
        raise AssertionError(f"{most} times Tab do not lead to {what}")

    def look(self):
        """Measure the page that is open, and read its source for what must not stand there."""
        found = self.page.evaluate(MEASURE)
        for what, each in broken(found):
            if each not in self.said:  # what stands on every page is said for the first
                self.said.add(each)
                self.faults.append(f"{self.email or 'A stranger'} at {self.page.url}: {what}: {each}")
        if self.must_not_read:
            source = self.page.content()
            assert not [words for words in self.must_not_read if words in source], self.page.url


def broken(measured):
    """(what, where) for everything a measurement found."""
    return [(what, each) for what, some in measured.items() if isinstance(some, list) for each in some]
