"""Pages over HTTP: signing in, forms and their errors, what each person is shown."""
import re

import pytest

LINE = "territories=HK,TW&media=svod&languages=*&starts_on=2027-01-01&ends_on=2029-12-31&exclusive=true"


class Visitor:
    """A browser without script: keeps cookies, sends the token that stands in the form."""

    def __init__(self, app, email=None):
        self.client = app.test_client()
        if email:
            assert self.submit("/sign-in", {"email": email, "password": "demo"}).status_code == 302

    def get(self, path):
        return self.client.get(path, follow_redirects=False)

    def token(self, path="/account"):
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).get_data(as_text=True))
        return found and found[1]

    def submit(self, path, data, form=None):
        return self.client.post(path, data={**data, "csrf_token": self.token(form or path)})


@pytest.fixture
def visitor(world):
    return lambda email=None: Visitor(world, email)


def text(response):
    return response.get_data(as_text=True)


def alike(response):
    """The text of an answer without what differs from one to the next: its token and its nonce."""
    return re.sub(r'(name="csrf_token" value|nonce)="[^"]*"', "", text(response))


def test_a_stranger_is_sent_to_sign_in_and_back(visitor):
    someone = visitor()
    sent = someone.get(f"/titles/1?{LINE}")
    assert sent.status_code == 302 and sent.location.startswith("/sign-in?next=")
    landed = someone.client.post(sent.location, data={"email": "buyer@sakura.test", "password": "demo",
                                                      "csrf_token": someone.token(sent.location)})
    assert landed.status_code == 302 and landed.location.startswith("/titles/1?")


def test_a_wrong_password_says_no_more_than_that(visitor):
    someone = visitor()
    wrong = [text(someone.submit("/sign-in", {"email": email, "password": "wrong"}))
             for email in ("buyer@sakura.test", "nobody@nowhere.test")]
    for page in wrong:
        assert "do not go together" in page


def test_a_form_without_its_token_is_refused(visitor):
    someone = visitor("agent@harbour.test")
    assert someone.client.post("/slate", data={"original_title": "X", "kind": "film"}).status_code == 400


@pytest.mark.parametrize("path, came_from, opens", [
    ("/slate", "http://localhost/slate?page=2", "/slate?page=2"), ("/slate", "http://localhost/slate", "/slate"),
    ("/searches/1/removal", "http://localhost/searches/1/removal", None),  # an answer to a form
    ("/slate", "http://localhost.evil.test/slate", None), ("/slate", "javascript:alert(1)//", None),
    ("/slate", None, None)])
def test_a_refused_form_leads_back_to_the_page_of_ours_it_stood_on(visitor, path, came_from, opens):
    someone = visitor("agent@harbour.test")
    page = someone.client.post(path, data={"csrf_token": "old"}, headers={"Referer": came_from} if came_from else {})
    found = re.search(r'href="http://localhost([^"]*)">Open the page again', text(page))
    assert page.status_code == 400 and (found and found[1]) == opens
    assert ("Open the page again" in text(page)) == bool(opens) and "evil" not in text(page)


def test_signing_out_ends_it(visitor):
    someone = visitor("buyer@sakura.test")
    assert someone.get("/account").status_code == 200
    someone.submit("/sign-out", {}, form="/account")
    assert someone.get("/account").status_code == 302


def test_the_title_page_answers_and_a_buyer_never_sees_to_whom(visitor):
    page = text(visitor("buyer@sakura.test").get(f"/titles/1?{LINE}"))
    assert "Partly free" in page and "from 1 Jul 2028" in page and "Draft an offer" in page
    assert "Formosa" not in page and "Rights out" not in page
    page = text(visitor("agent@harbour.test").get(f"/titles/1?{LINE}"))
    assert "Formosa Stream" in page and "Rights out" in page


@pytest.mark.parametrize("path", ["/slate", "/approvals"])
def test_a_buyer_is_told_that_a_sellers_page_is_not_theirs(visitor, path):
    assert visitor("buyer@sakura.test").get(path).status_code == 403


