"""Who did what, when, from where, before and after: with the change, never without it, never changed, and chained."""
import csv
import io
import re
import subprocess
import sys

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from accounts import people, tokens
from core import audit
from core.audit import AuditRow
from core.database import db
from licensing import contracts, mandates
from search import worker
from tests.conftest import a_line, both
from tests.licensing.deals import AGENT, MANAGER, agreed, signed, step, title, viewer
from tests.test_pages import Visitor


def noted(**fields) -> list[AuditRow]:
    """The rows written with these fields, oldest first."""
    return db.session.scalars(select(AuditRow).filter_by(**fields).order_by(AuditRow.id)).all()


def last(**fields) -> AuditRow:
    return noted(**fields)[-1]


@both
def test_an_act_is_noted_with_who_when_from_where_before_and_after(world, caller, backend):
    made = caller(AGENT).post("/titles", {"kind": "film", "original_title": "Ledger", "status": "draft"}).json
    rights = {**a_line("World", "all"), "contract": "C-1"}
    assert caller(AGENT).post(f"/titles/{made['id']}/mandates", rights).status_code == 201
    tag = caller(AGENT).get(f"/titles/{made['id']}").headers["ETag"]
    assert caller(AGENT).patch(f"/titles/{made['id']}", {"status": "published"}, If_Match=tag).status_code == 200
    with world.app_context():
        who = viewer(AGENT)
        assert [(row.action, row.before, row.after) for row in noted(subject="title", subject_id=int(made["id"]))] == [
            ("published", {"status": "draft"}, {"status": "published"})]
        row = last(subject="mandate")
        assert (row.action, row.person_id, row.organisation_id, row.origin) == (
            "recorded", who.person_id, who.organisation_id, "127.0.0.1")
        assert row.who == f"{who.name} <{AGENT}>" and row.before is None
        assert row.after["written"]["territories"] == ["World"] and row.after["exclusive"] is True
        assert row.after["starts_on"] == "2027-01-01" and "territories_key" not in row.after


@both
def test_each_step_of_an_offer_and_what_it_wrote_are_noted_together(world, backend):
    with world.app_context():
        offer = signed((title(), "*"))
        steps = noted(subject="offer", subject_id=offer)
        assert [row.action for row in steps] == ["submit", "accept", "refer", "approve", "issue_memo", "sign", "sign"]
        assert steps[0].after == {"from_state": "draft", "to_state": "submitted", "version": 1, "side": "buyer"}
        assert {row.origin for row in steps} == {"command line"}
        licence = last(subject="licence")
        assert licence.action == "recorded" and licence.id > steps[-1].id
        step_back = contracts.get(licence.subject_id, viewer(MANAGER))
        contracts.terminate(step_back, step_back.lines[0].starts_on, "Given back")
        row = last(subject="licence", action="ended")
        assert row.before == {"counts_until": None, "note": None} and row.after["note"] == "Given back"


def test_what_is_rolled_back_was_not_done(world):
    with world.app_context():
        made, before = title(), len(noted())
        db.session.commit()
        mandates.end(mandates.listing(made)[0], mandates.date(2030, 1, 1))
        assert len(noted()) > before
        db.session.rollback()
        assert len(noted()) == before
        offer = agreed((made, "*"))
        db.session.commit()
        before = len(noted())
        db.session.execute(text("UPDATE offer_line SET territories_key = territories_key"))
        with pytest.raises(Exception, match="cannot take the step"):
            step(offer, MANAGER, "decline", "no")
        db.session.rollback()
        assert len(noted()) == before


def test_signing_in_and_out_roles_and_tokens_are_noted_and_no_secret_is(world):
    someone = Visitor(world, MANAGER)
    someone.submit("/sign-out", {}, form="/account")
    with world.app_context():
        person = people.find(MANAGER)
        assert [row.action for row in noted(subject="person", person_id=person.id)] == ["signed in", "signed out"]
        assert {row.origin for row in noted(person_id=person.id)} == {"127.0.0.1"}
        token = tokens.issue_whole(person)
        person.memberships[0].roles = ["agent"]
        db.session.flush()
        row = last(subject="membership")
        assert (row.action, row.before, row.after) == (
            "changed", {"roles": ["rights_manager", "signatory"]}, {"roles": ["agent"]})
        assert last(subject="token").after["membership_id"] == person.memberships[0].id
        everything = str([(row.before, row.after) for row in noted()])
        digest = db.session.scalar(text("SELECT digest FROM api_token ORDER BY id DESC LIMIT 1"))
        assert not [secret for secret in (token, digest, person.password, person.fs_uniquifier, "argon2")
                    if secret in everything]


@both
@pytest.mark.parametrize("change", [
    "UPDATE audit SET who = 'Nobody'", "UPDATE audit SET place = 7", "UPDATE audit SET hash = NULL, place = NULL",
    "DELETE FROM audit", "UPDATE audit SET at = at, hash = 'x', place = 9999, action = 'nothing'",
    "INSERT INTO audit (id, at, origin, action, subject, hash, place) VALUES (9999, '2026-01-01', '', '', '', 'x', 1)"])
