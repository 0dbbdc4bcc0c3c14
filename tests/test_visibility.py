"""Who sees a title: its seller, chosen organisations, those at a market, or everyone; at every door, and at once."""
import re
from datetime import timedelta
from itertools import count, product
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from accounts import people
from catalogue import audiences, titles
from catalogue.models import Title
from core import clock
from core.audit import AuditRow
from core.database import db
from licensing import mandates, terms
from search import briefs, columns, query, saved, worker
from seed import line as a_plain_line
from tests.conftest import Caller, a_line, both, make_app, put_away
from tests.test_pages import Visitor, alike, text

AGENT, RIGHTS, RIVAL = "agent@harbour.test", "rights@harbour.test", "agent@lotus.test"
NORDLYS, SAKURA, SKYWAY, OPERATOR = ("buyer@nordlys.test", "buyer@sakura.test", "buyer@skyway.test",
                                     "operator@market.test")
OTHERS = {RIVAL, NORDLYS, SAKURA, SKYWAY, OPERATOR}
LINE = "territories=NO&media=svod&starts_on=2027-01-01&ends_on=2029-12-31&exclusive=true&languages=*"
SEEN_BY = {"draft": set(), "withdrawn": set(), "chosen": {SAKURA}, "market": {NORDLYS, RIVAL}, "public": OTHERS}


class House:
    """The demo world with a market in which Harbour, Lotus and Nordlys take part, as its people use it."""

    def __init__(self, app):
        self.app, self.index = app, app.extensions["index"]
        self.callers, self.visitors, self.names = {}, {}, count(1)
        with app.app_context():
            self.ids = {email: people.viewer(people.find(email).id).organisation_id for email in {AGENT, *OTHERS}}
        run = self(OPERATOR)
        self.market = run.post("/editions", {"name": "Harbour Market", "year": 2027, "starts_on": "2027-03-01",
                                             "ends_on": "2027-03-04"}).json["id"]
        for email in (AGENT, RIVAL, NORDLYS):
            self.admit(email)

    def __call__(self, email) -> Caller:
        if email not in self.callers:
            self.callers[email] = Caller(self.app, email)
        return self.callers[email]

    def visitor(self, email) -> Visitor:
        if email not in self.visitors:
            self.visitors[email] = Visitor(self.app, email)
        return self.visitors[email]

    def viewer(self, email):
        return people.viewer(people.find(email).id)

    def admit(self, email):
        made = self(OPERATOR).post(f"/editions/{self.market}/participants", {"organisation": str(self.ids[email])})
        assert made.status_code == 201, made.json

    def audience(self, kind, *emails):
        return {"kind": kind, **({"organisations": [str(self.ids[each]) for each in emails]} if emails else {}),
                **({"edition": self.market} if kind == "market" else {})}

    def said(self, state):
        """What a title of a state of SEEN_BY is made with."""
        return {"draft": {"status": "draft"}, "withdrawn": {"status": "withdrawn"},
                "chosen": {"status": "published", "audience": self.audience("organisations", SAKURA)},
                "market": {"status": "published", "audience": self.audience("market")},
                "public": {"status": "published"}}[state]

    def title(self, name, state="public", **more):
        made = self(AGENT).post("/titles", {"kind": "film", "original_title": name, **self.said(state), **more})
        assert made.status_code == 201, made.json
        with self.app.app_context():
            title = db.session.get(Title, int(made.json["id"]))
            mandates.record(title, terms.read(a_plain_line("World", "all", "2020-01-01", None)))
            db.session.commit()
        return made.json["id"]

    def show(self, title, state):
        """Show a title otherwise; what is found by words follows at once."""
        etag = self(AGENT).get(f"/titles/{title}").headers["ETag"]
        changed = self(AGENT).patch(f"/titles/{title}", {"audience": {"kind": "public"}, **self.said(state)},
                                    If_Match=etag)
        assert changed.status_code == 200, changed.json

    def turn(self):
        with self.app.app_context():
            while worker.turn(self.index):
                pass
            db.session.commit()


@pytest.fixture
def house(world):
    return House(world)


# ------------------------------------------------------------------ every door

