"""Versions of an offer, papers and notes: nothing sent is ever changed, and what is inside stays inside."""
import hashlib
import re
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import event, select

from accounts import post
from accounts.notices import Notice
from core import outbox
from core.database import db
from licensing import differences, terms
from licensing.models import Offer, OfferLine, Version
from media import comparing
from media import worker as media_worker
from media.models import Asset
from media.models import State as AssetState
from tests.conftest import Caller, a_line, both
from tests.licensing.deals import AGENT, BUYER, MANAGER, OPERATOR, OTHER, RIVAL, title
from tests.test_pages import Visitor, text

PDF = b"%PDF-1.7\n" + b"terms " * 50


@pytest.fixture
def offer(world):
    """(id, lines) of an offer of Sakura to Harbour, submitted."""
    with world.app_context():
        film, second = title(), title(name="第二")
        db.session.commit()
        body = {"seller": str(film.organisation_id), "currency": "USD", "lines": [
            {"title_id": str(each.id), "price": "40000", **a_line("HK,CH")} for each in (film, second)]}
    buyer = Caller(world, BUYER)
    made = buyer.post("/offers", body).json["id"]
    assert buyer.post(f"/offers/{made}/steps", {"action": "submit"}).status_code == 201
    return made, body["lines"]


def take(world, who, offer, action, **more):
    return Caller(world, who).post(f"/offers/{offer}/steps", {"action": action, **more})


# ------------------------------------------------------------------ versions

def test_any_two_versions_are_compared_term_by_term_over_the_api_and_on_the_page(world, offer):
    number, (first, second) = offer
    second_version = [{**first, "territories": ["HK"], "price": "46000"}, second]
    third = [{**first, "territories": ["HK", "AT"], "ends_on": "2030-06-30", "price": "46000", "exclusive": False}]
    assert take(world, AGENT, number, "counter", lines=second_version).status_code == 201
    assert take(world, BUYER, number, "counter", lines=third).status_code == 201

    def deltas(start, end):
        answer = Caller(world, AGENT).get(f"/offers/{number}/differences?from={start}&to={end}")
        return [(each["title"], each["term"], each["delta"]) for each in answer.json]

    assert deltas(1, 2) == [("海霧", "territories", "− Switzerland"), ("海霧", "price", "USD 40,000 → 46,000")]
    assert deltas(1, 3) == [
        ("海霧", "territories", "− Switzerland, + Austria"), ("海霧", "ends_on", "+ 6 months"),
        ("海霧", "exclusivity", "exclusive → non-exclusive"), ("海霧", "price", "USD 40,000 → 46,000"),
        ("第二", "title", "− 第二")]
    assert ("第二", "title", "+ 第二") in deltas(3, 1) and ("海霧", "ends_on", "− 6 months") in deltas(3, 1)
    assert deltas(2, 2) == []
    page = text(Visitor(world, BUYER).get(f"/offers/{number}?from=1&to=3"))
    for words in ("− Switzerland, + Austria", "+ 6 months", "exclusive → non-exclusive", "USD 40,000 → 46,000"):
        assert words in page
    for wrong in ("from=0&to=1", "from=1&to=4", "from=x&to=1", "from=1"):
        assert Caller(world, AGENT).get(f"/offers/{number}/differences?{wrong}").status_code == 422
    assert Visitor(world, BUYER).get(f"/offers/{number}?from=1&to=9").status_code == 422
    for who in (OTHER, RIVAL):
        assert Caller(world, who).get(f"/offers/{number}/differences?from=1&to=2").status_code == 404


