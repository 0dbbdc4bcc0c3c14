"""Offers: the list, and one offer with its thread and its next steps."""
import re

from flask import flash, redirect, render_template, request, url_for

from accounts import permissions, security
from catalogue import titles
from catalogue.models import Title
from core import http
from core.database import db
from core.errors import Conflict, Invalid
from licensing import (
    asking,
    avails,
    differences,
    drafts,
    grounds,
    instead,
    moves,
    offers,
    remarks,
    sharing,
    telling,
    terms,
    workflow,
)
from licensing.after import amendments
from licensing.models import Offer
from licensing.pages import ON_A_PAGE, bp, money
from licensing.paper import memos
from licensing.rights import media
from licensing.schemas import load
from licensing.schemas.offers import OfferPatch, OfferSchema, StepSchema
from licensing.workflow import State

ACTION_WORDS = {
    "submit": "Submit the offer", "request": "Ask for a price", "propose": "Propose terms", "counter": "Counter",
    "accept": "Accept", "decline": "Decline, with a reason", "withdraw": "Withdraw", "park": "Park it",
    "resume": "Resume", "approve": "Approve", "reject": "Reject, with a reason",
    "request_changes": "Ask for changes, with a reason", "issue_memo": "Issue the deal memo", "sign": "Sign",
    "amend": "Propose an amendment",
    "terminate": "Terminate, with a reason", "revert": "Revert the rights, with a reason"}

PAST = {"submit": "submitted", "request": "asked for a price", "propose": "proposed", "counter": "countered",
        "accept": "accepted", "decline": "declined", "withdraw": "withdrew", "park": "parked it",
        "resume": "resumed it", "refer": "sent it to approval", "pass": "passed it on", "approve": "approved",
        "reject": "rejected it", "request_changes": "asked for changes", "issue_memo": "issued the deal memo",
        "sign": "signed", "activate": "set it active", "expire": "closed it: the last day has passed",
        "amend": "proposed an amendment", "take_in": "took in an amendment",
        "terminate": "terminated it", "revert": "reverted the rights", "lapse": "let it lapse",
        "supersede": "superseded it"}


CHANGED = ("territories", "media", "languages", "starts_on", "ends_on", "price")  # of a line, told to who is late
UNSAID = {"runs": "not limited", "pricing": "flat fee"}  # what is so nearly everywhere is not said


def lines_in(form) -> list[dict]:
    """The lines of an offer's form: fields named lines-0-territories and so on, up to the first gap."""
    found, place = [], 0
    while f"lines-{place}-title_id" in form and place < drafts.MOST_LINES:
        prefix = f"lines-{place}-"
        if not form.get(f"{prefix}drop"):
            found.append({**asking.line(form, prefix), "title_id": form[f"{prefix}title_id"],
                          **money.price_in(form, prefix)})
        place += 1
    return found


@bp.get("/offers")
@security.permit("offer.see")
def list_offers():
    """The offers you are a party to: those that wait for you first."""
    viewer = security.viewer()
    page = http.page_asked()
    query = offers.listing(viewer).limit(ON_A_PAGE + 1).offset((page - 1) * ON_A_PAGE)
    shown = db.session.scalars(query).unique().all()
    rows = [(offer, moves.waits_for(offer, side) == side) for offer in shown[:ON_A_PAGE]
            for side in [moves.side_of(offer, viewer)]]
    return render_template("licensing/offers.html", page=page, more=len(shown) > ON_A_PAGE,
                           waiting=[offer for offer, mine in rows if mine],
                           others=[offer for offer, mine in rows if not mine])


@bp.post("/titles/<id:title_id>/offers")
@security.permit("offer.draft")
@http.writes
def draft_offer(title_id):
    """A draft from the line that was asked on the title page."""
    viewer = security.viewer()
    shown = titles.get(title_id, viewer)
    own = shown.organisation_id == viewer.organisation_id
    data = {"lines": [{**asking.line(request.form), "title_id": str(title_id), "price": None}],
            "currency": request.form.get("currency") or "USD",
            **({"buyer": request.form.get("buyer", "")} if own else {"seller": str(shown.organisation_id)})}
    data = load(OfferSchema(), data)
    offer = drafts.create(viewer, currency=data["currency"], lines=data["lines"], seller_id=data["seller"],
                         buyer_id=data["buyer"])
    if request.form.get("then") == "request":  # what is free, asked for in one click
        offers.advance(offer, viewer, "request")
        flash(f"{shown.seller.name} is asked for a price.")
    return redirect(url_for(".offer", offer_id=offer.id))


@bp.get("/offers/<id:offer_id>")
@security.permit("offer.see")
def offer(offer_id):
    """One offer: the terms by version, the thread, and what you may do now; the address may ask for a difference."""
    viewer = security.viewer()
    shown = offers.get(offer_id, viewer)
    pair = tuple(request.args.get(name, type=int) for name in ("from", "to"))
    return _offer_page(shown, viewer, pair=pair if None not in pair else None)