def test_each_state_of_a_title_is_seen_by_whom_it_is_meant_for_at_every_door_and_by_nobody_else(house):
    """Where a title is not seen, each door answers as it does for one that does not exist, to the byte."""
    words = {state: f"Quillon {state}" for state in SEEN_BY}
    made = {state: house.title(words[state], state, genres=["Quillonesque"], synopsis={"en": f"Xanthic{state}"})
            for state in SEEN_BY}
    beside = house.title("Quillon beside", genres=["Quillonesque"])
    for state, title in made.items():
        linked = house(AGENT).post(f"/titles/{title}/links", {"kind": "spin_off_of", "title_id": beside})
        assert linked.status_code == 201, (state, linked.json)
    house.turn()
    for email in OTHERS:
        here, page = house(email), house.visitor(email)
        visible = {state for state, whom in SEEN_BY.items() if email in whom}
        expected = {made[state] for state in visible} | {beside}
        found = here.get("/search?q=quillon").json
        assert {each["id"] for each in found["items"]} == expected and found["total"] == len(expected)
        assert found["facets"]["genre"] == {"Quillonesque": len(expected)}
        assert here.get("/search?genre=Quillonesque").json["total"] == len(expected)
        free = here.get(f"/search?q=quillon&{LINE}").json
        assert free["total"] == free["facets"]["availability"]["available"] == len(expected)
        assert {each["url"].split("?")[0].rpartition("/")[2]
                for each in page.get("/suggestions?q=quillon").json} == expected
        assert {each["id"] for each in here.get(f"/titles/{beside}/franchise").json["items"]} == expected
        names = set(re.findall("Quillon [a-z]+", text(page.get(f"/titles/{beside}/franchise"))))
        assert names == {"Quillon beside", *(words[state] for state in visible)}
        listed = {each["id"] for each in here.get("/titles?page_size=100").json}
        assert listed & {*made.values(), beside} == expected
        missing = {path: _answer(here, page, path, "999999999") for path in DOORS}
        for state, (path, title) in product(made, [(path, made[state]) for state in made for path in DOORS]):
            if title == made[state]:
                status, body = _answer(here, page, path, title)
                assert (status, body) == missing[path] if state not in visible else status not in (404, 500), (
                    email, state, path, status)


DOORS = ("GET /titles/{}", "GET /titles/{}/franchise", "GET /titles/{}/assets", "POST /titles/{}/avails",
         "page /titles/{}", "page /titles/{}/rights", f"page /titles/{{}}/rights.csv?{LINE}", "page /titles/{}/media",
         "page /titles/{}/franchise")


def _answer(here, page, door, title):
    """(status, body) without what names the title that was asked for."""
    method, _, path = door.partition(" ")
    path = path.format(title)
    answer = page.get(path) if method == "page" else here.call(method, path, a_line("NO") if method == "POST" else None)
    return answer.status_code, alike(answer).replace(f"/{title}", "/N") if answer.status_code == 404 else ""


@both
def test_the_columns_the_query_and_the_condition_say_the_same_of_every_title_and_viewer(fresh, backend):
    """`Columns.visible` and `titles.visible` are twins; the change log makes them so again after each change."""
    house = House(fresh(seeded=True))
    with house.app.app_context():
        rng = np.random.default_rng(4)
        agent, rival = house.ids[AGENT], house.ids[RIVAL]
        said = [house.audience("public"), house.audience("market"), house.audience("organisations", SAKURA),
                house.audience("organisations", SAKURA, SKYWAY), house.audience("organisations", SKYWAY, SAKURA)]
        said = [{**each, "organisations": [int(one) for one in each.get("organisations", ())],
                 "edition": each.get("edition") and int(each["edition"])} for each in said]

        def draw():
            return {"status": str(rng.choice(["draft", "published", "published", "withdrawn"])),
                    "audience": said[rng.integers(len(said))]}
        made = [titles.create(agent if number % 3 else rival, kind="film", original_title=f"T{number}", titles=[],
                              **draw()) for number in range(30)]
        viewers = [house.viewer(email) for email in (*OTHERS, AGENT)]
        for _ in range(8):
            db.session.commit()
            table = columns.current()
            for viewer in viewers:
                rows = np.arange(len(table.ids))
                mine = audiences.numbers(viewer.organisation_id)
                seen = set(db.session.scalars(select(Title.id).where(titles.visible(viewer))))
                assert set(table.ids[table.visible(viewer, mine)(rows)].tolist()) == seen
                assert titles.seen(table.ids.tolist(), viewer) == seen
                assert {each.id for each in db.session.scalars(titles.listing(viewer))} == seen
                shown = set(db.session.scalars(select(Title.id).where(audiences.shown_to(viewer.organisation_id))))
                assert set(table.ids[table.shown(mine, rows)].tolist()) == shown
            everyone = set(db.session.scalars(select(Title.id).where(audiences.shown_to(None))))
            assert set(table.ids[table.shown([], np.arange(len(table.ids)))].tolist()) == everyone
            for title in rng.choice(made, 6, replace=False):
                titles.revise(title, **draw())
        sets = db.session.scalar(select(db.func.count()).select_from(audiences.Audience))
        assert sets == 3, "whoever is shown to the same organisations has the same number"


