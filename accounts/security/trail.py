"""What is noted of those who could not show who they are."""
from flask import g

from accounts import people
from accounts.models import Person
from core import audit


def failed(person: Person | None, how: str):
    """Note that somebody could not show that they are a person; never what was typed, not even as the address: people
    type passwords there. The caller commits."""
    audit.note("failed to prove it" if g.viewer else "failed to sign in", "person", person and person.id,
               after={"by": how}, organisation_id=person and organisation(person))


def organisation(person: Person) -> int | None:
    """For whom a person acts, who has not shown yet that it is them."""
    found = people.viewer(person.id)
    return found and found.organisation_id
