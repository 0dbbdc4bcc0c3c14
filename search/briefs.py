"""The other way round: a buyer's brief, and a seller's own titles for it with what is free for that buyer.

The answer is made anew whenever it is looked at, so it never offers what was sold since. It can be shown to who is
not signed in, by an address that cannot be guessed and ends by itself. On it stand titles that are shown to the buyer
it is for, or where none is named to everyone; of the reasons why something is not free nothing is told.
"""
from dataclasses import replace
from datetime import timedelta
from secrets import token_urlsafe
from typing import NamedTuple

from sqlalchemy import func, select

from accounts import people
from accounts.permissions import Viewer
from core import clock
from core.database import db
from core.errors import Invalid, NotFound
from licensing import terms
from licensing.rights.availability import Verdict
from search import query, reading
from search.engine import Engine
from search.models import Brief

MOST = 200  # titles in one answer
OPEN_FOR = timedelta(days=30)
ORDER = {Verdict.AVAILABLE: 0, Verdict.PARTIAL: 1, Verdict.UNAVAILABLE: 2, None: 0}


class Answer(NamedTuple):
    """`hits` are the titles shown, `left_out` those the seller took off the list; `wordless` says that no title has the
    words of the brief, so that all are shown that are free."""
    asked: query.Asked
    hits: list[query.Hit]
    left_out: list[query.Hit]
    total: int
    wordless: bool


def create(viewer: Viewer, text: str, buyer_id: int | None = None) -> tuple[Brief, list[str]]:
    """(a brief read from the words of a buyer, what was assumed). Raises Invalid."""
    if not text.strip() or len(text) > reading.LONGEST:
        raise Invalid({"text": [f"Paste what the buyer wants, {reading.LONGEST:,} characters at most."]})
    said = reading.read(text, clock.today())
    brief = Brief(organisation_id=viewer.organisation_id, person_id=viewer.person_id, text=text.strip(),
                  asked=asked_by(said).as_json(), left_out=[], buyer=_buyer(buyer_id, viewer), made_at=clock.now())
    db.session.add(brief)
    db.session.flush()
    return brief, said.assumed


def asked_by(said: reading.Brief) -> query.Asked:
    """A brief as a search. Any part that is free counts."""
    line = terms.read({
        "territories": said.territories, "media": said.media, "languages": said.languages, "exclusive": said.exclusive,
        "starts_on": said.starts_on, "ends_on": said.ends_on}) if said.asks else None
    return query.Asked(q=said.words, kind=tuple(said.kind), language=tuple(said.language),
                       country=tuple(said.country), year_from=said.year_from, year_to=said.year_to, line=line,
                       match="overlap")


def _buyer(buyer_id, viewer):
    if buyer_id is None:
        return None
    buyer = people.organisation(buyer_id)
    if "buyer" not in buyer.trades or buyer.id == viewer.organisation_id:
        raise Invalid({"buyer": ["Choose an organisation that buys."]})
    return buyer


def revise(brief: Brief, viewer: Viewer, asked: query.Asked, buyer_id: int | None):
    """Correct how a brief was read."""
    brief.asked, brief.buyer = replace(asked, match="overlap").as_json(), _buyer(buyer_id, viewer)


def get(brief_id: int, viewer: Viewer, lock=False) -> Brief:
    """Raises NotFound for one of another organisation. Who locks it waits for who changes it, and reads what they said.
    """
    query = select(Brief).filter_by(id=brief_id, organisation_id=viewer.organisation_id)
    brief = db.session.scalar(query.with_for_update() if lock else query)
    if brief is None:
        raise NotFound("There is no such brief.")
    return brief


def listing(viewer: Viewer, page: int, size: int) -> tuple[list[Brief], int]:
    """(a page of the organisation's briefs, the newest first, how many there are)."""
    mine = select(Brief).filter_by(organisation_id=viewer.organisation_id)
    total = db.session.scalar(select(func.count()).select_from(mine.subquery()))
    return db.session.scalars(mine.order_by(Brief.id.desc()).limit(size).offset((page - 1) * size)).all(), total


def leave_out(brief: Brief, title_ids):
    """Which of the titles found are not shown to the buyer."""
    brief.left_out = sorted(set(title_ids))


def answer(brief: Brief, index: Engine) -> Answer:
    """The seller's published titles for a brief, those that are wholly free first. Raises Invalid, Unsearchable.

    A brief is the house's: it is answered though who wrote it has left.
    """
    seller = people.viewer(brief.person_id, brief.organisation_id) or next(
        iter(people.acting_for([brief.organisation_id])), None)
    if seller is None:
        raise NotFound("Nobody acts for this seller any more.")
    asked = query.Asked.of_json(brief.asked, page_size=MOST, licensee=brief.buyer_id, published=True)
    asked = replace(asked, seller=(str(brief.organisation_id),))
    found, wordless = query.find(asked, seller, index), False
    if not found.total and asked.q:
        found, wordless = query.find(replace(asked, q=""), seller, index), True
    hits = sorted(found.hits, key=lambda hit: ORDER[hit.answer and hit.answer.verdict])
    return Answer(asked, [hit for hit in hits if hit.title.id not in brief.left_out],
                  [hit for hit in hits if hit.title.id in brief.left_out], found.total, wordless)


# ------------------------------------------------------------------ shown to the buyer

def open_up(brief: Brief):
    """Let who has the address see the answer, for a while."""
    brief.token = brief.token or token_urlsafe(24)
    brief.open_until = clock.today() + OPEN_FOR


def close(brief: Brief):
    """The address shows nothing from now on, and will not come back."""
    brief.token = brief.open_until = None


def opened(token: str) -> Brief:
    """The brief with this address. Raises NotFound where it has ended."""
    brief = db.session.scalar(select(Brief).filter_by(token=token))
    if brief is None or brief.open_until < clock.today():
        raise NotFound("This list is no longer open. Ask the seller for a new address.")
    return brief
