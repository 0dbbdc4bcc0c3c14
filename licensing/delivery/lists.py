"""The list of materials of a signed deal: opened by the second signature, read by its two parties.

Materials must be there before a licence begins: dubbing, censors and trailers take weeks. So the licensee may have
what was delivered from the signature until the last day of the licence, and not from its first day; a licence that
was terminated lets nothing go any more. What may be had is read from the licence's lines each time.
"""
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import and_, false, func, or_, select, update
from sqlalchemy.orm import joinedload, selectinload

from accounts import permissions
from accounts.permissions import Relation, Viewer
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Conflict, NotAllowed, NotFound
from core.storage.contract import Store
from licensing import mandates, moves, terms
from licensing.delivery import states
from licensing.delivery.models import USES, Kind, Material, MaterialStep
from licensing.delivery.states import State
from licensing.models import Licence, Line, Offer
from licensing.rights import languages
from licensing.workflow import Side
from media import assets
from media.models import State as AssetState

READY = AssetState.READY
QC_DAYS = 14  # ten working days, counted in days, for two countries keep different holidays
MOST_LANGUAGES = 12  # of one title in one use: more are not ordered unasked
MOST_LEAVES = 100  # of one series: where it has more, its materials are ordered of the series as a whole


# ------------------------------------------------------------------ opening

def open_list(offer: Offer, licence: Licence, viewer: Viewer):
    """Order what the lines of a licence call for, in the transaction that signs it.

    Of every film and episode: a master; a dub in each language licensed as dubbed, but for the title's own; music and
    effects, where any dub is licensed; subtitles in each language licensed as subtitled. Of every title the deal
    names: art and the chain of title. A line that licenses every language, or more than MOST_LANGUAGES in one use,
    gets one open item for that use, which the licensee narrows by naming languages: nobody delivers 190 dubs.
    An amendment orders what is not on the deal's list yet.
    """
    there = {tuple(row) for row in db.session.execute(select(
        Material.title_id, Material.kind, Material.language).where(Material.offer_id == offer.id))}
    there |= {(title_id, kind, None) for title_id, kind, _ in there}  # an open item was named meanwhile
    for title_id, kind, language in wanted([(line.title_id, line.leaves, terms.of_row(line).languages)
                                            for line in licence.lines]):
        if (title_id, kind.value, language) not in there:
            state = State.OPEN if kind in USES and language is None else State.ORDERED
            order(offer, Side.SYSTEM, viewer, title_id, kind, language, state)


def wanted(lines) -> list[tuple[int, Kind, str | None]]:
    """[(title, kind, language)] that [(title, its leaves, licensed languages)] call for."""
    spoken, named = {}, {}  # by title, in the order of the list: a series stands before its episodes
    for title_id, below, mask in lines:
        named[title_id] = True
        leaves = below if below and len(below) <= MOST_LEAVES else [title_id]
        spoken.setdefault(title_id, 0)
        for leaf in leaves:
            spoken[leaf] = spoken.get(leaf, 0) | mask
    own = dict(db.session.execute(select(Title.id, Title.original_language).where(Title.id.in_(spoken))).all())
    found = []
    for title_id, mask in spoken.items():
        found += [(title_id, *each) for each in _called_for(mask, own[title_id])]
        if title_id in named:
            found += [(title_id, kind, None) for kind in (Kind.ART, Kind.CHAIN_OF_TITLE)]
    return found


def _called_for(mask: int, own: str | None) -> list[tuple[Kind, str | None]]:
    """(kind, language) for the materials of one film whose licensed languages are `mask`; none of a series, whose
    are its episodes'."""
    if not mask:
        return []
    found = [(Kind.MASTER, None)]
    for kind, use in USES.items():
        left = mask & ~languages.MASKS.get((own, "dub"), 0) if kind is Kind.DUB else mask
        tags = tags_of(left, use)
        if mask == languages.ALL or len(tags) > MOST_LANGUAGES:
            tags = [None]
        if tags and kind is Kind.DUB:
            found.append((Kind.MUSIC_AND_EFFECTS, None))
        found += [(kind, tag) for tag in tags]
    return found