def test_what_changed_of_the_whole_offer_stands_beside_what_changed_of_its_titles(world, offer):
    number, (first, second) = offer
    plan = {"days": 45, "instalments": [{"on": "signature", "percent": "50"}, {"on": "delivery", "percent": "50"}]}
    said = take(world, AGENT, number, "counter", lines=[{**first, "price": "46000"}, second], payment=plan,
                valid_until="2999-03-31")
    assert said.status_code == 201, said.json
    assert take(world, BUYER, number, "counter", lines=[first, second], valid_until="2999-02-28").status_code == 201

    def whole(start, end):
        answer = Caller(world, AGENT).get(f"/offers/{number}/differences?from={start}&to={end}").json
        return {each["term"]: each["delta"] for each in answer if each["title"] is None}

    assert whole(1, 2)["valid_until"] == "no last day → 31 Mar 2999"
    assert whole(2, 3) == {"valid_until": "31 Mar 2999 → 28 Feb 2999"}
    page = Visitor(world, BUYER).get(f"/offers/{number}?from=1&to=2")
    assert page.status_code == 200
    changes = text(page).partition('id="difference"')[2].partition("</section>")[0]
    for words in ("The whole offer", "no last day → 31 Mar 2999", "50 % on signature, 50 % on delivery", "海霧",
                  "USD 40,000 → 46,000"):
        assert words in changes
    with world.app_context():
        subject = db.session.scalars(select(Notice).order_by(Notice.id)).all()[-1]
        assert {"title": "The whole offer", "term": "Valid until", "delta": "31 Mar 2999 → 28 Feb 2999",
                "before": "31 Mar 2999", "after": "28 Feb 2999"} in subject.body["changes"]


def test_accepting_a_version_that_moved_fails_with_the_newer_one_and_what_it_changed(world, offer):
    number, (first, second) = offer
    buyer = Visitor(world, BUYER)
    buyer.get(f"/offers/{number}")
    take(world, AGENT, number, "counter", lines=[{**first, "price": "46000"}, second])
    refused = take(world, BUYER, number, "accept", version=1)
    assert refused.status_code == 409 and refused.json["version"] == 2
    assert [each["delta"] for each in refused.json["changes"]] == ["USD 40,000 → 46,000"]
    page = buyer.submit(f"/offers/{number}/steps", {"action": "accept", "version": "1"}, form="/account")
    assert page.status_code == 409 and "moved to version 2" in text(page) and "USD 40,000 → 46,000" in text(page)
    assert take(world, BUYER, number, "accept").status_code == 422, "it names no version"
    for version in (0, 3, -1):
        assert take(world, BUYER, number, "accept", version=version).status_code == 409
    assert take(world, BUYER, number, "accept", version=2).status_code == 201


SPANS = [("2028-12-31", "2029-06-30", "+ 6 months"), ("2029-06-30", "2028-12-31", "− 6 months"),
         ("2028-12-31", "2030-12-31", "+ 2 years"), ("2028-12-31", "2031-03-31", "+ 2 years 3 months"),
         ("2028-02-28", "2028-02-29", "+ 1 day"), ("2028-12-31", "2029-01-15", "+ 15 days"),
         ("2028-12-31", None, "31 Dec 2028 → in perpetuity"), (None, "2028-12-31", "in perpetuity → 31 Dec 2028"),
         ("2028-01-31", "2028-02-29", "+ 1 month"), ("2028-12-31", "2029-12-30", "+ 364 days")]


@pytest.mark.parametrize("was, now, words", SPANS)
def test_an_end_moves_by_whole_months_or_by_days(was, now, words):
    assert differences._longer(was and date.fromisoformat(was), now and date.fromisoformat(now)) == words


MORE = [
    ({"media": ["svod"]}, {"media": ["television"]}, "− SVOD, + Television"),
    ({"languages": ["fr"]}, {"languages": ["*"]}, None),
    ({"starts_on": "2027-01-01"}, {"starts_on": "2027-04-01"}, "3 months later"),
    ({"starts_on": "2027-04-01"}, {"starts_on": "2027-03-31"}, "1 day earlier"),
    ({"runs": None}, {"runs": 3}, "not limited → 3"),
    ({"hereafter": False}, {"hereafter": True}, "none → included"),
    ({"future": True}, {"future": False}, "included → none"),
    ({"price": None}, {"price": "42000.5"}, "to be named → USD 42,000.50"),
    ({"price": "9"}, {"price": "10"}, "USD 9 → 10"),
    ({}, {"ends_tba": {"event": "release", "lag_days": 30, "not_before": "2028-01-01", "not_after": "2029-01-01"}},
     "none → release + 30 days, between 1 Jan 2028 and 1 Jan 2029"),
    ({"territories": ["HK"]}, {"territories": ["World"]}, None),
]


