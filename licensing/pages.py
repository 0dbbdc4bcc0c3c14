"""The title page, the offers, the approvals and the seller's slate."""
from flask import Blueprint, flash, redirect, render_template, request, url_for

from accounts import people, permissions, security
from accounts.permissions import Relation
from catalogue import links, titles
from catalogue.models import Kind, Status, Title
from catalogue.schemas import TitlePatch, TitleSchema
from core import clock, http
from core.database import db
from core.errors import Invalid
from licensing import avails, contracts, differences, mandates, offers, terms, wording, workflow
from licensing.models import Offer
from licensing.rights import media
from licensing.schemas import (
    EndingSchema,
    LicenceSchema,
    LineSchema,
    MandateSchema,
    OfferPatch,
    OfferSchema,
    StepSchema,
    load,
)
from licensing.workflow import State

bp = Blueprint("licensing_pages", __name__)
ON_A_PAGE = 50
ACTION_WORDS = {
    "submit": "Submit the offer", "request": "Ask for a price", "propose": "Propose terms", "counter": "Counter",
    "accept": "Accept", "decline": "Decline, with a reason", "withdraw": "Withdraw", "park": "Park it",
    "resume": "Resume", "approve": "Approve", "reject": "Reject, with a reason",
    "request_changes": "Ask for changes, with a reason", "issue_memo": "Issue the deal memo", "sign": "Sign",
    "terminate": "Terminate, with a reason", "revert": "Revert the rights, with a reason"}

PAST = {"submit": "submitted", "request": "asked for a price", "propose": "proposed", "counter": "countered",
        "accept": "accepted", "decline": "declined", "withdraw": "withdrew", "park": "parked it",
        "resume": "resumed it", "refer": "sent it to approval", "pass": "passed it on", "approve": "approved",
        "reject": "rejected it", "request_changes": "asked for changes", "issue_memo": "issued the deal memo",
        "sign": "signed", "activate": "set it active", "expire": "closed it: the last day has passed",
        "terminate": "terminated it", "revert": "reverted the rights", "lapse": "let it lapse",
        "supersede": "superseded it"}


# ------------------------------------------------------------------ lines in forms

def line_in(form, prefix: str = "") -> dict:
    """A line as LineSchema wants it, from form fields or a query string; lists may be comma separated.

    An end left empty is perpetuity here: the form says so beside the field.
    """
    def names(field):
        return [part.strip() for each in form.getlist(prefix + field) for part in each.split(",") if part.strip()]

    return {"territories": names("territories"), "media": names("media"), "languages": names("languages"),
            "starts_on": form.get(f"{prefix}starts_on", ""), "ends_on": form.get(f"{prefix}ends_on") or None,
            "exclusive": form.get(f"{prefix}exclusive") in ("true", "1", "on", "yes")}


def lines_in(form) -> list[dict]:
    """The lines of an offer's form: fields named lines-0-territories and so on, up to the first gap."""
    found, place = [], 0
    while f"lines-{place}-title_id" in form and place < offers.MOST_LINES:
        prefix = f"lines-{place}-"
        if not form.get(f"{prefix}drop"):
            found.append({**line_in(form, prefix), "title_id": form[f"{prefix}title_id"],
                          "price": (form.get(f"{prefix}price") or "").replace(",", "").strip() or None})
        place += 1
    return found


def _asked(args):
    """(line as typed, terms or None, errors): what the query string asks of a title, if it asks."""
    typed = line_in(args)
    if not any(args.get(name) for name in ("territories", "media", "starts_on", "ends_on")):
        return {**typed, "languages": typed["languages"] or ["*"]}, None, {}
    typed["languages"] = typed["languages"] or ["*"]
    try:
        return typed, terms.read(load(LineSchema(), typed)), {}
    except Invalid as problem:
        return typed, None, problem.errors


# ------------------------------------------------------------------ a title

