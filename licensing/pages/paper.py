"""A deal's memo and its long form, from the offer's page."""
from flask import Response, flash, redirect, request, url_for

from accounts import security
from core import http
from licensing import offers
from licensing.after import amendments
from licensing.pages import bp
from licensing.paper import longform, memos
from licensing.schemas import load
from licensing.schemas.paper import NewLongFormStepSchema
from licensing.workflow import State

STAGES = {"none": "not begun", "drafted": "drafted", "sent": "sent to the other side", "signed": "signed by both",
          "waived": "left out: the memo governs"}


@bp.app_context_processor
def paper_words():
    """What an offer's page shows of its papers."""
    return {"paper_of": _paper, "stages": STAGES, "governing_text": memos.last_governing,
            "amendment_called": lambda offer: "Extension" if amendments.is_extension(
                offer.versions[0], offer.current) else "Amendment"}


def _paper(offer):
    """The memo and the steps of the long form, as far as there are any."""
    if offer.state == State.DRAFT:
        return None
    steps = longform.steps(offer)
    return {"memo": memos.find(offer), "steps": steps, "stage": longform.stage(steps),
            "next": longform.possible(offer, steps, security.viewer())}


@bp.get("/offers/<id:offer_id>/memo.pdf")
@security.permit("offer.see")
@http.counts_as(http.PAPER)
def memo_pages(offer_id):
    """The memo on paper."""
    offer = offers.get(offer_id, security.viewer())
    return Response(memos.pdf(memos.get(offer)), mimetype="application/pdf", headers={
        "Content-Disposition": f"inline; filename=deal-memo-{offer.id}.pdf"})


@bp.get("/offers/<id:offer_id>/memo.json")
@security.permit("offer.see")
def memo_document(offer_id):
    """The document that is signed, byte for byte."""
    offer = offers.get(offer_id, security.viewer())
    return Response(memos.get(offer).document, mimetype="application/json", headers={
        "Content-Disposition": f"attachment; filename=deal-memo-{offer.id}.json"})


@bp.post("/offers/<id:offer_id>/long-form")
@security.permit("offer.long_form")
@http.writes
def record_long_form(offer_id):
    """Record a step of the long form."""
    viewer = security.viewer()
    said = load(NewLongFormStepSchema(), {name: request.form[name].strip() for name in ("state", "happened_on", "note")
                                          if request.form.get(name, "").strip()})
    step = longform.record(offers.lock(offer_id, viewer), viewer, said.pop("state"), **said)
    flash(f"Long form: {STAGES[step.state]}.")
    return redirect(url_for(".offer", offer_id=offer_id))
