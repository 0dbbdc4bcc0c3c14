"""Market editions: one market in one year, and the organisations that take part in it.

Its operator admits them. An edition is an audience (`catalogue.audiences`): who is admitted sees what is shown there in
the next answer, who is sent away does not. Its days say when the market is; they open and close nothing.
"""
from datetime import date

from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts import people, permissions
from accounts.models import Organisation
from accounts.permissions import Relation, Viewer
from core.database import db
from core.errors import Invalid, NotFound


class Edition(db.Model):
    """`organisation_id` is the operator that runs it."""
    __tablename__ = "edition"
    __table_args__ = (UniqueConstraint("name", "year"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    year: Mapped[int]
    starts_on: Mapped[date]
    ends_on: Mapped[date]  # both days are included
    operator: Mapped[Organisation] = relationship()

    def __str__(self):
        return f"{self.name} {self.year}"


class Participation(db.Model):
    """An organisation takes part in an edition."""
    __tablename__ = "participation"
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True, index=True)


def visible(viewer: Viewer):
    """The condition under which an edition is this viewer's to see: they run it, or take part."""
    held = permissions.relations(viewer, "edition.see")
    taking = select(Participation.edition_id).where(Participation.organisation_id == viewer.organisation_id)
    ways = [condition for relation, condition in ((Relation.OWN, Edition.organisation_id == viewer.organisation_id),
                                                  (Relation.PARTICIPANT, Edition.id.in_(taking))) if relation in held]
    return db.or_(False, *ways)


def listing(viewer: Viewer):
    """A query for the editions this viewer runs or takes part in, the latest first."""
    return select(Edition).where(visible(viewer)).order_by(Edition.starts_on.desc(), Edition.id.desc())


def attended(organisation_id: int) -> list[Edition]:
    """The editions an organisation takes part in, the latest first."""
    return db.session.scalars(select(Edition).join(Participation).where(
        Participation.organisation_id == organisation_id).order_by(Edition.starts_on.desc(), Edition.id.desc())).all()


def own(edition_id: int, viewer: Viewer) -> Edition:
    """An edition of the viewer's own organisation, or NotFound."""
    found = db.session.scalar(select(Edition).where(
        Edition.id == edition_id, Edition.organisation_id == viewer.organisation_id))
    if found is None:
        raise NotFound()
    return found


def create(viewer: Viewer, *, name: str, year: int, starts_on: date, ends_on: date) -> Edition:
    """A new edition, in which nobody takes part yet."""
    if ends_on < starts_on:
        raise Invalid({"ends_on": ["Lies before the first day."]})
    if db.session.scalar(select(Edition.id).where(Edition.name == name, Edition.year == year)):
        raise Invalid({"name": [f"There is a {name} {year} already."]})
    edition = Edition(organisation_id=viewer.organisation_id, name=name, year=year, starts_on=starts_on,
                      ends_on=ends_on)
    db.session.add(edition)
    db.session.flush()
    return edition


def participants(edition: Edition) -> list[Organisation]:
    """Who takes part, by name."""
    return db.session.scalars(select(Organisation).join(Participation, Participation.organisation_id == Organisation.id)
                              .where(Participation.edition_id == edition.id).order_by(Organisation.name)).all()


def sizes(edition_ids) -> dict[int, int]:
    """How many organisations take part in each of these editions."""
    found = dict(db.session.execute(select(Participation.edition_id, func.count()).where(
        Participation.edition_id.in_(list(edition_ids))).group_by(Participation.edition_id)).all())
    return {each: found.get(each, 0) for each in edition_ids}


def admit(edition: Edition, organisation_id: int):
    """Let an organisation take part; again changes nothing."""
    try:
        people.organisation(organisation_id)
    except NotFound:
        raise Invalid({"organisation": ["There is no organisation with this id."]}) from None
    if db.session.get(Participation, (edition.id, organisation_id)) is None:
        db.session.add(Participation(edition_id=edition.id, organisation_id=organisation_id))
        db.session.flush()


def dismiss(edition: Edition, organisation_id: int):
    """Let an organisation take part no more. Raises NotFound for one that does not."""
    if not db.session.execute(delete(Participation).where(
            Participation.edition_id == edition.id, Participation.organisation_id == organisation_id)).rowcount:
        raise NotFound()
