"""Rights, availability and offers over the API."""
from accounts import people, security
from catalogue import titles
from catalogue.schemas import ID, TitlePatch, TitleSchema
from core import http
from core.database import db
from core.errors import Invalid, NotFound
from core.http import Blueprint
from licensing import avails, contracts, differences, drafts, mandates, moves, offers, promises, terms
from licensing.models import Offer
from licensing.rights import languages, media, territories
from licensing.schemas import (
    AnswerSchema,
    AskedSchema,
    EndingSchema,
    EventSchema,
    HoldbackSchema,
    HoldSchema,
    LicenceSchema,
    MandateSchema,
    OfferListedSchema,
    OfferPatch,
    OfferQuery,
    OfferSchema,
    OfferShownSchema,
    OptionSchema,
    RecordedHoldbackSchema,
    RecordedHoldSchema,
    RecordedLicenceSchema,
    RecordedMandateSchema,
    RecordedOptionSchema,
    StepSchema,
    TakenStepSchema,
)

bp = Blueprint("licensing", __name__, url_prefix="/api/v1", description="Who may show it, where, how, when")


# ------------------------------------------------------------------ a title that moves takes its rights along

@bp.patch("/titles/<id:title_id>")
@security.permit("title.revise")
@http.writes
@bp.arguments(TitlePatch)
@bp.response(200, TitleSchema)
def revise_title(data, title_id):
    """Change what is sent; `If-Match` names the revision you read."""
    viewer = security.viewer()
    title = titles.get(title_id, viewer, "title.revise")
    http.check_if_match(title.revision)
    parent, root = titles.parent_in(data, viewer), title.root_id
    titles.revise(title, parent=parent, titles=data.pop("names", None), **data)
    if parent is not False:
        contracts.follow(title, root)
    return title, 200, http.etag(title.revision)


# ------------------------------------------------------------------ rights in and out

@bp.post("/titles/<id:title_id>/mandates")
@security.permit("mandate.record")
@http.writes
@bp.arguments(MandateSchema)
@bp.response(201, RecordedMandateSchema)
def record_mandate(data, title_id):
    """Record what you may sell of a title."""
    title = titles.get(title_id, security.viewer(), "mandate.record")
    titles.lock([title.id])
    return mandates.record(title, terms.read(data), contract=data["contract"], licensor=data["licensor"],
                           floors=data["floors"])


@bp.get("/titles/<id:title_id>/mandates")
@security.permit("mandate.see")
@bp.response(200, RecordedMandateSchema(many=True))
@bp.paginate()
def list_mandates(title_id, pagination_parameters):
    """The mandates you recorded on a title, newest first."""
    return _slice(mandates.listing(titles.get(title_id, security.viewer(), "mandate.see")), pagination_parameters)


@bp.post("/mandates/<id:mandate_id>/ending")
@security.permit("mandate.end")
@http.writes
@bp.arguments(EndingSchema)
@bp.response(201, RecordedMandateSchema)
def end_mandate(data, mandate_id):
    """End a mandate from a day on. Licences granted under it stand."""
    mandate = mandates.get(mandate_id, security.viewer(), "mandate.end")
    titles.lock([mandate.title_id])
    mandates.end(mandate, **data)
    db.session.refresh(mandate)
    return mandate


@bp.post("/titles/<id:title_id>/licences")
@security.permit("licence.record")
@http.writes
@bp.arguments(LicenceSchema)
@bp.response(201, RecordedLicenceSchema)
def record_licence(data, title_id):
    """Record a deal done elsewhere. Refused with the reasons where it collides or lies outside the mandates."""
    viewer = security.viewer()
    title = titles.get(title_id, viewer, "licence.record")
    licensee_id, name = _licensee(data["licensee"])
    titles.lock([title.id])
    return contracts.grant(viewer.organisation_id, [(title, terms.read(data))], licensee_id=licensee_id,
                           licensee_name=name, contract=data["contract"], viewer=viewer, recording=True)