def tags_of(mask: int, use: str) -> list[str]:
    """The language tags that a set licenses in one use."""
    pairs = [code.partition(":") for code in languages.codes(mask & languages.LISTED)]
    return [tag for tag, _, each in pairs if each == use]


def order(offer: Offer, side: Side, viewer: Viewer, title_id: int, kind: Kind, language: str | None,
          state: State, due_on: date | None = None, note: str | None = None) -> Material:
    """A new item, and the first step of its history."""
    item = Material(offer_id=offer.id, title_id=title_id, kind=kind.value, language=language, due_on=due_on,
                    qc_days=QC_DAYS, state=state.value)
    item.steps.append(MaterialStep(action="ask" if state is State.ASKED else "order", side=side.value,
                                   person_id=viewer.person_id, to_state=state.value, note=note, at=clock.now()))
    db.session.add(item)
    return item


# ------------------------------------------------------------------ the deal a list belongs to

@dataclass(frozen=True)
class Deal:
    """A signed offer as one of its parties sees it, with the lines of its licences that count."""
    offer: Offer
    side: Side
    lines: tuple[Line, ...]

    def reaches(self, day: date, title_id: int | None = None) -> bool:
        """Whether the deal's licences cover this day or a later one, of one title where it is named."""
        return any(mandates.reaches(line, day) for line in self.lines
                   if title_id is None or title_id in (line.title_id, *(line.leaves or ())))

    @property
    def lives(self) -> bool:
        return self.reaches(clock.today())

    def state(self, item: Material) -> State:
        """Where an item stands today. Silence is acceptance by the calendar, whether or not `items.tick` has come."""
        silent = (item.state == State.DELIVERED and item.answer_by < clock.today() and item.asset.state == READY
                  and self.reaches(item.answer_by + timedelta(days=1)))
        return State.ACCEPTED if silent else State(item.state)

    def unanswered(self, item: Material) -> bool:
        """Whether an item was accepted by silence."""
        return self.state(item) is State.ACCEPTED and (
            item.state == State.DELIVERED or item.steps[-1].side == Side.SYSTEM)

    def title_ids(self) -> set[int]:
        """The titles whose materials the deal may name: those of its lines, and their episodes."""
        return {title_id for line in self.lines for title_id in (line.title_id, *(line.leaves or ()))}

    def languages(self, title_id: int) -> int:
        """The set of language-uses the deal licenses of a title."""
        mask = 0
        for line in self.lines:
            if title_id in (line.title_id, *(line.leaves or ())):
                mask |= terms.of_row(line).languages
        return mask

    def actions(self, item: Material, viewer: Viewer) -> list[str]:
        """What this viewer may do with an item now: the buttons of the page."""
        if not self.lives or not may(viewer, self.side):
            return []
        return states.possible(self.state(item), self.side)


PERMISSIONS = {Side.SELLER: "material.deliver", Side.BUYER: "material.answer"}


def may(viewer: Viewer, side: Side) -> bool:
    """Whether the viewer's role allows a side's steps."""
    return permissions.allows(viewer, PERMISSIONS[side], moves.RELATIONS[side])


def visible(viewer: Viewer):
    """The condition under which an offer has a list that is this viewer's to see: signed, and a party to it."""
    held = permissions.relations(viewer, "material.see")
    ways = [column == viewer.organisation_id for relation, column in (
        (Relation.SELLER, Offer.seller_id), (Relation.BUYER, Offer.buyer_id)) if relation in held]
    return and_(or_(false(), *ways), select(Licence.id).where(Licence.offer_id == Offer.id).exists())


def get(offer_id: int, viewer: Viewer) -> Deal:
    """The deal whose list this is, or NotFound."""
    offer = db.session.scalar(select(Offer).where(Offer.id == offer_id, visible(viewer))
                              .options(joinedload(Offer.buyer), joinedload(Offer.seller)))
    if offer is None:
        raise NotFound()
    return _deal(offer, moves.side_of(offer, viewer))


