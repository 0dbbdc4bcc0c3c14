"""One item of a list of materials: added, delivered, answered, dropped. `advance` is the one way to take a step."""
from datetime import date, timedelta

from sqlalchemy import func, or_, select

from accounts.permissions import Viewer
from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed
from licensing import wording
from licensing.delivery import lists, states, telling
from licensing.delivery.lists import Deal
from licensing.delivery.models import FILES, USES, Kind, Material, MaterialStep
from licensing.delivery.states import State
from licensing.models import Licence, Line
from licensing.money import instalments
from licensing.rights import languages
from licensing.rights.axes import Unreadable
from licensing.workflow import Side
from media.models import Asset
from media.models import State as AssetState

MOST_ITEMS = 5_000  # of one deal
LONGEST_QC = 365


def lock(material_id: int, viewer: Viewer) -> tuple[Deal, Material]:
    """Hold the list an item is on, then read the item anew. Raises NotFound."""
    deal, _ = lists.find(material_id, viewer)
    lists.hold(deal.offer.id)
    return lists.find(material_id, viewer)


def add(deal: Deal, viewer: Viewer, *, title_id: int, kind: str, language: str | None = None,
        due_on: date | None = None, note: str | None = None) -> Material:
    """The licensor adds an item, the licensee asks for one. The caller holds the list's lock."""
    kind = Kind(kind)
    _check_step(deal, viewer)
    if title_id not in deal.title_ids():
        raise Invalid({"title_id": ["This deal does not name that title."]})
    if (kind in USES) != bool(language):
        raise Invalid({"language": ["Say the language of a dub or of subtitles." if kind in USES else
                                    "Only dubs and subtitles have a language."]})
    tags = [None]
    if language:
        tags = _read([language], USES[kind])
        if len(tags) > 1:
            raise Invalid({"language": [f"Say which: {', '.join(tags)}."]})
    if due_on and due_on < clock.today():
        raise Invalid({"due_on": ["That day has passed."]})
    _check_new(deal, title_id, kind, tags)
    state = State.ORDERED if deal.side is Side.SELLER else State.ASKED
    item = lists.order(deal.offer, deal.side, viewer, title_id, kind, tags[0], state, due_on, note)
    db.session.flush()
    telling.step(deal.offer, item, item.steps[0], viewer)
    return item


def advance(deal: Deal, item: Material, viewer: Viewer, action: str, *, note: str | None = None,
            asset_id: int | None = None, tags: list[str] | None = None, due_on: date | None = None,
            qc_days: int | None = None) -> MaterialStep:
    """Take one step with an item. The caller holds its lock (`lock`).

    `asset_id` is the file to deliver, `tags` the languages to name, `due_on` and `qc_days` the dates to set. Raises
    NotAllowed for the wrong side or role, Conflict for the wrong state or a licence that has ended, Invalid where
    the step wants a reason, a file, languages or dates.
    """
    to = states.next_state(deal.state(item), action, deal.side)
    _check_step(deal, viewer)
    note = note and note.strip() or None
    if action in states.NEEDS_NOTE and not note:
        raise Invalid({"note": ["Say why, for the other side to read."]})
    if action == "deliver":
        _deliver(item, asset_id)
    elif action == "accept" and item.asset.state != AssetState.READY:
        raise Conflict("This file was deleted since. The licensor has to send another.")
    elif action == "name":
        _name(deal, item, viewer, tags)
    elif action == "set_dates":
        note = " ".join(filter(None, [_set_dates(deal, item, due_on, qc_days), note]))
    return _record(item, action, deal.side, viewer, to, note)


def _record(item, action, side, viewer, to, note):
    """Write the step and set the state: the only place that does."""
    step = MaterialStep(action=action, side=side.value, person_id=viewer and viewer.person_id, to_state=to.value,
                        asset_id=item.asset_id, note=note, at=clock.now())
    item.steps.append(step)
    item.state = to.value
    db.session.flush()
    instalments.follow(item, action)
    telling.step(item.offer, item, step, viewer)
    return step


def _check_step(deal, viewer):
    if not lists.may(viewer, deal.side):
        raise NotAllowed("Your role in your organisation does not allow this step.")
    if not deal.lives:
        raise Conflict("The licences of this deal have ended, and its list of materials is closed.")


# ------------------------------------------------------------------ what is delivered

def fitting(item: Material) -> list[Asset]:
    """The files of the item's title that can be delivered for it, newest first."""
    return db.session.scalars(_fit(item).order_by(Asset.id.desc()).limit(50)).all()


def _fit(item):
    return select(Asset).where(
        Asset.title_id == item.title_id, Asset.kind == FILES[Kind(item.kind)].value,
        Asset.state == AssetState.READY.value, or_(Asset.language.is_(None), Asset.language == item.language)
        if item.language else Asset.language.is_(None))