@bp.get("/titles/<id:title_id>/licences")
@security.permit("licence.record")
@bp.response(200, RecordedLicenceSchema(many=True))
@bp.paginate()
def list_title_licences(title_id, pagination_parameters):
    """The licences you granted on a title, newest first."""
    return _slice(avails.licences_of(titles.get(title_id, security.viewer(), "licence.record")),
                  pagination_parameters)


@bp.post("/licences/<id:licence_id>/termination")
@security.permit("licence.terminate")
@http.writes
@bp.arguments(EndingSchema)
@bp.response(201, RecordedLicenceSchema)
def terminate_licence(data, licence_id):
    """End a licence from a day on; its remaining cells are free again."""
    licence = contracts.get(licence_id, security.viewer(), "licence.terminate")
    titles.lock([line.title_id for line in licence.lines])
    contracts.terminate(licence, **data)
    db.session.refresh(licence)
    return licence


@bp.get("/licences")
@security.permit("licence.see")
@bp.response(200, RecordedLicenceSchema(many=True))
@bp.paginate()
def list_licences(pagination_parameters):
    """Your licences, as seller or as buyer, newest first."""
    return http.page(contracts.listing(security.viewer()), pagination_parameters)


# ------------------------------------------------------------------ promises

@bp.post("/titles/<id:title_id>/holdbacks")
@security.permit("mandate.record")
@http.writes
@bp.arguments(HoldbackSchema)
@bp.response(201, RecordedHoldbackSchema)
def record_holdback(data, title_id):
    """Promise not to exploit some media in some territories for a while."""
    title = titles.get(title_id, security.viewer(), "mandate.record")
    titles.lock([title.id])
    more = {name: data.pop(name) for name in ("hard", "binds", "licence_id", "note")}
    return promises.hold_back(title, terms.read(data), **more)


@bp.get("/titles/<id:title_id>/holdbacks")
@security.permit("mandate.see")
@bp.response(200, RecordedHoldbackSchema(many=True))
@bp.paginate()
def list_holdbacks(title_id, pagination_parameters):
    """The holdbacks you recorded on a title, newest first."""
    return http.page(promises.holdbacks(titles.get(title_id, security.viewer(), "mandate.see")), pagination_parameters)


@bp.post("/holdbacks/<id:holdback_id>/ending")
@security.permit("mandate.end")
@http.writes
@bp.arguments(EndingSchema)
@bp.response(201, RecordedHoldbackSchema)
def end_holdback(data, holdback_id):
    """End a holdback from a day on. Answers with what is left of it."""
    holdback = promises.get_holdback(holdback_id, security.viewer())
    titles.lock([holdback.title_id])
    return promises.end_holdback(holdback, **data)


@bp.post("/titles/<id:title_id>/holds")
@security.permit("mandate.record")
@http.writes
@bp.arguments(HoldSchema)
@bp.response(201, RecordedHoldSchema)
def record_hold(data, title_id):
    """Reserve softly for one buyer. It blocks nobody and expires by itself."""
    title = titles.get(title_id, security.viewer(), "mandate.record")
    more = {"organisation_id": data.pop("organisation"), "expires_at": data.pop("expires_at"), "rank": data.pop("rank")}
    return promises.hold(title, terms.read(data), **more)


@bp.get("/titles/<id:title_id>/holds")
@security.permit("mandate.see")
@bp.response(200, RecordedHoldSchema(many=True))
@bp.paginate()
def list_holds(title_id, pagination_parameters):
    """The holds on a title, in their order."""
    return http.page(promises.holds(titles.get(title_id, security.viewer(), "mandate.see")), pagination_parameters)


@bp.post("/titles/<id:title_id>/options")
@security.permit("mandate.record")
@http.writes
@bp.arguments(OptionSchema)
@bp.response(201, RecordedOptionSchema)
def record_option(data, title_id):
    """Give first negotiation, first or last refusal over what will be linked to this title."""
    title = titles.get(title_id, security.viewer(), "mandate.record")
    said = terms.read({**data, "languages": ["*"], "starts_on": terms.FIRST_DAY, "ends_on": None})
    return promises.option(title, said, kind=data["kind"], organisation_id=data["organisation"], days=data["days"])


