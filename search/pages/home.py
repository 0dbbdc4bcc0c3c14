"""The search page, and the API's documentation."""
from flask import current_app, get_template_attribute, jsonify, render_template, request, url_for

from accounts import people, security
from core import http
from core.errors import Invalid
from licensing import asking, avails, wording
from licensing.rights import media
from licensing.schemas import load
from search import query, saved
from search.api import asked_for
from search.grammar import Unsearchable
from search.pages import ON_A_PAGE, bp
from search.schemas import SearchSchema

SINGLE = ("q", "match", "sort", "year_from", "year_to")
ADDRESS = (*query.FACETS, *SINGLE, *asking.AXES, "starts_on", "ends_on", "exclusive")  # but for the page


@bp.get("/")
@security.permit("title.see")
@http.counts_as(http.SEARCH)
def home():
    """Search by words and by what is still free."""
    return page()


def page(problems=None, name=""):
    """`problems` are of saving what is asked, under `name`."""
    viewer = security.viewer()
    words = {name: asking.names(request.args, name) for name in query.FACETS} | {
        name: request.args.get(name, "") for name in (*SINGLE, "page")}
    line = asking.line(request.args)
    typed = {**words, **line}
    errors, found, asked = {}, None, None
    try:
        asked = asked_here()
        found = query.find(asked, viewer, current_app.extensions["index"])
    except Invalid as problem:
        errors = problem.errors
    except Unsearchable as problem:
        errors = {"q": [str(problem)]}
    errors |= problems or {}
    answers = {hit.title.id: avails.described(hit.answer, asked.line, hit.title, viewer)
               for hit in (found.hits if found else []) if hit.answer}
    page = render_template("search/home.html", typed=typed, found=found, asked=asked, errors=errors, answers=answers,
                           label=wording.line(asked.line) if asked and asked.line else None,
                           called=_called(found), name=name, news=saved.waiting(viewer), address=address(),
                           media_tree=media.vocabulary(), here=_here,
                           line_fields=asking.address(typed) if asking.asks(request.args) else {})
    return page, 422 if errors or problems else 200


def asked_here() -> query.Asked:
    """What the address asks. Raises Invalid."""
    given = {name: value for name in query.FACETS if (value := asking.names(request.args, name))}
    given |= {name: value for name in (*SINGLE, "page") if (value := request.args.get(name))}
    if asking.asks(request.args):
        line = asking.line(request.args)
        given |= {name: value for name, value in line.items() if value} | {"ends_on": asking.end(request.args)}
    return asked_for(load(SearchSchema(), {**given, "page_size": ON_A_PAGE}))


def address() -> dict:
    """What the address asks, as parameters of another one."""
    return {name: value for name in ADDRESS if (value := request.args.getlist(name))}


@bp.get("/suggestions")
@security.permit("title.see")
@http.counts_as(http.SEARCH)
def suggestions():
    """The first titles for what stands in the search box, for a script: each with its page, asked by the same line."""
    line = asking.address(asking.line(request.args)) if asking.asks(request.args) else {}
    try:
        found = query.suggestions(request.args.get("q", ""), security.viewer(), current_app.extensions["index"])
    except Unsearchable:
        found = []
    lang = get_template_attribute("macros/titles.html", "lang")
    return jsonify([{
        "title": title.original_title, "english_title": title.english_title,
        "language": lang(title.original_language),
        "about": " · ".join(filter(None, [wording.facet("kind", title.kind), title.year and str(title.year)])),
        "url": url_for("licensing_pages.title", title_id=title.id, **line)} for title in found])


def _called(found):
    """What a value of a facet is called."""
    sellers = people.names_of(map(int, found.facets["seller"])) if found else {}
    return lambda facet, value: (sellers.get(int(value), value) if value.isdecimal() and facet == "seller"
                                 else wording.facet(facet, value))


def _here(**changes) -> str:
    """This search with some parameters changed; None takes one out."""
    return url_for(".home", **{name: value for name, value in (address() | changes).items() if value})


@bp.get("/api/openapi.json")
@security.permit("open")
def openapi():
    """The OpenAPI document, generated from the code."""
    return current_app.extensions["slate-api"].document


@bp.get("/api/docs")
@security.permit("open")
def docs():
    """The API, to read."""
    return render_template("search/docs.html", spec=current_app.extensions["slate-api"].document)
