"""The only door to availability: rows become blocks here, and the engine of `rights` answers.

Search filter, title page, offer check and signing all come through this module, so no two views can
disagree about what is free.
"""
import threading
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from accounts import permissions
from accounts.permissions import Relation, Viewer
from catalogue import titles
from catalogue.models import Link, Title
from core import clock
from core.database import db
from core.errors import NotAllowed
from licensing import counting, wording
from licensing.ahead import Ahead
from licensing.book import Book
from licensing.models import Hold, Holdback, Licence, Line, Option
from licensing.refusals import models as refusals
from licensing.rights import availability, languages, media, territories
from licensing.terms import Terms

# ------------------------------------------------------------------ one title, or a page of them

def ask(title_id: int, asked: Terms, licensee: int | None = None, at: datetime | None = None,
        leaving_out: int | None = None) -> availability.Answer:
    """Is it free? The whole answer for one title.

    `licensee` is the organisation that would buy, where it is known: some holdbacks bind one alone. `at` asks what the
    answer would have been at that instant, from what counted then. `leaving_out` is a licence that this one would
    replace.
    """
    return ask_all([title_id], asked, licensee, at, leaving_out)[title_id]


def ask_lines(lines: list[tuple[int, Terms, int | None, int | None]]) -> list[availability.Answer]:
    """The answers to many lines at once, each (title id, terms, licensee, licence that it would replace), with a fixed
    number of queries and as many again for each licence that is replaced."""
    shares = {out: counting.shares(db.session, {each for each, _, _, other in lines if other == out}, leaving_out=out)
              for out in {out for _, _, _, out in lines}}
    return [availability.answer(asked.line(), shares[out][title_id], clock.today(), licensee)
            for title_id, asked, licensee, out in lines]


def ask_all(title_ids, asked: Terms, licensee: int | None = None, at: datetime | None = None,
            leaving_out: int | None = None):
    """{title id: answer} for several titles, with a fixed number of queries."""
    today = clock.today() if at is None else clock.day_of(at)
    return {title_id: availability.answer(asked.line(), shares, today, licensee)
            for title_id, shares in counting.shares(db.session, title_ids, at, leaving_out).items()}


def granting(title_id: int, asked: Terms, licensee: int | None = None, leaving_out: int | None = None):
    """May this be granted, whenever it was or will be? Recording knows no past (domain.md, "The past"); `leaving_out`
    is a licence that this one replaces."""
    shares = counting.shares(db.session, [title_id], leaving_out=leaving_out)[title_id]
    return availability.answer(asked.line(), shares, min(clock.today(), asked.starts_on), licensee)


def granting_all(wanted: list[tuple[int, Terms]]):
    """[(None or the answer that refuses, the leaves of the title, the terms with their runs named)] for many
    (title id, terms) at once, each judged as if those before it that are free were granted."""
    found, ahead = [], Ahead({title_id for title_id, _ in wanted})
    for title_id, said in wanted:
        said = ahead.counted(title_id, said)
        answer, _ = ahead.judge(title_id, said)
        if answer is None:
            ahead.licence(title_id, said)
        found.append((answer, ahead.leaves(title_id), said))
    return found


def owns(title: Title, viewer: Viewer) -> bool:
    """Whether this viewer may see the deals on a title: its seller, in a role that keeps its rights."""
    return (title.organisation_id == viewer.organisation_id
            and permissions.allows(viewer, "mandate.see", Relation.OWN))


def check_as_of(title: Title, viewer: Viewer):
    """What counted when is the seller's to know: from the answers of many days a buyer could tell deals apart."""
    if not owns(title, viewer):
        raise NotAllowed("Only the seller of a title may ask what was free on a past day.")


def licensee(viewer: Viewer, title: Title | None = None) -> int | None:
    """Who would license, where this viewer asks: their own organisation, if it buys and does not list the title."""
    own = title is not None and title.organisation_id == viewer.organisation_id
    return viewer.organisation_id if viewer.buys and not own else None