def test_a_change_is_in_the_very_next_answer_of_every_process(house):
    title = house.title("Quillon", "public")
    house.turn()
    with house.app.app_context():
        url = db.engine.url.render_as_string(hide_password=False)
    another = make_app(url, Path(house.app.config["INSTANCE"]))
    there = {email: Caller(another, email) for email in (SAKURA, NORDLYS)}

    def seen(email):
        found = there[email].get("/search?q=quillon").json
        direct = there[email].get(f"/titles/{title}").status_code == 200
        assert ([title] == [each["id"] for each in found["items"]]) == bool(found["total"]) == direct
        return direct
    for state in ("public", "chosen", "market", "withdrawn", "market", "chosen", "draft", "public"):
        house.show(title, state)
        assert [seen(SAKURA), seen(NORDLYS)] == [SAKURA in SEEN_BY[state], NORDLYS in SEEN_BY[state]], state
    house.show(title, "market")
    house.admit(SAKURA)
    assert seen(SAKURA), "who is admitted sees it at once"
    sent = house(OPERATOR).delete(f"/editions/{house.market}/participants/{house.ids[NORDLYS]}")
    assert sent.status_code == 204 and not seen(NORDLYS), "and who is sent away does not"
    put_away(another)


def test_a_search_asks_one_small_question_more_and_no_more_for_more_titles(house):
    for number in range(12):
        house.title(f"Quillon {number}", ["public", "chosen", "market"][number % 3])
    house.turn()

    def asked(size):
        seen = []
        with house.app.app_context():
            viewer = house.viewer(SAKURA)
            link = db.session.connection().connection.driver_connection
            link.set_trace_callback(seen.append)  # also what is asked of the driver itself
            found = query.find(query.Asked(q="quillon", page_size=size), viewer, house.index)
            link.set_trace_callback(None)
            assert len(found.hits) == min(size, 8)
            return seen
    asked(2)
    few, many = asked(2), asked(8)
    assert len(few) == len(many)
    assert sum("audience_organisation" in each and "FROM title" not in each for each in many) == 1


# ------------------------------------------------------------------ what the seller says and reads

def test_whom_a_title_is_shown_to_is_told_to_its_seller_alone(house):
    title = house.title("Quillon", "chosen")
    chosen = house.audience("organisations", SAKURA, SKYWAY)
    etag = house(AGENT).get(f"/titles/{title}").headers["ETag"]
    answer = house(AGENT).patch(f"/titles/{title}", {"audience": chosen}, If_Match=etag)
    assert answer.json["audience"] == {**chosen, "organisations": sorted(chosen["organisations"])} or \
        set(answer.json["audience"]["organisations"]) == set(chosen["organisations"])
    assert house(RIGHTS).get(f"/titles/{title}").json["audience"]["kind"] == "organisations"
    assert [each["audience"]["kind"] for each in house(AGENT).get("/titles?own=true").json][:2] == [
        "organisations", "public"]
    house.turn()
    for path in (f"/titles/{title}", "/titles", f"/titles/{title}/franchise", "/search?q=quillon"):
        answer = house(SAKURA).get(path)
        assert answer.status_code == 200 and "audience" not in text(answer) and "Skyway" not in text(answer), path
    assert "Skyway" not in text(house.visitor(SAKURA).get(f"/titles/{title}"))
    assert house.visitor(SAKURA).get(f"/titles/{title}/audience").status_code == 403
    assert house.visitor(NORDLYS).get(f"/titles/{title}/audience").status_code == 404


def test_an_audience_that_is_none_is_refused_by_its_field(house):
    own = str(house.ids[AGENT])
    for said, field in (
            ({"kind": "organisations"}, "organisations"),
            ({"kind": "organisations", "organisations": []}, "organisations"),
            ({"kind": "organisations", "organisations": ["999999"]}, "organisations"),
            ({"kind": "organisations", "organisations": [own]}, "organisations"),
            ({"kind": "public", "organisations": ["1"]}, "organisations"), ({"kind": "market"}, "edition"),
            ({"kind": "market", "edition": "999999"}, "edition"), ({"kind": "public", "edition": "1"}, "edition"),
            ({"kind": "friends"}, "kind"), ({}, "kind")):
        answer = house(AGENT).post("/titles", {"kind": "film", "original_title": "Quillon", "audience": said})
        assert answer.status_code == 422 and field in answer.json["errors"]["audience"], (said, answer.json)