def test_the_drawings_are_for_everyone_and_whose_a_licence_is_for_its_seller_alone(visitor):
    seller, buyer = visitor("agent@harbour.test"), visitor("buyer@sakura.test")
    for path in ("/titles/2/rights", f"/titles/2/rights?{LINE.replace('HK,TW', 'CH')}"):
        theirs, ours = text(buyer.get(path)), text(seller.get(path))
        for page in (theirs, ours):
            assert all(f'id="h-{each}"' in page for each in ("grid", "when", "where"))
            assert "licensed to 31 Dec 2028, then free" in page
        assert "Alpenkanal" in ours and "Record a mandate" in ours
        for secret in ("Alpenkanal", "Gulf Wings", "HP-D-", "HP-2024", "Blue Ferry", "Rights in</h2>", "Rights out",
                       "mk-1", "hold for", "Record a mandate", "Withdraw", "End something", "first word"):
            assert secret.lower() not in theirs.lower(), secret
    assert visitor("buyer@nordlys.test").get("/titles/999999/rights").status_code == 404


def test_a_buyer_may_not_write_where_they_may_look(visitor):
    buyer = visitor("buyer@sakura.test")
    assert buyer.submit("/titles/2/mandates", {}, form="/account").status_code == 403
    assert buyer.submit("/titles/2/licences", {}, form="/account").status_code == 403


def test_every_cell_of_the_drawings_is_a_link_with_a_whole_sentence(visitor):
    page = text(visitor("buyer@sakura.test").get(f"/titles/2/rights?{LINE.replace('HK,TW', 'HK,TW,CH')}"))
    cells = re.findall(r'<td class="cell [^>]*><a href="(/titles/2\?[^"]+)" aria-label="([^"]+)">', page)
    tiles = re.findall(r'<li class="tile [^>]*><a href="(/titles/2\?[^"]+)" aria-label="([^"]+)">', page)
    assert len(cells) == page.count('class="cell ') and len(cells) % 18 == 0 and len(cells) >= 72
    assert len(tiles) == 250 and any(said.startswith("Macao, SVOD: ") for _, said in tiles)
    assert "Switzerland, SVOD: licensed to 31 Dec 2028, then free" in [said for _, said in cells]
    assert page.count("data-roving") == 3 and "js/rights.mjs" in page
    assert not re.search(r'\sstyle="|<script>|\son\w+="', page)
    assert page.count("<caption") == 3 and "The map as a table" in page, "each drawing has its table"


def test_a_cell_leads_to_the_answer_that_says_the_same(visitor):
    buyer = visitor("buyer@sakura.test")
    page = text(buyer.get(f"/titles/2/rights?{LINE.replace('HK,TW', 'HK,TW,CH,JP')}"))
    verdicts = {"free": "Available", "part": "Partly free", "none": "Not available"}
    found = re.findall(r'<td class="cell st st-(\w+)[^"]*"[^>]*><a href="(/titles/2\?[^"]+)"', page)
    for state, address in {state: (state, address) for state, address in found if state in verdicts}.values():
        assert verdicts[state] in text(buyer.get(address.replace("&amp;", "&"))), address
    assert {state for state, _ in found} == {"free", "part", "none"}


def test_what_is_not_asked_is_supposed_and_what_cannot_be_read_is_named(visitor):
    buyer = visitor("buyer@sakura.test")
    assert "exclusively" in text(buyer.get("/titles/2/rights"))
    some = text(buyer.get("/titles/2/rights?media=svod"))
    assert '"asked-col"><abbr title="SVOD">' in some and "asked-row" not in some
    wrong = text(buyer.get("/titles/2/rights?territories=Narnia"))
    assert "no territory we know" in wrong and 'id="h-grid"' not in wrong
    for typed in ("starts_on=2020-01-01&ends_on=2020-12-31", "starts_on=2027-01-01&ends_on=perpetuity",
                  "starts_on=9999-99-99", "starts_on=2999-12-31", "starts_on=1800-01-01&ends_on=2999-12-31",
                  "ends_on=perpetuity&territories=World&media=all", "territories=CA-QC&exclusive=false"):
        assert buyer.get(f"/titles/2/rights?{typed}").status_code == 200, typed


def test_a_line_that_means_nothing_is_named_beside_the_question(visitor):
    page = visitor("buyer@sakura.test").get("/titles/1?territories=Narnia&media=svod&starts_on=2027-01-01"
                                            "&ends_on=perpetuity")
    assert page.status_code == 200 and "Narnia" in text(page) and "no territory we know" in text(page)
    silent = text(visitor("buyer@sakura.test").get("/titles/1?territories=HK&media=svod&starts_on=2027-01-01"))
    assert "or say that there is no end" in silent
    half = visitor("buyer@sakura.test").get("/?territories=HK&media=svod")
    assert half.status_code == 422 and "belong together" in text(half)