def _deal(offer, side):
    lines = db.session.scalars(select(Line).join(Line.licence).where(
        Licence.offer_id == offer.id, Line.counts_until.is_(None)).order_by(Line.id))
    return Deal(offer, side, tuple(lines))


def lock(offer_id: int, viewer: Viewer) -> Deal:
    """Hold a deal's list until the transaction ends: the first thing a step does. A termination waits, too."""
    if db.session.scalar(select(Offer.id).where(Offer.id == offer_id, visible(viewer))) is None:
        raise NotFound()  # before anything is held: nobody waits for, or holds up, the deals of others
    hold(offer_id)
    return get(offer_id, viewer)


def hold(offer_id: int):
    db.session.execute(update(Offer).where(Offer.id == offer_id).values(revision=Offer.revision)
                       .execution_options(synchronize_session=False))
    db.session.expire_all()


# ------------------------------------------------------------------ reading

WHOLE = (joinedload(Material.title).selectinload(Title.names), joinedload(Material.asset),
         selectinload(Material.steps).options(joinedload(MaterialStep.person), joinedload(MaterialStep.asset)))
ORDER = {kind.value: place for place, kind in enumerate(Kind)}


def listing(deal: Deal):
    """A query for the items of a deal, in the order they were ordered."""
    return select(Material).where(Material.offer_id == deal.offer.id).order_by(Material.id).options(*WHOLE)


def by_title(deal: Deal, page: int, size: int) -> tuple[list[tuple[Title, list[Material]]], int]:
    """One page of the deal's titles, each with its items by kind and language, and how many titles there are."""
    ids = db.session.scalars(select(Material.title_id).where(Material.offer_id == deal.offer.id)
                             .group_by(Material.title_id).order_by(func.min(Material.id))).all()
    shown = ids[(page - 1) * size:page * size]
    found = defaultdict(list)
    for item in db.session.scalars(listing(deal).where(Material.title_id.in_(shown))):
        found[item.title_id].append(item)
    for some in found.values():
        some.sort(key=lambda item: (item.state == State.DROPPED, ORDER[item.kind], item.language or "", item.id))
    return [(found[title_id][0].title, found[title_id]) for title_id in shown], len(ids)


def titles(deal: Deal) -> list[Title]:
    """The titles of `Deal.title_ids`, for a form to choose from."""
    return db.session.scalars(select(Title).where(Title.id.in_(deal.title_ids())).order_by(Title.id)).all()


def find(material_id: int, viewer: Viewer) -> tuple[Deal, Material]:
    """One item and its deal, or NotFound."""
    item = db.session.scalar(select(Material).join(Material.offer).where(Material.id == material_id, visible(viewer))
                             .options(*WHOLE))
    if item is None:
        raise NotFound()
    return get(item.offer_id, viewer), item


def check_file(deal: Deal, item: Material):
    """Raises where this side may not have the item's file now: NotFound where there is none, NotAllowed after the
    licence's last day or its termination, Conflict while the licensor is to send another."""
    if item.asset is None:
        raise NotFound()
    if deal.side is Side.SELLER:
        return
    if not deal.reaches(clock.today(), item.title_id):
        raise NotAllowed("The licence of this title has ended, and with it the leave to have its materials.")
    if deal.state(item) not in (State.DELIVERED, State.ACCEPTED):
        raise Conflict("You rejected this file; the licensor is to send another.")


def has_file(deal: Deal, item: Material) -> bool:
    """Whether this side may have the item's file now."""
    try:
        check_file(deal, item)
    except (NotFound, NotAllowed, Conflict):
        return False
    return item.asset.state == READY


def address(deal: Deal, item: Material, store: Store) -> str:
    """A signed address of the item's file, as `check_file` allows. Raises Conflict where its file was deleted."""
    check_file(deal, item)
    return assets.address(item.asset, store, download=True)
