"""What counts for a title, from rows: mandates, licences, holdbacks, holds and options as the engine takes them.

A title is the set of its leaves (domain.md, "Hierarchy"). A mandate or a holdback on a parent covers every leaf
below it, also later ones; a licence those it had when granted, and later ones only with `future`.
"""
from collections import defaultdict
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import aliased

from catalogue.models import Link, LinkKind, Title
from core import clock
from core.database import UtcDateTime
from licensing import terms
from licensing.models import Hold, Holdback, Licence, Line, Option, TitleEvent
from licensing.refusals import models as refusals
from licensing.rights import availability, holdings, languages, media
from licensing.rights.blocks import Block
from licensing.rights.dates import NEVER, Dates
from licensing.rights.holdings import Claim, Holdings, Share

LATER = (LinkKind.SEQUEL, LinkKind.REMAKE, LinkKind.SPIN_OFF)  # the link says: this title comes later than its target

# Made once, and of tables where rows are all that is wanted: for a title with hundreds of lines, what SQLAlchemy does
# with models and with the building of statements took longer than the answer.
IDS, AT, NOW = bindparam("ids", expanding=True), bindparam("at", type_=UtcDateTime), bindparam("now", type_=UtcDateTime)
LINES, TITLES, HOLDBACKS, LICENCES = (model.__table__.c for model in (Line, Title, Holdback, Licence))


def _counting(query, table):
    """{False: what of a query counts now, True: what counted at the instant `at`}."""
    return {False: query.where(table.counts_until.is_(None)), True: query.where(
        table.counts_from <= AT, or_(table.counts_until.is_(None), table.counts_until > AT))}


LINE_ROWS = _counting(select(*(LINES[name] for name in (
    "id", "title_id", "licence_id", "territories_key", "media_key", "languages_key", "starts_on", "ends_on",
    "exclusive", "runs", "tba", "leaves", "future", "hereafter"))).where(LINES.title_id.in_(IDS)).order_by(LINES.id),
    LINES)
HOLDBACK_ROWS = _counting(
    select(*(HOLDBACKS[name] for name in ("id", "title_id", "territories_key", "media_key", "starts_on", "ends_on",
                                          "tba", "hard")), LICENCES.licensee_id, LICENCES.licensee_name)
    .select_from(Holdback.__table__.outerjoin(Licence.__table__, LICENCES.id == HOLDBACKS.licence_id))
    .where(HOLDBACKS.title_id.in_(IDS)).order_by(HOLDBACKS.id), HOLDBACKS)
_roots = Title.__table__.alias()
FAMILY_ROWS = select(TITLES.id, TITLES.parent_id, TITLES.succeeds_id).where(TITLES.root_id.in_(
    select(_roots.c.root_id).where(_roots.c.id.in_(IDS)))).order_by(TITLES.id)
HOLDS = _counting(select(Hold).where(Hold.title_id.in_(IDS), Hold.expires_at > NOW).order_by(Hold.rank, Hold.id), Hold)
OPTIONS = _counting(select(Option).where(Option.title_id.in_(IDS)).order_by(Option.id), Option)
_one, _other = aliased(Title), aliased(Title)
FOLLOWING = (  # a seller's word binds its own titles: nobody encumbers another's by a link
    select(Link).join(_one, _one.id == Link.title_id).join(_other, _other.id == Link.target_id)
    .where(_one.organisation_id == _other.organisation_id, or_(
        Link.title_id.in_(IDS) & Link.kind.in_([kind.value for kind in LATER]),
        Link.target_id.in_(IDS) & (Link.kind == LinkKind.PREQUEL.value))))

_known: dict[tuple, tuple] = {}  # what was asked → (its rows, their rights), of titles with many rows
MANY_ROWS, MANY_TITLES = 100, 50


