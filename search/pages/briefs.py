"""Briefs of buyers: pasted, read, answered with one's own titles, and sent as a link, a catalogue or a spreadsheet."""
import re

from flask import Response, current_app, flash, redirect, render_template, request, url_for

from accounts import people, security
from core import clock, http
from core.errors import Invalid, NotFound
from licensing import asking, wording
from licensing.rights import media
from licensing.schemas import load
from search import briefs, catalogues
from search.api import asked_for
from search.grammar import Unsearchable
from search.pages import ON_A_PAGE, bp
from search.schemas import SearchSchema

FIELDS = ("q", "kind", "country", "language", "year_from", "year_to")
FILES = {"pdf": (catalogues.pdf, "application/pdf"), "csv": (catalogues.table, "text/csv")}


@bp.get("/briefs")
@security.permit("brief.keep")
def list_briefs():
    """The organisation's briefs, and a form for the next."""
    return _briefs_page()


def _briefs_page(errors=None, status=200):
    viewer, page = security.viewer(), http.page_asked()
    found, total = briefs.listing(viewer, page, ON_A_PAGE)
    return render_template("search/briefs.html", briefs=found, total=total, page=page, pages=-(-total // ON_A_PAGE),
                           buyers=_buyers(viewer), typed=request.form, errors=errors or {}, day_at=clock.day_of), status


def _buyers(viewer):
    return [each for each in people.organisations("buyer") if each.id != viewer.organisation_id]


def _buyer() -> int | None:
    said = request.form.get("buyer", "")
    if said and not re.fullmatch("[0-9]{1,9}", said):
        raise Invalid({"buyer": ["Choose an organisation from the list."]})
    return int(said) if said else None


@bp.post("/briefs")
@security.permit("brief.keep")
@http.writes
def paste_brief():
    """Read a brief as a buyer wrote it."""
    try:
        brief, assumed = briefs.create(security.viewer(), request.form.get("text", ""), _buyer())
    except Invalid as problem:
        return _briefs_page(problem.errors, 422)
    for each in assumed:
        flash(f"Taken for granted, for {each}.")
    return redirect(url_for(".brief", brief_id=brief.id))


@bp.get("/briefs/<id:brief_id>")
@security.permit("brief.keep")
def brief(brief_id):
    """One's own titles for a brief, and how it was read."""
    return _brief_page(briefs.get(brief_id, security.viewer()))


def _revision(brief):
    return http.revision_of(brief.asked, brief.buyer_id)


def _brief_page(shown, errors=None, typed=None, status=200):
    answer = None
    try:
        answer = briefs.answer(shown, current_app.extensions["index"])
    except Unsearchable as problem:
        errors = errors or {"q": [str(problem)]}
    except Invalid as problem:
        errors = errors or problem.errors
    asked = shown.asked
    line = typed or asked["line"] or {}
    return render_template(
        "search/brief.html", brief=shown, answer=answer, errors=errors or {}, buyers=_buyers(security.viewer()),
        words={**{name: asked[name] for name in FIELDS}, **(typed or {})}, line=line, media_tree=media.vocabulary(),
        label=wording.line(answer.asked.line) if answer and answer.asked.line else None, revision=_revision(shown),
        read=asked, link=shown.token and url_for(".shared", token=shown.token, _external=True)), status


@bp.post("/briefs/<id:brief_id>")
@security.permit("brief.keep")
@http.writes
def correct_brief(brief_id):
    """Correct how it was read, and for whom it is."""
    viewer = security.viewer()
    shown = briefs.get(brief_id, viewer, lock=True)
    line = asking.line(request.form)
    typed = {**line, **{name: asking.names(request.form, name) for name in ("kind", "country", "language")},
             **{name: request.form.get(name, "").strip() for name in ("q", "year_from", "year_to")}}
    given = {name: value for name, value in typed.items() if value and name not in line}
    if asking.asks(request.form):
        given |= {name: value for name, value in line.items() if value} | {"ends_on": asking.end(request.form)}
    if http.form_is_stale(_revision(shown)):
        return _brief_page(shown, {"": [
            "A colleague corrected this brief while you did. It stands there as it is read now, and below it what you "
            "typed. Send it again to replace theirs."]}, typed, 412)
    try:
        briefs.revise(shown, viewer, asked_for(load(SearchSchema(), given)), _buyer())
    except Invalid as problem:
        return _brief_page(shown, problem.errors, typed, 422)
    return redirect(url_for(".brief", brief_id=shown.id))


@bp.post("/briefs/<id:brief_id>/titles")
@security.permit("brief.keep")
@http.writes
def choose_titles(brief_id):
    """Which of the titles found are on the list: of those shown, those that are ticked."""
    shown = briefs.get(brief_id, security.viewer())
    said = {name: {int(each) for each in request.form.getlist(name) if re.fullmatch("[0-9]{1,9}", each)}
            for name in ("shown", "on")}
    briefs.leave_out(shown, set(shown.left_out) - said["on"] | said["shown"] - said["on"])
    return redirect(url_for(".brief", brief_id=shown.id, _anchor="found"))


@bp.post("/briefs/<id:brief_id>/link")
@security.permit("brief.keep")
@http.writes
def share_brief(brief_id):
    """Make the address for the buyer, or end it."""
    shown = briefs.get(brief_id, security.viewer())
    if request.form.get("end"):
        briefs.close(shown)
        flash("The link has ended.")
    else:
        briefs.open_up(shown)
    return redirect(url_for(".brief", brief_id=shown.id, _anchor="send"))


@bp.get("/briefs/<id:brief_id>/catalogue.<kind>")
@security.permit("brief.keep")
@http.counts_as(http.PAPER)
def catalogue(brief_id, kind):
    """The list as a catalogue to print, or as a spreadsheet."""
    shown = briefs.get(brief_id, security.viewer())
    if kind not in FILES:
        raise NotFound()
    make, mimetype = FILES[kind]
    try:
        made = make(shown, briefs.answer(shown, current_app.extensions["index"]))
    except Unsearchable as problem:
        raise Invalid({"q": [str(problem)]}) from None
    return Response(made, mimetype=mimetype, headers={
        "Content-Disposition": f'attachment; filename="titles-for-brief-{shown.id}.{kind}"'})


@bp.get("/for/<token>")
@security.permit("brief.open")
@http.counts_as(http.PAPER)
def shared(token):
    """What a seller shows a buyer who need not be signed in."""
    shown = briefs.opened(token)
    try:
        answer = briefs.answer(shown, current_app.extensions["index"])
    except (Unsearchable, Invalid):
        answer = None
    page = render_template("search/shared.html", brief=shown, answer=answer,
                           label=wording.line(answer.asked.line) if answer and answer.asked.line else None)
    return page, 200, {"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
