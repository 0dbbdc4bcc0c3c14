"""How often somebody may ask: by person, organisation and address, each kind of request by itself."""
from datetime import timedelta

import pytest

from core import clock
from core.http import limits, refused
from core.http.limits import TABLE, Applying, Row
from tests.accounts.entry import fields, sets_up_codes
from tests.conftest import Caller
from tests.test_pages import Visitor, text

AGENT, MANAGER, BUYER, RIVAL = ("agent@harbour.test", "rights@harbour.test", "buyer@sakura.test", "agent@lotus.test")


@pytest.fixture
def counted(world, monkeypatch):
    """`counted(*rows)`: the demo world under these limits, or under the real ones."""
    limiter, = world.extensions["limiter"]

    def under(*rows):
        applying = Applying(1, refused, rows or TABLE).bind(limiter)
        monkeypatch.setattr(limiter.limit_manager, "_application_limits", [applying])
        limiter.storage.reset()
        return world
    return under


def statuses(call, times):
    found = []
    for _ in range(times):
        with call() as answer:
            found.append(answer.status_code)
    return found


def test_a_person_who_asks_too_often_is_told_when_to_ask_again_and_nobody_else_waits(counted):
    world = counted(Row(None, limits.by_person, 3, 60))
    buyer, other = Caller(world, BUYER), Caller(world, RIVAL)
    assert statuses(lambda: buyer.get("/me"), 3) == [200] * 3
    refused = buyer.get("/me")
    assert refused.status_code == 429 and refused.content_type == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json["status"] == 429 and refused.headers["Retry-After"] in refused.json["detail"]
    assert other.get("/me").status_code == 200
    with clock.stopped_at(clock.now() + timedelta(seconds=int(refused.headers["Retry-After"]) + 1)):
        assert buyer.get("/me").status_code == 200, "when it was said, it is so"


def test_the_people_of_one_organisation_share_its_limit(counted):
    world = counted(Row(None, limits.by_organisation, 4, 60))
    agent, manager, rival = (Caller(world, email) for email in (AGENT, MANAGER, RIVAL))
    assert statuses(lambda: agent.get("/me"), 2) + statuses(lambda: manager.get("/me"), 2) == [200] * 4
    assert agent.get("/me").status_code == manager.get("/me").status_code == 429
    assert rival.get("/me").status_code == 200


@pytest.mark.parametrize("first, second, together", [
    ("192.0.2.1", "192.0.2.1", True), ("192.0.2.1", "192.0.2.2", False),
    ("2001:db8:1:1::1", "2001:db8:1:1:ffff::2", True), ("2001:db8:1:1::1", "2001:db8:1:2::1", False)])
def test_an_address_is_counted_and_of_ipv6_its_network(counted, first, second, together):
    client = counted(Row(None, limits.by_address, 2, 60)).test_client()
    assert statuses(lambda: client.get("/sign-in", environ_base={"REMOTE_ADDR": first}), 3) == [200, 200, 429]
    again = client.get("/sign-in", environ_base={"REMOTE_ADDR": second})
    assert again.status_code == (429 if together else 200)


def test_a_page_that_is_refused_says_so_in_a_sentence(counted):
    client = counted(Row(None, limits.by_address, 1, 60)).test_client()
    client.get("/sign-in")
    page = client.get("/sign-in")
    assert page.status_code == 429 and page.headers["Retry-After"]
    assert "Too many requests in a short time. Try again in" in text(page)


def test_each_kind_of_request_is_counted_by_itself(counted):
    world = counted(*(Row(kind, limits.by_person, 1, 60) for kind in (
        limits.SEARCH, limits.WRITE, limits.UPLOAD, limits.PAPER)))
    agent = Caller(world, AGENT)
    film = next(each["id"] for each in agent.get("/titles?own=true").json if each["status"] == "published")
    calls = {
        "search": lambda: agent.get("/search?q=tide"),
        "write": lambda: agent.post("/notices/seen", {"upto": 1}),
        "upload": lambda: agent.post(f"/titles/{film}/assets", {
            "kind": "still", "filename": "a.png", "content_type": "image/png", "size": 10}),
    }
    for kind, call in calls.items():
        first, second = statuses(call, 2)
        assert first < 300 and second == 429, kind
    assert agent.get("/me").status_code == 200, "what is no kind of its own is not counted here"
    assert agent.get("/titles").status_code == 200


def sign_in(client, email, address="192.0.2.1"):
    page = client.get("/sign-in", environ_base={"REMOTE_ADDR": address}).get_data(as_text=True)
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    return client.post("/sign-in", data={"email": email, "password": "wrong", "csrf_token": token},
                       environ_base={"REMOTE_ADDR": address})


