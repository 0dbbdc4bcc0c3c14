"""An organisation asks to be admitted: nobody learns who is here; an operator decides; its first person begins."""
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from accounts import applications, people
from accounts.models import Application
from accounts.permissions import Role
from core import clock
from core.database import db
from core.errors import Invalid
from tests.accounts.organisations import AGENT, BUYER, OPERATOR, PASSWORD, letters, links
from tests.conftest import Caller, both
from tests.test_pages import Visitor, alike, text

ASKED = {"organisation_name": "Kanal Fjord", "country": "NO", "trades": ["buyer"], "name": "Ingrid Moe",
         "email": "ingrid@kanalfjord.test", "about": "We broadcast from Bergen."}


def ask(world, **other):
    someone = Visitor(world)
    return someone, someone.submit("/apply", {**ASKED, **other})


def confirmed(world, **other) -> int:
    """The id of an application whose address was confirmed."""
    someone, _ = ask(world, **other)
    address = other.get("email", ASKED["email"])
    link = [each for each in links(world, address) if each.startswith("/apply/")][-1]
    assert someone.submit(link, {}).status_code == 200
    with world.app_context():
        return db.session.scalar(select(Application.id).filter_by(email=address).order_by(Application.id.desc()))


@both
def test_from_the_application_to_the_first_sign_in(world):
    _, answer = ask(world)
    assert answer.status_code == 200 and "We have written to ingrid@kanalfjord.test" in text(answer)
    operator = Visitor(world, OPERATOR)
    assert "Kanal Fjord" not in text(operator.get("/applications")), "not before the address is confirmed"
    [link] = links(world, ASKED["email"])
    someone = Visitor(world)
    assert "Is this your application?" in text(someone.get(link))
    assert "Kanal Fjord" not in text(operator.get("/applications")), "whoever only looks at a link confirms nothing"
    assert "Your address is confirmed" in text(someone.submit(link, {}))
    assert someone.get(link).status_code == 404, "once"
    assert "Kanal Fjord asks to be admitted" in text(operator.get("/notices"))
    page = text(operator.get("/applications"))
    assert page.index("Nordlys Distribution Sweden</h2>") < page.index("Kanal Fjord</h2>"), "the longest waiting first"
    with world.app_context():
        number = db.session.scalar(select(Application.id).filter_by(email=ASKED["email"]))
    assert operator.submit(f"/applications/{number}/admission", {"organisation_name": "Kanal Fjord"},
                           form="/applications").status_code == 302
    link = links(world, ASKED["email"])[-1]
    assert link.startswith("/invitations/")
    begins = Visitor(world)
    assert begins.submit(link, {"name": "Ingrid Moe", "password": PASSWORD}).status_code == 302
    assert begins.get("/").status_code == 200 and "Invite somebody" in text(begins.get("/members"))
    with world.app_context():
        house = people.organisation_named("Kanal Fjord")
        assert house.trades == ["buyer"] and house.country == "NO"
        assert people.viewer(people.find(ASKED["email"]).id).roles == {Role.ADMIN, Role.BUYER}
        assert db.session.get(Application, number).state == "admitted"


def test_the_answer_is_the_same_for_every_address_and_organisation(world):
    pages = []
    for other in ({}, {"email": BUYER}, {"organisation_name": "Harbour Pictures", "email": AGENT}):
        answer = ask(world, **other)[1]
        pages.append((answer.status_code, alike(answer).replace(other.get("email", ASKED["email"]), "ADDRESS")))
    assert len(set(pages)) == 1


def test_nobody_is_sent_more_than_three_letters(world):
    answers = {alike(ask(world)[1]) for _ in range(6)}
    assert len(answers) == 1 and len(letters(world)[ASKED["email"]]) == applications.MOST_OPEN


@pytest.mark.parametrize("other, field", [
    ({"organisation_name": " "}, "organisation_name"), ({"country": "Narnia"}, "country"), ({"trades": []}, "trades"),
    ({"trades": ["operator"]}, "trades"), ({"email": "me"}, "email"), ({"about": "x" * 1001}, "about"),
    ({"name": ""}, "name"), ({"email": "a@b.test\r\nBcc: c@d.test"}, "email")])
def test_what_cannot_be_read_is_said_by_field_and_kept_as_typed(world, other, field):
    answer = ask(world, **other)[1]
    assert answer.status_code == 422 and "error" in text(answer)
    with world.app_context():
        assert db.session.scalar(select(Application).filter_by(name=ASKED["name"])) is None
        with pytest.raises(Invalid) as problem:
            applications.apply(**{**ASKED, **other})
        assert set(problem.value.errors) == {field}


