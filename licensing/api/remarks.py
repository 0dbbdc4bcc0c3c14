"""What goes with an offer: differences between its versions, papers, notes inside one's own organisation."""
from datetime import timedelta
from urllib.parse import urljoin

from flask import current_app, request

from accounts import security
from core import clock, http
from licensing import differences, offers, remarks
from licensing.api import bp
from licensing.schemas.offers import (
    AnnouncedSchema,
    AttachmentSchema,
    ChangeSchema,
    DifferenceQuery,
    NewAttachmentSchema,
    RemarkSchema,
)
from media import assets
from media.schemas import AddressSchema, CompletionSchema


def _store():
    return current_app.extensions["store"]


@bp.get("/offers/<id:offer_id>/differences")
@security.permit("offer.see")
@bp.arguments(DifferenceQuery, location="query")
@bp.response(200, ChangeSchema(many=True))
def show_differences(query, offer_id):
    """What changed between any two versions, term by term."""
    return differences.asked(offers.get(offer_id, security.viewer()), query["from_"], query["to"])


@bp.post("/offers/<id:offer_id>/notes")
@security.permit("offer.note")
@http.writes
@bp.arguments(RemarkSchema)
@bp.response(201, RemarkSchema)
def add_note(data, offer_id):
    """Write a note that your own organisation alone reads."""
    viewer = security.viewer()
    return remarks.note(offers.get(offer_id, viewer), viewer, data["text"])


@bp.post("/offers/<id:offer_id>/attachments")
@security.permit("offer.negotiate")
@http.counts_as(http.UPLOAD)
@http.shows_once("upload")
@http.writes
@bp.arguments(NewAttachmentSchema)
@bp.response(201, AnnouncedSchema)
def announce(data, offer_id):
    """Announce a paper to go out with a later step. The answer says how to send it to the store."""
    viewer, store = security.viewer(), _store()
    made = remarks.announce(offers.lock(offer_id, viewer), viewer, store, **data)
    upload = assets.upload(made.asset, store)
    return {"attachment": made, "upload": {**upload, "url": urljoin(request.host_url, upload["url"])}}


@bp.post("/attachments/<id:attachment_id>/completion")
@security.permit("offer.negotiate")
@http.writes
@bp.arguments(CompletionSchema)
@bp.response(202, AttachmentSchema)
def complete_attachment(data, attachment_id):
    """Say that everything was sent. It is read and checked after this answer."""
    viewer = security.viewer()
    found = remarks.own(attachment_id, viewer, offers.visible(viewer))
    assets.complete(found.asset, _store(), data.get("sha256"))
    return found


@bp.get("/attachments/<id:attachment_id>")
@security.permit("offer.see")
@bp.response(200, AttachmentSchema)
def show_attachment(attachment_id):
    """One paper, and how far it is."""
    viewer = security.viewer()
    return remarks.find(attachment_id, viewer, offers.visible(viewer))


@bp.delete("/attachments/<id:attachment_id>")
@security.permit("offer.negotiate")
@http.writes
@bp.response(204)
def withdraw_attachment(attachment_id):
    """Delete a paper that has not gone out."""
    viewer = security.viewer()
    found = remarks.own(attachment_id, viewer, offers.visible(viewer))
    offers.lock(found.offer_id, viewer)
    remarks.withdraw(remarks.own(attachment_id, viewer, offers.visible(viewer)))


@bp.get("/attachments/<id:attachment_id>/url")
@security.permit("offer.see")
@bp.response(200, AddressSchema)
def sign_attachment(attachment_id):
    """Where the paper can be fetched for five minutes."""
    viewer, store = security.viewer(), _store()
    found = remarks.find(attachment_id, viewer, offers.visible(viewer))
    url = assets.address(found.asset, store, download=True)
    return {"url": urljoin(request.host_url, url), "expires_at": clock.now() + timedelta(seconds=store.reading_seconds)}
