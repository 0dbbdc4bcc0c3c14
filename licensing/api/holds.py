"""Holds on titles, in their order."""
from accounts import security
from catalogue import titles
from core import http
from licensing import holds, terms
from licensing.api import bp
from licensing.api.offers import shown
from licensing.schemas.offers import OfferShownSchema
from licensing.schemas.promises import HoldSchema, RecordedHoldSchema, TurningSchema


@bp.post("/titles/<id:title_id>/holds")
@security.permit("mandate.record")
@http.writes
@bp.arguments(HoldSchema)
@bp.response(201, RecordedHoldSchema)
def record_hold(data, title_id):
    """Reserve softly for one buyer. It blocks nobody and expires by itself."""
    title = titles.get(title_id, security.viewer(), "mandate.record")
    titles.lock([title.id])
    more = {"organisation_id": data.pop("organisation"), "expires_at": data.pop("expires_at"), "rank": data.pop("rank")}
    return holds.record(title, terms.read(data), **more)


@bp.get("/titles/<id:title_id>/holds")
@security.permit("mandate.see")
@bp.response(200, RecordedHoldSchema(many=True))
@bp.paginate()
def list_holds(title_id, pagination_parameters):
    """The holds on a title, in their order."""
    return http.page(holds.listing(titles.get(title_id, security.viewer(), "mandate.see")), pagination_parameters)


@bp.delete("/holds/<id:hold_id>")
@security.permit("mandate.record")
@http.writes
@bp.response(204)
def release_hold(hold_id):
    """Release a hold: who waits behind it over the same rights moves up."""
    held = holds.get(hold_id, security.viewer())
    titles.lock([held.title_id])
    holds.release(held, "Released by its seller.")


@bp.post("/holds/<id:hold_id>/offer")
@security.permit("offer.draft")
@http.writes
@bp.arguments(TurningSchema)
@bp.response(201, OfferShownSchema)
def turn_hold(data, hold_id):
    """Turn a hold into a draft: the holder's own offer, or the seller's proposal to them."""
    viewer = security.viewer()
    held = holds.get(hold_id, viewer, by_holder=True)
    titles.lock([held.title_id])
    offer = holds.turn(held, viewer, data["currency"])
    return shown(offer, viewer), 201, http.etag(offer.revision)
