"""Who belongs to an organisation, who asks to, and what is kept of that: the records of the matrix, in every state."""
from datetime import timedelta

from sqlalchemy import select

from accounts import applications, editions, invitations, people, security, sessions, tokens
from accounts.models import Application, Membership
from accounts.permissions import Role
from accounts.webhooks import deliveries, endpoints
from core import clock
from core.database import db
from tests.accounts.record import Record

TAKE_PART = ("lotus", "sakura")  # in the market, beside its own house


def records(houses):
    """{kind: [Record]}"""
    found = {}
    _markets(houses, found)
    _applications(houses, found)
    _members(houses, found)
    _invitations(houses, found)
    _of_oneself(houses, found)
    _webhooks(houses, found)
    return found


def _markets(houses, found):
    edition = editions.create(houses.viewer("operator@harbour.test"), name="Tide Market", year=2027,
                              starts_on=clock.today(), ends_on=clock.today() + timedelta(days=3))
    for house in ("harbour", *TAKE_PART):
        editions.admit(edition, houses.ids[house])
    found["edition"] = [Record("there", {"edition_id": edition.id}, own="harbour")]
    found["participant"] = [
        Record(f"{house} {'takes part' if own else 'does not'}",
               {"edition_id": edition.id, "organisation_id": houses.ids[house]}, own=own)
        for house, own in (("lotus", "harbour"), ("sakura", "harbour"), ("nordlys", None))]


def _applications(houses, found):
    operator, made = houses.viewer("operator@market.test"), {}
    for state in applications.State:
        made[state] = one = applications.apply(
            organisation_name=f"Firth {state}", country="NO", trades=["buyer"], name="Ida Dahl",
            email=f"{state}@firth.test", about="We show films on ferries.")
        if state != applications.State.UNCONFIRMED:
            applications.confirm(applications.draw(one))
    applications.decline(made[applications.State.DECLINED].id, operator, "Not of the trade.")
    admitted = applications.admit(made[applications.State.ADMITTED].id, operator).organisation
    applications.suspend(admitted.id, operator)
    db.session.flush()
    rows = {state: db.session.get(Application, one.id) for state, one in made.items()}
    assert all(row.state == state for state, row in rows.items())
    found["application"] = [Record(state, {"application_id": row.id}, common=state != "unconfirmed")
                            for state, row in rows.items()]
    found["admitted"] = [Record(state, {"application_id": row.id}, common=state == "admitted")
                         for state, row in rows.items()]
    found["organisation"] = [Record(words, {"organisation_id": each}, common=True)
                             for words, each in (("there", houses.ids["sakura"]), ("suspended", admitted.id))]


def _members(houses, found):
    """A colleague who is none of those that ask, and the last administrator."""
    harbour = people.organisation(houses.ids["harbour"])
    colleague = people.enrol("colleague@harbour.test", "Colleague", None)
    people.join(colleague, harbour, [Role.AGENT])
    db.session.flush()
    found["member"] = [
        Record(words, {"membership_id": db.session.scalar(select(Membership.id).filter_by(
            person_id=people.find(email).id, organisation_id=harbour.id))}, own="harbour")
        for words, email in (("a colleague", colleague.email), ("the last administrator", "admin@harbour.test"))]


def _invitations(houses, found):
    admin = houses.viewer("admin@harbour.test")
    made = {words: invitations.invite(admin, f"{words}@elsewhere.test", ["agent"])
            for words in ("open", "expired", "revoked", "accepted")}
    made["expired"].expires_at = clock.now() - timedelta(days=1)
    invitations.revoke(admin, made["revoked"].id)
    made["accepted"].accepted_at = clock.now()
    db.session.flush()
    found["invitation"] = [Record(words, {"invitation_id": each.id},
                                  own="harbour" if words in ("open", "expired") else None)
                           for words, each in made.items()]


def _of_oneself(houses, found):
    """Tokens and sessions, which nobody else in the same house may touch, its administrator included."""
    found["token"], found["session"], limits = [], [], security.presence.limits()
    for email in ("agent@harbour.test", "buyer@sakura.test"):
        viewer = houses.viewer(email)
        token, _ = tokens.issue(viewer, name="Books", scopes=["read"], expires_on=clock.today() + timedelta(days=9))
        found["token"].append(Record("there", {"token_id": token.id}, person=email))
        sessions.begin(viewer.person_id, "Firefox/1 (Linux)", "127.0.0.1", limits)
        found["session"].append(Record("there", {"session_id": sessions.listing(viewer.person_id, limits)[0].id},
                                       person=email))


def _webhooks(houses, found):
    sender, admin = houses.app.extensions["webhooks"], houses.viewer("admin@harbour.test")
    found["webhook"], found["delivery"] = [], []
    for words in ("on", "off"):
        endpoint, _ = endpoints.create(admin, sender.seal, sender.outbound, events=["offer.step"],
                                       url=f"https://hooks.harbour.example/{words}")
        delivery = deliveries.try_out(endpoint)
        if words == "off":
            endpoints.revise(endpoint, sender.outbound, active=False)
        found["webhook"].append(Record(words, {"webhook_id": endpoint.id}, own="harbour"))
        found["delivery"].append(Record(words, {"delivery_id": delivery.id}, own="harbour"))