def test_a_seller_shows_titles_at_the_markets_it_takes_part_in_alone(house):
    other = house(OPERATOR).post("/editions", {"name": "Elsewhere", "year": 2027, "starts_on": "2027-05-01",
                                               "ends_on": "2027-05-02"}).json["id"]
    answer = house(AGENT).post("/titles", {"kind": "film", "original_title": "Quillon",
                                           "audience": {"kind": "market", "edition": other}})
    assert answer.status_code == 422 and "edition" in answer.json["errors"]["audience"]
    names = {each["name"]: each["id"] for each in house(AGENT).get("/editions").json}
    assert set(names) == {"Harbour Market", "Pearl River Screenings"} and names["Harbour Market"] == house.market
    assert house(SAKURA).get("/editions").json == [], "who takes no part does not read of it"


def test_a_draft_keeps_whom_it_will_be_shown_to_and_a_child_is_shown_as_its_parent(house):
    series = house.title("Quillon", "draft", kind="series", audience=house.audience("organisations", SAKURA))
    assert house(SAKURA).get(f"/titles/{series}").status_code == 404
    page = house.visitor(AGENT)
    page.submit(f"/titles/{series}/status", {"status": "published"}, form=f"/titles/{series}/rights")
    assert [house(each).get(f"/titles/{series}").status_code for each in (SAKURA, NORDLYS)] == [200, 404]
    season = house(AGENT).post("/titles", {"kind": "season", "original_title": "Quillon 1", "status": "published",
                                           "parent_id": series}).json
    assert season["audience"]["kind"] == "organisations"
    assert [house(each).get(f"/titles/{season['id']}").status_code for each in (SAKURA, NORDLYS)] == [200, 404]


def test_the_page_shows_a_title_to_whom_is_ticked_to_a_market_to_everyone_and_to_nobody(house):
    series = house.title("Quillon", "draft", kind="series")
    season = house(AGENT).post("/titles", {"kind": "season", "original_title": "Quillon 1", "parent_id": series}).json
    page, path = house.visitor(AGENT), f"/titles/{series}/audience"
    assert f'href="{path}"' in text(page.get("/slate")) and f'href="{path}"' in text(page.get(f"/titles/{series}"))

    def shows(**said):
        answer = page.submit(path, said)
        assert answer.status_code == 302, text(answer)
        whom = {email for email in OTHERS if house(email).get(f"/titles/{series}").status_code == 200}
        below = {email for email in OTHERS if house(email).get(f"/titles/{season['id']}").status_code == 200}
        return whom, below
    ids = [str(house.ids[each]) for each in (SAKURA, SKYWAY)]
    assert shows(who="organisations", organisation=ids, edition=house.market) == ({SAKURA, SKYWAY}, set())
    assert "Sakura TV and Skyway Inflight see it" in text(page.get(f"/titles/{series}/rights"))
    assert text(page.get(path)).count(" checked") == 4, "the kind, the two, and that those below go with it"
    assert "to 2 organisations" in text(page.get("/slate"))
    assert shows(who="market", organisation=ids, edition=house.market, below="1") == ({NORDLYS, RIVAL},) * 2
    assert shows(who="public", below="1") == (OTHERS, OTHERS)
    assert shows(who="own", below="1") == (set(), set())
    assert house(AGENT).get(f"/titles/{series}").json["status"] == "withdrawn"
    refused = page.submit(path, {"who": "organisations"})
    assert refused.status_code == 422 and "Name at least one organisation." in text(refused)
    with house.app.app_context():
        noted = db.session.scalars(select(AuditRow).where(AuditRow.action == "shown").order_by(AuditRow.id)).all()
        assert [each.after["names"] for each in noted if each.subject_id == int(series)] == [
            ["Sakura TV", "Skyway Inflight"], ["Harbour Market 2027"], []]
        assert {each.organisation_id for each in noted} == {house.ids[AGENT]}


def test_only_who_keeps_a_sellers_titles_shows_them(house):
    title = house.title("Quillon", "draft")
    for email in (*OTHERS,):
        answer = house.visitor(email).submit(f"/titles/{title}/audience", {"who": "public"}, form="/account")
        assert answer.status_code in (403, 404), email
    assert house(AGENT).get(f"/titles/{title}").json["status"] == "draft"


