"""Whom a published title is shown to: chosen organisations, those that take part in a market, or everyone.

An audience is written once and never changed, and titles that are shown to the same organisations have the same one. So
copies of the tables keep one small number for each title, and a viewer is a small set of such numbers
(docs/decisions/0019).
"""
import hashlib
from enum import StrEnum

from sqlalchemy import ForeignKey, String, and_, bindparam, or_, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from accounts import editions, permissions
from accounts.editions import Edition, Participation
from accounts.models import Organisation
from accounts.permissions import Relation, Viewer
from catalogue.models import Status, Title
from core.database import db, scalars_at_once
from core.errors import Invalid

MOST = 500  # organisations that are chosen for one title


class Kind(StrEnum):
    ORGANISATIONS = "organisations"
    MARKET = "market"
    PUBLIC = "public"


class Audience(db.Model):
    """Chosen organisations, or whoever takes part in an edition at the moment. The key is made of the content."""
    __tablename__ = "audience"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    edition_id: Mapped[int | None] = mapped_column(ForeignKey("edition.id"), index=True)


class Chosen(db.Model):
    """An organisation of an audience."""
    __tablename__ = "audience_organisation"
    audience_id: Mapped[int] = mapped_column(ForeignKey("audience.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True, index=True)


# ------------------------------------------------------------------ who sees what

def of(organisation):
    """A query for the numbers of the audiences that an organisation (an id, or a column) belongs to."""
    return union_all(
        select(Chosen.audience_id).where(Chosen.organisation_id == organisation),
        select(Audience.id).join(Participation, Participation.edition_id == Audience.edition_id).where(
            Participation.organisation_id == organisation))


_OF = of(bindparam("organisation"))


def numbers(organisation_id: int | None) -> list[int]:
    """The same, read: for who looks into a copy of the tables. Nobody in particular belongs to none."""
    return [] if organisation_id is None else scalars_at_once(_OF, {"organisation": organisation_id})


def shown_to(organisation, title=Title):
    """The condition under which a title is published and shown to an organisation: its id, a column, or None for
    whoever it may be."""
    seen = title.audience_id.is_(None)
    if organisation is not None:
        seen = or_(seen, title.audience_id.in_(of(organisation)))
    return and_(title.status == Status.PUBLISHED.value, seen)


# ------------------------------------------------------------------ what the seller says

def named(said: dict, organisation_id: int) -> int | None:
    """The number of the audience that a seller names, None for everyone: {kind, organisations: ids, edition: id}.
    Raises Invalid, by field of `audience`."""
    kind, chosen, edition_id = Kind(said["kind"]), said.get("organisations") or [], said.get("edition")
    problems = {}
    if (kind == Kind.ORGANISATIONS) != bool(chosen):
        problems["organisations"] = ["Name at least one organisation." if not chosen else
                                     "Organisations are named for the kind “organisations” alone."]
    if (kind == Kind.MARKET) != (edition_id is not None):
        problems["edition"] = ["Name the market." if edition_id is None else
                               "A market is named for the kind “market” alone."]
    if problems:
        raise Invalid({"audience": problems})
    if kind == Kind.PUBLIC:
        return None
    return (_of_edition(edition_id, organisation_id) if kind == Kind.MARKET
            else _of_organisations(set(chosen), organisation_id))


def _of_edition(edition_id, organisation_id):
    if edition_id not in {each.id for each in editions.attended(organisation_id)}:
        raise Invalid({"audience": {"edition": ["There is no such market that you take part in."]}})
    return _written(f"edition:{edition_id}", edition_id)


def _of_organisations(chosen, organisation_id):
    if organisation_id in chosen:
        raise Invalid({"audience": {"organisations": ["Your own organisation sees its titles anyway."]}})
    if len(chosen) > MOST:
        raise Invalid({"audience": {"organisations": [f"Choose {MOST} organisations at most."]}})
    known = set(db.session.scalars(select(Organisation.id).where(Organisation.id.in_(chosen))))
    if unknown := sorted(chosen - known):
        raise Invalid({"audience": {"organisations": [f"There is no organisation with the id {unknown[0]}."]}})
    words = ",".join(map(str, sorted(chosen)))
    return _written(f"chosen:{hashlib.sha256(words.encode()).hexdigest()[:32]}", None, chosen)


def _written(key, edition_id, chosen=()) -> int:
    """The number of an audience, which is written where it is new. Two who name one at once do no harm."""
    if there := db.session.scalar(select(Audience.id).where(Audience.key == key)):
        return there
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    made = db.session.scalar(dialect.insert(Audience.__table__).values(key=key, edition_id=edition_id)
                             .on_conflict_do_nothing().returning(Audience.__table__.c.id))
    if made is None:  # another wrote it while we waited
        return db.session.scalar(select(Audience.id).where(Audience.key == key))
    if chosen:
        db.session.execute(Chosen.__table__.insert(), [
            {"audience_id": made, "organisation_id": each} for each in sorted(chosen)])
    return made


# ------------------------------------------------------------------ what the seller reads

def tells(title: Title, viewer: Viewer) -> bool:
    """Whether this viewer may know whom a title is shown to."""
    return (title.organisation_id == viewer.organisation_id
            and permissions.allows(viewer, "audience.see", Relation.OWN))


def said(some: list[Title]) -> dict[int, dict]:
    """{title: its audience as `named` takes it, with `names` of the organisations and of the market}, of titles whose
    reader may know it."""
    ids = {each.audience_id for each in some} - {None}
    found = {None: {"kind": Kind.PUBLIC.value, "names": []}}
    if ids:
        for number, edition in db.session.execute(select(Audience.id, Edition).join(
                Edition, Edition.id == Audience.edition_id).where(Audience.id.in_(ids))):
            found[number] = {"kind": Kind.MARKET.value, "edition": edition.id, "names": [str(edition)]}
        for number, organisation_id, name in db.session.execute(
                select(Chosen.audience_id, Organisation.id, Organisation.name)
                .join(Organisation, Organisation.id == Chosen.organisation_id)
                .where(Chosen.audience_id.in_(ids)).order_by(Organisation.name)):
            each = found.setdefault(number, {"kind": Kind.ORGANISATIONS.value, "organisations": [], "names": []})
            each["organisations"].append(organisation_id)
            each["names"].append(name)
    return {each.id: found[each.audience_id] for each in some}