@bp.get("/titles/<int:title_id>")
@security.permit("title.see")
def title(title_id):
    """What a title is, and whether it is free for what the query string asks."""
    return _title_page(titles.get(title_id, security.viewer()))


def _title_page(shown: Title, errors=None, status=200):
    viewer = security.viewer()
    typed, asked, line_errors = _asked(request.args)
    answer = avails.described(avails.ask(shown.id, asked), asked, shown, viewer) if asked else None
    members, among = links.franchise(shown, viewer)
    own = shown.organisation_id == viewer.organisation_id and permissions.allows(viewer, "mandate.see", Relation.OWN)
    buyers = [each for each in people.organisations("buyer") if each.id != viewer.organisation_id] if own else []
    return render_template(
        "licensing/title.html", title=shown, typed=typed, answer=answer, errors={**line_errors, **(errors or {})},
        franchise=members, links=among, own=own, mandates=mandates.listing(shown) if own else [],
        licences=avails.licences_of(shown) if own else [], buyers=buyers, media_tree=media.vocabulary(),
        line_url=_line_url, may_offer=permissions.allows(viewer, "offer.draft") and (viewer.buys or own)), status


def _line_url(line: dict) -> str:
    """This page with another line asked."""
    return url_for(".title", **request.view_args, **{
        name: ",".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else value
        for name, value in line.items()
        if name in ("territories", "media", "languages", "starts_on", "ends_on", "exclusive")})


@bp.get("/titles/<int:title_id>/rights")
@security.permit("mandate.see")
def rights(title_id):
    """The seller's own record of a title's rights, with the forms that add to it."""
    return _rights_page(titles.get(title_id, security.viewer(), "mandate.see"))


def _rights_page(shown, errors=None, typed=None, form=None, status=200):
    viewer = security.viewer()
    return render_template(
        "licensing/rights.html", title=shown, mandates=mandates.listing(shown), licences=avails.licences_of(shown),
        media_tree=media.vocabulary(), errors=errors or {}, typed=typed or {"languages": ["*"]}, form=form,
        may_end=permissions.allows(viewer, "mandate.end", Relation.OWN)), status


@bp.post("/titles/<int:title_id>/mandates")
@security.permit("mandate.record")
@http.writes
def record_mandate(title_id):
    """Record a mandate from the rights page."""
    shown = titles.get(title_id, security.viewer(), "mandate.record")
    typed = line_in(request.form)
    try:
        data = load(MandateSchema(), {**typed, "contract": request.form.get("contract") or None,
                                      "licensor": request.form.get("licensor") or None})
        titles.lock([shown.id])
        mandates.record(shown, terms.read(data), contract=data["contract"], licensor=data["licensor"])
    except Invalid as problem:
        return _rights_page(shown, problem.errors, typed, "mandate", 422)
    flash("The mandate is recorded.")
    return redirect(url_for(".rights", title_id=title_id))


@bp.post("/titles/<int:title_id>/licences")
@security.permit("licence.record")
@http.writes
def record_licence(title_id):
    """Record a deal done elsewhere from the rights page."""
    viewer = security.viewer()
    shown = titles.get(title_id, viewer, "licence.record")
    typed = line_in(request.form)
    try:
        data = load(LicenceSchema(), {**typed, "licensee": request.form.get("licensee", ""),
                                      "contract": request.form.get("contract") or None})
        titles.lock([shown.id])
        contracts.grant(viewer.organisation_id, [(shown, terms.read(data))], licensee_id=None,
                        licensee_name=data["licensee"], contract=data["contract"], viewer=viewer, recording=True)
    except Invalid as problem:
        return _rights_page(shown, problem.errors, typed, "licence", 422)
    except contracts.RightsTaken as problem:
        return _rights_page(shown, {"taken": problem.more["reasons"], "": [problem.detail]}, typed, "licence", 409)
    flash("The licence is recorded.")
    return redirect(url_for(".rights", title_id=title_id))