def test_a_seller_lists_a_title_records_rights_and_publishes_it(visitor):
    agent = visitor("agent@harbour.test")
    listed = agent.submit("/slate", {"original_title": "霧港", "original_language": "yue",
                                     "english_title": "Fog Harbour", "kind": "film", "year": "2026",
                                     "countries": "hk", "genres": "Drama"})
    assert listed.status_code == 302, text(listed)
    rights, title = listed.location, re.search(r"/titles/(\d+)/", listed.location)[1]
    assert "Only your organisation sees it" in text(agent.get(rights))
    line = {"territories": "World", "media": "all", "languages": "*", "starts_on": "2026-01-01",
            "ends_on": "perpetuity", "exclusive": "true"}
    assert agent.submit(f"/titles/{title}/mandates", line, form=rights).status_code == 302
    sold = {**line, "territories": "TW", "media": "svod", "licensee": "Formosa Stream"}
    assert agent.submit(f"/titles/{title}/licences", sold, form=rights).status_code == 302
    twice = agent.submit(f"/titles/{title}/licences", sold, form=rights)
    assert twice.status_code == 409 and "Formosa Stream" in text(twice)
    wrong = agent.submit(f"/titles/{title}/mandates", {**line, "territories": "Narnia"}, form=rights)
    assert wrong.status_code == 422 and "Narnia" in text(wrong)
    assert visitor("buyer@sakura.test").get(f"/titles/{title}").status_code == 404
    assert agent.submit(f"/titles/{title}/status", {"status": "published"}, form=rights).status_code == 302
    page = text(visitor("buyer@sakura.test").get(f"/titles/{title}?{LINE}"))
    assert "霧港" in page and "Partly free" in page


@pytest.mark.parametrize("number", range(1, 21))
@pytest.mark.parametrize("email", ["agent@harbour.test", "rights@harbour.test", "buyer@nordlys.test"])
def test_every_button_drawn_is_an_action_the_workflow_allows(world, visitor, email, number):
    someone = visitor(email)
    page = someone.get(f"/offers/{number}")
    if page.status_code == 404:
        return
    drawn = set(re.findall(r'name="action" value="(\w+)"', text(page))) - {"save"}
    with world.app_context():
        from accounts import people
        from licensing import moves, offers
        viewer = people.viewer(people.find(email).id)
        allowed = set(moves.actions(offers.get(number, viewer), viewer))
    assert drawn <= allowed | ({"submit"} if "request" in allowed else set())
    assert allowed <= drawn | {"submit"}


def test_hostile_words_are_shown_harmless(visitor):
    agent = visitor("agent@harbour.test")
    listed = agent.submit("/slate", {"original_title": "<script>alert(1)</script>", "kind": "film",
                                     "synopsis": "<img src=x onerror=alert(2)>"})
    page = text(agent.get(listed.location.replace("/rights", "")))
    assert "<script>alert" not in page and "<img src=x" not in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in text(agent.get("/?q=%3Cscript%3Ealert(1)%3C/script%3E"))


def test_every_page_forbids_what_it_does_not_need(visitor):
    page = visitor("buyer@sakura.test").get("/")
    assert "script-src 'nonce-" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert not re.search(r'\sstyle="|<script>|\son\w+="|https?://(?!www\.w3)', text(page))


def test_lists_do_not_ask_the_database_once_for_each_row(world, visitor):
    from sqlalchemy import event

    from core.database import db
    buyer, seller, counts = visitor("buyer@nordlys.test"), visitor("agent@harbour.test"), {}
    with world.app_context():
        engine = db.engine
    for someone, path in ((buyer, "/"), (buyer, f"/?{LINE}&match=overlap"), (buyer, "/offers"),
                          (buyer, f"/titles/2?{LINE}"), (buyer, f"/titles/2/rights?{LINE}"), (seller, "/titles/2")):
        someone.get(path)  # warm
        statements = []
        listen = lambda *args, statements=statements: statements.append(args[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", listen)
        assert someone.get(path).status_code == 200
        event.remove(engine, "before_cursor_execute", listen)
        counts[path] = len(statements)
    assert max(counts.values()) <= 31, counts
