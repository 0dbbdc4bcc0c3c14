"""People and organisations: who there is, who belongs where, and for whom they act."""
from sqlalchemy import func, or_, select
from sqlalchemy.orm import contains_eager

from accounts.models import Membership, Organisation, Person, Trade
from accounts.permissions import Role, Viewer
from core import mail
from core.database import db
from core.errors import Invalid, NotFound


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


def address(email: str) -> str:
    """An address as it is kept. Raises Invalid for what is none."""
    email = email.strip().lower()
    if len(email) > 255 or not mail.ADDRESS.fullmatch(email) or "." not in email.partition("@")[2]:
        raise Invalid({"email": ["Write an address that mail can go to, such as name@example.com."]})
    return email


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
    wanted = or_(func.lower(Organisation.name) == func.lower(words),
                 Organisation.id == (int(words) if words.isdecimal() else -1))
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


def memberships(person_id: int) -> list[Membership]:
    """Where a person may act: their memberships, the first joined first. None for who is shut out, and none in an
    organisation that is suspended."""
    return db.session.scalars(_open().where(Membership.person_id == person_id)).all()


def viewer(person_id: int, organisation_id: int | None = None) -> Viewer | None:
    """The viewer a person is, acting for this organisation, or for the one joined first; None where they may not."""
    return next((acting(each) for each in memberships(person_id)
                 if organisation_id in (None, each.organisation_id)), None)


def acting_for(organisation_ids) -> list[Viewer]:
    """Everyone who may act for one of these organisations; who belongs to several of them is each of these."""
    theirs = _open().where(Membership.organisation_id.in_(organisation_ids))
    return [acting(each) for each in db.session.scalars(theirs)]


def _open():
    return (select(Membership).join(Membership.person).join(Membership.organisation)
            .where(Person.active, Organisation.suspended_at.is_(None)).order_by(Membership.id)
            .options(contains_eager(Membership.person), contains_eager(Membership.organisation)))


def acting(membership: Membership, scopes=None, ends_at=None) -> Viewer:
    """The viewer of a membership; by a token, with how far and how long it reaches."""
    person, theirs = membership.person, membership.organisation
    return Viewer(person.id, person.name or person.email, person.email, theirs.id, theirs.name,
                  membership.held, frozenset(theirs.trades), scopes, ends_at)