@bp.post("/mandates/<int:mandate_id>/ending")
@security.permit("mandate.end")
@http.writes
def end_mandate(mandate_id):
    """End a mandate from a day on."""
    mandate = mandates.get(mandate_id, security.viewer(), "mandate.end")
    titles.lock([mandate.title_id])
    mandates.end(mandate, **_ending())
    flash("The mandate is ended. Licences granted under it stand.")
    return redirect(url_for(".rights", title_id=mandate.title_id))


@bp.post("/licences/<int:licence_id>/termination")
@security.permit("licence.terminate")
@http.writes
def terminate_licence(licence_id):
    """End a licence from a day on."""
    licence = contracts.get(licence_id, security.viewer(), "licence.terminate")
    title_id = licence.lines[0].title_id
    titles.lock([line.title_id for line in licence.lines])
    contracts.terminate(licence, **_ending())
    flash("The licence is terminated; what is left of it is free again.")
    return redirect(url_for(".rights", title_id=title_id))


def _ending():
    return load(EndingSchema(), {"from": request.form.get("from", ""), "note": request.form.get("note") or None})


# ------------------------------------------------------------------ offers

@bp.get("/offers")
@security.permit("offer.see")
def list_offers():
    """The offers you are a party to: those that wait for you first."""
    viewer = security.viewer()
    page = max(1, request.args.get("page", 1, type=int))
    query = offers.listing(viewer).limit(ON_A_PAGE + 1).offset((page - 1) * ON_A_PAGE)
    shown = db.session.scalars(query).unique().all()
    rows = [(offer, offers.waits_for(offer) == offers.side_of(offer, viewer)) for offer in shown[:ON_A_PAGE]]
    return render_template("licensing/offers.html", page=page, more=len(shown) > ON_A_PAGE,
                           waiting=[offer for offer, mine in rows if mine],
                           others=[offer for offer, mine in rows if not mine])


@bp.post("/titles/<int:title_id>/offers")
@security.permit("offer.draft")
@http.writes
def draft_offer(title_id):
    """A draft from the line that was asked on the title page."""
    viewer = security.viewer()
    shown = titles.get(title_id, viewer)
    own = shown.organisation_id == viewer.organisation_id
    data = {"lines": [{**line_in(request.form), "title_id": str(title_id), "price": None}],
            "currency": request.form.get("currency") or "USD",
            **({"buyer": request.form.get("buyer", "")} if own else {"seller": str(shown.organisation_id)})}
    data = load(OfferSchema(), data)
    offer = offers.draft(viewer, currency=data["currency"], lines=data["lines"], seller_id=data["seller"],
                         buyer_id=data["buyer"])
    return redirect(url_for(".offer", offer_id=offer.id))


@bp.get("/offers/<int:offer_id>")
@security.permit("offer.see")
def offer(offer_id):
    """One offer: the terms by version, the thread, and what you may do now."""
    viewer = security.viewer()
    return _offer_page(offers.get(offer_id, viewer), viewer)


def _offer_page(shown: Offer, viewer, errors=None, typed=None, refusal=None, status=200):
    answers = offers.answers(shown, viewer)
    changes = [differences.between(before, version)
               for before, version in zip((None, *shown.versions), shown.versions, strict=False)]
    return render_template(
        "licensing/offer.html", offer=shown, answers=answers, changes=changes, errors=errors or {}, typed=typed or [],
        refusal=refusal, side=offers.side_of(shown, viewer), actions=offers.actions(shown, viewer),
        waits_for=offers.waits_for(shown), words=ACTION_WORDS, needs_note=workflow.NEEDS_NOTE,
        media_tree=media.vocabulary(), licences=offers.licences(shown), past=PAST, diff_rows=_diff_rows,
        form_lines=_form_lines(shown, typed), line_title_url=_line_title_url,
        free=all(answer["verdict"] == "available" for answer in answers.values())), status