def test_attempts_at_an_account_are_slowed_down_alike_whether_or_not_it_exists(counted):
    world, answers = counted(), {}
    for email in (AGENT, "nobody@nowhere.test"):
        client = world.test_client()
        tries = [sign_in(client, each) for each in [email, email.upper(), f" {email}"] * 4]
        answers[email] = [(each.status_code, text(each).replace(email, "…")) for each in tries[:10]]
        assert [each.status_code for each in tries] == [200] * 10 + [429] * 2
        assert "Too many attempts" in text(tries[-1])
        assert sign_in(client, BUYER).status_code == 200, "another account, from the same address"
        assert sign_in(client, email, "192.0.2.7").status_code == 200, "the same, from where its owner is"
    assert [status for status, _ in answers[AGENT]] == [status for status, _ in answers["nobody@nowhere.test"]]


def test_attempts_at_one_account_from_everywhere_come_to_an_end(counted):
    world = counted(*(row for row in TABLE if row.who is limits.by_account))
    limiter, = world.extensions["limiter"]
    (row, limit), = limiter.limit_manager._application_limits[0].rows
    client = world.test_client()
    sign_in(client, AGENT, "192.0.2.1")
    key, = limiter.storage._counted
    limiter.storage.incr(key, row.seconds, row.times - 1)
    assert sign_in(client, AGENT, "192.0.2.99").status_code == 429
    assert sign_in(client, BUYER, "192.0.2.99").status_code == 200


def test_who_guesses_at_a_proof_is_slowed_down_before_it_is_looked_at_wherever_it_is_sent(counted):
    world = counted()
    manager, later = Visitor(world, MANAGER), clock.now() + timedelta(minutes=16)
    with clock.stopped_at(later):
        tried = [manager.submit(path, {"proof-password": "wrong", "email": f"{number}@example.com"}, form="/account")
                 for number, path in enumerate(["/proof", "/approvals/policy"] * 6)]
        assert [each.status_code for each in tried] == [403] * 10 + [429] * 2
        assert manager.submit("/proof", {"proof-password": "demo"}, form="/account").status_code == 429
    with clock.stopped_at(later + timedelta(minutes=6)):
        assert manager.submit("/proof", {"proof-password": "demo"}, form="/account").status_code == 302


def test_who_guesses_at_codes_is_counted_as_who_they_try_to_be_whatever_else_they_say(counted):
    world = counted()
    visitor = Visitor(world, MANAGER)
    sets_up_codes(visitor)
    client = world.test_client()
    token = fields(text(client.get("/sign-in")), "<form")["csrf_token"]
    assert client.post("/sign-in", data={"email": MANAGER, "password": "demo", "csrf_token": token}).status_code == 302
    token = fields(text(client.get("/sign-in/code")), "<form")["csrf_token"]
    found = [client.post("/sign-in/code", data={"code": "000000", "email": f"{each}@x.example", "csrf_token": token})
             for each in range(12)]
    assert [each.status_code for each in found] == [200] * 10 + [429] * 2


def test_forms_without_their_token_are_counted(counted):
    client = counted(Row(limits.WRITE, limits.by_address, 2, 60)).test_client()
    assert statuses(lambda: client.post("/apply", data={"name": "x"}), 3) == [400, 400, 429]


def test_probes_static_files_and_signed_addresses_are_not_counted(counted):
    client = counted(Row(None, limits.by_address, 1, 60)).test_client()
    assert client.get("/sign-in").status_code == 200 and client.get("/sign-in").status_code == 429
    assert statuses(lambda: client.get("/healthz"), 3) == [200] * 3
    assert statuses(lambda: client.get("/static/slate.css"), 3) == [200] * 3
    assert statuses(lambda: client.get("/stored/a/b"), 3) == [403] * 3, "the signature is what decides"


def test_a_stand_of_fifty_behind_one_address_is_not_stopped():
    """Each of them asks for a page a second, and all sign in within one minute, every second one at the second try."""
    people = 50
    for row in TABLE:
        if row.who is limits.by_address:
            asked = {None: 60 * people, limits.SIGN_IN: 2 * people, limits.PAPER: 2 * people}[row.kind]
            assert row.times * 60 / row.seconds >= asked, row
        if row.who is limits.by_organisation:
            alone = next(each for each in TABLE if each.kind == row.kind and each.who is limits.by_person)
            assert row.times >= 4 * alone.times, "an organisation is several people"


def test_every_route_that_changes_something_is_counted_as_something(app):
    kinds = {row.kind for row in TABLE if row.kind}
    for rule in app.url_map.iter_rules():
        if rule.methods & {"POST", "PUT", "PATCH", "DELETE"} and rule.endpoint.split(".")[0] not in limits.FREE:
            with app.test_request_context(re_path(rule), method=next(iter(
                    rule.methods & {"POST", "PUT", "PATCH", "DELETE"}))):
                assert limits._kind() in kinds, rule


def re_path(rule):
    return "".join("1" if is_argument else part for is_argument, part in rule._trace).split("|")[-1]


def test_counts_of_windows_that_ended_are_forgotten(monkeypatch):
    monkeypatch.setattr(limits.Counts, "MOST", 10)
    counts = limits.Counts()
    for number in range(11):
        counts.incr(f"old {number}", 60)
    assert counts.get("old 3") == 1
    with clock.stopped_at(clock.now() + timedelta(seconds=61)):
        assert counts.get("old 3") == 0 and counts.incr("new", 60) == 1
        assert len(counts._counted) == 1