def _offer_page(shown: Offer, viewer, errors=None, typed=None, refusal=None, status=200, payment=None, pair=None):
    pair = pair or (max(1, shown.number - 1), shown.number)
    answers, side = offers.answers(shown, viewer), moves.side_of(shown, viewer)
    licences = offers.licences(shown)
    has_materials = licences and permissions.allows(viewer, "material.see", moves.RELATIONS[side])
    memo = memos.find(shown)
    changes = [differences.between(before, version)
               for before, version in zip((None, *shown.versions), shown.versions, strict=False)]
    return render_template(
        "licensing/offer.html", offer=shown, answers=answers, changes=changes, errors=errors or {}, typed=typed or [],
        refusal=refusal, side=side, actions=moves.actions(shown, viewer), waits_for=moves.waits_for(shown, side),
        words=ACTION_WORDS, needs_note=workflow.NEEDS_NOTE,
        media_tree=media.vocabulary(), licences=licences, has_materials=has_materials, past=PAST, diff_rows=_diff_rows,
        bare=grounds.bare(licences) if avails.owns(shown.current.lines[0].title, viewer) else {},
        pair=pair, difference=differences.asked(shown, *pair), terms_said=differences.TERMS,
        spoken=telling.names(shown),
        inside=remarks.notes(shown, viewer), papers=remarks.waiting(shown, viewer),
        sends_papers=moves.may(viewer, side, "submit"),
        form_lines=_form_lines(shown, typed), **money.section(shown, viewer, payment), memo_sha256=memo and memo.sha256,
        line_title_url=_line_title_url, form=request.form,
        free=all(answer["verdict"] == "available" for answer in answers.values())), status


def _form_lines(shown, typed):
    """The lines to edit: as they were typed just now, or as the current version says them."""
    said = amendments.terms_of(shown)
    known = {str(line.title_id): line.title for line in said.lines}
    if typed:  # a line may have been added: drafts refuse what is not the seller's, this shows what is
        named = [int(line["title_id"]) for line in typed if re.fullmatch("[0-9]{1,9}", line["title_id"])]
        known |= {str(each.id): each for each in db.session.scalars(db.select(Title).where(
            Title.id.in_(named), Title.organisation_id == shown.seller_id, titles.visible(security.viewer())))}
    lines = typed or [{**terms.of_row(line).as_typed(), "title_id": str(line.title_id),
                       "price": drafts.price_text(line), "pricing": line.pricing} for line in said.lines]
    return [{**line, "title": known[line["title_id"]].original_title,
             "lang": known[line["title_id"]].original_language} for line in lines if line["title_id"] in known]


def _line_title_url(line):
    """The title's page, asking what the line says."""
    return url_for(".title", title_id=line.title_id, **asking.address(terms.of_row(line).as_typed()))


def _diff_rows(shown, versions):
    """One row for each term: what each version says of a line's title, and what it said before where that changed."""
    key = next(key for key, line in differences.by_title(versions[-1]).items() if line.id == shown.id)
    said = [differences.said(differences.by_title(version).get(key), versions[-1].offer.currency)
            for version in versions]
    rows = []
    for term in [each for each in differences.TERMS if any(each in some for some in said)]:
        words = [each.get(term, "none" if each else "not in it") for each in said]
        if set(words) <= {UNSAID.get(term), "not in it"}:
            continue
        rows.append({"term": differences.TERMS[term], "cells": [
            {"words": now, "before": before, "changed": before is not None and before != now}
            for before, now in zip([None, *words], words, strict=False)]})
    return rows


@bp.post("/offers/<id:offer_id>/draft")
@security.permit("offer.draft")
@http.writes
def save_draft(offer_id):
    """Save a draft, and send it if a sending button was pressed."""
    viewer = security.viewer()
    lines, payment = lines_in(request.form), money.payment_in(request.form)
    action = request.form.get("action", "save")
    if "more" in request.form:
        return _with_title(offer_id, viewer, lines)
    shown = offers.lock(offer_id, viewer)
    if http.form_is_stale(shown.revision - 1):  # the lock itself counts one
        db.session.rollback()
        shown = offers.get(offer_id, viewer)
        return _offer_page(shown, viewer, _meanwhile(shown, lines), lines, status=412, payment=payment)
    try:
        data = load(OfferPatch(), {"lines": lines, "payment": payment, "currency": request.form.get("currency", ""),
                                   "valid_until": request.form.get("valid_until") or None})
        data.pop("price_of_all")
        data["lines"] = sharing.over(data["lines"], _price_of_all(), data["currency"])
        drafts.revise(shown, viewer, **data)
        if action != "save":
            offers.advance(shown, viewer, action, **_beside(request.form))
    except Invalid as problem:
        db.session.rollback()
        return _offer_page(offers.get(offer_id, viewer), viewer, problem.errors, lines, status=422, payment=payment)
    flash("The draft is saved." if action == "save" else "Sent. You will find it under Offers.")
    return redirect(url_for(".offer", offer_id=offer_id))