# ------------------------------------------------------------------ markets

def test_a_market_is_run_by_its_operator_and_is_not_there_for_another(house):
    with house.app.app_context():
        from accounts import security
        from accounts.permissions import Role
        other = people.found("Other Market", ["operator"])
        people.join(people.enrol("run@other.test", "Other", security.hashed("demo")), other, [Role.OPERATOR])
        db.session.commit()
    path, page = f"/editions/{house.market}/participants", f"/markets/{house.market}"
    assert {each["name"] for each in house(OPERATOR).get(path).json} == {
        "Harbour Pictures", "Lotus Sales", "Nordlys Distribution"}
    body = {"organisation": str(house.ids[SAKURA])}
    answers = [house("run@other.test").call(method, each, sent) for method, each, sent in (
        ("GET", path, None), ("POST", path, body), ("DELETE", f"{path}/{house.ids[NORDLYS]}", None))]
    missing = house("run@other.test").get("/editions/999999/participants")
    assert [each.status_code for each in answers] == [404] * 3 and answers[0].json["detail"] == missing.json["detail"]
    assert house.visitor("run@other.test").get(page).status_code == 404
    for email in (AGENT, NORDLYS):
        assert house(email).get(path).status_code == house(email).post(path, body).status_code == 403
        assert house.visitor(email).get(page).status_code == 403
        assert "Harbour Market 2027" in text(house.visitor(email).get("/markets"))
    assert "Nordlys" not in text(house.visitor(AGENT).get("/markets")), "who else takes part is the operator's"
    assert house(OPERATOR).post(path, {"organisation": "999999"}).status_code == 422
    assert house(OPERATOR).delete(f"{path}/{house.ids[SAKURA]}").status_code == 404


def test_an_operator_begins_a_market_and_admits_from_its_page(house):
    page = house.visitor(OPERATOR)
    wrong = {"name": "Second", "year": "2028", "starts_on": "2028-03-04", "ends_on": "2028-03-01"}
    assert "Lies before the first day." in text(page.submit("/markets", wrong))
    assert "There is a Harbour Market 2027 already." in text(page.submit("/markets", {
        **wrong, "name": "Harbour Market", "year": "2027", "ends_on": "2028-03-05"}))
    assert page.submit("/markets", {**wrong, "year": "soon"}).status_code == 422
    made = page.submit("/markets", {**wrong, "ends_on": "2028-03-07"})
    assert made.status_code == 302
    path = made.location
    ticked = [str(house.ids[each]) for each in (SAKURA, SKYWAY)]
    assert page.submit(f"{path}/participants", {"organisation": ticked}, form=path).status_code == 302
    assert "2 organisations take part" in text(page.get(path))
    page.submit(f"{path}/participants/removal", {"organisation": ticked[0]}, form=path)
    assert "1 organisation takes part" in text(page.get(path))
    assert "Second 2028" in text(house.visitor(SKYWAY).get("/markets"))
    assert "Second 2028" not in text(house.visitor(SAKURA).get("/markets"))


# ------------------------------------------------------------------ deals over titles that are not shown any more

def drafted(house, title, email=SAKURA):
    made = house(email).post("/offers", {"seller": str(house.ids[AGENT]), "currency": "USD",
                                         "lines": [{**a_line("NO"), "title_id": title, "price": "1000"}]})
    assert made.status_code == 201, made.json
    return made.json["id"]


def step(house, email, offer, action, **more):
    return house(email).post(f"/offers/{offer}/steps", {"action": action, **more})


