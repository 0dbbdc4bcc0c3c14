"""The windows of licences and mandates: a list for both sides, and a calendar. Their days are the engine's."""
import hashlib
from collections import Counter
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import and_, exists, false, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from accounts import permissions
from accounts.models import Organisation
from accounts.permissions import Relation, Viewer
from catalogue.models import Name, Title
from core import clock, sheets
from core.database import db
from licensing import avails, contracts, exports, terms, wording
from licensing.after import calendar
from licensing.models import Licence, Line, Mandate

SIDES = ("all", "sold", "bought")
STANDINGS = ("current", "in_force", "coming", "ended", "all")  # current: not ended
GONE_FOR = timedelta(days=90)  # a calendar shows a while what has ended
MOST_EVENTS, MOST_ROWS, AT_ONCE = 2_000, 20_000, 500
FIELDS = ("licence", "side", "title_id", "title", "english_title", "licensor", "licensee", "contract", "territories",
          "media", "languages", "starts_on", "ends_on", "exclusive", "tentative", "standing")


# ------------------------------------------------------------------ the list

def listing(viewer: Viewer, side="all", standing="current", words="", ends_by: date | None = None):
    """A query for the lines of the viewer's licences, what ends first before the others."""
    query = (select(Line).join(Line.licence).where(contracts.visible(viewer), _standing(standing))
             .options(joinedload(Line.licence).joinedload(Licence.seller),
                      joinedload(Line.title).selectinload(Title.names)))
    if side != "all":
        own = Licence.organisation_id if side == "sold" else Licence.licensee_id
        query = query.where(own == viewer.organisation_id)
    if words:
        named = select(Name.id).where(Name.title_id == Line.title_id, Name.value.icontains(words, autoescape=True))
        sold_by = select(Organisation.id).where(Organisation.name.icontains(words, autoescape=True))
        query = query.join(Line.title).where(or_(
            Title.original_title.icontains(words, autoescape=True), named.exists(),
            Licence.licensee_name.icontains(words, autoescape=True), Licence.organisation_id.in_(sold_by),
            Licence.contract.icontains(words, autoescape=True)))
    if ends_by:
        query = query.where(Line.ends_on <= ends_by)
    ends = Line.ends_on.desc() if standing == "ended" else Line.ends_on
    return query.order_by(Line.ends_on.is_(None), ends, Line.id)


def _standing(standing):
    today = clock.today()
    counting = Line.counts_until.is_(None)
    lasting = or_(Line.ends_on.is_(None), Line.ends_on >= today)
    ended = or_(and_(counting, Line.ends_on < today), _gone())
    return {"current": and_(counting, lasting), "in_force": and_(counting, lasting, Line.starts_on <= today),
            "coming": and_(counting, Line.starts_on > today), "ended": ended, "all": or_(counting, ended)}[standing]


def _gone():
    """Lines of a licence of which nothing is left: it was ended before it began. One that an amendment replaced is
    none of them, for its successor counts."""
    other, later = aliased(Line), aliased(Licence)
    last = select(func.max(other.counts_until)).where(other.licence_id == Line.licence_id).scalar_subquery()
    return and_(Line.counts_until == last,
                ~exists().where(other.licence_id == Line.licence_id, other.counts_until.is_(None)),
                ~exists().where(later.offer_id == Licence.offer_id, later.id > Licence.id))


class Row(NamedTuple):
    """A line of a licence as its list shows it; both days are included, no end is perpetuity."""
    line: Line
    sold: bool
    starts_on: date
    ends_on: date | None
    tentative: bool
    standing: str

    @property
    def other(self) -> str:
        return self.line.licence.licensee_name if self.sold else self.line.licence.seller.name


def rows(lines: list[Line], viewer: Viewer) -> list[Row]:
    """Lines with the days on which they count."""
    days, found = avails.windows(lines), []
    for line in lines:
        starts_on, ends_on, tentative = days.get(line.id, (line.starts_on, line.ends_on, False))
        sold = line.licence.organisation_id == viewer.organisation_id
        found.append(Row(line, sold, starts_on, ends_on, tentative, _stands(line, starts_on, ends_on)))
    return found


def _stands(line, starts_on, ends_on) -> str:
    today = clock.today()
    if line.counts_until is not None:
        return "terminated"
    if ends_on and ends_on < today:
        return "ended"
    return "coming" if starts_on > today else "in force"


