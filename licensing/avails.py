"""The only door to availability: rows become blocks here, and the engine of `rights` answers.

Search filter, title page, offer check and signing all come through this module, so no two views can
disagree about what is free.
"""
import threading
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from accounts import permissions
from accounts.permissions import Relation, Viewer
from catalogue import changes
from catalogue.models import Title
from core import clock
from core.database import db, reading
from licensing import terms, wording
from licensing.models import Licence, Line
from licensing.rights import availability, languages, media, territories
from licensing.rights.ledger import Ledger
from licensing.terms import Terms

MODES = ("cover", "overlap")
COLUMNS = (Line.id, Line.title_id, Line.mandate_id, Line.licence_id, Line.territories_key, Line.media_key,
           Line.languages_key, Line.starts_on, Line.ends_on, Line.exclusive)


class Rights(NamedTuple):
    """The lines that count now for one title. Each line's `ref` is the id of its row."""
    mandates: list[availability.Line]
    licences: list[availability.Line]


# ------------------------------------------------------------------ one title, or a page of them

def rights(title_ids, leaving_out: int | None = None) -> dict[int, Rights]:
    """What counts now for each title; `leaving_out` is a licence being replaced."""
    found = {each: Rights([], []) for each in title_ids}
    for title_id, row in _rows(db.session, found):
        side = found[title_id].licences if row.licence_id else found[title_id].mandates
        if row.licence_id is None or row.licence_id != leaving_out:
            side.append(_as_line(row))
    return found


def ask(title_id: int, asked: Terms) -> availability.Answer:
    """Is it free? The whole answer for one title."""
    return ask_all([title_id], asked)[title_id]


def ask_all(title_ids, asked: Terms) -> dict[int, availability.Answer]:
    """The same for several titles, with a fixed number of queries."""
    return {title_id: availability.answer(asked.line(), each.mandates, each.licences, clock.today())
            for title_id, each in rights(title_ids).items()}


def granting(title_id: int, asked: Terms, leaving_out: int | None = None) -> availability.Answer:
    """May this be granted, whenever it was or will be? Recording knows no past (domain.md, "The past")."""
    held = rights([title_id], leaving_out)[title_id]
    return availability.answer(asked.line(), held.mandates, held.licences, min(clock.today(), asked.starts_on))


def _rows(session, title_ids):
    """(title id, line row) for every line that counts for a title in the collection.

    A mandate counts for its title and all below it; a licence for its title, all below and all above,
    because free on a series means free on every episode.
    """
    wanted = set(title_ids)
    above, below = _families(session, wanted)
    lines_of = {}
    for row in session.execute(select(*COLUMNS).where(
            Line.title_id.in_(set().union(wanted, *above.values(), *below.values())),
            Line.counts_until.is_(None)).order_by(Line.id)):
        lines_of.setdefault(row.title_id, []).append(row)
    terms.sets({key for rows in lines_of.values() for row in rows
                for key in (row.territories_key, row.media_key, row.languages_key)}, session)
    for title_id in wanted:
        for near in (title_id, *above.get(title_id, ()), *below.get(title_id, ())):
            for row in lines_of.get(near, ()):
                if row.licence_id or near not in below.get(title_id, ()):
                    yield title_id, row


def _families(session, title_ids):
    """({title: ids above it}, {title: ids below it}) for titles that stand in a hierarchy."""
    alone = select(Title.root_id).where(Title.id.in_(title_ids))
    parents = dict(session.execute(select(Title.id, Title.parent_id).where(
        Title.root_id.in_(alone), Title.parent_id.is_not(None))).all())
    above, below = {}, {}
    for title_id in parents:
        near = parents.get(title_id)
        while near is not None:
            above.setdefault(title_id, set()).add(near)
            below.setdefault(near, set()).add(title_id)
            near = parents.get(near)
    return above, below


def _as_line(row) -> availability.Line:
    sets = terms.sets((row.territories_key, row.media_key, row.languages_key))
    return Terms(sets[row.territories_key], sets[row.media_key], sets[row.languages_key], row.starts_on,
                 row.ends_on, row.exclusive, {}).line(row.id)


# ------------------------------------------------------------------ every title at once