def test_a_draft_is_no_way_to_ask_about_a_title_that_is_hidden(house):
    title = house.title("Quillon", "chosen")
    offer = drafted(house, title)
    assert house(SAKURA).get(f"/offers/{offer}").json["lines"][0]["avails"]["verdict"] == "available"
    house.show(title, "market")
    now = house(SAKURA).get(f"/offers/{offer}")
    assert now.json["lines"][0].get("avails") is None
    page = text(house.visitor(SAKURA).get(f"/offers/{offer}"))
    assert "does not show you this title any more" in page and "free as it stands" not in page
    refused = step(house, SAKURA, offer, "submit")
    assert refused.status_code == 422 and "not show you" in refused.json["errors"]["lines"]["0"]["title_id"][0]
    revised = house(SAKURA).patch(f"/offers/{offer}", {"lines": [{**a_line("SE"), "title_id": title, "price": "1"}]},
                                  If_Match=now.headers["ETag"])
    assert revised.status_code == 422
    instead = house.visitor(SAKURA).submit(f"/offers/{offer}/instead", {"line": "1", "kind": "non_exclusive"},
                                           form=f"/offers/{offer}")
    assert instead.status_code in (404, 422)
    new = house(SAKURA).post("/offers", {"seller": str(house.ids[AGENT]), "currency": "USD", "lines": [
        {**a_line("NO"), "title_id": title, "price": "1"}]})
    unknown = house(SAKURA).post("/offers", {"seller": str(house.ids[AGENT]), "currency": "USD", "lines": [
        {**a_line("NO"), "title_id": "999999", "price": "1"}]})
    assert new.status_code == 422 and new.json == unknown.json


def test_the_parties_of_a_running_offer_go_on_with_the_title_on_their_table_to_the_licence(house):
    title = house.title("Quillon", "chosen")
    offer = drafted(house, title)
    assert step(house, SAKURA, offer, "submit").status_code == 201
    house.show(title, "withdrawn")
    assert house(SAKURA).get(f"/titles/{title}").status_code == 404
    shown = house(SAKURA).get(f"/offers/{offer}").json
    assert shown["lines"][0]["avails"]["verdict"] == "available"
    page = text(house.visitor(SAKURA).get(f"/offers/{offer}"))
    assert "Quillon" in page and f'href="/titles/{title}' not in page, "its name, and no way to its page"
    assert step(house, AGENT, offer, "counter", version=1, lines=[
        {**a_line("NO"), "title_id": title, "price": "1500"}]).status_code == 201
    assert step(house, SAKURA, offer, "counter", version=2, lines=[
        {**a_line("NO"), "title_id": title, "price": "1200"}]).status_code == 201
    for email, action, more in ((AGENT, "accept", {"version": 3}), (RIGHTS, "approve", {}), (RIGHTS, "issue_memo", {}),
                                (SAKURA, "sign", {}), (RIGHTS, "sign", {})):
        taken = step(house, email, offer, action, **more)
        assert taken.status_code == 201 or action == "approve" and taken.status_code == 409, (action, taken.json)
    page = text(house.visitor(SAKURA).get("/licences"))
    assert "Quillon" in page and f'href="/titles/{title}"' not in page
    assert "Quillon" in text(house.visitor(SAKURA).get("/licences.csv"))
    assert f'href="/titles/{title}"' in text(house.visitor(AGENT).get("/licences"))


def test_an_offer_that_came_to_nothing_says_nothing_more_of_what_is_hidden(house):
    title = house.title("Quillon", "chosen")
    offer = drafted(house, title)
    step(house, SAKURA, offer, "submit")
    step(house, AGENT, offer, "decline", note="Not now.")
    assert house(SAKURA).get(f"/offers/{offer}").json["lines"][0]["avails"]["verdict"] == "available"
    house.show(title, "market")
    assert house(SAKURA).get(f"/offers/{offer}").json["lines"][0].get("avails") is None
    assert house.visitor(SAKURA).get(f"/offers/{offer}").status_code == 200
    assert house(AGENT).get(f"/offers/{offer}").json["lines"][0]["avails"]["verdict"] == "available"


def test_a_title_leaves_the_baskets_of_those_it_is_not_shown_to(house):
    title = house.title("Quillon", "chosen")
    assert house(SAKURA).post("/basket", {**a_line("NO"), "title_id": title}).status_code == 201
    assert "Quillon" in text(house(SAKURA).get("/basket"))
    assert house(NORDLYS).post("/basket", {**a_line("NO"), "title_id": title}).status_code in (404, 422)
    house.show(title, "market")
    assert "Quillon" not in text(house(SAKURA).get("/basket"))
    assert "Quillon" not in text(house.visitor(SAKURA).get("/basket"))


