"""The title page with its question, the drawings of its rights, and the seller's record of them."""
from flask import Response, flash, redirect, render_template, request, url_for

from accounts import people, permissions, security
from accounts.permissions import Relation
from catalogue import links, titles
from catalogue.models import Status, Title
from catalogue.schemas import TitlePatch
from core import http
from core.database import db
from core.errors import Invalid
from licensing import asking, avails, contracts, drawings, exports, floors, grounds, holds, mandates, terms, wording
from licensing.pages import bp, money
from licensing.rights import media
from licensing.schemas import EndingSchema, LicenceSchema, LineSchema, MandateSchema, load


@bp.get("/titles/<id:title_id>")
@security.permit("title.see")
def title(title_id):
    """What a title is, and whether it is free for what the query string asks."""
    return _title_page(titles.get(title_id, security.viewer()))


def _title_page(shown: Title, errors=None, status=200):
    viewer = security.viewer()
    typed, asked, line_errors = _asked(request.args)
    answer = (avails.described(avails.ask(shown.id, asked, avails.licensee(viewer, shown)), asked, shown, viewer)
              if asked else None)
    members, among = links.franchise(shown, viewer)
    own = avails.owns(shown, viewer)
    return render_template(
        "licensing/title.html", title=shown, typed=typed, answer=answer, errors={**line_errors, **(errors or {})},
        asked_here=asking.address(typed) if asking.asks(request.args) else {}, franchise=members, links=among,
        own=own, **_records(shown, own), floors=floors.of(shown, asked) if own and asked else [],
        media_tree=media.vocabulary(), line_url=_line_url, asking_for=asking.address,
        may_offer=permissions.allows(viewer, "offer.draft") and (viewer.buys or own)), status


def _records(shown, own):
    """What the seller alone is shown: rights in, rights out, and which of these rest on nothing any more."""
    licences = avails.licences_of(shown) if own else []
    buyers = [each for each in people.organisations("buyer") if each.id != shown.organisation_id] if own else []
    return {"mandates": mandates.listing(shown) if own else [], "licences": licences, "bare": grounds.bare(licences),
            "held": db.session.scalars(holds.listing(shown)).all() if own else holds.held_for(shown, security.viewer()),
            "buyers": buyers}


def _asked(args):
    """(line as typed, terms or None, errors): what the query string asks of a title, if it asks."""
    typed = asking.line(args)
    typed["languages"] = typed["languages"] or ["*"]
    if not asking.asks(args):
        return typed, None, {}
    try:
        return typed, terms.read(load(LineSchema(), typed)), {}
    except Invalid as problem:
        return typed, None, problem.errors


def _line_url(line: dict) -> str:
    """This page with another line asked."""
    return url_for(".title", **request.view_args, **asking.address(line))


@bp.get("/titles/<id:title_id>/rights")
@security.permit("title.see")
def rights(title_id):
    """A title's rights drawn: grid, timeline and map. For its seller also the record, with the forms that add to it."""
    return rights_page(titles.get(title_id, security.viewer()))


@bp.get("/titles/<id:title_id>/rights.csv")
@security.permit("title.see")
def rights_table(title_id):
    """What is free of what was asked, as a spreadsheet."""
    viewer = security.viewer()
    shown = titles.get(title_id, viewer)
    _, asked, problems = _supposed(request.args)
    if problems:
        raise Invalid(problems)
    answer = avails.ask(shown.id, asked, avails.licensee(viewer, shown))
    return Response(exports.free_table(shown, answer), mimetype="text/csv", headers={
        "Content-Disposition": f"attachment; filename=slate-{shown.id}-free.csv"})


def rights_page(shown, errors=None, typed=None, form=None, status=200):
    viewer = security.viewer()
    own = avails.owns(shown, viewer)
    titles.told([shown], viewer)
    line, drawn, problems = _drawn(shown, viewer, request.args)
    return render_template(
        "licensing/rights.html", title=shown, own=own, line=line, drawn=drawn, problems=problems,
        asked_here=asking.address(line) if asking.asks(request.args) else {},
        **_records(shown, own), media_tree=media.vocabulary(), errors=errors or {},
        typed=typed or {"languages": ["*"]}, form=form,
        may_end=own and permissions.allows(viewer, "mandate.end", Relation.OWN)), status


