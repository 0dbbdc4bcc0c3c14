"""People and organisations: who there is, who belongs where, and the tokens they call the API with."""
import hashlib
import secrets

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from accounts.models import ApiToken, Membership, Organisation, Person, Trade
from accounts.permissions import Role, Viewer
from core import clock
from core.database import db
from core.errors import NotFound


def found(name: str, trades, country: str | None = None) -> Organisation:
    """A new organisation that does these trades."""
    organisation = Organisation(name=name, trades=[Trade(each).value for each in trades], country=country)
    db.session.add(organisation)
    db.session.flush()
    return organisation


def enrol(email: str, name: str, password_hash: str | None) -> Person:
    """A new person. The hash comes from `security.hashed`; None means no sign-in by password."""
    person = Person(email=email.strip().lower(), name=name, password=password_hash)
    db.session.add(person)
    db.session.flush()
    return person


def join(person: Person, organisation: Organisation, roles) -> Membership:
    membership = Membership(person=person, organisation=organisation, roles=[Role(each).value for each in roles])
    db.session.add(membership)
    db.session.flush()
    return membership


def find(email: str) -> Person | None:
    return db.session.scalar(select(Person).where(Person.email == email.strip().lower()))


def known(emails) -> list[str]:
    """Which of these addresses belong to somebody."""
    return db.session.scalars(select(Person.email).where(Person.email.in_(emails)).order_by(Person.email)).all()


def organisation(organisation_id: int) -> Organisation:
    """One organisation, or NotFound. Organisations are known to everyone signed in."""
    if found_one := db.session.get(Organisation, organisation_id):
        return found_one
    raise NotFound()


def organisation_named(words: str) -> Organisation | None:
    """By id or by name, in any case: for the command line."""
    wanted = or_(Organisation.name.ilike(words), Organisation.id == (int(words) if words.isdigit() else -1))
    return db.session.scalar(select(Organisation).where(wanted))


def names_of(ids) -> dict[int, str]:
    """What some organisations are called, by id."""
    return dict(db.session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids))).all())


def members(organisation_id: int) -> list[Person]:
    """Who belongs to an organisation, by name."""
    return db.session.scalars(select(Person).join(Membership).where(Membership.organisation_id == organisation_id)
                              .order_by(Person.name, Person.id)).all()


def organisations(trade: str | None = None) -> list[Organisation]:
    """Every organisation by name, or those that do one trade."""
    everyone = db.session.scalars(select(Organisation).order_by(Organisation.name)).all()
    return [each for each in everyone if trade is None or trade in each.trades]


def viewer(person_id: int) -> Viewer | None:
    """The viewer a person is, acting for the organisation joined first; None without a membership."""
    membership = db.session.scalar(
        select(Membership).where(Membership.person_id == person_id)
        .options(joinedload(Membership.person), joinedload(Membership.organisation))
        .order_by(Membership.id).limit(1))
    return _viewer(membership) if membership is not None and membership.person.active else None


def acting_for(organisation_ids) -> list[Viewer]:
    """Everyone who acts for one of these organisations."""
    earlier = aliased(Membership)
    first = ~select(earlier.id).where(earlier.person_id == Membership.person_id, earlier.id < Membership.id).exists()
    found = db.session.scalars(
        select(Membership).join(Membership.person).where(Membership.organisation_id.in_(organisation_ids), first,
                                                         Person.active)
        .options(contains_eager(Membership.person), joinedload(Membership.organisation)).order_by(Membership.id))
    return [_viewer(each) for each in found]


def _viewer(membership):
    person, theirs = membership.person, membership.organisation
    return Viewer(person.id, person.name or person.email, person.email, theirs.id, theirs.name,
                  membership.held, frozenset(theirs.trades))


def issue_token(person: Person) -> str:
    """A new bearer token, shown this once; only its digest is stored."""
    token = f"slate_{secrets.token_urlsafe(32)}"
    db.session.add(ApiToken(person=person, digest=_digest(token), made_at=clock.now()))
    return token


def bearer(token: str) -> int | None:
    """The id of the person a bearer token belongs to."""
    return db.session.scalar(select(ApiToken.person_id).where(ApiToken.digest == _digest(token)))


def _digest(token):
    return hashlib.sha256(token.encode()).hexdigest()
