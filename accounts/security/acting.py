"""For whom a person acts on pages: one of their organisations at a time, kept in the session."""
from contextlib import contextmanager
from dataclasses import replace

from flask import g, session
from flask_security import login_user

from accounts import people
from accounts.models import Person
from accounts.permissions import Viewer
from accounts.security.guard import fresh, person
from core import audit
from core.errors import NotFound

ACTS_FOR = "acts_for"  # in the session: the id of the organisation


def acted_for(person_id: int) -> Viewer | None:
    """The viewer a signed-in person is. It is never another organisation than the one they saw last: who was removed
    from that one acts for nobody, until they choose."""
    theirs = people.memberships(person_id)
    if ACTS_FOR not in session and theirs:
        session[ACTS_FOR] = theirs[0].organisation_id
    g.elsewhere = [each.organisation for each in theirs if each.organisation_id != session.get(ACTS_FOR)]
    found = next((people.acting(each) for each in theirs if each.organisation_id == session[ACTS_FOR]), None)
    return found and replace(found, proven=fresh())


def act_for(organisation_id: int) -> Viewer:
    """Act for another of one's organisations from now on. Raises NotFound for one that is not.

    Forms that were drawn for the former are refused: their token is not that of the session any more.
    """
    who = person()
    found = who and people.viewer(who.id, organisation_id)
    if found is None:
        raise NotFound()
    found = replace(found, proven=fresh())
    if session.get(ACTS_FOR) != organisation_id:
        session[ACTS_FOR] = organisation_id
        renew_forms()
        audit.note("began to act", "person", found.person_id, by=found)
    g.viewer = found
    return found


@contextmanager
def for_nobody():
    """What is done inside is done by a person for no organisation: of nothing is it noted that they did it for the one
    they act for, whose colleagues would read it."""
    seat, g.viewer = g.viewer, None
    try:
        yield
    finally:
        g.viewer = seat


def sign_in(someone: Person, organisation_id: int):
    """Sign in who has just proved that they hold their address, to act for this organisation."""
    login_user(someone, authn_via=["invitation"])
    session[ACTS_FOR] = organisation_id
    renew_forms()
    g.viewer = people.viewer(someone.id, organisation_id)


def renew_forms():
    session.pop("csrf_token", None)
    g.pop("csrf_token", None)
