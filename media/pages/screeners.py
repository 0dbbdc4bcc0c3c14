"""Screeners as pages: a buyer asks and watches, the seller grants, looks on and takes back."""
import re
from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for

from accounts import people, permissions, security
from accounts.permissions import Relation
from catalogue import titles
from catalogue.schemas import load
from core import clock, http
from core.database import db
from core.errors import Invalid
from media import assets, grants, requests, watching
from media.pages import _store, bp
from media.schemas import DecliningSchema, GivingSchema, ScreenerRequestSchema

ON_A_PAGE = 50
DAYS, VIEWS = 14, 3  # what is offered where the seller changes nothing


@bp.app_context_processor
def screeners_on_pages():
    """For other pages: how many requests wait, a title's films for who looks at it, the form that grants one."""
    def waiting():
        return requests.count(security.viewer())

    def screener_of(title):
        viewer = security.viewer()
        watch = None if _may_give(title, viewer) else grants.watchable(title, viewer)
        may_ask = watch is None and requests.may_ask(title, viewer)
        asked = requests.latest(title, viewer) if may_ask else None
        films = [("trailer", watching.trailer(title)), ("screener", watch)]
        return {"films": [each for each in films if each[1]], "may_ask": may_ask, "asked": asked,
                "asked_on": asked and clock.day_of(asked.asked_at)}
    return {"screeners_waiting": waiting, "screener_of": screener_of, "giving": _giving}


def _offered() -> dict:
    """The terms a form begins with, as they are typed."""
    return {"starts_on": clock.today().isoformat(), "max_views": str(VIEWS),
            "ends_on": (clock.today() + timedelta(days=DAYS - 1)).isoformat()}


# ------------------------------------------------------------------ the buyer

@bp.post("/titles/<id:title_id>/screener-requests")
@security.permit("screener.request")
@http.writes
def request_screener(title_id):
    """Ask for a screener from the title's page."""
    viewer = security.viewer()
    title = titles.get(title_id, viewer)
    requests.create(title, viewer, **load(ScreenerRequestSchema(), {"note": request.form.get("note", "")}))
    flash(f"{title.seller.name} is asked. The answer will stand under Screeners.")
    return redirect(url_for("licensing_pages.title", title_id=title_id))


@bp.get("/your-screeners")
@security.permit("asset.see")
def your_screeners():
    """What the viewer may watch now, and what their organisation asked for."""
    viewer = security.viewer()
    page = http.page_asked()
    asked = db.session.scalars(requests.asked(viewer).limit(ON_A_PAGE + 1).offset((page - 1) * ON_A_PAGE)).all()
    return render_template("media/your_screeners.html", mine=grants.mine(viewer), asked=asked[:ON_A_PAGE], page=page,
                           more=len(asked) > ON_A_PAGE, days_left=grants.days_left, day_at=clock.day_of)


@bp.get("/media/<id:asset_id>/download")
@security.permit("asset.see")
def download(asset_id):
    """The file itself, where it may be had."""
    viewer = security.viewer()
    return redirect(grants.address(assets.get(asset_id, viewer), viewer, _store(), download=True))


# ------------------------------------------------------------------ the seller

@bp.get("/screeners")
@security.permit("asset.grant")
def screeners():
    """What the house was asked for, and every grant it gave, with who watched."""
    return _house_page()


def _house_page(wrong=None, errors=None, status=200):
    """`wrong` is the request whose form, as it was sent, has `errors`."""
    viewer = security.viewer()
    words, page = request.args.get("q", "").strip()[:200], http.page_asked()
    waiting = db.session.scalars(requests.waiting(viewer).limit(ON_A_PAGE + 1)).all()
    given = db.session.scalars(grants.of_house(viewer, words).limit(ON_A_PAGE + 1)
                               .offset((page - 1) * ON_A_PAGE)).all()
    return render_template(
        "media/screeners.html", waiting=waiting[:ON_A_PAGE], more_wait=len(waiting) > ON_A_PAGE,
        given=given[:ON_A_PAGE], more=len(given) > ON_A_PAGE, page=page, q=words, watched=grants.watched(given),
        screeners=requests.screeners(each.title_id for each in waiting), standing=grants.standing,
        days_left=grants.days_left, day_at=clock.day_of, offered=_offered(), wrong=wrong, errors=errors or {},
        typed=request.form), status