def test_who_has_the_first_word_is_asked_once_the_title_is_shown_to_them(house):
    first, second = house.title("Quillon"), house.title("Quillon II", "chosen")
    house(AGENT).post(f"/titles/{first}/options", {
        "kind": "first_refusal", "organisation": str(house.ids[NORDLYS]), "territories": ["Nordics"], "media": ["all"],
        "days": 20})
    house(AGENT).post(f"/titles/{second}/links", {"kind": "sequel_of", "title_id": first})
    house.turn()

    def mine():
        return [each for each in house(NORDLYS).get("/refusals").json if each["title_id"] == second]
    assert mine() == [] and "Quillon II" not in text(house(NORDLYS).get("/notices"))
    words = house(AGENT).get(f"/titles/{first}/first-words").json
    assert [(each["state"], each["answer_by"]) for each in words] == [("not asked yet", None)]
    house.show(second, "market")
    house.turn()
    question, = mine()
    assert question["actions"] == ["take", "pass"]
    house.show(second, "chosen")
    question, = mine()
    assert question["actions"] == ["pass"], "the question stays, the title is not shown"
    assert house(NORDLYS).post(f"/refusals/{question['id']}/answer", {"answer": "take"}).status_code == 409
    page = text(house.visitor(NORDLYS).get("/refusals"))
    assert "Quillon II" in page and f'href="/titles/{second}' not in page


def test_a_screener_is_asked_for_by_those_who_see_the_title_alone(house):
    title = house.title("Quillon", "chosen")
    path = f"/titles/{title}/screener-requests"
    assert house.visitor(NORDLYS).submit(path, {}, form="/account").status_code == 404
    assert house.visitor(SAKURA).submit(path, {}, form="/account").status_code == 302
    house.show(title, "market")
    page = text(house.visitor(SAKURA).get("/your-screeners"))
    assert "Quillon" in page and f'href="/titles/{title}"' not in page, "what was asked is remembered, without a way in"
    assert house.visitor(SAKURA).submit(path, {}, form="/account").status_code == 404


# ------------------------------------------------------------------ finding

def test_news_of_a_saved_search_is_of_titles_that_are_shown(house):
    with house.app.app_context():
        for email in (SAKURA, NORDLYS):
            saved.save(house.viewer(email), "Quillons", query.Asked(q="quillon"), house.index)
        db.session.commit()
    title = house.title("Quillon", "chosen")

    def news(email):
        with house.app.app_context():
            return [each.title_id for some in saved.news(house.viewer(email)).values() for each in some]
    with clock.stopped_at(clock.now() + timedelta(minutes=1)):
        house.turn()
        assert news(SAKURA) == [int(title)] and news(NORDLYS) == []
        assert "Quillon" in text(house(SAKURA).get("/notices"))
        assert "Quillon" not in text(house(NORDLYS).get("/notices"))
    house.show(title, "market")
    assert news(SAKURA) == [], "news of what is hidden meanwhile is none"
    with clock.stopped_at(clock.now() + timedelta(minutes=2)):
        house.turn()
        assert news(NORDLYS) == [int(title)]


def test_a_brief_lists_what_the_buyer_it_is_for_may_see_and_for_nobody_in_particular_what_everyone_may(house):
    made = {state: house.title(f"Quillon {state}", state) for state in SEEN_BY}
    house.turn()
    with house.app.app_context():
        agent = house.viewer(AGENT)
        for buyer, states in ((None, {"public"}), (SAKURA, {"public", "chosen"}), (NORDLYS, {"public", "market"}),
                              (SKYWAY, {"public"})):
            brief, _ = briefs.create(agent, "quillon, SVOD, Norway, 2027 to 2029", buyer and house.ids[buyer])
            briefs.open_up(brief)
            db.session.commit()
            found = briefs.answer(brief, house.index)
            assert {str(hit.title.id) for hit in found.hits} == {made[state] for state in states}, buyer
            for path in (f"/for/{brief.token}", f"/briefs/{brief.id}/catalogue.csv"):
                page = text(house.visitor(AGENT).get(path))
                assert {state for state in made if f"Quillon {state}" in page} == states, path


def test_no_word_of_a_hidden_title_is_guessed_by_what_is_found_instead(house):
    """With two words of which only a hidden title has both, what has one of them is found as if it were not there."""
    house.title("Saltmarsh", "public")
    house.turn()

    def found(email):
        answer = house(email).get("/search?q=saltmarsh+vermilion").json
        return [each["title"] for each in answer["items"]], answer["total"], answer["did_you_mean"], answer["facets"]
    before = found(NORDLYS)
    assert before[0] == ["Saltmarsh"]
    hidden = house.title("Saltmarsh Vermilion", "chosen")
    house.turn()
    assert found(NORDLYS) == before
    assert found(SAKURA)[0] == ["Saltmarsh Vermilion"]
    assert house(NORDLYS).get("/search?q=vermilian").json["did_you_mean"] is None
    assert house(SAKURA).get("/search?q=vermilian").json["did_you_mean"] == "vermilion"
    assert hidden


