"""Offers: drafted, negotiated version by version, approved, signed. `advance` is the one way to take a step."""

from sqlalchemy import and_, false, func, or_, select, update
from sqlalchemy.orm import joinedload, selectinload

from accounts import permissions
from accounts.permissions import Relation, Viewer
from catalogue import titles
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from licensing import avails, contracts, differences, drafts, floors, moves, remarks, telling, terms, workflow
from licensing.delivery import lists
from licensing.models import Licence, Line, Offer, OfferLine, Step, Version
from licensing.remarks import Attachment
from licensing.rights.availability import Verdict
from licensing.terms import Terms
from licensing.workflow import Side, State

SIGNED_TOGETHER = (State.SIGNED, State.ACTIVE, State.EXPIRED, State.TERMINATED, State.REVERTED)


# ------------------------------------------------------------------ reading

def visible(viewer: Viewer):
    """The condition under which an offer is this viewer's to see: a party to it, drafts only by their author."""
    held = permissions.relations(viewer, "offer.see")
    ways = []
    for side, relation, column in ((Side.SELLER, Relation.SELLER, Offer.seller_id),
                                   (Side.BUYER, Relation.BUYER, Offer.buyer_id)):
        if relation in held:
            ways.append(and_(column == viewer.organisation_id,
                             or_(Offer.state != State.DRAFT, Offer.started_by == side.value)))
    return or_(false(), *ways)


WHOLE = (selectinload(Offer.versions).selectinload(Version.lines).joinedload(OfferLine.title).selectinload(Title.names),
         selectinload(Offer.versions).joinedload(Version.person),
         selectinload(Offer.steps).joinedload(Step.person),
         selectinload(Offer.steps).selectinload(Step.attachments).joinedload(Attachment.asset),
         joinedload(Offer.buyer), joinedload(Offer.seller))


def get(offer_id: int, viewer: Viewer) -> Offer:
    """An offer the viewer is a party to, whole, or NotFound."""
    if offer := db.session.scalar(select(Offer).where(Offer.id == offer_id, visible(viewer)).options(*WHOLE)):
        return offer
    raise NotFound()


def listing(viewer: Viewer):
    """A query for the offers this viewer is a party to, last moved first."""
    return (select(Offer).where(visible(viewer)).order_by(Offer.updated_at.desc(), Offer.id.desc())
            .options(*WHOLE))


def lock(offer_id: int, viewer: Viewer) -> Offer:
    """Hold an offer, then its titles, then read everything anew. The first thing a step does."""
    touched = db.session.execute(update(Offer).where(Offer.id == offer_id, visible(viewer))
                                 .values(revision=Offer.revision + 1).execution_options(synchronize_session=False))
    if not touched.rowcount:
        raise NotFound()
    titles.lock(db.session.scalars(select(OfferLine.title_id).join(Version).where(Version.offer_id == offer_id)))
    return db.session.scalar(select(Offer).where(Offer.id == offer_id).options(*WHOLE)
                             .execution_options(populate_existing=True))


def counts(viewer: Viewer) -> dict[str, int]:
    """How many offers wait for this viewer's organisation, and how many for its approval: for the masthead."""
    waiting = {"offers": 0, "approvals": 0}
    last = select(Version.side).where(Version.offer_id == Offer.id, Version.number == Offer.number)
    open_states = [State.REQUESTED, State.SUBMITTED, State.COUNTERED, State.PENDING_APPROVAL,
                   State.CHANGES_REQUESTED, State.APPROVED, State.MEMO_ISSUED]
    rows = db.session.execute(select(Offer.state, Offer.seller_id, last.scalar_subquery().label("author"), func.count())
                              .where(visible(viewer), Offer.state.in_(open_states))
                              .group_by(Offer.state, Offer.seller_id, "author")).all()
    for state, seller_id, author, number in rows:
        mine = Side.SELLER if seller_id == viewer.organisation_id else Side.BUYER
        played = workflow.parties(mine, Side(author), None)
        if state == State.PENDING_APPROVAL:
            waiting["approvals"] += number if mine is Side.SELLER else 0
        elif moves.FORWARD & set(workflow.possible(State(state), played)):
            waiting["offers"] += number
    return waiting