@bp.post("/screener-requests/<id:request_id>/grant")
@security.permit("asset.grant")
@http.writes
def grant_request(request_id):
    """Grant what was asked."""
    viewer = security.viewer()
    asked = requests.get(request_id, viewer)
    whole = request.form.get("whom") != "person"
    try:
        data = load(GivingSchema(), {**_terms(), "asset_id": request.form.get("asset_id", ""), **(
            {"organisation": str(asked.organisation_id)} if whole else {"person": str(asked.person_id)})})
        requests.grant(asked, viewer, assets.own(data.pop("asset_id"), viewer), **data)
    except Invalid as problem:
        db.session.rollback()
        return _house_page(request_id, problem.errors, 422)
    flash(f"Granted: {asked.organisation.name if whole else asked.person.name} may watch it.")
    return redirect(url_for(".screeners"))


@bp.post("/screener-requests/<id:request_id>/declining")
@security.permit("asset.grant")
@http.writes
def decline_request(request_id):
    """Decline, with a sentence."""
    viewer = security.viewer()
    asked = requests.get(request_id, viewer)
    try:
        requests.decline(asked, viewer, **load(DecliningSchema(), {"reply": request.form.get("reply", "").strip()}))
    except Invalid as problem:
        db.session.rollback()
        return _house_page(request_id, problem.errors, 422)
    flash(f"Declined. {asked.organisation.name} reads why.")
    return redirect(url_for(".screeners"))


@bp.post("/media/<id:asset_id>/grants/<id:grant_id>/ending")
@security.permit("asset.grant")
@http.writes
def end_grant(asset_id, grant_id):
    """Take a grant back."""
    grants.end(assets.own(asset_id, security.viewer()), grant_id)
    flash("Taken back. No new address is given; one that was given before ends within five minutes.")
    return redirect(url_for(".screeners", q=request.form.get("q") or None))


@bp.get("/titles/<id:title_id>/grants")
@security.permit("asset.grant")
def give_page(title_id):
    """The form that lets somebody watch a screener of a title without being asked."""
    return _give_page(titles.get(title_id, security.viewer(), "asset.grant"))


def _give_page(title, errors=None, status=200):
    return render_template("media/give.html", title=title, errors=errors or {}), status


def _may_give(title, viewer) -> bool:
    return title.organisation_id == viewer.organisation_id and permissions.allows(viewer, "asset.grant", Relation.OWN)


def _giving(title) -> dict | None:
    """What the form of a title needs, as it was sent or as it begins; None for who may grant nothing of it."""
    viewer = security.viewer()
    if not _may_give(title, viewer):
        return None
    others = [each for each in people.organisations("buyer") if each.id != viewer.organisation_id]
    return {"screeners": requests.screeners([title.id])[title.id], "organisations": others,
            "typed": request.form if request.method == "POST" else _offered()}


@bp.post("/titles/<id:title_id>/grants")
@security.permit("asset.grant")
@http.writes
def give(title_id):
    """Let an organisation, or one person, watch a screener."""
    viewer = security.viewer()
    title = titles.get(title_id, viewer, "asset.grant")
    try:
        data = load(GivingSchema(), {**_terms(), **_whom(), "asset_id": request.form.get("asset_id", "")})
        given = grants.give(assets.own(data.pop("asset_id"), viewer), viewer, **data)
        requests.settle(given)
    except Invalid as problem:
        db.session.rollback()
        return _give_page(titles.get(title_id, viewer), problem.errors, 422)
    waits = f" Whoever signs in with {given.email} can watch it; it waits until somebody does." if given.email else ""
    flash(f"Granted, until {given.ends_on.day} {given.ends_on:%b %Y}.{waits}")
    return redirect(url_for(".screeners", q=title.original_title))


def _terms() -> dict:
    """The terms of a grant in a form, as GrantSchema wants them. No number of views is as many as they like."""
    views = request.form.get("max_views", "").strip()
    return {"starts_on": request.form.get("starts_on", ""), "ends_on": request.form.get("ends_on", ""),
            "max_views": int(views) if re.fullmatch("[0-9]{1,6}", views) else views or None,
            "download": "download" in request.form}


def _whom() -> dict:
    """The organisation or the person a form names; a person by the whole address they sign in with."""
    return {"organisation": request.form.get("organisation") or None, "email": request.form.get("email", "").strip()
            or None}