def has_runs(title_id: int, asked: Terms) -> bool:
    """Whether a mandate that this would be drawn on counts its runs."""
    block = asked.line().block
    return any(line.runs is not None and line.block.meets(block)
               for share in counting.shares(db.session, [title_id], claims=False)[title_id]
               for line in share.holdings.mandates)


def leaves(title_id: int) -> list[int]:
    """The leaves of a title now: what a licence on it covers when it is granted."""
    return counting.Family(db.session, [title_id]).leaves(title_id)


# ------------------------------------------------------------------ every title at once

_books: WeakKeyDictionary = WeakKeyDictionary()
_books_lock = threading.Lock()


def book(engine=None) -> Book:
    """This process's ledger over the database; its file is in the instance folder."""
    engine = engine or db.session.get_bind()
    with _books_lock:
        if engine not in _books:
            instance = engine.get_execution_options().get("instance")
            _books[engine] = Book(instance and Path(instance) / "ledger")
        return _books[engine]


def verdicts(asked: Terms, title_ids=None, licensee: int | None = None):
    """(ids ascending, verdicts) over every title with rights or over the given ones, exact as of the last commit.

    The verdicts are `ledger.UNAVAILABLE`, `PARTIAL` and `AVAILABLE`, as two numpy arrays.
    """
    return _at_once("verdicts", asked, title_ids, licensee)


def available(asked: Terms, title_ids=None, licensee: int | None = None):
    """(ids, whether all that is asked is free): `verdicts == AVAILABLE`, found with less work."""
    return _at_once("available", asked, title_ids, licensee)


def _at_once(question, asked, title_ids, licensee):
    engine = db.session.get_bind()
    return book(engine).ask(engine, lambda ledger: getattr(ledger, question)(
        asked.line(), clock.today(), title_ids, licensee))


# ------------------------------------------------------------------ the answer as others see it

def described(answer: availability.Answer, asked: Terms, title: Title, viewer: Viewer, known=None) -> dict:
    """The answer object of api.md. The seller sees which deal stands in the way; nobody else can count deals. `known`
    is what stands behind the reasons, where it was read before."""
    owner = owns(title, viewer)
    reasons = answer.reasons if owner else availability.merged(answer.reasons)
    if not owner:
        known = {}
    elif known is None:
        known = behind({ref for reason in reasons for ref in reason.refs})
    children = _children({leaf for reason in reasons for leaf in reason.leaves}, viewer)
    return {
        "verdict": str(answer.verdict), "coverage": float(answer.coverage),
        "line": {**asked.as_json(), "label": wording.line(asked)},
        "text": wording.exception(answer, asked), "strip": wording.strip(answer),
        "free": [block_json(each, asked.exclusive, any(each.meets(other) for other in answer.doubtful))
                 for each in answer.free],
        "reasons": [_reason_json(each, asked, known, children) for each in reasons],
        "alternatives": [_alternative_json(each, asked) for each in answer.alternatives],
    }


def block_json(block, exclusive: bool, tentative: bool = False) -> dict:
    """A block with its leaves expanded and sorted, and a label for people."""
    starts_on, ends_on = block.dates.window
    said = {"territories": territories.codes(block.territories), "media": media.codes(block.media),
            "languages": languages.codes(block.languages), "starts_on": starts_on.isoformat(),
            "ends_on": ends_on and ends_on.isoformat(), "exclusive": exclusive, "label": wording.block(block)}
    return {**said, "tentative": True} if tentative else said


def _reason_json(reason, asked, behind, children):
    known = known_of(reason, behind)
    deal = known.get("deal")
    exclusive = deal["exclusive"] if deal else asked.exclusive
    return {"code": str(reason.code), "blocking": reason.blocking, "text": wording.reason(reason, known),
            "block": block_json(reason.block, exclusive, reason.tentative),
            "blocks": [block_json(each, exclusive, reason.tentative) for each in reason.blocks], **known,
            **({"tentative": True} if reason.tentative else {}),
            **({"children": [children[leaf] for leaf in reason.leaves if leaf in children]} if reason.leaves else {})}