def shares(session, title_ids, at: datetime | None = None, leaving_out: int | None = None, claims: bool = True):
    """{title id: its shares} for each title asked about, with a fixed number of queries.

    `at` asks what counted at that instant; `leaving_out` is a licence being replaced; without `claims` holds and
    options are left out, which block nothing.
    """
    wanted = frozenset(title_ids)
    family = Family(session, wanted)
    asked = {"ids": family.ids, "at": at}
    rows = session.execute(LINE_ROWS[at is not None], asked).all()
    held = session.execute(HOLDBACK_ROWS[at is not None], asked).all()
    # A title with hundreds of lines is asked about again and again. What its rows say is kept with them, and taken only
    # where they are all equal, so it is never stale; where something waits for a date there is more to know than rows.
    said = [*map(tuple, family.rows), *map(tuple, rows), *map(tuple, held)]  # rows of SQLAlchemy are slow to compare
    kept = _known.get((wanted, leaving_out))
    if kept and kept[0] == said:
        rights = kept[1]
    else:
        rights = _rights(session, wanted, family, rows, held, at, leaving_out)
        waits = any(row.tba or row.hereafter for row in rows) or any(row.tba for row in held)
        if len(rows) >= MANY_ROWS and not waits:
            if len(_known) >= MANY_TITLES:
                _known.clear()
            _known[wanted, leaving_out] = said, rights
    claimed = _claims(session, wanted, family, at) if claims else {}
    return {title_id: [Share(Holdings(*each, tuple(claimed.get(title_id, ()))), leaves) for leaves, each in found]
            for title_id, found in rights.items()}


def _rights(session, wanted, family, rows, held, at, leaving_out):
    """{title id: [(leaves, (mandates, licences, holdbacks))]}: leaves with the same rights together."""
    terms.sets({row.territories_key for row in (*rows, *held)} | {row.media_key for row in (*rows, *held)}
               | {row.languages_key for row in rows}, session)
    windows, later = _Windows(session, rows, held, at), _later_media(session, rows)
    mandates, licences, holdbacks = defaultdict(list), defaultdict(list), defaultdict(list)
    for row in rows:
        if row.licence_id is None:
            mandates[row.title_id].append(_line(row, windows, later))
        elif row.licence_id != leaving_out:
            line = _line(row, windows, later)
            for leaf in family.covered(row):
                licences[leaf].append(line)
    for row in held:
        holdbacks[row.title_id].append(_holdback(row, windows))
    found = {}
    for title_id in wanted:
        together = defaultdict(list)
        for leaf in family.leaves(title_id):
            path = family.path(leaf)
            together[tuple(each for each in path if mandates[each] or holdbacks[each]),
                     tuple(line.ref for line in licences[leaf])].append(leaf)
        found[title_id] = []
        for leaves in together.values():
            path = family.path(leaves[0])
            found[title_id].append((tuple(leaves), (
                tuple(line for each in path for line in mandates[each]), tuple(licences[leaves[0]]),
                tuple(each for near in path for each in holdbacks[near]))))
    return found


class Family:
    """The hierarchies of some titles: who stands above whom, and which leaves a licence covers."""

    def __init__(self, session, title_ids):
        self.rows = rows = session.execute(FAMILY_ROWS, {"ids": list(title_ids)}).all()
        self.ids = [row.id for row in rows]
        self._parent = {row.id: row.parent_id for row in rows}
        self._children, self._successors = defaultdict(list), defaultdict(list)
        for row in rows:
            if row.parent_id is not None:
                self._children[row.parent_id].append(row.id)
            if row.succeeds_id is not None:
                self._successors[row.succeeds_id].append(row.id)

    def leaves(self, title_id: int) -> list[int]:
        """The leaves below a title: itself where it has no children."""
        below = self._children.get(title_id)
        return [title_id] if not below else [leaf for each in below for leaf in self.leaves(each)]

    def path(self, title_id: int) -> list[int]:
        """A title and all above it."""
        found = []
        while title_id is not None:
            found.append(title_id)
            title_id = self._parent.get(title_id)
        return found

    def covered(self, line) -> set[int]:
        """The leaves that a licence line covers now."""
        found = set()
        for each in line.leaves or (line.title_id,):
            found |= self._standing_for(each)
        return found | set(self.leaves(line.title_id)) if line.future else found

    def _standing_for(self, title_id) -> set[int]:
        """A leaf of then as leaves of now: where it has children since, the child that took its place."""
        if not self._children.get(title_id):
            return {title_id}
        heirs = self._successors.get(title_id) or self._children[title_id]
        return set().union(*(self._standing_for(each) for each in heirs))


