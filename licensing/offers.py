"""Offers: drafted, negotiated version by version, approved, signed. `advance` is the one way to take a step."""
from datetime import date

from sqlalchemy import and_, false, func, or_, select, update
from sqlalchemy.orm import joinedload, selectinload

from accounts import permissions
from accounts.permissions import Relation, Viewer
from accounts.webhooks import deliveries
from catalogue import titles
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from licensing import (
    avails,
    contracts,
    differences,
    drafts,
    floors,
    holds,
    moves,
    remarks,
    telling,
    terms,
    workflow,
)
from licensing.after import amendments
from licensing.approvals import cases, given
from licensing.delivery import lists
from licensing.models import Licence, Line, Offer, OfferLine, Step, Version
from licensing.money import instalments
from licensing.paper import memos
from licensing.refusals import last
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
         joinedload(Offer.buyer), joinedload(Offer.seller), joinedload(Offer.root))


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
    """Hold an offer, then its titles, then read everything anew. The first thing a step does. An amendment holds its
    deal before itself, and both hold each other's titles."""
    db.session.execute(update(Offer).where(Offer.id.in_(select(Offer.root_id).where(Offer.id == offer_id,
                                                                                    visible(viewer))))
                       .values(revision=Offer.revision).execution_options(synchronize_session=False))
    touched = db.session.execute(update(Offer).where(Offer.id == offer_id, visible(viewer))
                                 .values(revision=Offer.revision + 1).execution_options(synchronize_session=False))
    if not touched.rowcount:
        raise NotFound()
    titles.lock(db.session.scalars(select(OfferLine.title_id).join(Version).join(Offer).where(
        or_(Offer.id == offer_id, Offer.root_id == offer_id))))
    return db.session.scalar(select(Offer).where(Offer.id == offer_id).options(*WHOLE)
                             .execution_options(populate_existing=True))


def counts(viewer: Viewer, most: int = 100) -> dict[str, int]:
    """How many offers wait for this viewer's organisation, and how many for its approval: for the masthead of every
    page, so no more than `most` are looked at, by an index of each side."""
    if not permissions.relations(viewer, "offer.see"):
        return {"offers": 0, "approvals": 0}

    def number(mine, turns):
        some = select(Offer.id).where(mine == viewer.organisation_id, or_(*(
            and_(Offer.state == state, Offer.author.in_(authors)) for state, authors in turns))).limit(most)
        return select(func.count()).select_from(some.subquery()).scalar_subquery()

    approval = [(State.PENDING_APPROVAL.value, [Side.BUYER.value, Side.SELLER.value])]
    selling, buying, approvals = db.session.execute(select(
        number(Offer.seller_id, TURNS[Side.SELLER]), number(Offer.buyer_id, TURNS[Side.BUYER]),
        number(Offer.seller_id, approval))).one()
    return {"offers": selling + buying, "approvals": approvals}


def _turns(side):
    """[(state, authors of the version)] of an offer that is sent, where a step forward but approval is this side's."""
    for state in set(State) - {State.DRAFT, State.ON_HOLD, State.PENDING_APPROVAL, State.SIGNED_ONE}:
        if authors := [author.value for author in (Side.BUYER, Side.SELLER) if moves.FORWARD & set(
                workflow.possible(state, workflow.parties(side, author, None)))]:
            yield state.value, authors


TURNS = {side: list(_turns(side)) for side in (Side.SELLER, Side.BUYER)}


def answers(offer: Offer, viewer: Viewer) -> dict[int, dict]:
    """The answer object for each line of the current version, by the line's id.

    A line whose own licence is written is not asked about: it is taken, by this very deal. Nor is one over a title
    that is hidden from the viewer (`drafts.hidden`).
    """
    if offer.state in SIGNED_TOGETHER:
        return {}
    hidden = drafts.hidden(offer, viewer)
    said = {line.id: terms.of_row(line) for line in offer.current.lines}
    found = {line: avails.ask(line.title_id, said[line.id], offer.buyer_id, leaving_out=amendments.replaced(offer))
             for line in offer.current.lines if line.title_id not in hidden}
    shown = {line.id: avails.described(answer, said[line.id], line.title, viewer) for line, answer in found.items()}
    for line in found:
        if avails.owns(line.title, viewer):  # the buyer never learns what the seller would take
            shown[line.id]["floors"] = floors.judged(floors.of(line.title, said[line.id]), line.price, offer.currency)
    return shown


