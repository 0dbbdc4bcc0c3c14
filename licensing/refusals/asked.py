"""First negotiation and refusal: who is asked about a title that follows another, by when, and what they answer.

A holder is asked once the title is linked and shown to them, for nobody learns of a title they may not see. The worker
asks, and writes down what was let lapse; that a holder has the first word follows from the link alone, whether or not
it has come to that yet (`counting`).
"""
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import and_, case, false, func, or_, select, update
from sqlalchemy.orm import aliased, joinedload

from accounts import notices, people, permissions
from accounts.notices import News
from accounts.permissions import Relation, Viewer, allows, relations
from catalogue import audiences, titles
from catalogue.models import Link, LinkKind, Title
from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from licensing import counting, drafts, terms, wording
from licensing.models import Offer, Option
from licensing.refusals.models import ALIVE, SIGNED, Refusal, State, encumbers, lapses, last_day
from licensing.rights import media, territories
from licensing.workflow import State as OfferState

ANSWERS = ("take", "pass")
YEARS_OFFERED = 3
WHOLE = (joinedload(Refusal.option).joinedload(Option.holder), joinedload(Refusal.option).joinedload(Option.title),
         joinedload(Refusal.link), joinedload(Refusal.seller),
         joinedload(Refusal.holder), joinedload(Refusal.person), joinedload(Refusal.offer),
         joinedload(Refusal.title).selectinload(Title.names))


# ------------------------------------------------------------------ reading

def visible(viewer: Viewer):
    """The condition under which a question is this viewer's to see: their organisation asked it, or is asked."""
    held = permissions.relations(viewer, "refusal.see")
    ways = [column == viewer.organisation_id for relation, column in (
        (Relation.SELLER, Refusal.seller_id), (Relation.BUYER, Refusal.holder_id)) if relation in held]
    return or_(false(), *ways)


def listing(viewer: Viewer):
    """A query for what the viewer's organisation is asked, or asked others: the open first, the most urgent of them
    first."""
    over = ~encumbers(clock.today())
    return select(Refusal).where(visible(viewer)).order_by(over, Refusal.answer_by, Refusal.id).options(*WHOLE)


def get(refusal_id: int, viewer: Viewer) -> Refusal:
    """One question the viewer's organisation asked or is asked, or NotFound."""
    if found := db.session.scalar(select(Refusal).where(Refusal.id == refusal_id, visible(viewer)).options(*WHOLE)
                                  .execution_options(populate_existing=True)):
        return found
    raise NotFound()


def lock(refusal_id: int, viewer: Viewer) -> Refusal:
    """Hold a question until the transaction ends: the first thing an answer does."""
    db.session.execute(update(Refusal).where(Refusal.id == refusal_id, visible(viewer)).values(state=Refusal.state)
                       .execution_options(synchronize_session=False))
    return get(refusal_id, viewer)


def count(viewer: Viewer) -> int | None:
    """How many questions wait for an answer of the viewer's organisation, None where it was never asked one: for the
    masthead."""
    if Relation.BUYER not in permissions.relations(viewer, "refusal.see"):
        return None
    made = select(Offer.id).where(Offer.id == Refusal.offer_id, Offer.state.in_((*ALIVE, OfferState.DRAFT))).exists()
    waits = case((and_(encumbers(clock.today()), ~made), 1), else_=0)
    return db.session.scalar(select(func.sum(waits)).where(Refusal.holder_id == viewer.organisation_id))


def standing(refusal: Refusal) -> str:
    """Where a question stands today: asked, taken, licensed, passed or lapsed. By the calendar, as `encumbers`."""
    made = refusal.offer and refusal.offer.state
    if refusal.state in (State.PASSED, State.LAPSED):
        return refusal.state
    if made in SIGNED:
        return "licensed"
    if made in ALIVE:
        return State.TAKEN.value
    if refusal.answer_by < clock.today():
        return State.LAPSED.value
    return State.TAKEN.value if made == OfferState.DRAFT else State.ASKED.value


def actions(refusal: Refusal, viewer: Viewer, seen: set[int]) -> list[str]:
    """What this viewer, who may see the titles `seen`, may answer now: the buttons of the page."""
    mine = refusal.holder_id == viewer.organisation_id and allows(viewer, "refusal.answer", Relation.BUYER)
    if not mine or standing(refusal) != State.ASKED:
        return []
    return [each for each in ANSWERS if each != "take" or refusal.title_id in seen]


class Place(NamedTuple):
    """Where a first word counts: names for people, and what they mean."""
    territories: str
    media: str


def place(option: Option) -> Place:
    """The territories and media of an option, in words."""
    known = terms.sets((option.territories_key, option.media_key))
    return Place(territories.label(known[option.territories_key], option.written["territories"]),
                 media.label(known[option.media_key]))


# ------------------------------------------------------------------ answering

