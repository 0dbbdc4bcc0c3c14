"""Alerts 90, 60 and 30 days before a licence, a mandate, an option or a refusal ends: rows made once, by the clock.

Once a day each kind is looked for anew, in one statement for each number of days; what was told of is not told of
again, unless its end has moved. Who was away for a while is told of the nearest only.
"""
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import and_, case, func, insert, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased, joinedload

from accounts import notices, people, permissions
from accounts.notices import News
from accounts.permissions import Relation, Viewer
from catalogue import audiences
from catalogue.models import Link, LinkKind, Title
from core import clock
from core.database import db
from licensing import counting, wording
from licensing.after.models import Alert, AlertDay
from licensing.models import Licence, Line, Mandate, Option
from licensing.refusals.models import answered, last_day, last_days

LICENCE, MANDATE, OPTION, REFUSAL = KINDS = ("licence", "mandate", "option", "refusal")
SPANS = ((30, 0), (60, 31), (90, 61))  # told within so many days, and no fewer than these
OWNERS = {LICENCE: (Line.licence_id, Line.licence, (Licence.organisation_id, Licence.licensee_id)),
          MANDATE: (Line.mandate_id, Line.mandate, (Mandate.organisation_id,))}


# ------------------------------------------------------------------ the clock

def due() -> list[str]:
    """The kinds that were not looked for today."""
    done = set(db.session.scalars(select(AlertDay.kind).where(AlertDay.day >= clock.today())))
    return [kind for kind in KINDS if kind not in done]


def tick(kind: str):
    """Make the alerts of one kind that are due, and remember the day."""
    for days, least in SPANS:
        if kind in OWNERS:
            _lines(kind, days, least)
        else:
            _options(kind, days, least)
    if not db.session.execute(update(AlertDay).where(AlertDay.kind == kind).values(day=clock.today())).rowcount:
        db.session.execute(insert(AlertDay).values(kind=kind, day=clock.today()))


def _once():
    """An insert that leaves what is there: an alert is made once."""
    dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(Alert.__table__).on_conflict_do_nothing()


def _lines(kind, days, least):
    today = clock.today()
    subject, owner, told = OWNERS[kind]
    for organisation in told:
        found = (select(organisation, literal(kind), subject, literal(0), Line.ends_on, literal(days), literal(today))
                 .join(owner).where(Line.counts_until.is_(None), organisation.is_not(None), Line.ends_on.between(
                     today + timedelta(days=least), today + timedelta(days=days))).distinct())
        db.session.execute(_once().from_select(
            ["organisation_id", "kind", "subject_id", "link_id", "ends_on", "days", "made_on"], found))


def _options(kind, days, least):
    today = clock.today()
    called = called_upon()
    asked = {(option.id, link.id): last_day(option, max(link.created_at, option.counts_from))
             for option, link in called}
    asked |= last_days(db.session, {option.id for option, _ in called})
    made = [{"organisation_id": house, "kind": kind, "subject_id": option.id, "link_id": link.id, "ends_on": ends_on,
             "days": days, "made_on": today}
            for option, link in called if (option.kind == "first_negotiation") == (kind == OPTION)
            for ends_on in [asked[option.id, link.id]] if least <= (ends_on - today).days <= days
            for house in dict.fromkeys((option.organisation_id, option.holder_id))]
    if made:
        db.session.execute(_once(), made)


def called_upon():
    """(option, link) for every option that counts and a later title that it reaches, where it is not answered. The days
    begin when the later title is shown to the holder (`refusals.asked`)."""
    later = aliased(Title)
    found = db.session.execute(select(Option, Link).join(Link, _reaches()).join(later, _later(later)).where(
        Option.counts_until.is_(None), audiences.shown_to(Option.holder_id, later))).all()
    over = answered(db.session, {option.id for option, _ in found})
    return [(option, link) for option, link in found if (option.id, link.id) not in over]


def _reaches():
    """The condition under which a link says that a title comes later than the one an option lies on."""
    return or_(and_(Link.target_id == Option.title_id, Link.kind.in_([each.value for each in counting.LATER])),
               and_(Link.title_id == Option.title_id, Link.kind == LinkKind.PREQUEL.value))


def _later(title):
    """The condition under which a title is the later one of such a link."""
    return title.id == case((Link.kind == LinkKind.PREQUEL.value, Link.target_id), else_=Link.title_id)


# ------------------------------------------------------------------ reading

class Shown(NamedTuple):
    """An alert in words, the title it is about, and the names in the words with their languages."""
    alert: Alert
    title: Title
    words: str
    names: dict[str, str | None] = {}


def showing(viewer: Viewer, most: int = 50) -> tuple[list[Shown], int]:
    """What ends soon, as far as this viewer may know of it, the nearest first; and how many there are in all."""
    seen = _ending().where(Alert.organisation_id == viewer.organisation_id, Alert.kind.in_(_kinds(viewer)))
    nearest = select(func.min(Alert.id)).where(Alert.id.in_(seen.with_only_columns(Alert.id))).group_by(
        Alert.kind, Alert.subject_id, Alert.link_id, Alert.ends_on)
    total = db.session.scalar(select(func.count()).select_from(nearest.subquery()))
    found = db.session.scalars(select(Alert).where(Alert.id.in_(nearest)).order_by(Alert.ends_on, Alert.id)
                               .limit(most)).all()
    return in_words(found), total


