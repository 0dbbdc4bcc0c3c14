"""API tokens: scoped, expiring, shown once, kept as a hash, stamped when used, and refused alike."""
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from accounts import people, permissions, tokens
from accounts.models import ApiToken
from accounts.permissions import ACTIONS, OPEN, SCOPE_OF, SCOPES, Scope
from core import clock
from core.database import db
from core.errors import Invalid
from tests.accounts.organisations import AGENT, BUYER, every_row
from tests.conftest import Caller, a_line, both
from tests.test_pages import Visitor, text

OTHER = "buyer@skyway.test"
DEEPER = {  # what is sent where only "see" is asked at the door: the step itself asks for its own action
    "/offers/<id:offer_id>/steps", "/offers/<id:offer_id>/materials", "/materials/<id:material_id>/steps"}
READING = {  # what is sent and changes nothing that others see
    "/titles/<id:title_id>/avails", "/notices/seen", "/assets/<id:asset_id>/plays", "/plays/<id:play_id>/progress"}


def with_scopes(world, email, *scopes, **more) -> Caller:
    caller = Caller(world)
    with world.app_context():
        _, secret = tokens.issue(people.viewer(people.find(email).id), name="T", scopes=scopes,
                                 **{"expires_on": tokens.in_days(1)} | more)
        db.session.commit()
    caller.headers["Authorization"] = f"Bearer {secret}"
    return caller


def test_every_action_has_one_scope():
    assert sorted(action for actions in SCOPES.values() for action in actions) == sorted(ACTIONS - OPEN)
    assert set(SCOPES) == set(Scope) == set(tokens.SAID)


def test_what_only_reads_changes_nothing(world):
    """Every route that is sent something asks for more than reading, but those named above."""
    loose = {rule.rule.removeprefix("/api/v1") for rule in world.url_map.iter_rules()
             if rule.rule.startswith("/api/v1") and rule.methods & {"POST", "PUT", "PATCH", "DELETE"}
             and SCOPE_OF.get(world.view_functions[rule.endpoint].permit) == Scope.READ}
    assert loose == DEEPER | READING


def test_a_token_reaches_as_far_as_its_scopes_and_never_further_than_the_roles(world):
    reads, deals = with_scopes(world, BUYER), with_scopes(world, BUYER, "deals")
    body = {"seller": "1", "currency": "EUR", "lines": [{"title_id": "4", "price": "900", **a_line("HU")}]}
    assert reads.get("/offers").status_code == 200 and reads.post("/offers", body).status_code == 403
    made = deals.post("/offers", body)
    assert made.status_code == 201, made.json
    path = f"/offers/{made.json['id']}/steps"
    assert reads.post(path, {"action": "submit"}).status_code == 403
    assert deals.post(path, {"action": "submit"}).status_code == 201
    negotiates, signs = (with_scopes(world, OTHER, scope) for scope in ("deals", "signing"))
    memo = next(each for each in signs.get("/offers?page_size=100").json if each["state"] == "memo_issued")
    assert "sign" not in negotiates.get(f"/offers/{memo['id']}").json["actions"]
    assert "sign" in signs.get(f"/offers/{memo['id']}").json["actions"]
    assert with_scopes(world, AGENT).post("/titles", {}).status_code == 403
    assert with_scopes(world, AGENT, "catalogue").post("/titles", {}).status_code == 422
    assert reads.get("/me").json["scopes"] == ["read"]


@pytest.mark.parametrize("terms, field", [
    ({"name": " "}, "name"), ({"name": "x" * 101}, "name"), ({"scopes": ["materials"]}, "scopes"),
    ({"expires_on": -1}, "expires_on"), ({"expires_on": 366}, "expires_on")])
def test_what_no_token_is_made_of(world, terms, field):
    with world.app_context(), pytest.raises(Invalid) as problem:
        days = terms.pop("expires_on", 30)
        tokens.issue(people.viewer(people.find("operator@market.test").id), **{
            "name": "T", "scopes": [], "expires_on": tokens.in_days(days)} | terms)
    assert set(problem.value.errors) == {field}