class _Book:
    """One process's ledger over all titles, brought up to date from the change log before each answer."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ledger, self.mark = None, None

    def verdicts(self, engine, asked: Terms, title_ids):
        with self.lock, reading(), Session(engine) as session:  # its own snapshot: never what is uncommitted
            if self.ledger is None:
                self.mark = changes.mark(session)
                self.ledger = Ledger(self._columns(session, session.scalars(select(Title.id)).all()))
            else:
                changed, self.mark = changes.since(session, self.mark)
                if changed:
                    roots = select(Title.root_id).where(Title.id.in_(changed))
                    family = session.scalars(select(Title.id).where(Title.root_id.in_(roots))).all()
                    fresh = {title_id: [] for title_id in family}
                    for row in self._columns(session, family):
                        fresh[row[0]].append(row)
                    for title_id, rows in fresh.items():
                        self.ledger.replace(title_id, rows)
            return self.ledger.verdicts(asked.line(), clock.today(), title_ids)

    @staticmethod
    def _columns(session, title_ids):
        rows = []
        title_ids = list(title_ids)
        for start in range(0, len(title_ids), 5000):  # SQLite takes some 30,000 parameters in one statement
            for title_id, row in _rows(session, title_ids[start:start + 5000]):
                block = _as_line(row).block
                (begin, end), = block.dates.spans
                rows.append((title_id, row.mandate_id is not None, block.territories, block.media,
                             block.languages, begin, end, row.exclusive))
        return rows


_books: WeakKeyDictionary = WeakKeyDictionary()
_books_lock = threading.Lock()


def verdicts(asked: Terms, title_ids=None):
    """(ids ascending, verdicts) over every title or the given ones, exact as of the last commit.

    The verdicts are `ledger.UNAVAILABLE`, `PARTIAL` and `AVAILABLE`, as two numpy arrays.
    """
    engine = db.session.get_bind()
    with _books_lock:
        book = _books.setdefault(engine, _Book())
    return book.verdicts(engine, asked, title_ids)


# ------------------------------------------------------------------ the answer as others see it

def described(answer: availability.Answer, asked: Terms, title: Title, viewer: Viewer) -> dict:
    """The answer object of api.md. The seller sees which deal stands in the way; nobody else can count deals."""
    owner = (title.organisation_id == viewer.organisation_id
             and permissions.allows(viewer, "mandate.see", Relation.OWN))
    reasons = answer.reasons if owner else availability.merged(answer.reasons)
    deals = _deals({ref for reason in reasons for ref in reason.refs}) if owner else {}
    return {
        "verdict": str(answer.verdict), "coverage": float(answer.coverage),
        "line": {**asked.as_json(), "label": wording.line(asked)},
        "text": wording.exception(answer, asked), "strip": wording.strip(answer),
        "free": [block_json(each, asked.exclusive) for each in answer.free],
        "reasons": [_reason_json(each, asked, deals) for each in reasons],
        "alternatives": [_alternative_json(each, asked) for each in answer.alternatives],
    }


def block_json(block, exclusive: bool) -> dict:
    """A block with its leaves expanded and sorted, and a label for people."""
    starts_on, ends_on = block.dates.window
    return {"territories": territories.codes(block.territories), "media": media.codes(block.media),
            "languages": languages.codes(block.languages), "starts_on": starts_on.isoformat(),
            "ends_on": ends_on and ends_on.isoformat(), "exclusive": exclusive, "label": wording.block(block)}


def _reason_json(reason, asked, deals):
    deal = next((deals[ref] for ref in reason.refs if ref in deals), None)
    exclusive = deal["exclusive"] if deal else asked.exclusive
    said = {"code": str(reason.code), "blocking": reason.blocking, "text": wording.reason(reason, deal),
            "block": block_json(reason.block, exclusive),
            "blocks": [block_json(each, exclusive) for each in reason.blocks]}
    return {**said, "deal": deal} if deal else said


def _alternative_json(alternative, asked):
    line = Terms.of_line(alternative.request)
    return {"kind": str(alternative.kind), "text": wording.alternative(alternative.kind, line, asked),
            "line": {**line.as_json(), "label": wording.line(line)}}


def _deals(line_ids):
    rows = db.session.scalars(select(Line).where(Line.id.in_(line_ids), Line.licence_id.is_not(None))
                              .options(joinedload(Line.licence))).all() if line_ids else []
    return {row.id: {"licence_id": str(row.licence_id), "licensee": row.licence.licensee_name,
                     "contract": row.licence.contract, "exclusive": row.exclusive,
                     "offer_id": row.licence.offer_id and str(row.licence.offer_id)} for row in rows}


def reasons_json(answer, asked: Terms, title: Title, viewer: Viewer) -> list[dict]:
    """The reasons alone, for a refusal."""
    return described(answer, asked, title, viewer)["reasons"]


def licences_of(title: Title):
    """Every licence that ever named this title, newest first: for its seller."""
    return db.session.scalars(select(Licence).where(Licence.id.in_(
        select(Line.licence_id).where(Line.title_id == title.id))).order_by(Licence.id.desc())
        .options(joinedload(Licence.lines))).unique().all()


def _wholly_free(answer) -> list[tuple[int, int]]:
    """The spans of days (half-open ordinals) on which everything that was asked is free at once."""
    def size(block):
        return (block.territories.bit_count() * block.media.bit_count() * block.languages.bit_count())

    asked = size(answer.request.block)
    edges = sorted({edge for block in answer.free for span in block.dates.spans for edge in span})
    spans = []
    for start, end in zip(edges, edges[1:], strict=False):
        free = sum(size(block) for block in answer.free
                   if any(a <= start and end <= b for a, b in block.dates.spans))
        if free == asked:
            if spans and spans[-1][1] == start:
                start = spans.pop()[0]
            spans.append((start, end))
    return spans


def starts_within(answer) -> bool:
    """Match mode: from some day of the window on, everything asked is free to the window's end."""
    spans, asked = _wholly_free(answer), answer.request.block.dates.spans
    return bool(spans) and spans[-1][1] == asked[-1][1]


def longest_free(answer) -> int:
    """Match mode: the most days in a row on which everything asked is free."""
    return max((end - start for start, end in _wholly_free(answer)), default=0)
