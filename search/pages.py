"""The search page, and the API's documentation."""
from flask import Blueprint, current_app, render_template, request, url_for

from accounts import security
from core.errors import Invalid
from licensing import avails, wording
from licensing.rights import media
from licensing.schemas import load
from search import query
from search.api import asked_for
from search.index import Unsearchable
from search.schemas import SearchSchema

bp = Blueprint("search_pages", __name__)
ON_A_PAGE = 20
MANY = ("kind", "genre", "country", "language", "territories", "media", "languages")


@bp.get("/")
@security.permit("title.see")
def home():
    """Search by words and by what is still free."""
    viewer = security.viewer()
    typed = {name: [part.strip() for each in request.args.getlist(name) for part in each.split(",") if part.strip()]
             for name in MANY}
    typed |= {name: request.args.get(name, "") for name in ("q", "starts_on", "ends_on", "exclusive", "match", "sort",
                                                            "year_from", "year_to", "page")}
    given = {name: value for name, value in typed.items() if value}
    if not given.get("territories") and not given.get("media") and not given.get("starts_on"):
        given.pop("exclusive", None)
        given.pop("languages", None)
        given.pop("ends_on", None)
    errors, found, asked = {}, None, None
    try:
        asked = asked_for(load(SearchSchema(), {**given, "page_size": ON_A_PAGE}))
        found = query.find(asked, viewer, current_app.extensions["index"])
    except Invalid as problem:
        errors = problem.errors
    except Unsearchable as problem:
        errors = {"q": [str(problem)]}
    answers = {hit.title.id: avails.described(hit.answer, asked.line, hit.title, viewer)
               for hit in (found.hits if found else []) if hit.answer}
    page = render_template("search/home.html", typed=typed, found=found, asked=asked, errors=errors, answers=answers,
                           label=wording.line(asked.line) if asked and asked.line else None,
                           media_tree=media.vocabulary(), here=_here, title_url=_title_url)
    return page, 422 if errors else 200


def _title_url(title_id: int, typed: dict) -> str:
    """The title's page, with the same line asked there."""
    line = {name: ",".join(typed[name]) if isinstance(typed[name], list) else typed[name]
            for name in ("territories", "media", "languages", "starts_on", "ends_on", "exclusive")}
    asks = line["territories"] and line["media"] and line["starts_on"]
    return url_for("licensing_pages.title", title_id=title_id, **(line if asks else {}))


def _here(**changes) -> str:
    """This search with some parameters changed; None takes one out."""
    args = {name: request.args.getlist(name) for name in request.args}
    args.pop("page", None)
    args |= changes
    return url_for(".home", **{name: value for name, value in args.items() if value})


@bp.get("/api/openapi.json")
@security.permit("open")
def openapi():
    """The OpenAPI document, generated from the code."""
    return current_app.extensions["slate-api"].spec.to_dict()


@bp.get("/api/docs")
@security.permit("open")
def docs():
    """The API, to read."""
    return render_template("search/docs.html", spec=current_app.extensions["slate-api"].spec.to_dict())