def _form_lines(shown, typed):
    """The lines to edit: as they were typed just now, or as the current version says them."""
    known = {str(line.title_id): line.title for line in shown.current.lines}
    lines = typed or [{**terms.of_row(line).as_json(), "title_id": str(line.title_id),
                       "price": offers.price_text(line)} for line in shown.current.lines]
    return [{**line, "title": known[line["title_id"]].original_title,
             "lang": known[line["title_id"]].original_language} for line in lines if line["title_id"] in known]


def _line_title_url(line):
    """The title's page, asking what the line says."""
    said = terms.of_row(line).as_json()
    return url_for(".title", title_id=line.title_id, exclusive=str(said["exclusive"]).lower(),
                   **{name: ",".join(said[name]) for name in ("territories", "media", "languages")},
                   starts_on=said["starts_on"], ends_on=said["ends_on"])


def _diff_rows(title_id, versions):
    """One row for each term: what each version says of a title, and what it said before where that changed."""
    said = [differences.said(next((line for line in version.lines if line.title_id == title_id), None))
            for version in versions]
    rows = []
    for term in next(filter(None, reversed(said)), {}):
        words = [each.get(term, "not in it") for each in said]
        rows.append({"term": differences.TERMS[term], "cells": [
            {"words": now, "before": before, "changed": before is not None and before != now}
            for before, now in zip([None, *words], words, strict=False)]})
    return rows


@bp.post("/offers/<int:offer_id>/draft")
@security.permit("offer.draft")
@http.writes
def save_draft(offer_id):
    """Save a draft, and send it if a sending button was pressed."""
    viewer = security.viewer()
    shown = offers.lock(offer_id, viewer)
    lines = lines_in(request.form)
    action = request.form.get("action", "save")
    try:
        data = load(OfferPatch(), {"lines": lines, "currency": request.form.get("currency", ""),
                                   "valid_until": request.form.get("valid_until") or None})
        offers.revise_draft(shown, viewer, **data)
        if action != "save":
            offers.advance(shown, viewer, action, note=request.form.get("note"))
    except Invalid as problem:
        db.session.rollback()
        return _offer_page(offers.get(offer_id, viewer), viewer, problem.errors, lines, status=422)
    flash("The draft is saved." if action == "save" else "Sent. You will find it under Offers.")
    return redirect(url_for(".offer", offer_id=offer_id))


@bp.post("/offers/<int:offer_id>/discarding")
@security.permit("offer.draft")
@http.writes
def discard_draft(offer_id):
    """Throw a draft away."""
    viewer = security.viewer()
    offers.discard(offers.lock(offer_id, viewer), viewer)
    flash("The draft is gone.")
    return redirect(url_for(".list_offers"))


@bp.post("/offers/<int:offer_id>/steps")
@security.permit("offer.see")
@http.writes
def step(offer_id):
    """Take a step from the offer page."""
    viewer = security.viewer()
    shown = offers.lock(offer_id, viewer)
    lines = lines_in(request.form) or None
    try:
        data = load(StepSchema(), {"action": request.form.get("action", ""), "lines": lines,
                                   "version": request.form.get("version", type=int),
                                   "note": request.form.get("note") or None})
        taken = offers.advance(shown, viewer, **data)
    except Invalid as problem:
        db.session.rollback()
        return _offer_page(offers.get(offer_id, viewer), viewer, problem.errors, lines, status=422)
    except contracts.RightsTaken as problem:
        db.session.rollback()
        return _offer_page(offers.get(offer_id, viewer), viewer, refusal=problem, status=409)
    if refusal := getattr(taken, "refusal", None):  # came second: the offer is superseded, and that is kept
        return _offer_page(shown, viewer, refusal=refusal, status=409)
    return redirect(url_for(".offer", offer_id=offer_id))


@bp.get("/approvals")
@security.permit("offer.approve")
def approvals():
    """The rights manager's morning: what waits for approval, what stands in its way first."""
    viewer = security.viewer()
    waiting = db.session.scalars(offers.listing(viewer).where(
        Offer.state == State.PENDING_APPROVAL, Offer.seller_id == viewer.organisation_id)).unique().all()
    cases = [(each, offers.answers(each, viewer), "approve" in offers.actions(each, viewer)) for each in waiting]
    cases.sort(key=lambda case: all(answer["verdict"] == "available" for answer in case[1].values()))
    return render_template("licensing/approvals.html", cases=cases)