def _meanwhile(shown, typed) -> dict:
    """What a draft says now where a form that was opened before says something else."""
    errors = {"": [f"A colleague changed this draft after you opened it, {shown.updated_at:%H:%M} UTC. Your form is "
                   "kept below; sent again, it replaces what the draft says now."]}
    saved = _form_lines(shown, None)
    for place, now in enumerate(saved):
        before = typed[place] if place < len(typed) else {}
        for term in (each for each in CHANGED if (now.get(each) or None) != (before.get(each) or None)):
            said = now.get(term)
            words = ", ".join(said) if isinstance(said, list) else "nothing" if said in (None, "") else said
            errors[f"{now['title']}, {term}"] = [f"is now {words}."]
    if len(typed) > len(saved):
        errors["lines"] = [f"there are now {len(saved)} of them."]
    return errors


@bp.post("/offers/<id:offer_id>/discarding")
@security.permit("offer.draft")
@http.writes
def discard_draft(offer_id):
    """Throw a draft away."""
    viewer = security.viewer()
    drafts.discard(offers.lock(offer_id, viewer), viewer)
    flash("The draft is gone.")
    return redirect(url_for(".list_offers"))


@bp.post("/offers/<id:offer_id>/steps")
@security.permit("offer.step")
@http.writes
def step(offer_id):
    """Take a step from the offer page."""
    viewer = security.viewer()
    lines, payment = lines_in(request.form) or None, money.payment_in(request.form)
    if "more" in request.form:
        return _with_title(offer_id, viewer, lines or [])
    shown = offers.lock(offer_id, viewer)
    try:
        data = load(StepSchema(), {"action": request.form.get("action", ""), "lines": lines, "payment": payment,
                                   "version": request.form.get("version", type=int), **_beside(request.form),
                                   "valid_until": request.form.get("valid_until") or None,
                                   **{name: request.form.get(name) or None
                                      for name in ("from", "governing", "sha256")}})
        data.pop("price_of_all")
        data["lines"] = sharing.over(data["lines"] or [], _price_of_all(), shown.currency)
        taken = offers.advance(shown, viewer, **data)
    except Invalid as problem:
        db.session.rollback()
        return _offer_page(offers.get(offer_id, viewer), viewer, problem.errors, lines, status=422, payment=payment)
    except Conflict as problem:
        db.session.rollback()
        named, now = request.form.get("version", type=int), offers.get(offer_id, viewer)
        if problem.more.get("version") != now.number or not 0 < (named or 0) < now.number:
            return _offer_page(now, viewer, refusal=problem, status=409)
        return _offer_page(now, viewer, {"version": [problem.detail]}, status=409, pair=(named, now.number))
    if refusal := getattr(taken, "refusal", None):  # came second: the offer is superseded, and that is kept
        return _offer_page(shown, viewer, refusal=refusal, status=409)
    return redirect(url_for(".offer", offer_id=taken.amendment.id if data["action"] == "amend" else offer_id))


def _price_of_all():
    return request.form.get("price_of_all", "").replace(",", "").strip()


def _with_title(offer_id, viewer, lines):
    """The form again with a line more, and nothing written yet."""
    shown, errors = offers.get(offer_id, viewer), {}
    try:
        lines = instead.with_title(shown, viewer, lines, request.form.get("add", ""))
    except Invalid as problem:
        errors = problem.errors
    return _offer_page(shown, viewer, errors, lines, status=422 if errors else 200)


@bp.post("/offers/<id:offer_id>/instead")
@security.permit("offer.negotiate")
@http.writes
def take_instead(offer_id):
    """What is free in place of what was asked, in one click: the next version, or the draft changed."""
    viewer = security.viewer()
    shown = offers.lock(offer_id, viewer)
    lines = instead.lines(shown, viewer, request.form.get("line", type=int), request.form.get("kind", ""))
    if shown.state == State.DRAFT:
        drafts.revise(shown, viewer, lines=lines)
        flash("The draft asks for what is free.")
        return redirect(url_for(".offer", offer_id=offer_id))
    action = "propose" if shown.state == State.REQUESTED else "counter"
    try:
        offers.advance(shown, viewer, action, lines=lines, version=request.form.get("version", type=int))
    except Invalid as problem:  # a price is still to be named: the form, with everything else in it
        db.session.rollback()
        typed = [{**line, "title_id": str(line["title_id"])} for line in lines]
        return _offer_page(offers.get(offer_id, viewer), viewer, problem.errors, typed, status=422)
    flash(f"Version {shown.number} asks for what is free, at the same price.")
    return redirect(url_for(".offer", offer_id=offer_id))


def _beside(form) -> dict:
    """What goes with a step beside its terms, as its form says."""
    return {"note": form.get("note") or None, "internal_note": form.get("internal_note") or None,
            "attachments": form.getlist("attachments")}