# ------------------------------------------------------------------ what is nobody else's, also of a title all may see

SECRET = {"contract": "HQ-SECRET-1", "licensor": "Undertow Licensing", "licensee": "Basalt Television",
          "deal": "HQ-SECRET-2", "holdback": "Protects the Basalt window", "inside": "Walk away below nine",
          "floor": "71234", "price": "54321", "screener": "quillon-secret-cut.mp4", "brief": "Wanted by Basalt only"}


def test_prices_floors_licensors_counterparties_notes_screeners_and_counts_are_their_parties_alone(house):
    """Of a title that everyone sees: at each door the seller reads every secret, and nobody but its party a word."""
    title = house.title("Quillon")
    agent = house(AGENT)
    agent.post(f"/titles/{title}/mandates", {
        **a_line("World", "svod", "2020-01-01", None), "contract": SECRET["contract"], "licensor": SECRET["licensor"],
        "floors": [{"territories": ["World"], "amount": SECRET["floor"], "currency": "USD"}]})
    agent.post(f"/titles/{title}/licences", {**a_line("DK"), "licensee": SECRET["licensee"],
                                             "contract": SECRET["deal"]})
    agent.post(f"/titles/{title}/holdbacks", {"territories": ["SE"], "media": ["svod"], "starts_on": "2027-01-01",
                                              "ends_on": "2028-12-31", "hard": True, "binds": "licensor",
                                              "note": SECRET["holdback"]})
    hold = agent.post(f"/titles/{title}/holds", {
        **a_line("FI"), "organisation": str(house.ids[SKYWAY]), "expires_at": "2100-01-01T00:00:00Z"})
    assert hold.status_code == 201, hold.json
    offer = house(SAKURA).post("/offers", {"seller": str(house.ids[AGENT]), "currency": "USD", "lines": [
        {**a_line("NO"), "title_id": title, "price": SECRET["price"]}]}).json["id"]
    step(house, SAKURA, offer, "submit", internal_note=SECRET["inside"])
    agent.post(f"/titles/{title}/assets", {"kind": "screener", "filename": SECRET["screener"], "size": 9,
                                           "content_type": "video/mp4"})
    house.visitor(AGENT).submit("/briefs", {"text": f"{SECRET['brief']}: quillon, SVOD, Norway, 2027 to 2029"})
    house.turn()

    def read(email):
        """All that a person can be shown of it."""
        here, page = house(email), house.visitor(email)
        line = a_line("NO,SE,DK,FI")
        at = "territories=NO,SE,DK,FI&media=svod&starts_on=2027-01-01&ends_on=2029-12-31&exclusive=true&languages=*"
        said = [here.post(f"/titles/{title}/avails", line)]
        said += [here.get(path) for path in (
            f"/titles/{title}", f"/titles/{title}/mandates", f"/titles/{title}/licences", f"/titles/{title}/holds",
            f"/titles/{title}/holdbacks", f"/titles/{title}/options", f"/titles/{title}/assets",
            f"/titles/{title}/franchise", f"/search?q=quillon&{at}", "/offers", "/licences", "/notices",
            f"/offers/{offer}", f"/offers/{offer}/notes", "/screener-requests", "/refusals", "/instalments")]
        said += [page.get(path) for path in (
            f"/titles/{title}?{at}", f"/titles/{title}/rights?{at}", f"/titles/{title}/rights.csv?{at}",
            f"/titles/{title}/media", f"/titles/{title}/franchise", f"/?q=quillon&{at}", "/suggestions?q=quillon",
            "/offers", f"/offers/{offer}", "/licences", "/licences.csv", "/licences.ics", "/your-screeners",
            "/screeners", "/briefs", "/notices", "/money", "/approvals", "/refusals", "/slate", "/audit", "/audit.csv")]
        assert all(each.status_code < 500 for each in said)
        return "".join(text(each) for each in said).replace(",", "")
    seller = read(AGENT) + read(RIGHTS)
    assert {key for key, words in SECRET.items() if words not in seller} == {"inside"}, "its author's house alone"
    buyer = read(SAKURA)
    assert {key for key, words in SECRET.items() if words in buyer} == {"price", "inside"}
    for email in (NORDLYS, SKYWAY, RIVAL, OPERATOR):
        found = read(email)
        assert "Quillon" in found
        assert {key for key, words in SECRET.items() if words in found} == set(), email
        assert email != NORDLYS or "Skyway" not in found, "nor who has a hold on it"
