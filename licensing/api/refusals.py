"""First negotiation and refusal: what you are asked, and your answer."""
from accounts import security
from catalogue import links, titles
from core import http
from licensing import avails
from licensing.api import bp
from licensing.refusals import asked, franchise
from licensing.schemas.refusals import RefusalAnswerSchema, RefusalSchema, WordSchema


@bp.get("/refusals")
@security.permit("refusal.see")
@bp.response(200, RefusalSchema(many=True))
@bp.paginate()
def list_refusals(pagination_parameters):
    """What you are asked first, or asked others; what is open first."""
    viewer = security.viewer()
    found = http.page(asked.listing(viewer), pagination_parameters)
    seen = titles.seen([each.title_id for each in found], viewer)
    return [_shown(each, viewer, seen) for each in found]


@bp.get("/refusals/<id:refusal_id>")
@security.permit("refusal.see")
@bp.response(200, RefusalSchema)
def show_refusal(refusal_id):
    """One question, and what you may answer now."""
    viewer = security.viewer()
    return _shown(asked.get(refusal_id, viewer), viewer)


@bp.post("/refusals/<id:refusal_id>/answer")
@security.permit("refusal.answer")
@http.writes
@bp.arguments(RefusalAnswerSchema)
@bp.response(201, RefusalSchema)
def answer_refusal(data, refusal_id):
    """Take it, which drafts an offer for you, or pass."""
    viewer = security.viewer()
    return _shown(asked.answer(asked.lock(refusal_id, viewer), viewer, data["answer"], data["note"]), viewer)


@bp.get("/titles/<id:title_id>/first-words")
@security.permit("mandate.see")
@bp.response(200, WordSchema(many=True))
def list_first_words(title_id):
    """Who must be asked about the titles of a franchise, where, and until when; for their seller."""
    viewer = security.viewer()
    title = titles.get(title_id, viewer, "mandate.see")
    words = franchise.to_mind(*links.franchise(title, viewer), viewer.organisation_id) if avails.owns(
        title, viewer) else {}
    return [{"title_id": each, "kind": word.option.kind, "holder": word.option.holder,
             "territories": word.option.written["territories"], "media": word.option.written["media"],
             "state": word.standing, "answer_by": word.answer_by} for each, some in words.items() for word in some]


def _shown(refusal, viewer, seen=None):
    refusal.actions = asked.actions(refusal, viewer, titles.seen([refusal.title_id], viewer) if seen is None else seen)
    return refusal
