"""Offers: drafts, versions and steps."""
from accounts import security
from core import http
from licensing import differences, drafts, moves, offers, remarks, sharing
from licensing.api import bp
from licensing.models import Offer
from licensing.schemas.offers import (
    OfferListedSchema,
    OfferPatch,
    OfferQuery,
    OfferSchema,
    OfferShownSchema,
    StepSchema,
    TakenStepSchema,
)


@bp.post("/offers")
@security.permit("offer.draft")
@http.writes
@bp.arguments(OfferSchema)
@bp.response(201, OfferShownSchema)
def draft(data):
    """Draft an offer. Only your organisation sees it until it is submitted."""
    viewer = security.viewer()
    lines = sharing.over(data["lines"], data["price_of_all"], data["currency"])
    offer = drafts.create(viewer, currency=data["currency"], lines=lines, seller_id=data["seller"],
                         buyer_id=data["buyer"], valid_until=data["valid_until"],
                         payment=data["payment"])
    return shown(offer, viewer), 201, http.etag(offer.revision)


@bp.get("/offers")
@security.permit("offer.see")
@bp.arguments(OfferQuery, location="query")
@bp.response(200, OfferListedSchema(many=True))
@bp.paginate()
def list_offers(query, pagination_parameters):
    """The offers you are a party to, last moved first."""
    wanted = offers.listing(security.viewer())
    if state := query.get("state"):
        wanted = wanted.where(Offer.state == state)
    return http.page(wanted, pagination_parameters)


@bp.get("/offers/<id:offer_id>")
@security.permit("offer.see")
@bp.response(200, OfferShownSchema)
def show(offer_id):
    """One offer with its versions, its history, and what you may do now."""
    viewer = security.viewer()
    offer = offers.get(offer_id, viewer)
    return shown(offer, viewer), 200, http.etag(offer.revision)


@bp.patch("/offers/<id:offer_id>")
@security.permit("offer.draft")
@http.writes
@bp.arguments(OfferPatch)
@bp.response(200, OfferShownSchema)
def revise(data, offer_id):
    """Change a draft; `If-Match` names the revision you read."""
    viewer = security.viewer()
    offer = offers.lock(offer_id, viewer)
    http.check_if_match(offer.revision - 1)  # the lock itself counts one
    drafts.revise(offer, viewer, **priced(offer, data))
    return shown(offer, viewer), 200, http.etag(offer.revision)


@bp.delete("/offers/<id:offer_id>")
@security.permit("offer.draft")
@http.writes
@bp.response(204)
def discard(offer_id):
    """Throw a draft away; where `If-Match` is sent, only the revision you read."""
    viewer = security.viewer()
    offer = offers.lock(offer_id, viewer)
    http.check_if_match_sent(offer.revision - 1)
    drafts.discard(offer, viewer)


@bp.post("/offers/<id:offer_id>/steps")
@security.permit("offer.step")
@http.writes
@bp.arguments(StepSchema)
@bp.response(201, TakenStepSchema)
def step(data, offer_id):
    """Take a step: submit, counter, accept, approve, sign … What is possible now is in the offer's `actions`."""
    viewer = security.viewer()
    offer = offers.lock(offer_id, viewer)
    taken = offers.advance(offer, viewer, **priced(offer, data))
    if refusal := getattr(taken, "refusal", None):  # came second: the offer is superseded, and that is kept
        return http.problem(409, refusal.title, f"{taken.note} {refusal.detail}", **refusal.more)
    return taken


def priced(offer: Offer, data: dict) -> dict:
    """What was sent, with one price of all shared out among the lines it came with, or those that stand."""
    total, currency = data.pop("price_of_all", None), data.get("currency") or offer.currency
    if total in (None, ""):
        return data
    return {**data, "lines": sharing.over(data.get("lines") or drafts.lines_of(offer), total, currency)}


def shown(offer: Offer, viewer) -> Offer:
    """The offer with what only this viewer's answer carries: actions, differences, availability per line."""
    answers = offers.answers(offer, viewer)
    for line in offer.current.lines:
        line.answer = answers.get(line.id)
    for before, version in zip((None, *offer.versions), offer.versions, strict=False):
        version.changes = differences.between(before, version)
    offer.actions, offer.lines = moves.actions(offer, viewer), offer.current.lines
    offer.notes = remarks.notes(offer, viewer)
    return offer
