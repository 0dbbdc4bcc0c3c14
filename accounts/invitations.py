"""Invitations: a place in an organisation, offered to an address by a link that works once, for a week.

The link is drawn when its letter is written and stands in that letter alone: what is kept is its hash, and a letter
that is sent again has a new one. Whoever follows it has shown that the address is theirs.
"""
import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from accounts import letters, members, people, tokens
from accounts.models import Invitation, Membership, Organisation, Person
from accounts.permissions import Viewer
from core import audit, clock, mail, outbox
from core.database import db
from core.errors import Conflict, Invalid, NotFound

TOPIC = "invitation"
LASTS = timedelta(days=7)
MOST = 100  # open at once in one organisation
LONGEST_NAME = 200
WHOLE = (joinedload(Invitation.organisation), joinedload(Invitation.by))
NOT_OPEN = ("This invitation is not open: it was used, taken back or sent anew, or its seven days are over. Ask for "
            "another.")


def invite(viewer: Viewer, email: str, roles) -> Invitation:
    """Invite an address into the viewer's organisation. Raises Invalid, and Conflict where it is there already, or
    invited. Whether somebody elsewhere has this address is told to nobody."""
    organisation = members.lock(viewer.organisation_id)
    email = people.address(email)
    if db.session.scalar(select(Membership.id).join(Membership.person).where(
            Membership.organisation_id == organisation.id, Person.email == email)):
        raise Conflict(f"{email} belongs to {organisation.name} already. Change their roles instead.")
    if any(each.email == email for each in listing(viewer)):
        raise Conflict(f"{email} is invited already. Send that invitation again, or take it back first.")
    if len(listing(viewer)) >= MOST:
        raise Invalid({"email": [f"{MOST} invitations are open; take one back first."]})
    return offer(organisation, email, roles, by_id=viewer.person_id)


def offer(organisation: Organisation, email: str, roles, name="", by_id=None) -> Invitation:
    """An invitation, whose letter goes out after the commit."""
    made = Invitation(organisation=organisation, email=people.address(email), name=name, by_id=by_id,
                      roles=members.checked(organisation, roles), made_at=clock.now(), expires_at=clock.now() + LASTS)
    db.session.add(made)
    db.session.flush()
    outbox.put(TOPIC, made.id)
    return made


def _unused():
    return select(Invitation).where(Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None))


def listing(viewer: Viewer) -> list[Invitation]:
    """Those of the viewer's organisation that were not used nor taken back, expired ones too, the newest first."""
    return db.session.scalars(
        _unused().where(Invitation.organisation_id == viewer.organisation_id).order_by(Invitation.id.desc())
        .options(joinedload(Invitation.by))).all()


def get(viewer: Viewer, invitation_id: int) -> Invitation:
    """One of these. Raises NotFound."""
    found = next((each for each in listing(viewer) if each.id == invitation_id), None)
    if found is None:
        raise NotFound()
    return found


def send_again(invitation: Invitation):
    """A new letter with a new link, for another week; the old link opens nothing any more."""
    invitation.expires_at, invitation.digest, invitation.refused = clock.now() + LASTS, None, None
    outbox.put(TOPIC, invitation.id)


def revoke(viewer: Viewer, invitation_id: int):
    """Take an invitation back: its link opens nothing any more. Raises NotFound."""
    members.lock(viewer.organisation_id)
    found = get(viewer, invitation_id)
    found.revoked_at, found.digest = clock.now(), None


def is_over(invitation: Invitation) -> bool:
    return invitation.expires_at <= clock.now()


# ------------------------------------------------------------------ by who follows the link

def opened(secret: str) -> Invitation:
    """The invitation of a link. Raises NotFound where it is not open."""
    found = db.session.scalar(
        _unused().join(Invitation.organisation).execution_options(populate_existing=True).where(
            Invitation.digest == tokens.digest(secret), Invitation.expires_at > clock.now(),
            Organisation.suspended_at.is_(None)).options(*WHOLE))
    if found is None:
        raise NotFound(NOT_OPEN)
    return found


def claim(secret: str) -> Invitation:
    """The same, for who is about to accept it: nobody else does at the same moment."""
    members.lock(opened(secret).organisation_id)
    return opened(secret)


def accept(invitation: Invitation, person: Person) -> Viewer:
    """The person joins, with the roles of the invitation, which is used up. Raises Conflict for anybody else than it is
    for. Call `claim` first."""
    if person.email != invitation.email:
        raise Conflict(f"This invitation is for {invitation.email}, and you are signed in as {person.email}. Sign out, "
                       "then follow the link again.")
    organisation = invitation.organisation
    joined = members.take_in(person, organisation, members.checked(organisation, invitation.roles))
    invitation.accepted_at = clock.now()
    db.session.flush()
    audit.note("used", "invitation", invitation.id, by=joined)
    return joined


def enrol(invitation: Invitation, name: str, password_hash: str) -> Person:
    """A new person, who holds the address of the invitation. Raises Invalid, and Conflict where somebody has it."""
    if not (name := " ".join(name.split())) or len(name) > LONGEST_NAME:
        raise Invalid({"name": [f"Say what you are called, in {LONGEST_NAME} characters at most."]})
    if people.find(invitation.email) is not None:
        raise Conflict("Sign in with this address first, then follow the link again.")
    return people.enrol(invitation.email, name, password_hash)


# ------------------------------------------------------------------ the letters, by the worker

def draw(invitation: Invitation) -> str:
    """A new secret for the link; the one before opens nothing any more."""
    secret = secrets.token_urlsafe(32)
    invitation.digest = tokens.digest(secret)
    return secret


def post(invitation_ids, mailer: mail.Mailer, site: str):
    """Send the letters of some invitations. Raises mail.Away. Sent twice by whoever is killed in between, the later one
    holds the link that works."""
    due = _unused().where(Invitation.id.in_(invitation_ids), Invitation.expires_at > clock.now()).options(*WHOLE)
    for each in db.session.scalars(due).all():
        secret = draw(each)
        each.letters += 1
        db.session.flush()
        try:
            mailer.send(letters.plain(
                key=f"invitation-{each.id}-{each.digest[:16]}", thread=f"invitation-{each.id}", name=each.name,
                address=each.email, at=clock.now(), subject=f"{each.organisation.name} invites you to Slate",
                said=[_said(each), "Follow the link to join. It works once, until "
                      f"{each.expires_at:%-d %B %Y, %H:%M} UTC, and for this address alone. If you did not expect it, "
                      "do nothing."], link=f"{site}/invitations/{secret}"))
        except mail.Refused as problem:
            each.refused = str(problem)[:500]


def _said(invitation):
    roles = ", ".join(each.replace("_", " ") for each in invitation.roles)
    house, by = invitation.organisation, invitation.by
    if by and house.id in (each.organisation_id for each in by.memberships):
        return f"{by.name or by.email} invites you to act for {house.name}: {roles}."
    return f"{house.name} was admitted to Slate, and you can act for it: {roles}."


def pending_of(organisation_ids) -> dict[int, Invitation]:
    """{organisation: the newest invitation into it that is not used}, where nobody belongs to it yet: for operators."""
    found = db.session.scalars(_unused().where(
        Invitation.organisation_id.in_(organisation_ids),
        ~select(Membership.id).where(Membership.organisation_id == Invitation.organisation_id).exists())
        .order_by(Invitation.id))
    return {each.organisation_id: each for each in found}