def test_the_database_refuses_every_other_change(world, backend, change):
    with world.app_context():
        title()
        audit.link(5)
        db.session.commit()
        assert len(noted(place=5)) == 1 and noted(hash=None)
        with pytest.raises(DBAPIError, match="only grows|only_grows"):
            db.session.execute(text(change))
        db.session.rollback()


def test_sqlite_does_not_replace_and_postgresql_does_not_truncate(world):
    with world.app_context(), pytest.raises(DBAPIError, match="only grows"):
        db.session.execute(text("INSERT OR REPLACE INTO audit (id, at, origin, action, subject) VALUES "
                                "(1, '2026-01-01', '', '', '')"))


@pytest.mark.parametrize("backend", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_postgresql_does_not_truncate(world, backend):
    with world.app_context(), pytest.raises(DBAPIError, match="only grows"):
        db.session.execute(text("TRUNCATE audit"))


def _without_the_guard(*statements):
    """Change rows as somebody does who owns the database."""
    if db.engine.dialect.name == "postgresql":
        statements = ("ALTER TABLE audit DISABLE TRIGGER ALL", *statements)
    else:
        statements = (*(f"DROP TRIGGER audit_{each}" for each in ("deleted", "updated", "inserted")), *statements)
    for each in statements:
        db.session.execute(text(each))
    db.session.commit()


@both
def test_the_worker_chains_what_was_noted_and_a_broken_link_is_named(world, backend):
    with world.app_context():
        title()
        db.session.commit()
        while worker._chain():
            pass
        assert noted(hash=None) == [] and list(audit.broken()) == []
        links, head = audit.head()
        assert links == len(noted()) > 20
        title()
        db.session.commit()
        assert worker._chain() == 2 and audit.head()[0] == links + 2, "a title, and a mandate"
        assert list(audit.broken(head)) == []
        third = noted(place=3)[0]
        _without_the_guard(f"UPDATE audit SET who = 'Somebody else' WHERE id = {third.id}",
                           "DELETE FROM audit WHERE place IN (7, 8)")
        found = list(audit.broken(head))
        assert [each.split(":")[0] for each in found] == ["Link 3 is broken", "Links 7 to 8 are missing."]
        assert f"row {third.id}" in found[0]
        db.session.execute(text(f"DELETE FROM audit WHERE place >= {links}"))
        db.session.commit()
        assert "cut off" in list(audit.broken(head))[-1]


def test_audit_verify_names_a_broken_link_and_exits_with_1(world):
    runner = world.test_cli_runner()
    with world.app_context():
        while worker._chain():
            pass
    well = runner.invoke(args=["audit", "verify"])
    head = re.search(r"The last is (\w{64})", well.output)[1]
    assert well.exit_code == 0 and runner.invoke(args=["audit", "verify", "--head", head]).exit_code == 0
    with world.app_context():
        _without_the_guard("UPDATE audit SET action = 'nothing' WHERE place = 2")
    broken = runner.invoke(args=["audit", "verify"])
    assert broken.exit_code == 1 and "Link 2 is broken" in broken.output


def test_the_page_shows_an_organisations_own_acts_to_its_rights_managers_alone(world):
    manager, agent = Visitor(world, MANAGER), Visitor(world, AGENT)
    assert agent.get("/audit").status_code == agent.get("/audit.csv").status_code == 403
    with world.app_context():
        house, other = viewer(MANAGER).organisation_id, viewer("rights@lotus.test").organisation_id
        audit.note("odd", "offer", 1, after={"note": "=1+1"}, organisation_id=house)
        audit.note("concealed", "offer", 1, organisation_id=other)
        db.session.commit()
        person = people.find(MANAGER).id
    page = manager.get("/audit").get_data(as_text=True)
    assert "<b>odd</b>" in page and "concealed" not in page and "<b>signed in</b>" in page and "Older" in page
    mine = manager.get(f"/audit?person={person}").get_data(as_text=True)
    assert "<b>signed in</b>" in mine and "<b>odd</b>" not in mine
    for query, shown in (("subject=offer", True), ("subject=title", False), ("subject=offer&subject_id=1", True),
                         ("subject_id=2", False), ("since=2020-01-01", True), ("until=2020-01-01", False)):
        assert ("<b>odd</b>" in manager.get(f"/audit?{query}").get_data(as_text=True)) == shown, query
    for query in ("person=x", "since=9999-99-99", "until=9999-12-31", "since=0001-01-01", "subject_id=99999999999"):
        assert manager.get(f"/audit?{query}").status_code == manager.get(f"/audit.csv?{query}").status_code == 200
    table = list(csv.reader(io.StringIO(manager.get("/audit.csv?subject=offer").get_data(as_text=True))))
    assert table[1][4] == "odd" and '"=1+1"' in table[1][8] and not table[1][8].startswith("=")


def test_the_worker_says_that_it_is_the_worker(world, monkeypatch):
    monkeypatch.setattr(audit, "_elsewhere", audit.COMMAND_LINE)
    audit.elsewhere(audit.WORKER)
    with world.app_context():
        audit.note("tick", "offer", 1)
        assert last(action="tick").origin == "worker"


def test_importing_the_application_is_all_that_it_takes():
    """What is watched does not hang on which page was asked for first."""
    said = "import wsgi, core.audit; print(sorted(each.__name__ for each in core.audit._watched))"
    found = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout
    assert "Membership" in found and "Line" in found and "Step" in found