@pytest.mark.parametrize("was, now, words", MORE)
def test_every_term_that_changes_is_said_and_nothing_of_it_is_left_out(world, was, now, words):
    with world.app_context():
        film = title()
        versions = []
        for number, more in enumerate((was, now), 1):
            data = {**a_line("HK"), **more}
            price = data.pop("price", "1")
            data = {name: value for name, value in data.items() if value is not None or name == "ends_on"}
            for name in ("starts_on", "ends_on"):
                data[name] = date.fromisoformat(data[name])
            if "ends_tba" in data:
                data["ends_tba"] = {name: date.fromisoformat(value) if name.startswith("not") else value
                                    for name, value in data["ends_tba"].items()}
            versions.append(Version(number=number, offer=Offer(currency="USD"), lines=[OfferLine(
                title=film, title_id=film.id, price=price and Decimal(price), **terms.read(data).columns())]))
        with db.session.no_autoflush:
            changes = differences.between(*versions)
        assert changes
        said = "; ".join(each["delta"] for each in changes)
        assert not re.search(r"\d (territories|languages|media)\b", said), said
        assert words is None or words in said, said
        db.session.rollback()


def test_a_version_that_was_sent_is_never_written_again(world, offer):
    number, lines = offer
    written = []

    def look(connection, cursor, statement, *rest):
        if re.match(r"(UPDATE|DELETE FROM) offer_(version|line|step)\b", statement):
            written.append(statement)

    with world.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", look)
    for who, action, more in (
            (AGENT, "counter", {"lines": lines[:1]}), (BUYER, "counter", {"lines": lines}), (AGENT, "park", {}),
            (AGENT, "resume", {}), (AGENT, "accept", {"version": 3}), (MANAGER, "approve", {}),
            (AGENT, "issue_memo", {}), (BUYER, "sign", {}), (MANAGER, "sign", {})):
        assert take(world, who, number, action, **more).status_code == 201, action
    assert Caller(world, BUYER).patch(f"/offers/{number}", {"lines": lines}, If_Match="*").status_code == 409
    assert Caller(world, BUYER).delete(f"/offers/{number}").status_code == 409
    event.remove(engine, "before_cursor_execute", look)
    assert written == []
    assert [each["number"] for each in Caller(world, BUYER).get(f"/offers/{number}").json["versions"]] == [1, 2, 3]


# ------------------------------------------------------------------ papers