class _Windows:
    """The windows of rows, with the dates of events that are known."""

    def __init__(self, session, rows, held, at):
        waiting = {row.title_id for row in (*rows, *held) if row.tba}
        self._events = {}
        if waiting:
            query = select(TitleEvent).where(TitleEvent.title_id.in_(waiting)).order_by(TitleEvent.id)
            if at is not None:
                query = query.where(TitleEvent.recorded_at <= at)
            for each in session.scalars(query):
                self._events[each.title_id, each.event] = each.happens_on

    def of(self, row) -> tuple[Dates, Dates]:
        """(widest, narrowest) window: the same where every date is known."""
        starts, ends = (row.tba or {}).get("starts"), (row.tba or {}).get("ends")
        early, late = self._between(row.title_id, starts) if starts else (row.starts_on, row.starts_on)
        first, last = self._between(row.title_id, ends) if ends else (row.ends_on, row.ends_on)
        narrow = NEVER if first is not None and first < late else Dates.between(late, first)
        return Dates.between(early, last), narrow

    def _between(self, title_id, tba):
        not_before, not_after = (date.fromisoformat(tba[name]) for name in ("not_before", "not_after"))
        happens_on = self._events.get((title_id, tba["event"]))
        if happens_on is None:
            return not_before, not_after
        day = min(max(happens_on + timedelta(days=tba.get("lag_days") or 0), not_before), not_after)
        return day, day


def _later_media(session, rows) -> dict[int, int]:
    """{line: what its media mean now} for the lines that grant later media as well (`hereafter`)."""
    ids = [row.id for row in rows if row.hereafter]
    written = session.execute(select(Line.id, Line.written).where(Line.id.in_(ids))).all() if ids else []
    return {row.id: media.read(row.written["media"]) for row in written}


def _line(row, windows, later):
    """A row as the engine takes it: of a licence its widest window counts, of a mandate its narrowest."""
    widest, narrowest = windows.of(row)
    known = terms.sets((row.territories_key, row.media_key, row.languages_key))
    block = Block(known[row.territories_key], known[row.media_key] | later.get(row.id, 0), known[row.languages_key],
                  narrowest if row.licence_id is None else widest)
    return holdings.Line(block, row.exclusive, ("line", row.id), row.runs, widest - narrowest)


def _holdback(row, windows):
    widest, narrowest = windows.of(row)
    known = terms.sets((row.territories_key, row.media_key))
    block = Block(known[row.territories_key], known[row.media_key], languages.ALL, widest)
    licensee = row.licensee_id if row.licensee_id is not None else row.licensee_name
    return holdings.Holdback(block, row.hard, licensee, ("holdback", row.id), widest - narrowest)


# ------------------------------------------------------------------ claims: reported, never blocking

def _claims(session, title_ids, family, at):
    """{title id: holds on it or above it, and options on what it follows}."""
    found, now = defaultdict(list), at or clock.now()
    above = {title_id: set(family.path(title_id)) for title_id in title_ids}
    asked = {"ids": list(set().union(*above.values())), "at": at, "now": now}
    for hold in session.scalars(HOLDS[at is not None], asked):
        for title_id, path in above.items():
            if hold.title_id in path:
                block = terms.of_row(hold).line().block
                found[title_id].append(Claim(block, availability.Code.HELD, ("hold", hold.id)))
    for title_id, option, link in _options(session, above, at):
        known = terms.sets((option.territories_key, option.media_key), session)
        block = Block(known[option.territories_key], known[option.media_key], languages.ALL,
                      Dates.since(terms.FIRST_DAY))
        found[title_id].append(Claim(block, availability.Code.ENCUMBERED, ("option", option.id, link.id)))
    return found


def _options(session, above, at):
    """(title, option, link) for each option on a title that one of these, or one above it, follows by a link."""
    everyone = set().union(*above.values()) if above else set()
    links = session.scalars(FOLLOWING, {"ids": list(everyone)}).all()
    earlier = [(link.title_id, link.target_id, link) if link.kind in LATER else (link.target_id, link.title_id, link)
               for link in links if at is None or link.created_at <= at]
    if not earlier:
        return
    options = session.scalars(OPTIONS[at is not None], {
        "ids": list({each for _, each, _ in earlier}), "at": at}).all()
    answered = refusals.answered(session, [each.id for each in options], at)
    for title_id, path in above.items():
        for follower, leader, link in earlier:
            if follower in path:
                yield from ((title_id, each, link) for each in options
                            if each.title_id == leader and (each.id, link.id) not in answered)
