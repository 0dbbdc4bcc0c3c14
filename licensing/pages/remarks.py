"""What goes with an offer's steps: papers for both sides, and notes inside one's own organisation.

What the script asks for is JSON; it comes with the session and the form's token. Bytes go to the store.
"""
from flask import current_app, flash, redirect, request, url_for

from accounts import security
from core import http
from core.errors import Invalid
from licensing import offers, remarks
from licensing.pages import bp
from licensing.schemas import load
from licensing.schemas.offers import AttachmentSchema, NewAttachmentSchema, RemarkSchema
from media import assets
from media.schemas import CompletionSchema


def _store():
    return current_app.extensions["store"]


def _body() -> dict:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid({"body": ["This is not JSON."]})
    return body


@bp.post("/offers/<id:offer_id>/notes")
@security.permit("offer.note")
@http.writes
def add_note(offer_id):
    """Write a note for one's own organisation alone."""
    viewer = security.viewer()
    remarks.note(offers.get(offer_id, viewer), viewer, load(RemarkSchema(), {"text": request.form.get("text", "")})[
        "text"])
    flash("Noted, for your organisation alone.")
    return redirect(url_for(".offer", offer_id=offer_id, _anchor="notes"))


@bp.post("/offers/<id:offer_id>/attachments")
@security.permit("offer.negotiate")
@http.counts_as(http.UPLOAD)
@http.writes
def announce_attachment(offer_id):
    """Announce a paper; answers how to send it."""
    viewer = security.viewer()
    made = remarks.announce(offers.lock(offer_id, viewer), viewer, _store(), **load(NewAttachmentSchema(), _body()))
    return {"asset": AttachmentSchema().dump(made), "upload": assets.upload(made.asset, _store())}, 201


@bp.post("/attachments/<id:attachment_id>/completion")
@security.permit("offer.negotiate")
@http.writes
def complete_attachment(attachment_id):
    """Everything was sent."""
    found = _own(attachment_id)
    assets.complete(found.asset, _store(), load(CompletionSchema(), _body()).get("sha256"))
    return AttachmentSchema().dump(found), 202


@bp.get("/attachments/<id:attachment_id>")
@security.permit("offer.see")
def attachment_state(attachment_id):
    """How far a paper is."""
    viewer = security.viewer()
    return AttachmentSchema().dump(remarks.find(attachment_id, viewer, offers.visible(viewer)))


@bp.post("/attachments/<id:attachment_id>/removal")
@security.permit("offer.negotiate")
@http.writes
def remove_attachment(attachment_id):
    """Delete a paper that has not gone out."""
    offers.lock(_own(attachment_id).offer_id, security.viewer())
    found = _own(attachment_id)
    remarks.withdraw(found)
    flash(f"{found.asset.filename} is deleted.")
    return redirect(url_for(".offer", offer_id=found.offer_id, _anchor="papers"))


@bp.get("/attachments/<id:attachment_id>/file")
@security.permit("offer.see")
def attachment_file(attachment_id):
    """The paper itself, from the store."""
    viewer = security.viewer()
    found = remarks.find(attachment_id, viewer, offers.visible(viewer))
    return redirect(assets.address(found.asset, _store(), download=True))


def _own(attachment_id):
    viewer = security.viewer()
    return remarks.own(attachment_id, viewer, offers.visible(viewer))