def announced(world, who, offer, data=PDF, **more):
    return Caller(world, who).post(f"/offers/{offer}/attachments", {
        "filename": "side letter.pdf", "content_type": "application/pdf", "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(), **more})


def paper(world, who, offer, data=PDF, **more):
    """The id of a paper that was sent and checked."""
    answer = announced(world, who, offer, data, **more)
    assert answer.status_code == 201, answer.json
    made, upload = answer.json["attachment"]["id"], answer.json["upload"]
    from io import BytesIO
    path = upload["url"].partition("//")[2].partition("/")[2]
    sent = world.test_client().post(f"/{path}", data={**upload["fields"], "file": (BytesIO(data), "file")})
    assert sent.status_code < 300, sent.data
    assert Caller(world, who).post(f"/attachments/{made}/completion", {}).status_code == 202
    with world.app_context():
        media_worker.catch_up(world.extensions["store"])
    return made


@both
def test_a_paper_is_nobodys_but_its_senders_until_it_goes_out_with_a_step(world, offer):
    number, _ = offer
    made = paper(world, AGENT, number)
    own, other = Caller(world, AGENT), Caller(world, BUYER)
    assert own.get(f"/attachments/{made}").json["state"] == "ready"
    for path in (f"/attachments/{made}", f"/attachments/{made}/url"):
        assert other.get(path).status_code == 404 and Caller(world, RIVAL).get(path).status_code == 404
    assert "side letter" not in text(Visitor(world, BUYER).get(f"/offers/{number}"))
    assert "goes out with your next step" in text(Visitor(world, AGENT).get(f"/offers/{number}"))
    step = take(world, AGENT, number, "park", attachments=[made], note="Read this first.")
    assert step.status_code == 201 and [each["filename"] for each in step.json["attachments"]] == ["side letter.pdf"]
    steps = other.get(f"/offers/{number}").json["steps"]
    assert [each["id"] for each in steps[-1]["attachments"]] == [made] and steps[0]["attachments"] == []
    for who in (AGENT, BUYER):
        url = Caller(world, who).get(f"/attachments/{made}/url").json["url"]
        with world.test_client().get(f"/{url.partition('//')[2].partition('/')[2]}") as got:
            assert got.data == PDF and "side letter.pdf" in got.headers["Content-Disposition"]
        assert "side letter.pdf" in text(Visitor(world, who).get(f"/offers/{number}"))
        assert Visitor(world, who).get(f"/attachments/{made}/file").status_code == 302
    for who, status in ((OTHER, 404), (RIVAL, 404), (OPERATOR, 403)):
        assert Caller(world, who).get(f"/attachments/{made}/url").status_code == status
    assert own.delete(f"/attachments/{made}").status_code == 409, "what went out stays"
    assert other.delete(f"/attachments/{made}").status_code == 403
    assert take(world, AGENT, number, "resume", attachments=[made]).status_code == 422, "it went out before"
    with world.app_context():
        assert comparing.differences(world.extensions["store"]) == []


def test_a_paper_is_what_it_says_or_goes_nowhere(world, offer):
    number, _ = offer
    for wrong in ({"content_type": "application/x-msdownload"}, {"size": 65 << 20}, {"size": 0},
                  {"filename": "\u202e"}, {"sha256": "no"}):
        assert announced(world, BUYER, number, **wrong).status_code == 422, wrong
    bad = paper(world, BUYER, number, b"MZ" + PDF)
    shown = Caller(world, BUYER).get(f"/attachments/{bad}").json
    assert shown["state"] == "rejected" and "content is nothing that is taken here" in shown["reason"]
    waiting = announced(world, BUYER, number).json["attachment"]["id"]
    theirs = paper(world, AGENT, number)
    for papers in ([bad], [waiting], [theirs], ["999999"], ["x"], [waiting, bad] * 11):
        refused = take(world, BUYER, number, "withdraw", attachments=papers)
        assert refused.status_code == 422 and "attachments" in refused.json["errors"], papers
    assert Caller(world, BUYER).get(f"/offers/{number}").json["state"] == "submitted"
    for who, status in ((OTHER, 404), (RIVAL, 404), (OPERATOR, 403)):
        assert announced(world, who, number).status_code == status
    good = paper(world, BUYER, number)
    assert take(world, BUYER, number, "withdraw", attachments=[good]).status_code == 201


def test_a_paper_that_waits_is_deleted_and_a_draft_takes_its_papers_along(world, offer):
    number, lines = offer
    made = paper(world, BUYER, number)
    buyer = Visitor(world, BUYER)
    assert buyer.submit(f"/attachments/{made}/removal", {}, form="/account").status_code == 302
    assert Caller(world, BUYER).get(f"/attachments/{made}").status_code == 404
    seller = str(Caller(world, BUYER).get(f"/offers/{number}").json["seller"]["id"])
    draft = Caller(world, BUYER).post("/offers", {"seller": seller, "currency": "USD", "lines": lines}).json["id"]
    made = paper(world, BUYER, draft)
    assert announced(world, AGENT, draft).status_code == 404, "a draft is its author's"
    Caller(world, BUYER).post(f"/offers/{draft}/notes", {"text": "Not too low."})
    assert Caller(world, BUYER).delete(f"/offers/{draft}").status_code == 204
    with world.app_context():
        assert db.session.scalars(select(Asset.state).order_by(Asset.id.desc())).first() == AssetState.DELETED


# ------------------------------------------------------------------ what is inside

def test_no_answer_and_no_letter_to_the_other_side_holds_an_inside_note(world, offer):
    """Every address that answers a GET, page and API, as each of the other side and as strangers; and every letter."""
    number, lines = offer
    secret = "CANARY-7f3a"
    agent = Caller(world, AGENT)
    assert agent.post(f"/offers/{number}/notes", {"text": f"{secret} floor is 30"}).status_code == 201
    assert take(world, AGENT, number, "counter", lines=lines[:1], note="Ours.", internal_note=f"{secret} try"
                ).status_code == 201
    made = paper(world, AGENT, number, filename=f"{secret}.pdf")
    answers = [take(world, BUYER, number, "counter", lines=lines), take(world, BUYER, number, "accept", version=1),
               take(world, BUYER, number, "dance"), Caller(world, BUYER).get("/offers?page_size=100")]
    shown = agent.get(f"/offers/{number}").json
    assert [each["text"] for each in shown["notes"]] == [f"{secret} floor is 30", f"{secret} try"]
    assert shown["notes"][0]["by"] == "Sales agent" and shown["notes"][0]["step_id"] is None
    assert Caller(world, BUYER).get(f"/offers/{number}").json["notes"] == []
    page = text(Visitor(world, AGENT).get(f"/offers/{number}"))
    assert page.count(secret) >= 3 and "reads this" in page
    assert secret in text(Visitor(world, MANAGER).get(f"/offers/{number}"))
    film = lines[0]["title_id"]
    ids = {"offer_id": number, "title_id": film, "attachment_id": made}
    for who in (BUYER, OTHER, RIVAL, OPERATOR):
        api, pages = Caller(world, who), Visitor(world, who)
        for rule in world.url_map.iter_rules():
            if "GET" in rule.methods and not rule.rule.startswith(("/static", "/stored")):
                path = re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda found: ids.get(found[1], "1"), rule.rule)
                for suffix in ("", "?from=1&to=2"):
                    answers.append(api.client.get(path + suffix, headers=api.headers) if path.startswith("/api/v1")
                                   else pages.get(path + suffix))
    assert len(answers) > 300 and any(number.encode() in each.data for each in answers)
    assert [each.request.path for each in answers if secret.encode() in each.data] == []
    with world.app_context():
        post.deliver(world.extensions["mailer"], "https://slate.test")
        told = db.session.scalars(select(Notice)).all()
        assert any(each.path == f"/offers/{number}" for each in told)
        assert not any(secret in f"{each.subject} {each.body}" for each in told)
        assert outbox.failing() == []


def test_a_note_is_bounded_and_for_parties_alone(world, offer):
    number, _ = offer
    buyer = Visitor(world, BUYER)
    assert buyer.submit(f"/offers/{number}/notes", {"text": "Ask Mei."}, form="/account").status_code == 302
    assert "Ask Mei." in text(buyer.get(f"/offers/{number}"))
    for wrong in ("", " ", "x" * 4001):
        assert Caller(world, BUYER).post(f"/offers/{number}/notes", {"text": wrong}).status_code == 422
        assert buyer.submit(f"/offers/{number}/notes", {"text": wrong}, form="/account").status_code == 422
    for who, status in ((OTHER, 404), (RIVAL, 404), (OPERATOR, 403)):
        assert Caller(world, who).post(f"/offers/{number}/notes", {"text": "x"}).status_code == status