def _kinds(viewer):
    kinds = [LICENCE, OPTION, REFUSAL] if permissions.relations(viewer, "licence.see") else []
    return [*kinds, MANDATE] if permissions.allows(viewer, "mandate.see", Relation.OWN) else kinds


def _ending():
    """A query for the alerts that are still true: what they tell of counts, and ends then. A holder is told of a later
    title while it is shown to them."""
    line, later, today = aliased(Line), aliased(Title), clock.today()
    to_know = or_(Option.organisation_id == Alert.organisation_id, audiences.shown_to(Option.holder_id, later))
    counts = select(line.id).where(line.counts_until.is_(None), line.ends_on == Alert.ends_on)
    return select(Alert).where(Alert.ends_on >= today, or_(
        and_(Alert.kind == LICENCE, counts.where(line.licence_id == Alert.subject_id).exists()),
        and_(Alert.kind == MANDATE, counts.where(line.mandate_id == Alert.subject_id).exists()),
        and_(Alert.kind.in_((OPTION, REFUSAL)),
             select(Option.id).join(Link, Link.id == Alert.link_id).join(later, _later(later)).where(
                 Option.id == Alert.subject_id, Option.counts_until.is_(None), to_know).exists())))


def untold(most: int = 500) -> list[Shown]:
    """What is still to be told to the alert's organisation, oldest first."""
    return in_words(db.session.scalars(_ending().where(Alert.told_at.is_(None)).order_by(Alert.id).limit(most)).all())


def to_tell() -> list[int]:
    return [each.alert.id for each in untold()]


def tell(alert_id: int):
    """Tell those of its organisation who may know of it, in the transaction that writes down that they were told."""
    alert = db.session.get(Alert, alert_id)
    shown, = in_words([alert])
    readers = [each for each in people.acting_for([alert.organisation_id]) if alert.kind in _kinds(each)]
    path = "/licences" if alert.kind == LICENCE else f"/titles/{shown.title.id}/rights" if alert.kind == MANDATE else (
        f"/titles/{shown.title.id}/franchise")
    name = shown.title.original_title
    notices.tell(readers, "ends", News(f"{shown.words}: {name}", path, [f"{shown.words}. It is about {name}."],
                                       names={**shown.names, name: shown.title.original_language}))
    alert.told_at = clock.now()


def in_words(found: list[Alert]) -> list[Shown]:
    """Alerts with their titles and a sentence each."""
    by_kind = {kind: {each.subject_id for each in found if each.kind == kind} for kind in KINDS}
    licences = _by_id(Licence, by_kind[LICENCE], joinedload(Licence.seller))
    mandates = _by_id(Mandate, by_kind[MANDATE], joinedload(Mandate.title))
    options = _by_id(Option, by_kind[OPTION] | by_kind[REFUSAL], joinedload(Option.holder))
    lines = {}
    for line in db.session.scalars(select(Line).where(
            Line.licence_id.in_(licences), Line.ends_on.in_({each.ends_on for each in found}))
            .options(joinedload(Line.title)).order_by(Line.id)) if licences else ():
        lines.setdefault((line.licence_id, line.ends_on), line.title)
    links = _by_id(Link, {each.link_id for each in found})
    titles = _by_id(Title, {option.title_id for option in options.values()}
                    | {end for link in links.values() for end in (link.title_id, link.target_id)})
    return [_shown(each, licences, mandates, options, lines, links, titles) for each in found]


def _by_id(model, ids, *loading):
    rows = db.session.scalars(select(model).where(model.id.in_(ids)).options(*loading)) if ids else ()
    return {row.id: row for row in rows}


def _shown(alert, licences, mandates, options, lines, links, titles):
    ends = f"ends {wording.day(alert.ends_on)}"
    if alert.kind == LICENCE:
        licence = licences[alert.subject_id]
        sold = licence.organisation_id == alert.organisation_id
        other = f"to {licence.licensee_name}" if sold else f"from {licence.seller.name}"
        return Shown(alert, lines[licence.id, alert.ends_on], f"The licence {other} {ends}")
    if alert.kind == MANDATE:
        mandate = mandates[alert.subject_id]
        return Shown(alert, mandate.title, f"Mandate {mandate.contract or mandate.id} {ends}")
    option = options[alert.subject_id]
    whose = "Your" if option.holder_id == alert.organisation_id else f"{option.holder.name}’s"
    link = links[alert.link_id]  # one option is called upon by every later title
    later = titles[link.title_id if link.title_id != option.title_id else link.target_id]
    return Shown(alert, titles[option.title_id],
                 f"{whose} {wording.OPTIONS[option.kind].removeprefix('the ')} over {later.original_title} {ends}",
                 {later.original_title: later.original_language})


def days_left(ends_on: date) -> int:
    return (ends_on - clock.today()).days