def test_a_declined_applicant_reads_why_and_nothing_is_decided_twice(world):
    number, operator = confirmed(world), Visitor(world, OPERATOR)
    path = f"/applications/{number}/declining"
    assert operator.submit(path, {"reason": " "}, form="/applications").status_code == 422
    assert operator.submit(path, {"reason": "We are <full> this year."}, form="/applications").status_code == 302
    assert "We are <full> this year." in letters(world)[ASKED["email"]][-1]
    assert operator.submit(path, {"reason": "Again"}, form="/applications").status_code == 409
    assert operator.submit(f"/applications/{number}/admission", {}, form="/applications").status_code == 409
    with world.app_context():
        assert people.organisation_named("Kanal Fjord") is None


def test_a_name_that_is_taken_is_said_and_nearly_equal_ones_are_shown(world):
    number, operator = confirmed(world, organisation_name="harbour pictures"), Visitor(world, OPERATOR)
    page = text(operator.get("/applications"))
    assert re.search(r"Nearly the same name:</b>\s*Nordlys Distribution", page)
    assert re.search(r"Nearly the same name:</b>\s*Harbour Pictures", page)
    answer = operator.submit(f"/applications/{number}/admission", {"organisation_name": "Harbour PICTURES"},
                             form="/applications")
    assert answer.status_code == 422 and "There is an organisation called Harbour PICTURES" in text(answer)
    assert operator.submit(f"/applications/{number}/admission", {"organisation_name": "Harbour Pictures Oslo"},
                           form="/applications").status_code == 302


@pytest.mark.parametrize("one, other, close", [
    ("Harbour Pictures", "Harbor Pictures Ltd.", True), ("Nordlys", "Nordlys Distribution AS", True),
    ("Café Noir", "Cafe Noir", True), ("Lotus Sales", "Lotus Sale", True), ("Lotus Sales", "Sakura TV", False),
    ("ABC", "ABD Films International", False), ("星光", "星光影業", False)])
def test_names_are_near_by_their_letters_whatever_the_legal_form(one, other, close):
    class Named:
        name = other
    assert bool(applications.near(one, [Named])) == close


def test_only_operators_decide(world):
    number = confirmed(world)
    for email in (AGENT, BUYER, "admin@harbour.test"):
        assert Visitor(world, email).get("/applications").status_code == 403
        caller = Caller(world, email)
        assert caller.post(f"/applications/{number}/admission").status_code == 403
        assert caller.call("PUT", "/organisations/1/suspension").status_code == 403
    operator = Caller(world, OPERATOR)
    assert [each["organisation_name"] for each in operator.get("/applications").json] == [
        "Nordlys Distribution Sweden", "Kanal Fjord"]
    assert operator.post(f"/applications/{number}/admission").status_code == 201
    assert operator.get("/applications?state=decided").json[0]["organisation"]["name"] == "Kanal Fjord"


def test_what_is_never_confirmed_is_forgotten_and_its_link_ends(world):
    ask(world)
    [link] = links(world, ASKED["email"])
    with world.app_context():
        made = db.session.scalar(select(Application).filter_by(email=ASKED["email"]))
        made.made_at = clock.now() - timedelta(days=7, seconds=1)
        db.session.commit()
        number = made.id
    assert Visitor(world).get(link).status_code == 404
    operator = Caller(world, OPERATOR)
    assert operator.post(f"/applications/{number}/admission").status_code == 404, "it is not the operator's to see yet"
    with world.app_context():
        applications.sweep()
        db.session.commit()
        assert db.session.get(Application, number) is None
        assert db.session.scalar(select(Application.id)) is not None, "the one that waits stays"


def test_the_command_founds_the_first_house_and_prints_the_link_of_its_administrator(app):
    said = app.test_cli_runner().invoke(args=["invite", "first@market.test", "--organisation", "Market", "--trade",
                                              "operator", "--role", "admin", "--role", "operator"])
    link = re.fullmatch(r"http://localhost:5000(/invitations/[\w-]{43})\n", said.output)[1]
    someone = Visitor(app)
    assert someone.submit(link, {"name": "First", "password": PASSWORD}).status_code == 302
    assert someone.get("/applications").status_code == 200
    wrong = app.test_cli_runner().invoke(args=["invite", "x@y.test", "--organisation", "None such"])
    assert wrong.exit_code == 1 and "--trade" in wrong.output