def answer(refusal: Refusal, viewer: Viewer, said: str, note: str | None = None) -> Refusal:
    """The holder takes, which drafts an offer for them, or passes. The caller holds the question's lock.

    To take is to mean it: the draft is sent within the days, or they lapse. An offer that comes to nothing within the
    days leaves the question open.
    """
    if refusal.holder_id != viewer.organisation_id or not allows(viewer, "refusal.answer", Relation.BUYER):
        raise NotAllowed("Only a buyer of the holder’s organisation answers this.")
    if said not in ANSWERS:
        raise Invalid({"answer": ["Take it, or pass."]})
    stands = standing(refusal)
    if stands != State.ASKED:
        raise Conflict({"taken": f"You took it: go on with offer {refusal.offer_id}.", "passed": "You passed on it.",
                        "licensed": "You have licensed it."}.get(
                            stands, f"The last day to answer was {refusal.answer_by}."))
    if said == "take":
        if not titles.seen([refusal.title_id], viewer):
            raise Conflict("The seller does not show you this title any more. Your days are kept: ask the seller.")
        refusal.offer_id = _draft(refusal, viewer).id
    refusal.state = (State.TAKEN if said == "take" else State.PASSED).value
    refusal.answered_at, refusal.person_id, refusal.note = clock.now(), viewer.person_id, note and note.strip() or None
    db.session.flush()
    db.session.refresh(refusal, ["offer"])
    did = "takes" if said == "take" else "passes on"
    _tell(refusal.seller_id, "refusal.see", f"{viewer.organisation_name} {did} its first word", refusal, "")
    return refusal


def _tell(organisation_id, permission, words, refusal, todo):
    """Tell those of an organisation who deal with first words, in the transaction of the change."""
    title, where = refusal.title, place(refusal.option)
    readers = [each for each in people.acting_for([organisation_id]) if relations(each, permission)]
    notices.tell(readers, "first_words", News(
        f"{words}: {title.original_title}", "/refusals",
        [f"{words}: {title.original_title}, {where.media} in {where.territories}.",
         f"The last day to answer is {wording.day(refusal.answer_by)}."], todo=todo,
        names={title.original_title: title.original_language}))


def _draft(refusal, viewer) -> Offer:
    """A draft over what the first word is about, from today for some years: the holder changes it as they like."""
    known = terms.sets((refusal.option.territories_key, refusal.option.media_key))
    today = clock.today()
    try:
        after = today.replace(year=today.year + YEARS_OFFERED)
    except ValueError:  # 29 February
        after = today.replace(year=today.year + YEARS_OFFERED, day=28)
    line = {"territories": territories.short(known[refusal.option.territories_key]),
            "media": media.short(known[refusal.option.media_key]), "languages": ["*"], "starts_on": today,
            "ends_on": after - timedelta(days=1), "exclusive": True, "title_id": refusal.title_id, "price": None}
    return drafts.create(viewer, currency="USD", lines=[line], seller_id=refusal.seller_id)


# ------------------------------------------------------------------ the clock

def _to_ask():
    """Queries for (option, link, title that follows, its seller) that call for a question not asked yet."""
    one = aliased(Title)
    later = [kind.value for kind in counting.LATER]
    forward = and_(Link.target_id == Option.title_id, Link.kind.in_(later))
    backward = and_(Link.title_id == Option.title_id, Link.kind == LinkKind.PREQUEL.value)
    asked = select(Refusal.id).where(Refusal.option_id == Option.id, Refusal.link_id == Link.id).exists()
    return [select(Option.id.label("option_id"), Link.id.label("link_id"), one.id.label("title_id"),
                   one.organisation_id.label("seller_id"))
            .join(Link, how).join(one, one.id == (Link.title_id if how is forward else Link.target_id))
            .where(Option.counts_until.is_(None), one.organisation_id == Option.organisation_id,
                   audiences.shown_to(Option.holder_id, one), ~asked)
            for how in (forward, backward)]


def to_ask() -> list[tuple[int, int]]:
    """(option, link) of the questions to ask now."""
    return sorted((row.option_id, row.link_id) for query in _to_ask() for row in db.session.execute(query))


def ask(pair: tuple[int, int]):
    """Ask one holder about one title; their days begin. Nothing happens where it is asked already."""
    option_id, link_id = pair
    for query in _to_ask():
        for row in db.session.execute(query.where(Option.id == option_id, Link.id == link_id)):
            option = db.session.get(Option, option_id)
            made = Refusal(option_id=option_id, link_id=link_id, title_id=row.title_id,
                           seller_id=row.seller_id, holder_id=option.holder_id, asked_at=clock.now(),
                           answer_by=last_day(option, clock.now()), state=State.ASKED.value)
            db.session.add(made)
            db.session.flush()
            _tell(made.holder_id, "refusal.answer", "You are asked first", made,
                  "Take it, pass, or let the days go by.")


def due() -> list[int]:
    """Questions whose days are over without an answer, or with one that came to nothing."""
    return db.session.scalars(select(Refusal.id).where(lapses(clock.today())).order_by(Refusal.id)).all()


def tick(refusal_id: int):
    """Write down that one question which is due was let lapse."""
    db.session.execute(update(Refusal).where(Refusal.id == refusal_id, lapses(clock.today())).values(
        state=State.LAPSED.value, answered_at=clock.now()).execution_options(synchronize_session=False))
