"""Who sees a title: its own organisation, chosen ones, those at a market, or everyone."""
import re

from flask import flash, redirect, render_template, request, url_for

from accounts import editions, people, security
from catalogue import titles
from catalogue.models import Status, Title
from catalogue.schemas import AudienceSchema, load
from core import http
from core.database import db
from core.errors import Invalid
from licensing import wording
from licensing.pages import bp

OWN = "own"  # beside the kinds of audiences


@bp.get("/titles/<id:title_id>/audience")
@security.permit("audience.see")
def audience(title_id):
    """Who sees a title, and the form that changes it."""
    viewer = security.viewer()
    return _audience_page(titles.get(title_id, viewer, "audience.see"), viewer)


def _audience_page(shown: Title, viewer, errors=None, typed=None, status=200):
    titles.told([shown], viewer)
    known = editions.attended(viewer.organisation_id)
    who = shown.audience["kind"] if shown.status == Status.PUBLISHED else OWN
    said = typed or {**shown.audience, "who": who}
    others = [each for each in people.organisations() if each.id != viewer.organisation_id]
    return render_template(
        "licensing/audience.html", title=shown, said=said, errors=errors or {}, editions=known,
        sizes=editions.sizes([each.id for each in known]), below=len(titles.family_below(shown.id)) - 1,
        revision=_revision(shown), may_change=titles.find(shown.id, viewer, "title.revise") is not None,
        organisations=sorted(others, key=lambda each: each.id not in said.get("organisations", ()))), status


def _revision(title):
    return http.revision_of(title.status, title.audience_id)


@bp.post("/titles/<id:title_id>/audience")
@security.permit("title.revise")
@http.writes
def show_title(title_id):
    """Show a title to others, or to nobody any more."""
    viewer = security.viewer()
    shown = titles.get(title_id, viewer, "title.revise")
    typed = _typed(request.form)
    db.session.refresh(shown, with_for_update=True)
    if http.form_is_stale(_revision(shown)):
        return _audience_page(shown, viewer, {"": [
            "A colleague changed who sees this title while you did. Above stands who does now; below, what you chose. "
            "Save again to replace it."]}, typed, 412)
    try:
        said = {name: value for name, value in typed.items() if name == typed["who"] and value}
        wanted = None if typed["who"] == OWN else load(AudienceSchema(), {"kind": typed["who"], **{
            {"market": "edition"}.get(name, name): value for name, value in said.items()}})
        titles.show(shown, wanted, below="below" in request.form)
    except Invalid as problem:
        db.session.rollback()
        errors = problem.errors.get("audience", problem.errors)
        return _audience_page(titles.get(title_id, viewer, "title.revise"), viewer, errors, typed, 422)
    flash(wording.audience(*titles.told([shown], viewer)))
    return redirect(url_for(".rights", title_id=title_id))


def _typed(form) -> dict:
    """What the form says, whatever was chosen: the rest stays as it was typed."""
    ids = [int(each) for each in form.getlist("organisation") if re.fullmatch("[0-9]{1,9}", each)]
    edition = form.get("edition", "")
    return {"who": form.get("who", ""), "organisations": ids,
            "market": int(edition) if re.fullmatch("[0-9]{1,9}", edition) else None}