def _deliver(item, asset_id):
    found = asset_id and db.session.scalar(_fit(item).where(Asset.id == asset_id))
    if not found:
        raise Invalid({"asset_id": ["Choose a file of this title and kind that is ready, in this language."]})
    item.asset = found
    item.asset_id = found.id
    item.answer_by = clock.today() + timedelta(days=item.qc_days)


# ------------------------------------------------------------------ languages, dates

def _read(tags, use) -> list[str]:
    """Language tags as the list writes them; Invalid for what is none, or is not licensed in this use."""
    try:
        return lists.tags_of(languages.read([f"{tag.strip()}:{use}" for tag in tags]), use)
    except Unreadable as problem:
        raise Invalid({"language": [str(problem)]}) from None


def _name(deal, item, viewer, tags):
    """Narrow an open item: it becomes the first language named, and each other becomes an item of its own."""
    use = USES[Kind(item.kind)]
    if not tags:
        raise Invalid({"languages": ["Name one language or more."]})
    named = _read(tags, use)
    licensed = lists.tags_of(deal.languages(item.title_id), use)
    if other := [tag for tag in named if tag not in licensed]:
        raise Invalid({"languages": [f"This deal does not license {languages.name(other[0])} in this use."]})
    _check_new(deal, item.title_id, Kind(item.kind), named)
    item.language = named[0]
    for tag in named[1:]:
        lists.order(deal.offer, deal.side, viewer, item.title_id, Kind(item.kind), tag, State.ORDERED, item.due_on)


def _check_new(deal, title_id, kind, tags):
    count = db.session.scalar(select(func.count()).select_from(Material).where(Material.offer_id == deal.offer.id))
    if count + len(tags) > MOST_ITEMS:
        raise Conflict(f"A list has {MOST_ITEMS:,} items at most.")
    taken = db.session.scalar(select(Material.language).where(
        Material.offer_id == deal.offer.id, Material.title_id == title_id, Material.kind == kind.value,
        Material.language.in_([tag for tag in tags if tag]), Material.state != State.DROPPED.value).limit(1))
    if taken:
        raise Conflict(f"{languages.name(taken)} is on the list already.")


def _set_dates(deal, item, due_on, qc_days) -> str:
    """Dates are agreed: each side changes alone only what burdens itself. The licensor names a due date or an earlier
    one and gives more days for QC; the licensee grants more time and asks for fewer days. Returns it in words."""
    if due_on is None and qc_days is None:
        raise Invalid({"due_on": ["Name a due date, or days for QC."]})
    ours, said = deal.side is Side.SELLER, []
    if due_on is not None and due_on != item.due_on:
        if due_on < clock.today():
            raise Invalid({"due_on": ["That day has passed."]})
        sooner = item.due_on is None or due_on < item.due_on
        if sooner != ours:
            raise NotAllowed("A later day is the licensee’s to grant." if ours else
                             "Only the licensor can promise an earlier day; ask for it in a note.")
        item.due_on = due_on
        said.append(f"Due {wording.day(due_on)}.")
    if qc_days is not None and qc_days != item.qc_days:
        if not 1 <= qc_days <= LONGEST_QC:
            raise Invalid({"qc_days": [f"From 1 to {LONGEST_QC} days."]})
        if (qc_days > item.qc_days) != ours:
            raise NotAllowed("Fewer days for QC are the licensee’s to offer." if ours else
                             "Only the licensor can give more days for QC; ask for them in a note.")
        if item.state == State.DELIVERED:
            item.answer_by = item.answer_by + timedelta(days=qc_days - item.qc_days)
            if item.answer_by < clock.today():
                raise Invalid({"qc_days": ["That would end the window before today. Accept it instead."]})
        item.qc_days = qc_days
        said.append(f"{qc_days} days for QC.")
    if not said:
        raise Invalid({"due_on": ["These are the dates it has."]})
    return " ".join(said)


# ------------------------------------------------------------------ the clock

def due() -> list[int]:
    """Items whose QC window ended without an answer while a licence of their deal counted on."""
    counting = select(Line.id).join(Line.licence).where(
        Licence.offer_id == Material.offer_id, Line.counts_until.is_(None),
        or_(Line.ends_on.is_(None), Line.ends_on > Material.answer_by))
    return db.session.scalars(select(Material.id).join(Material.asset).where(
        Material.state == State.DELIVERED.value, Material.answer_by < clock.today(),
        Asset.state == AssetState.READY.value, counting.exists())
        .order_by(Material.id)).all()


def tick(material_id: int):
    """Write down that silence has accepted one item that is due."""
    offer_id = db.session.scalar(select(Material.offer_id).where(Material.id == material_id))
    lists.hold(offer_id)
    if material_id in due():
        item = db.session.get(Material, material_id)
        to = states.next_state(State(item.state), "accept", Side.SYSTEM)
        _record(item, "accept", Side.SYSTEM, None, to, f"No answer by {wording.day(item.answer_by)}.")
