"""API tokens: each of one person in one organisation, with a reach, an end, and only its hash kept.

A token is shown once. It goes with the membership: whoever leaves, or is removed, calls nothing any more.
"""
import hashlib
import secrets
from contextlib import suppress
from datetime import date, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import contains_eager

from accounts import people
from accounts.models import ApiToken, Membership, Organisation, Person
from accounts.permissions import SCOPE_OF, TABLE, Scope, Viewer
from core import clock
from core.database import db
from core.errors import Invalid, NotAllowed, NotFound

LONGEST = timedelta(days=365)
MOST = 50  # of one person for one organisation
LONGEST_NAME = 100
SAID = {  # scope → what it is for, as people choose it
    Scope.READ: "Read what you may read",
    Scope.CATALOGUE: "Change titles, mandates, licences and holdbacks; send and grant pictures and films",
    Scope.DEALS: "Ask, offer and negotiate; baskets, briefs and saved searches",
    Scope.SIGNING: "Approve, sign and end deals",
    Scope.MATERIALS: "Deliver, accept and reject materials",
    Scope.ACCOUNT: "Members, invitations and tokens",
}


def useful(viewer: Viewer) -> list[Scope]:
    """The scopes that let a token of this viewer do anything, in the order of `Scope`. No token hands on more than it
    has itself."""
    open_to = {SCOPE_OF[action] for action, roles, _ in TABLE
               if roles is not None and viewer.counting & frozenset(roles)}
    return [each for each in Scope if each in open_to and (viewer.scopes is None or each in viewer.scopes)]


def issue(viewer: Viewer, *, name: str, scopes, expires_on: date) -> tuple[ApiToken, str]:
    """(a new token of this viewer, the secret, which is never shown again). It reads, whatever else it does, and works
    to the end of its last day. Raises Invalid, and NotAllowed for a token that would make one reaching further."""
    scopes = {Scope.READ, *scopes}
    if not (name := " ".join(name.split())) or len(name) > LONGEST_NAME:
        raise Invalid({"name": [f"Say what it is for, in {LONGEST_NAME} characters at most."]})
    if not clock.today() <= expires_on <= clock.today() + LONGEST:
        raise Invalid({"expires_on": ["Choose a last day from today to a year from now."]})
    if viewer.scopes is not None and not scopes <= viewer.scopes:
        raise NotAllowed("A token makes no token that reaches further than itself. Make this one on your account page.")
    expires_at = clock.begins(expires_on + timedelta(days=1))
    if viewer.ends_at is not None and expires_at > viewer.ends_at:
        raise Invalid({"expires_on": [f"A token makes none that outlives it; it ends at {viewer.ends_at:%Y-%m-%d}."]})
    if useless := scopes - set(useful(viewer)):
        raise Invalid({"scopes": [f"Your roles do nothing that “{min(useless)}” is for."]})
    if len(listing(viewer)) >= MOST:
        raise Invalid({"name": [f"You have {MOST} tokens; revoke one first."]})
    membership = db.session.scalar(select(Membership).filter_by(person_id=viewer.person_id,
                                                                organisation_id=viewer.organisation_id))
    return _add(membership, name, scopes, expires_at)


def issue_whole(person: Person, organisation_id: int | None = None, name: str = "Command line") -> str:
    """A token for everything that a person's roles allow in an organisation, or in the one joined first, for a year.
    Raises NotFound where they act for none."""
    viewer = people.viewer(person.id, organisation_id)
    if viewer is None:
        raise NotFound("They act for no such organisation.")
    membership = next(each for each in person.memberships if each.organisation_id == viewer.organisation_id)
    return _add(membership, name, useful(viewer), clock.now() + LONGEST)[1]


def _add(membership, name, scopes, expires_at):
    secret = f"slate_{secrets.token_urlsafe(32)}"
    made = ApiToken(membership=membership, name=name, scopes=sorted(scopes), digest=digest(secret),
                    made_at=clock.now(), expires_at=expires_at)
    db.session.add(made)
    db.session.flush()
    return made, secret


def listing(viewer: Viewer) -> list[ApiToken]:
    """One's own for the organisation one acts for, the newest first."""
    return db.session.scalars(
        select(ApiToken).join(ApiToken.membership).order_by(ApiToken.id.desc()).where(
            Membership.person_id == viewer.person_id, Membership.organisation_id == viewer.organisation_id)).all()


def revoke(viewer: Viewer, token_id: int):
    """It calls nothing any more. Raises NotFound for one that is not one's own."""
    found = next((each for each in listing(viewer) if each.id == token_id), None)
    if found is None:
        raise NotFound()
    db.session.delete(found)
    db.session.flush()


def bearer(secret: str) -> tuple[Viewer | None, int | None]:
    """(the viewer a token makes, None where it makes none: unknown, expired, revoked, of who left or is shut out; the
    token's id where it was not used before today)."""
    found = db.session.scalar(
        select(ApiToken).join(ApiToken.membership).join(Membership.person).join(Membership.organisation)
        .where(ApiToken.digest == digest(secret), ApiToken.expires_at > clock.now(), Person.active,
               Organisation.suspended_at.is_(None))
        .options(contains_eager(ApiToken.membership).options(contains_eager(Membership.person),
                                                             contains_eager(Membership.organisation))))
    if found is None:
        return None, None
    by = people.acting(found.membership, found.reach, found.expires_at)
    return by, None if found.last_used_on == clock.today() else found.id


def stamp(app, token_id: int):
    """Write down that a token was used today, in a transaction of its own. Where the database is busy the next
    use is noted."""
    with app.app_context(), suppress(DBAPIError), db.engine.begin() as connection:
        connection.execute(update(ApiToken).where(ApiToken.id == token_id, or_(
            ApiToken.last_used_on.is_(None), ApiToken.last_used_on < clock.today())).values(last_used_on=clock.today()))


def digest(secret: str) -> str:
    """What is kept of a secret that is drawn at random: it cannot be guessed, so one round of SHA-256 keeps it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_over(token: ApiToken) -> bool:
    return token.expires_at <= clock.now()


def last_day(token: ApiToken) -> date:
    """The last day on which a token works."""
    return clock.day_of(token.expires_at - timedelta(microseconds=1))


def in_days(days: int) -> date:
    return clock.today() + timedelta(days=days)