def answers(offer: Offer, viewer: Viewer) -> dict[int, dict]:
    """The answer object for each line of the current version, by the line's id.

    A line whose own licence is written is not asked about: it is taken, by this very deal.
    """
    if offer.state in SIGNED_TOGETHER:
        return {}
    said = {line.id: terms.of_row(line) for line in offer.current.lines}
    found = {line: avails.ask(line.title_id, said[line.id], offer.buyer_id) for line in offer.current.lines}
    shown = {line.id: avails.described(answer, said[line.id], line.title, viewer) for line, answer in found.items()}
    for line in found:
        if avails.owns(line.title, viewer):  # the buyer never learns what the seller would take
            shown[line.id]["floors"] = floors.judged(floors.of(line.title, said[line.id]), line.price, offer.currency)
    return shown


# ------------------------------------------------------------------ taking steps

def advance(offer: Offer, viewer: Viewer, action: str, *, version: int | None = None, note: str | None = None,
            lines: list[dict] | None = None, attachments=(), internal_note: str | None = None) -> Step:
    """Take one step. The caller holds the offer's lock (`lock`). `attachments` are ids of papers that go out with it.

    Raises NotAllowed for the wrong side or role, Conflict for the wrong state or a version that moved,
    Invalid where the step wants terms or a reason, RightsTaken where rights are not free any more. A
    signature that finds its rights licensed meanwhile supersedes the offer instead: look at the step's action.
    """
    side = moves.side_of(offer, viewer)
    to = workflow.next_state(State(offer.state), action, moves.played(offer, side))
    if not moves.may(viewer, side, action):
        raise NotAllowed("Your role in your organisation does not allow this step.")
    if action == "approve" and offer.current.person_id == viewer.person_id:
        raise NotAllowed("You wrote this version; another rights manager must approve it.")
    _check_version(offer, action, version)
    if action in workflow.NEEDS_NOTE and not (note and note.strip()):
        raise Invalid({"note": ["Say why, for the other side to read."]})
    if action in workflow.WRITES_VERSION:
        if not lines:
            raise Invalid({"lines": ["Send the new terms."]})
        drafts.write_version(offer, viewer, side, lines)
    if action in ("submit", "propose", "counter") and not moves.priced(offer.current):
        raise Invalid({"lines": ["Every line needs a price. To ask the seller for one, send the offer as a request."]})
    if action in ("submit", "request", "propose", "counter", "accept", "resume"):
        _check_validity(offer)
    if action in ("accept", "approve", "sign") and (
            taken := contracts.refused(_agreed_lines(offer), licensee=offer.buyer_id)):
        return _refuse(offer, viewer, action, taken)
    if action == "resume":  # to where it was parked
        to = State(next(step.from_state for step in reversed(offer.steps) if step.action == "park"))
    step = _record(offer, action, side, viewer, to, note)
    remarks.accompany(offer, step, viewer, attachments, internal_note)
    FOLLOWS.get(action, _nothing)(offer, viewer, note)
    telling.step(offer, step, viewer)
    return step


def _check_version(offer, action, version):
    if action in workflow.NAMES_VERSION and version is None:
        raise Invalid({"version": ["Name the version you accept."]})
    if version is not None and version != offer.number:
        known = 0 < version < offer.number
        raise Conflict(f"The offer has moved to version {offer.number}; you named version {version}. "
                       "Read it again.", version=offer.number,
                       changes=differences.asked(offer, version, offer.number) if known else [])


def _check_validity(offer):
    if offer.valid_until and offer.valid_until < clock.today():
        raise Conflict(f"This offer was valid until {offer.valid_until}.")


def _agreed_lines(offer) -> list[tuple[Title, Terms]]:
    return [(line.title, terms.of_row(line)) for line in offer.current.lines]


def _refuse(offer, viewer, action, taken):
    """Rights that are not free stop a step; a signature that comes second ends the offer as superseded."""
    refusal = contracts.RightsTaken(taken, viewer)
    overtaken = any(reason.code == "RIGHTS_OUT" for _, _, answer in taken for reason in answer.reasons)
    if action != "sign" or not overtaken:
        raise refusal
    step = supersede(offer, "A licence over the same rights was signed first, so this offer cannot be signed.")
    step.refusal = refusal  # for the one who signed; not stored
    return step


