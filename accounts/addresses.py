"""A change of address: asked for by its person, and confirmed by whoever reads mail at the old one and at the new."""
import secrets
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts import mailings, people
from accounts.models import Person
from core import clock
from core.database import UtcDateTime, db
from core.errors import Conflict, Invalid, NotFound
from core.mail import ADDRESS

LONGEST = 255


class Side(StrEnum):
    OLD = "old"
    NEW = "new"


class AddressChange(db.Model):
    """What is asked for and not done yet: one for each person."""
    __tablename__ = "address_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)  # names it in letters
    address: Mapped[str] = mapped_column(String(LONGEST))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    old_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it was confirmed at the old address
    new_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    person: Mapped[Person] = relationship()


def ask(person: Person, address: str) -> AddressChange:
    """Ask for another address; one that was asked for before is forgotten. An address that somebody has already is
    taken like any other, and just never confirmed: nobody learns of it here. Raises Invalid."""
    address = address.strip().lower()
    if len(address) > LONGEST or not ADDRESS.fullmatch(address):
        raise Invalid({"address": ["This is no email address. Write one such as name@example.com."]})
    if address == person.email:
        raise Invalid({"address": ["This is your address already."]})
    db.session.execute(delete(AddressChange).where(AddressChange.person_id == person.id))
    change = AddressChange(person=person, key=secrets.token_hex(16), address=address, asked_at=clock.now())
    db.session.add(change)
    mailings.put("address_old", person, key=change.key)
    mailings.put("address_new", person if people.find(address) is None else None, address=address, key=change.key)
    return change


def asked(person: Person) -> AddressChange | None:
    """What a person asked for and is not done yet."""
    return db.session.scalar(select(AddressChange).where(AddressChange.person_id == person.id))


def find(key: str) -> AddressChange:
    """The change with this key, or NotFound."""
    if found := db.session.scalar(select(AddressChange).where(AddressChange.key == key).with_for_update()):
        return found
    raise NotFound("This change was made already, or given up. Your account page says which address you have.")


def confirm(change: AddressChange, side: Side) -> bool:
    """Confirm it for one side. Returns whether that made it whole, and so was done. Raises Conflict where somebody has
    the address meanwhile."""
    setattr(change, f"{side}_at", clock.now())
    if not (change.old_at and change.new_at):
        return False
    person, before = change.person, change.person.email
    if people.find(change.address):
        raise Conflict("This address cannot be taken. Ask for another one on your account page.")
    person.email = change.address
    db.session.delete(change)
    db.session.flush()
    for address in (before, person.email):
        mailings.put("address_changed", person, address=address)
    return True


def give_up(person: Person):
    """Forget what was asked for."""
    db.session.execute(delete(AddressChange).where(AddressChange.person_id == person.id))