def _drawn(shown, viewer, args):
    """(line as typed, drawings or None, errors)."""
    typed, asked, problems = _supposed(args)
    if problems:
        return typed, None, problems
    where, what = asked.territories * bool(typed["territories"]), asked.media * bool(typed["media"])
    return typed, drawings.draw(shown, viewer, asked, where, what), {}


def _supposed(args):
    """(line as typed, terms or None, errors). What was not asked is supposed, but never a territory or a medium: where
    none is named, all are drawn."""
    typed = asking.line(args)
    if not asking.asks(args):
        typed["exclusive"] = True
    typed = drawings.supposed(typed)
    try:
        return typed, terms.read(load(LineSchema(), {**typed, "territories": typed["territories"] or ["World"],
                                                     "media": typed["media"] or ["all"]})), {}
    except Invalid as problem:
        return typed, None, problem.errors


@bp.post("/titles/<id:title_id>/mandates")
@security.permit("mandate.record")
@http.writes
def record_mandate(title_id):
    """Record a mandate from the rights page."""
    shown = titles.get(title_id, security.viewer(), "mandate.record")
    typed = asking.line(request.form)
    try:
        data = load(MandateSchema(), {**typed, "contract": request.form.get("contract") or None,
                                      "licensor": request.form.get("licensor") or None,
                                      "floors": money.floors_in(request.form)})
        titles.lock([shown.id])
        mandates.record(shown, terms.read(data), contract=data["contract"], licensor=data["licensor"],
                        floors=data["floors"])
    except Invalid as problem:
        return rights_page(shown, problem.errors, typed, "mandate", 422)
    flash("The mandate is recorded.")
    return redirect(url_for(".rights", title_id=title_id))


@bp.post("/titles/<id:title_id>/licences")
@security.permit("licence.record")
@http.writes
def record_licence(title_id):
    """Record a deal done elsewhere from the rights page."""
    viewer = security.viewer()
    shown = titles.get(title_id, viewer, "licence.record")
    typed = asking.line(request.form)
    try:
        data = load(LicenceSchema(), {**typed, "licensee": request.form.get("licensee", ""),
                                      "contract": request.form.get("contract") or None})
        titles.lock([shown.id])
        contracts.grant(viewer.organisation_id, [(shown, terms.read(data))], licensee_id=None,
                        licensee_name=data["licensee"], contract=data["contract"], viewer=viewer, recording=True)
    except Invalid as problem:
        return rights_page(shown, problem.errors, typed, "licence", 422)
    except contracts.RightsTaken as problem:
        return rights_page(shown, {"taken": problem.more["reasons"], "": [problem.detail]}, typed, "licence", 409)
    flash("The licence is recorded.")
    return redirect(url_for(".rights", title_id=title_id))


@bp.post("/mandates/<id:mandate_id>/ending")
@security.permit("mandate.end")
@http.writes
def end_mandate(mandate_id):
    """End a mandate from a day on."""
    mandate = mandates.get(mandate_id, security.viewer(), "mandate.end")
    titles.lock([mandate.title_id])
    mandates.end(mandate, **_ending())
    stand = len(grounds.bare(avails.licences_of(mandate.title)))
    flash("The mandate is ended. " + (f"{stand} of your licences stand without it: see Rights out." if stand > 1 else
                                      "One of your licences stands without it: see Rights out." if stand else
                                      "No licence reaches beyond it."))
    return redirect(url_for(".rights", title_id=mandate.title_id))


@bp.post("/licences/<id:licence_id>/termination")
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


@bp.post("/titles/<id:title_id>/status")
@security.permit("title.revise")
@http.writes
def set_status(title_id):
    """Publish a title, or withdraw it."""
    viewer = security.viewer()
    shown = titles.get(title_id, viewer, "title.revise")
    data = load(TitlePatch(), {"status": request.form.get("status", "")})
    titles.revise(shown, **data)
    flash({Status.PUBLISHED: f"Published. {wording.audience(*titles.told([shown], viewer))}",
           Status.WITHDRAWN: "Withdrawn: buyers do not find it any more."}.get(data["status"], "It is a draft again."))
    return redirect(request.form.get("back") if request.form.get("back") == url_for(".slate")
                    else url_for(".rights", title_id=title_id))
