"""Searches that were saved, and what is new in them."""
from flask import current_app, flash, redirect, render_template, request, url_for

from accounts import security
from core import clock, http
from core.errors import Invalid, Refusal
from licensing import wording
from search import query, saved
from search.grammar import Unsearchable
from search.pages import bp, home


@bp.get("/searches")
@security.permit("search.save")
def searches():
    """One's saved searches, those with news first."""
    viewer = security.viewer()
    mine = saved.listing(viewer)
    return render_template("search/saved.html", searches=[(each, *_said(each)) for each in mine],
                           news=saved.news(viewer), shown=saved.SHOWN, day_at=clock.day_of)


def _said(each):
    """(what a saved search asks, in words; its address or None where it cannot be asked any more)."""
    try:
        asked = query.Asked.of_json(each.asked)
    except Refusal as problem:
        return problem.detail, None
    filters = [wording.facet(facet, value) for facet in query.FACETS if facet != "seller"
               for value in getattr(asked, facet)]
    years = [f"{asked.year_from or ''}–{asked.year_to or ''}"] if asked.year_from or asked.year_to else []
    said = [f"“{asked.q}”"] * bool(asked.q) + filters + years + ([wording.line(asked.line)] if asked.line else [])
    return " · ".join(said) or "all titles", url_for(".home", **asked.address())


@bp.post("/searches")
@security.permit("search.save")
@http.writes
def save_search():
    """Save what the address asks; the form says under which name."""
    name = request.form.get("name", "")
    try:
        saved.save(security.viewer(), name, home.asked_here(), current_app.extensions["index"],
                   tells="tells" in request.form)
    except Unsearchable as problem:
        return home.page({"q": [str(problem)]}, name)
    except Invalid as problem:
        return home.page(problem.errors, name)
    flash("Saved." + (" You are told here when a title comes to match." if "tells" in request.form else ""))
    return redirect(url_for(".searches"))


@bp.post("/searches/<id:search_id>/seen")
@security.permit("search.save")
@http.writes
def see_news(search_id):
    """All that is new is seen."""
    saved.see(saved.get(search_id, security.viewer()))
    return redirect(url_for(".searches"))


@bp.post("/searches/<id:search_id>/removal")
@security.permit("search.save")
@http.writes
def remove_search(search_id):
    """Delete a saved search."""
    saved.drop(saved.get(search_id, security.viewer()))
    flash("Deleted.")
    return redirect(url_for(".searches"))
