"""Letters about one's own account: put in the transaction of what they tell, sent by the worker after it.

A letter with a link is written when it goes out: no table holds a link that opens an account.
"""
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from sqlalchemy import ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from accounts import letters
from accounts.models import Person
from core import clock, mail, outbox
from core.database import UtcDateTime, db

TOPIC = "account mail"
KINDS = {  # kind → (subject, what it says, whether a link belongs to it)
    "recovery": ("Set a new password", ["Somebody, you we hope, asked for a new password for Slate at this address.",
                 "Open this page and set one. It works once, and for {minutes} minutes.",
                 "If it was not you, do nothing: your password stays as it is."], True),
    "password_changed": ("Your password was changed", [
        "The password of your account at Slate was changed just now, and everyone who was signed in with it is out.",
        "If it was not you, set a new one at once: choose “I cannot sign in” on the sign-in page, and tell an "
        "administrator of your organisation."], False),
    "address_old": ("Confirm your change of address", [
        "Somebody signed in as you asked to use another address for your account at Slate.",
        "Open this page to agree. The change is made when it is confirmed here and at the new address, within "
        "{minutes} minutes.", "If it was not you, do not open it: change your password instead."], True),
    "address_new": ("Confirm your new address", [
        "Somebody, you we hope, asked to use this address for an account at Slate.",
        "Open this page to agree. The change is made when it is confirmed here and at the old address, within "
        "{minutes} minutes.", "If it was not you, do nothing."], True),
    "address_changed": ("Your address was changed", [
        "From now on your account at Slate has the address {email}: sign in with it; mail goes there.",
        "If it was not you, tell an administrator of your organisation at once."], False),
    "factor_changed": ("Your way of signing in was changed", [
        "Codes, recovery codes or passkeys of your account at Slate were changed just now. Your account page lists "
        "what you have.", "If it was not you, change your password at once."], False),
    "factors_reset": ("Your second factors were removed", [
        "Codes, recovery codes and passkeys of your account at Slate were removed by an operator, because somebody, "
        "you we hope, had lost them. Everyone who was signed in with your account is out.",
        "Sign in with your password, then set up new ones on your account page. If you have no password, choose "
        "“I cannot sign in” on the sign-in page.",
        "If you did not ask for this, set a new password at once, and tell an administrator of your organisation."],
        False),
}


class Mailing(db.Model):
    """A letter that is still to go out. It is nobody's where nobody has the address: such a row is thrown away, and is
    there so that asking takes as long for every address."""
    __tablename__ = "mailing"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(255))
    key: Mapped[str | None] = mapped_column(String(32))  # of the change of address it is about
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    person: Mapped[Person | None] = relationship()


def put(kind: str, person: Person | None, *, address: str = "", key: str | None = None):
    """Send a letter, if the present transaction commits: to the person's address, or another of theirs."""
    if kind not in KINDS:
        raise KeyError(f"{kind!r} is no kind of letter")
    made = Mailing(person_id=person and person.id, kind=kind, address=address or (person.email if person else ""),
                   key=key, at=clock.now())
    db.session.add(made)
    db.session.flush()
    outbox.put(TOPIC, made.id)


def post(mailing_ids, mailer: mail.Mailer, site: str, link: Callable[[Mailing], str], minutes: int):
    """Send some letters. `link(mailing)` is the path that belongs into it, good for `minutes`. Raises mail.Away.

    At least once, under the same Message-ID, as notices; nothing goes to who was shut out.
    """
    for mailing in db.session.scalars(select(Mailing).where(Mailing.id.in_(mailing_ids))
                                      .options(joinedload(Mailing.person))).all():
        if mailing.person and mailing.person.active:
            subject, said, linked = KINDS[mailing.kind]
            said = [each.format(minutes=minutes, email=mailing.person.email) for each in said]
            key = f"account-{mailing.id}-{mailing.at:%Y%m%d%H%M%S%f}"
            letter = letters.plain(
                key=key, thread=key, name=mailing.person.name, address=mailing.address, subject=subject, said=said,
                link=f"{site}{link(mailing)}" if linked else f"{site}/account", at=mailing.at)
            with suppress(mail.Refused):  # there is no such address: who asked finds no letter there
                mailer.send(letter)
    db.session.execute(delete(Mailing).where(Mailing.id.in_(mailing_ids)))


def deliver(mailer: mail.Mailer, site: str, link: Callable[[Mailing], str], minutes: int) -> int:
    """Send what waits, letter by letter. Returns how many rows of the outbox were handled; raises mail.Away."""
    done = 0
    while outbox.drain(TOPIC, lambda ids: post(ids, mailer, site, link, minutes), limit=1, passing=(mail.Away,)):
        done += 1
    return done