# ------------------------------------------------------------------ taking steps

def advance(offer: Offer, viewer: Viewer, action: str, *, version: int | None = None, note: str | None = None,
            lines: list[dict] | None = None, payment: dict | None = None, valid_until: date | None = None,
            first_day_gone: date | None = None, governing: str | None = None, sha256: str | None = None,
            attachments=(), internal_note: str | None = None) -> Step:
    """Take one step. The caller holds the offer's lock (`lock`). `attachments` are ids of papers that go out with it.

    `first_day_gone` says from when a deal is ended, `governing` is the text of a memo, `sha256` of the one that is
    signed.

    Raises NotAllowed for the wrong side or role, Conflict for the wrong state or a version that moved,
    Invalid where the step wants terms or a reason, RightsTaken where rights are not free any more. A
    signature that finds its rights licensed meanwhile supersedes the offer instead: look at the step's action.
    """
    side = moves.side_of(offer, viewer)
    if offer.root_id:
        amendments.check(offer)
    to = workflow.next_state(State(offer.state), action, moves.played(offer, side))
    if not moves.may(viewer, side, action):
        raise NotAllowed("Your role in your organisation does not allow this step.")
    permissions.check_proof(viewer, moves.PERMISSIONS.get(action, "offer.negotiate"), moves.said(offer, side, action))
    if action == "approve" and offer.current.person_id == viewer.person_id:
        raise NotAllowed("You wrote this version; another rights manager must approve it.")
    _check_version(offer, action, version)
    if action in ("submit", "request", "propose", "counter", "accept", "resume"):
        drafts.check_seen(offer, viewer)
        _check_validity(offer)  # of the terms that stand: new ones do not revive what the clock is about to let lapse
    if action in workflow.NEEDS_NOTE and not (note and note.strip()):
        raise Invalid({"note": ["Say why, for the other side to read."]})
    if action in workflow.WRITES_VERSION:
        if not lines:
            raise Invalid({"lines": ["Send the new terms."]})
        if valid_until is not None:
            drafts.set_validity(offer, valid_until)
        drafts.write_version(offer, viewer, side, lines, payment)
    if action in ("submit", "propose", "counter") and not moves.priced(offer.current):
        raise Invalid({"lines": ["Every line needs a price. To ask the seller for one, send the offer as a request."]})
    if action in ("accept", "approve", "sign") and (
            taken := contracts.refused(_agreed_lines(offer), licensee=offer.buyer_id,
                                       leaving_out=amendments.replaced(offer))):
        return _refuse(offer, viewer, action, taken)
    if action == "accept":
        last.check(cases.of(offer), viewer)
    if action == "approve":
        given.check_warnings(cases.of(offer), note)
    if action in ("issue_memo", "sign"):
        given.check(offer)
    if action == "resume":  # to where it was parked
        to = State(next(step.from_state for step in reversed(offer.steps) if step.action == "park"))
    if action == "sign":
        memos.sign(offer, side, viewer, sha256)
    step = _record(offer, action, side, viewer, to, note)
    remarks.accompany(offer, step, viewer, attachments, internal_note)
    if action == "issue_memo":
        memos.issue(offer, governing)
    elif action == "amend":
        step.amendment = _amend(offer, viewer, side, lines, payment, note)
    elif action in ("terminate", "revert"):
        _free_the_rest(offer, step, first_day_gone or clock.today())
    FOLLOWS.get(action, _nothing)(offer, viewer, note)
    if action != "amend":  # what is put forward is an offer of its own, and both are told of that
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
    step = by_system(offer, "supersede", note)
    telling.step(offer, step, None)
    return step


