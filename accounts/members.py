"""Members: who belongs to one's organisation, which roles they have there, and how that ends.

An organisation always has an administrator: whoever is the last one can neither leave nor stop being it. Changes of one
organisation's members wait for each other, so that two of them cannot make each other the last at once.
"""
from sqlalchemy import select, update
from sqlalchemy.orm import contains_eager

from accounts import notices, people
from accounts.models import Membership, Organisation, Person
from accounts.notices import News
from accounts.permissions import Relation, Role, Viewer, allows, fitting
from core import audit
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound

SAID = {  # role → what it lets people do, as an administrator chooses it
    Role.AGENT: "Lists titles and the rights to sell, negotiates offers, lets people watch screeners.",
    Role.RIGHTS_MANAGER: "Approves deals; keeps mandates, licences and holdbacks true. Nobody approves terms they "
                         "wrote themselves: where one person negotiates, another has to approve.",
    Role.SIGNATORY: "Signs deals in the name of the organisation. A signature binds: give it to those who may bind it.",
    Role.FINANCE: "Follows instalments, and writes down what was paid of them.",
    Role.MATERIALS: "Delivers masters and papers, or accepts and rejects what was delivered.",
    Role.BUYER: "Searches, asks and negotiates, asks for screeners, accepts materials.",
    Role.OPERATOR: "Admits organisations, and suspends them.",
    Role.ADMIN: "Invites people, gives them roles and removes them. Sees no deals by this role alone.",
}
THE_LAST = ("You are the only administrator. Make somebody else one first." ,
            "They are the only administrator. Make somebody else one first.")


def checked(organisation: Organisation, roles) -> list[str]:
    """Roles as they are kept, in one order. Raises Invalid for none, and for one that does not fit what the
    organisation does."""
    fit = fitting(organisation.trades)
    if not roles:
        raise Invalid({"roles": ["Choose at least one role: without one a member may do nothing."]})
    for each in roles:
        if each not in fit:
            raise Invalid({"roles": [f"“{each}” is no role in {organisation.name}; there are: {', '.join(fit)}."]})
    return [each.value for each in fit if each in roles]


def lock(organisation_id: int) -> Organisation:
    """The organisation, whose members nobody else changes until the transaction ends."""
    db.session.execute(update(Organisation).where(Organisation.id == organisation_id).values(name=Organisation.name)
                       .execution_options(synchronize_session=False))
    return people.organisation(organisation_id)


def listing(viewer: Viewer) -> list[Membership]:
    """Who belongs to the viewer's organisation, by name."""
    return db.session.scalars(_of(viewer).order_by(Person.name, Person.id)).all()


def _of(viewer):
    return (select(Membership).join(Membership.person).where(Membership.organisation_id == viewer.organisation_id)
            .options(contains_eager(Membership.person)).execution_options(populate_existing=True))


def get(viewer: Viewer, membership_id: int) -> Membership:
    """One of the viewer's organisation. Raises NotFound."""
    found = db.session.scalar(_of(viewer).where(Membership.id == membership_id))
    if found is None:
        raise NotFound()
    return found


def change(viewer: Viewer, membership_id: int, roles) -> Membership:
    """Give a member exactly these roles. Raises Invalid, and Conflict where nobody would administer any more."""
    organisation = lock(viewer.organisation_id)
    found = get(viewer, membership_id)
    wanted = checked(organisation, roles)
    if Role.ADMIN not in wanted:
        _keep_an_admin(found, viewer)
    found.roles = wanted
    db.session.flush()
    return found


def remove(viewer: Viewer, membership_id: int) -> Person:
    """End a membership, one's own too: at once, its tokens with it. Raises Conflict for the last administrator."""
    lock(viewer.organisation_id)
    found = get(viewer, membership_id)
    if found.person_id != viewer.person_id and not allows(viewer, "member.manage", Relation.OWN):
        raise NotAllowed("Only an administrator of your organisation removes others.")
    _keep_an_admin(found, viewer)
    person = found.person
    db.session.delete(found)
    db.session.flush()
    db.session.expire(person, ["memberships"])
    left = person.id == viewer.person_id
    tell_admins(viewer.organisation_id, f"{person.name or person.email} "
                f"{'has left' if left else 'was removed from'} {viewer.organisation_name}", viewer)
    return person


def leave(viewer: Viewer):
    """End one's own membership."""
    remove(viewer, db.session.scalar(select(Membership.id).filter_by(
        person_id=viewer.person_id, organisation_id=viewer.organisation_id)))


def _keep_an_admin(leaving, viewer):
    others = db.session.scalars(select(Membership).join(Membership.person).where(
        Membership.organisation_id == leaving.organisation_id, Membership.id != leaving.id, Person.active)
        .execution_options(populate_existing=True))
    if Role.ADMIN in leaving.held and not any(Role.ADMIN in each.held for each in others):
        raise Conflict(THE_LAST[leaving.person_id != viewer.person_id])


def take_in(person: Person, organisation: Organisation, roles) -> Viewer:
    """Let a person act for an organisation, and tell its administrators. The caller holds its lock."""
    known = next((each for each in person.memberships if each.organisation_id == organisation.id), None)
    if known is not None:
        raise Conflict(f"You belong to {organisation.name} already.")
    made = people.acting(people.join(person, organisation, roles))
    audit.note("joined", "membership", organisation.id, after={"roles": list(roles)}, by=made)
    tell_admins(organisation.id, f"{made.name} has joined {organisation.name}", made)
    return made


def tell_admins(organisation_id: int, words: str, but: Viewer):
    """Tell the administrators of an organisation, but whoever did it."""
    notices.tell([each for each in people.acting_for([organisation_id])
                  if Role.ADMIN in each.roles and each.person_id != but.person_id],
                 "members", News(words, "/members", [f"{words}."]))