# ------------------------------------------------------------------ my titles

@bp.get("/slate")
@security.permit("mandate.see")
def slate():
    """The seller's own titles."""
    return _slate_page()


def _slate_page(errors=None, typed=None, status=200):
    viewer = security.viewer()
    page = max(1, request.args.get("page", 1, type=int))
    query = titles.listing(viewer, own=True)
    total = db.session.scalar(db.select(db.func.count()).select_from(query.order_by(None).subquery()))
    shown = db.session.scalars(query.limit(ON_A_PAGE).offset((page - 1) * ON_A_PAGE)).all()
    lines = avails.rights([each.id for each in shown])
    return render_template("licensing/slate.html", titles=shown, total=total, page=page, pages=-(-total // ON_A_PAGE),
                           lines=lines, errors=errors or {}, typed=typed or {}, kinds=list(Kind)), status


@bp.post("/slate")
@security.permit("title.create")
@http.writes
def create_title():
    """List a title."""
    typed = {name: value.strip() for name, value in request.form.items() if value.strip() and name != "csrf_token"}
    try:
        data = load(TitleSchema(), _title_data(typed))
        made = titles.create(security.viewer().organisation_id, titles=data.pop("names", ()), **data)
    except Invalid as problem:
        db.session.rollback()
        return _slate_page(problem.errors, typed, 422)
    flash(f"{made.original_title} is listed as a draft. Record what you may sell of it, then publish it.")
    return redirect(url_for(".rights", title_id=made.id))


def _title_data(typed):
    """The fields of the short form, as TitleSchema wants them."""
    data = {name: typed[name] for name in ("kind", "original_title", "original_language") if name in typed}
    for name in ("year", "runtime_minutes"):
        if name in typed:
            data[name] = int(typed[name]) if typed[name].isdigit() else typed[name]
    for name in ("countries", "genres"):
        if name in typed:
            parts = [part.strip() for part in typed[name].split(",") if part.strip()]
            data[name] = [part.upper() for part in parts] if name == "countries" else parts
    if "english_title" in typed:
        data["titles"] = [{"language": "en", "value": typed["english_title"], "kind": "translated"}]
    if "synopsis" in typed:
        data["synopsis"] = {"en": typed["synopsis"]}
    return data


@bp.post("/titles/<int:title_id>/status")
@security.permit("title.revise")
@http.writes
def set_status(title_id):
    """Publish a title, or withdraw it."""
    shown = titles.get(title_id, security.viewer(), "title.revise")
    data = load(TitlePatch(), {"status": request.form.get("status", "")})
    titles.revise(shown, **data)
    flash({Status.PUBLISHED: "Published: buyers find it from now on.",
           Status.WITHDRAWN: "Withdrawn: buyers do not find it any more."}.get(data["status"], "It is a draft again."))
    return redirect(request.form.get("back") if request.form.get("back") == url_for(".slate")
                    else url_for(".rights", title_id=title_id))


@bp.app_context_processor
def waiting_counts():
    """What waits for the viewer, for the masthead."""
    def counts():
        try:
            viewer = security.viewer()
        except Exception:  # signed out, or an error page before anyone is known
            return {"offers": 0, "approvals": 0}
        return offers.counts(viewer)
    return {"nav_counts": counts, "today": clock.today, "wording": wording, "said": terms.parts,
            "names": wording.facet, "state_class": _state_class}


def _state_class(state) -> str:
    """How a state is set: grave ends, good ends, and everything else plain."""
    if state in (State.SUPERSEDED, State.REJECTED, State.TERMINATED):
        return "stop"
    return "done" if state in (State.SIGNED, State.ACTIVE, State.APPROVED) else ""
