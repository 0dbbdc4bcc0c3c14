"""Deal memos: the document, its signatures, and the long form that follows."""
import json

from flask import Response

from accounts import security
from core import http
from licensing import offers
from licensing.api import bp
from licensing.paper import longform, memos
from licensing.schemas.paper import LongFormStepSchema, MemoSchema, NewLongFormStepSchema


@bp.get("/offers/<id:offer_id>/memo")
@security.permit("offer.see")
@bp.response(200, MemoSchema)
def show_memo(offer_id):
    """The deal memo of an offer: its document, its SHA-256 and who signed it. 404 until it is issued."""
    offer = offers.get(offer_id, security.viewer())
    memo = memos.get(offer)
    memo.content, memo.long_form = json.loads(memo.document), longform.stage(longform.steps(offer))
    return memo


@bp.get("/offers/<id:offer_id>/memo.json")
@security.permit("offer.see")
@bp.response(200)
def memo_document(offer_id):
    """The document that is signed, byte for byte: its SHA-256 is the memo's."""
    return Response(memos.get(offers.get(offer_id, security.viewer())).document, mimetype="application/json")


@bp.get("/offers/<id:offer_id>/memo.pdf")
@security.permit("offer.see")
@http.counts_as(http.PAPER)
@bp.response(200, content_type="application/pdf")
def memo_pages(offer_id):
    """The same on paper, with the signatures it has."""
    return Response(memos.pdf(memos.get(offers.get(offer_id, security.viewer()))), mimetype="application/pdf")


@bp.get("/offers/<id:offer_id>/long-form")
@security.permit("offer.see")
@bp.response(200, LongFormStepSchema(many=True))
def list_long_form(offer_id):
    """What was done about the long form, step by step."""
    return longform.steps(offers.get(offer_id, security.viewer()))


@bp.post("/offers/<id:offer_id>/long-form")
@security.permit("offer.long_form")
@http.writes
@bp.arguments(NewLongFormStepSchema)
@bp.response(201, LongFormStepSchema)
def record_long_form(data, offer_id):
    """Record a step of the long form, as its seller."""
    viewer = security.viewer()
    return longform.record(offers.lock(offer_id, viewer), viewer, data.pop("state"), **data)