def known_of(reason, behind: dict) -> dict:
    """What stands behind one reason."""
    return next((behind[ref] for ref in reason.refs if ref in behind), {})


def _children(title_ids, viewer):
    """{title id: {id, title}} for those of the children that the viewer may see."""
    rows = db.session.execute(select(Title.id, Title.original_title).where(
        Title.id.in_(title_ids), titles.visible(viewer))).all() if title_ids else []
    return {row.id: {"id": str(row.id), "title": row.original_title} for row in rows}


def _alternative_json(alternative, asked):
    line = Terms.of_line(alternative.request)
    return {"kind": str(alternative.kind), "text": wording.alternative(alternative.kind, line, asked),
            "line": {**line.as_json(), "label": wording.line(line)}}


def behind(refs) -> dict:
    """{ref: what stands behind a reason}: the deal, the holdback, the hold or the option. For the seller alone."""
    ids = defaultdict(set)
    for kind, number, *_ in refs:
        ids[kind].add(number)
    found = {}
    for row in _rows_of(Line, ids["line"], joinedload(Line.licence)):
        if row.licence_id:
            found["line", row.id] = {"deal": {
                "licence_id": str(row.licence_id), "licensee": row.licence.licensee_name,
                "contract": row.licence.contract, "exclusive": row.exclusive,
                "offer_id": row.licence.offer_id and str(row.licence.offer_id)}}
    for row in _rows_of(Holdback, ids["holdback"], joinedload(Holdback.licence)):
        found["holdback", row.id] = {"holdback": {
            "id": str(row.id), "hard": row.hard, "binds": row.binds, "note": row.note,
            "licensee": row.licence and row.licence.licensee_name}}
    for row in _rows_of(Hold, ids["hold"], joinedload(Hold.holder)):
        found["hold", row.id] = {"hold": {
            "id": str(row.id), "organisation": row.holder.name, "organisation_id": str(row.holder_id),
            "rank": row.rank, "expires_at": row.expires_at.isoformat()}}
    options = {row.id: row for row in _rows_of(Option, ids["option"], joinedload(Option.holder))}
    asked = [ref for ref in refs if ref[0] == "option"]  # (option, id, link)
    links = {row.id: row for row in _rows_of(Link, {link for _, _, link in asked})}
    last_days = refusals.last_days(db.session, options)
    for ref in asked:
        option, link = options[ref[1]], links[ref[2]]
        deadline = last_days.get(ref[1:]) or refusals.last_day(option, max(link.created_at, option.counts_from))
        found[ref] = {"option": {
            "id": str(option.id), "kind": option.kind, "organisation": option.holder.name,
            "organisation_id": str(option.holder_id), "days": option.days, "deadline": deadline.isoformat()}}
    return found


def _rows_of(model, ids, *options):
    return db.session.scalars(select(model).where(model.id.in_(ids)).options(*options)).all() if ids else []


def reasons_json(answer, asked: Terms, title: Title, viewer: Viewer) -> list[dict]:
    """The reasons alone, for a refusal."""
    return described(answer, asked, title, viewer)["reasons"]


def windows(lines) -> dict[int, tuple]:
    """{line: (first day, last day or None, whether it waits for a date)} of stored lines: the days on which they count
    in every answer. One that counts on no day is left out."""
    wanted, found = {line.id for line in lines}, {}
    for share in (share for some in counting.shares(
            db.session, {line.title_id for line in lines}, claims=False).values() for share in some):
        for held in (*share.holdings.mandates, *share.holdings.licences):
            if held.ref[1] in wanted and held.block.dates:
                found[held.ref[1]] = (*held.block.dates.window, bool(held.doubt))
    return found


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