@bp.get("/titles/<id:title_id>/options")
@security.permit("mandate.see")
@bp.response(200, RecordedOptionSchema(many=True))
@bp.paginate()
def list_options(title_id, pagination_parameters):
    """The options that a title carries."""
    return http.page(promises.options(titles.get(title_id, security.viewer(), "mandate.see")), pagination_parameters)


@bp.post("/titles/<id:title_id>/events")
@security.permit("mandate.record")
@http.writes
@bp.arguments(EventSchema)
@bp.response(201, EventSchema)
def record_event(data, title_id):
    """Give an event its date: what waited for it is computed anew."""
    title = titles.get(title_id, security.viewer(), "mandate.record")
    titles.lock([title.id])
    return promises.happen(title, **data)


def _licensee(words):
    """(organisation id or None, name): an id of an organisation here, or a plain name."""
    if ID.fullmatch(words):
        try:
            organisation = people.organisation(int(words))
        except NotFound:
            raise Invalid({"licensee": ["There is no organisation with this id. Write its name instead."]}) from None
        return organisation.id, organisation.name
    return None, words


def _slice(rows, wanted):
    wanted.item_count = len(rows)
    return rows[wanted.first_item:wanted.last_item + 1]


# ------------------------------------------------------------------ is it free?

@bp.post("/titles/<id:title_id>/avails")
@security.permit("avails.ask")
@bp.arguments(AskedSchema)
@bp.response(200, AnswerSchema)
def ask(data, title_id):
    """Is it free? The verdict, what is free, why the rest is not, and the next best thing."""
    viewer, as_of = security.viewer(), data.pop("as_of")
    title = titles.get(title_id, viewer)
    asked = terms.read(data)
    if as_of:
        avails.check_as_of(title, viewer)
    return avails.described(avails.ask(title.id, asked, avails.licensee(viewer, title), as_of), asked, title, viewer)


@bp.get("/vocabulary")
@security.permit("look_up")
@bp.response(200)
def vocabulary():
    """The words a line may use: territories and groups with their leaves, the media tree, languages."""
    return {**territories.vocabulary(), "media": media.vocabulary(), "languages": languages.vocabulary()}


# ------------------------------------------------------------------ offers

@bp.post("/offers")
@security.permit("offer.draft")
@http.writes
@bp.arguments(OfferSchema)
@bp.response(201, OfferShownSchema)
def draft(data):
    """Draft an offer. Only your organisation sees it until it is submitted."""
    viewer = security.viewer()
    offer = drafts.create(viewer, currency=data["currency"], lines=data["lines"], seller_id=data["seller"],
                         buyer_id=data["buyer"], valid_until=data["valid_until"])
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
    drafts.revise(offer, viewer, **data)
    return shown(offer, viewer), 200, http.etag(offer.revision)


@bp.delete("/offers/<id:offer_id>")
@security.permit("offer.draft")
@http.writes
@bp.response(204)
def discard(offer_id):
    """Throw a draft away."""
    viewer = security.viewer()
    drafts.discard(offers.lock(offer_id, viewer), viewer)


@bp.post("/offers/<id:offer_id>/steps")
@security.permit("offer.see")
@http.writes
@bp.arguments(StepSchema)
@bp.response(201, TakenStepSchema)
def step(data, offer_id):
    """Take a step: submit, counter, accept, approve, sign … What is possible now is in the offer's `actions`."""
    viewer = security.viewer()
    taken = offers.advance(offers.lock(offer_id, viewer), viewer, **data)
    if refusal := getattr(taken, "refusal", None):  # came second: the offer is superseded, and that is kept
        return http.problem(409, refusal.title, f"{taken.note} {refusal.detail}", **refusal.more)
    return taken


def shown(offer: Offer, viewer) -> Offer:
    """The offer with what only this viewer's answer carries: actions, differences, availability per line."""
    answers = offers.answers(offer, viewer)
    for line in offer.current.lines:
        line.answer = answers.get(line.id)
    for before, version in zip((None, *offer.versions), offer.versions, strict=False):
        version.changes = differences.between(before, version)
    offer.actions, offer.lines = moves.actions(offer, viewer), offer.current.lines
    return offer