def test_a_token_is_shown_once_and_kept_as_a_hash(world):
    someone = Visitor(world, AGENT)
    made = someone.submit("/account/tokens", {"name": "Nightly import", "scopes": ["catalogue"],
                                              "expires_on": tokens.in_days(30).isoformat()}, form="/account")
    [secret] = re.findall(r"slate_[\w-]{40,}", text(made))
    assert made.status_code == 201 and made.headers["Cache-Control"] == "no-store"
    page = text(someone.get("/account"))
    assert "Nightly import" in page and secret not in page
    caller = Caller(world)
    caller.headers["Authorization"] = f"Bearer {secret}"
    assert caller.get("/me").json["scopes"] == ["catalogue", "read"]
    with world.app_context():
        everything = every_row()
        assert tokens.digest(secret) in everything and secret not in everything
        number = db.session.scalar(select(ApiToken.id).filter_by(name="Nightly import"))
    assert Visitor(world, BUYER).submit(f"/account/tokens/{number}/removal", {}, form="/account").status_code == 404
    assert caller.get("/me").status_code == 200
    someone.submit(f"/account/tokens/{number}/removal", {}, form="/account")
    assert caller.get("/me").status_code == 401


@both
def test_unknown_expired_revoked_and_shut_out_are_refused_with_the_same_words(world):
    answers = []
    for end in ("unknown", "none", "basic", "expired", "revoked", "shut out"):
        caller = Caller(world, BUYER)
        with world.app_context():
            last = db.session.scalar(select(ApiToken).order_by(ApiToken.id.desc()).limit(1))
            if end == "expired":
                last.expires_at = clock.now()
            elif end == "revoked":
                db.session.delete(last)
            elif end == "shut out":
                last.membership.person.active = False
            db.session.commit()
        if end in ("unknown", "none", "basic"):
            caller.headers["Authorization"] = {"unknown": "Bearer slate_x", "none": "", "basic": "Basic eDp5"}[end]
        answers.append(caller.get("/me"))
    assert {each.status_code for each in answers} == {401} and len({each.data for each in answers}) == 1


def test_when_it_was_used_is_noted_once_a_day_after_the_answer(world):
    caller = with_scopes(world, AGENT)
    for _ in range(2):
        caller.client.get("/api/v1/me", headers=caller.headers, buffered=True).close()
        with world.app_context():
            used = db.session.scalar(select(ApiToken).order_by(ApiToken.id.desc()).limit(1))
            assert used.last_used_on == clock.today()
            assert tokens.bearer(caller.headers["Authorization"].split()[1])[1] is None, "and no more today"


def test_a_token_makes_none_that_reaches_further_or_lives_longer(world):
    caller = with_scopes(world, AGENT, "account", expires_on=tokens.in_days(5))
    body = {"name": "Child", "scopes": ["account"], "expires_on": tokens.in_days(5).isoformat()}
    made = caller.post("/tokens", body, Idempotency_Key="once")
    assert made.status_code == 201 and made.json["token"].startswith("slate_")
    replay = caller.post("/tokens", body, Idempotency_Key="once")
    assert replay.headers["Idempotent-Replay"] and replay.json == {**made.json, "token": None}
    assert caller.post("/tokens", {**body, "scopes": ["catalogue"]}).status_code == 403
    assert caller.post("/tokens", {**body, "expires_on": tokens.in_days(6).isoformat()}).status_code == 422
    assert caller.post("/tokens", {**body, "scopes": ["everything"]}).status_code == 422
    assert with_scopes(world, AGENT).post("/tokens", body).status_code == 403
    assert "token" not in caller.get("/tokens").json[0] and len(caller.get("/tokens").json) >= 2
    assert caller.delete(f"/tokens/{made.json['id']}").status_code == 204


def test_a_role_that_is_lost_is_lost_to_tokens_too(world):
    caller = with_scopes(world, AGENT, "catalogue")
    with world.app_context():
        people.find(AGENT).memberships[0].roles = ["finance"]
        db.session.commit()
    assert caller.post("/titles", {}).status_code == 403


def test_the_command_prints_a_token_and_nothing_else(world):
    out = world.test_cli_runner().invoke(args=["token", BUYER]).output
    assert re.fullmatch(r"slate_[\w-]{43}\n", out)
    caller = Caller(world)
    caller.headers["Authorization"] = f"Bearer {out.strip()}"
    me = caller.get("/me").json
    assert me["roles"] == ["buyer", "signatory"] and "signing" in me["scopes"] and "catalogue" not in me["scopes"]
    with world.app_context():
        made = db.session.scalar(select(ApiToken).order_by(ApiToken.id.desc()).limit(1))
        assert made.expires_at <= clock.now() + timedelta(days=365)
    assert world.test_cli_runner().invoke(args=["token", "nobody@x.test"]).exit_code == 1


def test_scopes_are_asked_of_every_relation():
    viewer = permissions.Viewer(1, "A", "a@b.test", 1, "House", frozenset(permissions.Role), frozenset({"seller"}),
                                frozenset({Scope.READ}))
    assert {action for action in ACTIONS - OPEN if permissions.relations(viewer, action)} == SCOPES[Scope.READ]