def supersede(offer: Offer, note: str) -> Step:
    """The system ends an offer whose rights went to somebody else; both sides read why."""
    step = _by_system(offer, "supersede", note)
    telling.step(offer, step, None)
    return step


def _by_system(offer, action, note=None):
    to = workflow.next_state(State(offer.state), action, moves.played(offer, Side.SYSTEM))
    return _record(offer, action, Side.SYSTEM, None, to, note)


def _record(offer, action, side, viewer, to, note):
    """Write the step and set the state: the only place that does."""
    step = Step(action=action, side=side.value, person_id=viewer and viewer.person_id, from_state=offer.state,
                to_state=to.value, version=offer.number, note=note and note.strip(), at=clock.now())
    offer.steps.append(step)
    offer.state = to
    offer.updated_at = clock.now()
    db.session.flush()
    return step


def _refer(offer, viewer, note):
    """Both sides accepted the same version. For now every deal needs the seller's approval."""
    _by_system(offer, "refer")


def _write_licences(offer, viewer, note):
    """The second signature writes the licences and opens the list of materials, in its own transaction."""
    if offer.state == State.SIGNED:
        licence = contracts.grant(
            offer.seller_id, _agreed_lines(offer), licensee_id=offer.buyer_id, licensee_name=offer.buyer.name,
            contract=f"Offer {offer.id}", offer_id=offer.id, viewer=viewer)
        lists.open_list(offer, licence, viewer)


def _free_the_rest(offer, viewer, note):
    """Ending a signed deal frees what is left of its licences from today."""
    for licence in db.session.scalars(select(Licence).where(Licence.offer_id == offer.id)):
        if contracts.reaches(licence, clock.today()):  # it may have been ended by itself before
            contracts.terminate(licence, clock.today(), note)


def _nothing(offer, viewer, note):
    pass


FOLLOWS = {"accept": _refer, "sign": _write_licences, "terminate": _free_the_rest, "revert": _free_the_rest}


# ------------------------------------------------------------------ the clock

def due() -> list[int]:
    """Offers whose next step is the clock's: validity passed, the first day come, the last day gone."""
    today = clock.today()
    lapsing = {rule.state.value for rule in workflow.TABLE if rule.action == "lapse"}
    first, last = select(OfferLine.version_id).where(OfferLine.starts_on <= today), select(OfferLine.version_id).where(
        or_(OfferLine.ends_on.is_(None), OfferLine.ends_on >= today))
    current = and_(Version.offer_id == Offer.id, Version.number == Offer.number)
    return db.session.scalars(select(Offer.id).join(Version, current).where(or_(
        and_(Offer.state.in_(lapsing), Offer.valid_until < today),
        and_(Offer.state == State.SIGNED, Version.id.in_(first)),
        and_(Offer.state == State.ACTIVE, Version.id.not_in(last)))).order_by(Offer.id)).all()


def tick(offer_id: int):
    """Let the clock move one offer that is due."""
    db.session.execute(update(Offer).where(Offer.id == offer_id).values(revision=Offer.revision + 1))
    offer = db.session.scalar(select(Offer).where(Offer.id == offer_id).options(*WHOLE)
                              .execution_options(populate_existing=True))
    if offer_id in due():
        action = {State.SIGNED: "activate", State.ACTIVE: "expire"}.get(State(offer.state), "lapse")
        telling.step(offer, _by_system(offer, action), None)


def licences(offer: Offer) -> list[Licence]:
    """The licences a signed offer became."""
    return db.session.scalars(select(Licence).where(Licence.offer_id == offer.id)
                              .options(selectinload(Licence.lines).joinedload(Line.title))).all()


def free(offer: Offer) -> bool:
    """Whether everything in the current version can be licensed just now."""
    return all(avails.ask(title.id, said, offer.buyer_id).verdict == Verdict.AVAILABLE
               for title, said in _agreed_lines(offer))
