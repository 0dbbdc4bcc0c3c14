"""Materials: the list of a signed deal, and one item with its file, its history and its next steps."""
from datetime import timedelta

from flask import current_app, flash, redirect, render_template, request, url_for

from accounts import permissions, security
from accounts.permissions import Relation
from catalogue import titles
from core import http
from core.database import db
from core.errors import Invalid
from licensing.delivery import items, lists, states
from licensing.delivery.models import FILES, USES, Kind
from licensing.delivery.telling import KINDS, called
from licensing.pages import bp
from licensing.rights import languages
from licensing.schemas import load
from licensing.schemas.delivery import MaterialActionSchema, NewMaterialSchema
from media import assets
from media.schemas import AssetSchema, NewAssetSchema
from media.types import ALLOWED

TITLES_ON_A_PAGE = 20
STATES = {"open": "languages to be named", "asked": "asked for", "dropping": "asked to be left out",
          "dropped": "left out"}
ACTIONS = {"name": "Name the languages", "drop": "Leave it out", "agree": "Agree", "decline": "Decline, with a reason",
           "deliver": "Deliver", "ask_to_drop": "Ask to leave it out, with a reason", "accept": "Accept",
           "reject": "Reject, with a reason", "set_dates": "Set dates"}
PAST = {"order": "ordered it", "ask": "asked for it", "name": "named its language", "drop": "left it out",
        "agree": "agreed", "decline": "declined", "deliver": "delivered", "ask_to_drop": "asked to leave it out",
        "accept": "accepted", "reject": "rejected", "set_dates": "set dates"}


@bp.app_context_processor
def material_words():
    """What the pages of materials call things, and the day silence becomes acceptance."""
    return {"material_called": called, "material_states": STATES, "material_actions": ACTIONS, "material_past": PAST,
            "next_day": lambda day: day + timedelta(days=1)}


@bp.get("/offers/<id:offer_id>/materials")
@security.permit("material.see")
def materials(offer_id):
    """What is owed of a signed deal, title by title."""
    viewer = security.viewer()
    return _list_page(lists.get(offer_id, viewer), viewer)


def _list_page(deal, viewer, errors=None, status=200):
    page, adds = http.page_asked(), deal.lives and lists.may(viewer, deal.side)
    shown, total = lists.by_title(deal, page, TITLES_ON_A_PAGE)
    return render_template(
        "licensing/materials.html", deal=deal, shown=shown, page=page, pages=-(-total // TITLES_ON_A_PAGE),
        actions={item.id: deal.actions(item, viewer) for _, some in shown for item in some}, errors=errors or {},
        choice=lists.titles(deal) if adds else [], kinds=KINDS, has_file=lists.has_file, typed=request.form), status


@bp.post("/offers/<id:offer_id>/materials")
@security.permit("material.step")
@http.writes
def add_material(offer_id):
    """Add an item, or ask for one."""
    viewer = security.viewer()
    deal = lists.lock(offer_id, viewer)
    try:
        item = items.add(deal, viewer, **load(NewMaterialSchema(), _filled("title_id", "kind", "language", "due_on",
                                                                           "note")))
    except Invalid as problem:
        db.session.rollback()
        return _list_page(lists.get(offer_id, viewer), viewer, problem.errors, 422)
    flash("It is on the list." if item.state == states.State.ORDERED else "Asked. The licensor agrees or declines.")
    return redirect(url_for(".materials", offer_id=offer_id))


@bp.get("/materials/<id:material_id>")
@security.permit("material.see")
def material(material_id):
    """One item: what it is, its file, what happened, and what you may do now."""
    viewer = security.viewer()
    return _item_page(*lists.find(material_id, viewer), viewer)


def _item_page(deal, item, viewer, errors=None, status=200):
    actions, kind = deal.actions(item, viewer), Kind(item.kind)
    sends = "deliver" in actions and permissions.allows(viewer, "asset.send", Relation.OWN)
    licensed = lists.tags_of(deal.languages(item.title_id), USES[kind]) if "name" in actions else []
    return render_template(
        "licensing/material.html", deal=deal, material=item, actions=actions, errors=errors or {}, sends=sends,
        files=items.fitting(item) if "deliver" in actions else [], allowed=sorted(ALLOWED[FILES[kind]][0]),
        has_file=lists.has_file(deal, item), needs_note=states.NEEDS_NOTE, licensed=licensed,
        tongue=languages.name), status


@bp.post("/materials/<id:material_id>/steps")
@security.permit("material.step")
@http.writes
def step_material(material_id):
    """Take a step with an item."""
    viewer = security.viewer()
    deal, item = items.lock(material_id, viewer)
    data = _filled("action", "note", "asset_id", "due_on", "qc_days")
    if named := request.form.get("languages", "").strip():
        data["languages"] = [each.strip() for each in named.split(",") if each.strip()]
    if (days := data.get("qc_days", "")).isdecimal() and len(days) < 10:
        data["qc_days"] = int(days)
    try:
        step = items.advance(deal, item, viewer, **load(MaterialActionSchema(), data))
    except Invalid as problem:
        db.session.rollback()
        return _item_page(*lists.find(material_id, viewer), viewer, problem.errors, 422)
    flash(f"{KINDS[Kind(item.kind)]}: you {PAST[step.action]}.")
    if request.form.get("back") == "list":
        return redirect(url_for(".materials", offer_id=item.offer_id))
    return redirect(url_for(".material", material_id=material_id))


@bp.get("/materials/<id:material_id>/file")
@security.permit("material.see")
def material_file(material_id):
    """The file itself, from the store."""
    return redirect(lists.address(*lists.find(material_id, security.viewer()), current_app.extensions["store"]))


@bp.post("/materials/<id:material_id>/files")
@security.permit("material.deliver")
@http.counts_as(http.UPLOAD)
@http.writes
def send_material(material_id):
    """Announce a file for an item; answers how to send it. Its kind and language are the item's."""
    viewer, store = security.viewer(), current_app.extensions["store"]
    _, item = lists.find(material_id, viewer)
    title = titles.get(item.title_id, viewer, "asset.send")
    said = {**(request.get_json(silent=True) or {}), "kind": FILES[Kind(item.kind)].value}
    asset = assets.create(title, viewer, store, **{**load(NewAssetSchema(), said), "language": item.language})
    return {"asset": AssetSchema().dump(asset), "upload": assets.upload(asset, store)}, 201


def _filled(*names) -> dict:
    """The fields of a form that were filled in."""
    return {name: request.form[name].strip() for name in names if request.form.get(name, "").strip()}
