"""The list of materials of a signed deal."""
from datetime import timedelta
from urllib.parse import urljoin

from flask import current_app, request

from accounts import security
from core import clock, http
from licensing.api import bp
from licensing.delivery import items, lists
from licensing.schemas.delivery import (
    MaterialActionSchema,
    MaterialSchema,
    MaterialStepSchema,
    NewMaterialSchema,
)
from media.schemas import AddressSchema


@bp.get("/offers/<id:offer_id>/materials")
@security.permit("material.see")
@bp.response(200, MaterialSchema(many=True))
@bp.paginate()
def list_materials(offer_id, pagination_parameters):
    """What is owed of a signed deal, and how far each item is."""
    viewer = security.viewer()
    deal = lists.get(offer_id, viewer)
    return [_shown(deal, item, viewer) for item in http.page(lists.listing(deal), pagination_parameters)]


@bp.post("/offers/<id:offer_id>/materials")
@security.permit("material.step")
@http.writes
@bp.arguments(NewMaterialSchema)
@bp.response(201, MaterialSchema)
def add_material(data, offer_id):
    """Add an item as licensor, or ask for one as licensee."""
    viewer = security.viewer()
    deal = lists.lock(offer_id, viewer)
    return _shown(deal, items.add(deal, viewer, **data), viewer)


@bp.get("/materials/<id:material_id>")
@security.permit("material.see")
@bp.response(200, MaterialSchema)
def show_material(material_id):
    """One item with its history, and what you may do now."""
    viewer = security.viewer()
    return _shown(*lists.find(material_id, viewer), viewer)


@bp.post("/materials/<id:material_id>/steps")
@security.permit("material.step")
@http.writes
@bp.arguments(MaterialActionSchema)
@bp.response(201, MaterialStepSchema)
def step_material(data, material_id):
    """Deliver, accept, reject with a note … What is possible now is in the item's `actions`."""
    viewer = security.viewer()
    return items.advance(*items.lock(material_id, viewer), viewer, **data)


@bp.get("/materials/<id:material_id>/url")
@security.permit("material.see")
@bp.response(200, AddressSchema)
def sign_material(material_id):
    """Where the file can be fetched for five minutes: delivered or accepted, until the licence's last day."""
    store = current_app.extensions["store"]
    url = lists.address(*lists.find(material_id, security.viewer()), store)
    return {"url": urljoin(request.host_url, url), "expires_at": clock.now() + timedelta(seconds=store.reading_seconds)}


def _shown(deal, item, viewer):
    """The item with what only this viewer's answer carries."""
    item.standing, item.unanswered, item.actions = deal.state(item), deal.unanswered(item), deal.actions(item, viewer)
    return item