def by_system(offer, action, note=None):
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
    deliveries.tell([offer.seller_id, offer.buyer_id], "offer.step", {
        "offer_id": str(offer.id), "step_id": str(step.id), "action": step.action, "side": step.side,
        "version": step.version, "state": step.to_state})
    return step


def _refer(offer, viewer, note):
    """Both sides accepted the same version: it is approved at once, unless the seller's policy asks for a person."""
    case = cases.of(offer)
    if case.whys:
        by_system(offer, "refer")
    else:
        given.record(offer, by_system(offer, "pass"), case)


def _bind(offer, viewer, note):
    """The approval is bound to the exact terms; what it was given in spite of is written down with the reason."""
    case = cases.of(offer)
    if case.unanswered:
        given.write_overrides(case, viewer, note)
        offer.steps[-1].note = None  # why the seller passes over something is not for the buyer to read
    given.record(offer, offer.steps[-1], case)


def _write_licences(offer, viewer, note):
    """The second signature writes the licences, and opens the list of materials and the instalments, in its own
    transaction. That of an amendment replaces the licence of its deal."""
    if offer.state != State.SIGNED:
        return
    deal = offer.root or offer
    said = {"lines": _agreed_lines(offer), "licensee_id": deal.buyer_id, "licensee_name": deal.buyer.name,
            "offer_id": deal.id, "viewer": viewer}
    if offer.root_id:
        licence = contracts.replace_licence(
            amendments.replaced(offer), f"Amended by offer {offer.id}.", **said, amendment_id=offer.id,
            contract=f"Offer {deal.id}, amended by {offer.id}")
        by_system(deal, "take_in", f"Offer {offer.id}, signed by both, amends this deal.")
    else:
        licence = contracts.grant(deal.seller_id, contract=f"Offer {offer.id}", **said)
    lists.open_list(deal, licence, viewer)
    instalments.open_plan(offer)
    holds.settle(offer)


def _amend(offer, viewer, side, lines, payment, note) -> Offer:
    """New terms for a signed deal, put to the other side as an offer of their own."""
    if not lines:
        raise Invalid({"lines": ["Send the new terms."]})
    made = amendments.draft(offer, viewer, side, lines, payment)
    advance(made, viewer, "submit", note=note)
    return made


def _free_the_rest(offer, step, first_day_gone):
    """Ending a signed deal frees what is left of its licences from a day on; what would amend it ends with it."""
    if first_day_gone < clock.today():
        raise Invalid({"from": ["The first day that is free again is today or later."]})
    reaching = [each for each in licences(offer) if contracts.reaches(each, first_day_gone)]
    if not reaching and first_day_gone > clock.today():  # a licence may have been ended by itself before
        raise Invalid({"from": ["The licences of this deal end before that day."]})
    step.first_day_gone = first_day_gone
    instalments.cancel(offer)  # what is not earned yet is owed no more
    for licence in reaching:
        contracts.terminate(licence, first_day_gone, step.note)
    end_amendments(offer, f"The deal it amends, offer {offer.id}, was ended.")


def end_amendments(offer, note):
    for each in offer.amendments:
        if moves.unsigned(each):
            supersede(each, note)


def _nothing(offer, viewer, note):
    pass


FOLLOWS = {"accept": _refer, "approve": _bind, "sign": _write_licences}


def licences(offer: Offer) -> list[Licence]:
    """The licences a signed offer became."""
    return db.session.scalars(select(Licence).where(Licence.offer_id == offer.id)
                              .options(selectinload(Licence.lines).joinedload(Line.title))).all()


def free(offer: Offer) -> bool:
    """Whether everything in the current version can be licensed just now."""
    leaving_out = amendments.replaced(offer)
    return all(avails.ask(title.id, said, offer.buyer_id, leaving_out=leaving_out).verdict == Verdict.AVAILABLE
               for title, said in _agreed_lines(offer))