def table(query, viewer: Viewer) -> str:
    """The list as a spreadsheet, MOST_ROWS at most."""
    def cells():
        for start in range(0, MOST_ROWS, AT_ONCE):
            some = db.session.scalars(query.limit(AT_ONCE).offset(start)).all()
            for row in rows(some, viewer):
                line, licence, title = row.line, row.line.licence, row.line.title
                said = terms.of_row(line)
                yield [licence.id, "sold" if row.sold else "bought", title.id, title.original_title,
                       title.english_title or "", licence.seller.name, licence.licensee_name, licence.contract or "",
                       *(",".join(axis.short(getattr(said, name))) for name, axis in exports.AXES), row.starts_on,
                       row.ends_on or "", "yes" if line.exclusive else "no", "yes" if row.tentative else "no",
                       row.standing]
            if len(some) < AT_ONCE:
                return
    return sheets.table(FIELDS, cells())


# ------------------------------------------------------------------ the calendar

def events(viewer: Viewer, side="all", words="") -> list[calendar.Event]:
    """The windows of the viewer's licences and, for a seller, mandates, that last or ended a short while ago: what
    ends first before the others, MOST_EVENTS of each at most."""
    since = clock.today() - GONE_FOR
    lines = listing(viewer, side, "all", words).where(
        Line.counts_until.is_(None), or_(Line.ends_on.is_(None), Line.ends_on >= since)).limit(MOST_EVENTS)
    found = db.session.scalars(lines).all()
    if side != "bought" and not words:
        found += db.session.scalars(_mandates(viewer).where(
            or_(Line.ends_on.is_(None), Line.ends_on >= since)).limit(MOST_EVENTS)).all()
    made, seen = [], Counter()
    for start in range(0, len(found), AT_ONCE):
        some = found[start:start + AT_ONCE]
        for line, (starts_on, ends_on, tentative) in _dated(some):
            uid = _uid(line, seen)
            made.append(_event(line, viewer, uid, starts_on, ends_on, tentative))
    return made


def _mandates(viewer):
    own = Relation.OWN in permissions.relations(viewer, "mandate.see")
    return (select(Line).join(Line.mandate).where(
        Mandate.organisation_id == viewer.organisation_id if own else false(), Line.counts_until.is_(None))
        .order_by(Line.ends_on.is_(None), Line.ends_on, Line.id)
        .options(joinedload(Line.mandate), joinedload(Line.title).selectinload(Title.names)))


def _dated(lines):
    days = avails.windows(lines)
    return [(line, days[line.id]) for line in lines if line.id in days]


def _uid(line, seen: Counter) -> str:
    """The same for a window whatever becomes of its end: a line that is cut or amended is replaced by another."""
    owner = (f"mandate-{line.mandate_id}" if line.mandate_id else
             f"offer-{line.licence.offer_id}" if line.licence.offer_id else f"licence-{line.licence_id}")
    named = [owner, line.title_id, line.territories_key, line.media_key, line.languages_key, line.exclusive,
             line.starts_on, *(line.leaves or ())]
    key = hashlib.sha256("|".join(map(str, named)).encode()).hexdigest()[:32]
    seen[key] += 1
    return f"{key}{f'-{seen[key]}' if seen[key] > 1 else ''}@slate"


def _event(line, viewer, uid, starts_on, ends_on, tentative):
    said, title = terms.of_row(line), line.title
    name = title.english_title or title.original_title
    if line.mandate_id:
        what, who = "Mandate", [f"Contract: {line.mandate.contract}"] if line.mandate.contract else []
    else:
        sold = line.licence.organisation_id == viewer.organisation_id
        what = f"Licence {'to' if sold else 'from'} {line.licence.licensee_name if sold else line.licence.seller.name}"
        who = [f"Contract: {line.licence.contract}"] if line.licence.contract else []
    days = wording.window(starts_on, ends_on) + (", in perpetuity" if ends_on is None else "")
    return calendar.Event(
        uid, starts_on, ends_on, f"{name}: {what}{' (tentative)' if tentative else ''}",
        "\n".join([title.original_title, " · ".join([*wording.parts(said)[:3], days, wording.parts(said)[4]]), *who]),
        line.counts_from)
