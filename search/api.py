"""Search over the API, and whether the installation is well."""
import json

from flask import Blueprint as PlainBlueprint
from flask import Response, current_app
from sqlalchemy import text

from accounts import security
from core import clock, http, outbox
from core.database import db
from core.errors import Invalid
from core.http import Blueprint
from core.storage import probe
from licensing import terms, wording
from licensing.rights.availability import Answer
from search import query, worker
from search.grammar import Unsearchable
from search.schemas import FoundSchema, SearchSchema

bp = Blueprint("search", __name__, url_prefix="/api/v1", description="Finding what is free")
health = PlainBlueprint("health", __name__)
LAG_SECONDS = 60


@bp.get("/search")
@security.permit("title.see")
@http.counts_as(http.SEARCH)
@bp.arguments(SearchSchema, location="query")
@bp.response(200, FoundSchema)
def search(data):
    """Words, filters and a line; the titles you may see, with what is free of each."""
    asked = asked_for(data)
    try:
        found = query.find(asked, security.viewer(), current_app.extensions["index"])
    except Unsearchable as problem:
        raise Invalid({"q": [str(problem)]}) from None
    line = asked.line and {**asked.line.as_json(), "label": wording.line(asked.line)}
    body = {"items": [_item(hit, asked) for hit in found.hits], "total": found.total, "facets": found.facets,
            "did_you_mean": found.did_you_mean, "line": line, "took_ms": found.took_ms}
    totals = {"total": found.total, "total_pages": found.pages, "page": asked.page}
    return body, 200, {"X-Pagination": json.dumps(totals)}


def asked_for(data: dict) -> query.Asked:
    """A search from its checked shape. Raises Invalid for names on a line that mean nothing."""
    line = terms.read(data) if data["territories"] else None
    return query.Asked(line=line, **{name: tuple(data[name]) for name in query.FACETS},
                       **{name: data[name] for name in ("q", "year_from", "year_to", "match", "min_days", "sort",
                                                        "page", "page_size")})


def _item(hit: query.Hit, asked: query.Asked) -> dict:
    title = hit.title
    return {"id": title.id, "external_id": title.external_id, "title": title.original_title,
            "english_title": title.english_title, "kind": title.kind, "year": title.year,
            "highlight": hit.highlight and hit.highlight.text, "avails": hit.answer and _avails(hit.answer, asked)}


def _avails(answer: Answer, asked: query.Asked) -> dict:
    return {"verdict": str(answer.verdict), "coverage": float(answer.coverage),
            "text": wording.exception(answer, asked.line)}


# ------------------------------------------------------------------ health

@health.get("/healthz")
@security.permit("open")
def alive():
    """The process answers."""
    return {"status": "alive"}


@health.get("/readyz")
@security.permit("open")
def ready():
    """The parts answer: database, worker, index. The store is told and decides nothing: without it the catalogue
    is whole, but for its pictures."""
    parts = {"database": _database(), "worker": worker.alive(current_app.config["INSTANCE"])}
    if parts["database"]:
        oldest = outbox.oldest("title")
        parts["index_lag_seconds"] = round((clock.now() - oldest).total_seconds(), 1) if oldest else 0
        parts["index"] = parts["index_lag_seconds"] <= LAG_SECONDS
    well = all(value for name, value in parts.items() if name != "index_lag_seconds")
    parts["store"] = probe.answers_at_once(current_app.extensions["store"])
    return Response(json.dumps({"status": "ready" if well else "not ready", **parts}),
                    200 if well else 503, content_type="application/json")


def _database() -> bool:
    try:
        return db.session.execute(text("SELECT 1")).scalar() == 1
    except Exception:  # whatever it is, the database does not answer
        db.session.rollback()
        return False
