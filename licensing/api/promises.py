"""Holdbacks, options, and the dates that terms wait for."""
from accounts import security
from catalogue import titles
from core import http
from licensing import promises, terms
from licensing.api import bp
from licensing.schemas import EndingSchema
from licensing.schemas.promises import (
    EventSchema,
    HoldbackSchema,
    OptionSchema,
    RecordedHoldbackSchema,
    RecordedOptionSchema,
)


@bp.post("/titles/<id:title_id>/holdbacks")
@security.permit("mandate.record")
@http.writes
@bp.arguments(HoldbackSchema)
@bp.response(201, RecordedHoldbackSchema)
def record_holdback(data, title_id):
    """Promise not to exploit some media in some territories for a while."""
    title = titles.get(title_id, security.viewer(), "mandate.record")
    titles.lock([title.id])
    more = {name: data.pop(name) for name in ("hard", "binds", "licence_id", "note")}
    return promises.hold_back(title, terms.read(data), **more)


@bp.get("/titles/<id:title_id>/holdbacks")
@security.permit("mandate.see")
@bp.response(200, RecordedHoldbackSchema(many=True))
@bp.paginate()
def list_holdbacks(title_id, pagination_parameters):
    """The holdbacks you recorded on a title, newest first."""
    return http.page(promises.holdbacks(titles.get(title_id, security.viewer(), "mandate.see")), pagination_parameters)


@bp.post("/holdbacks/<id:holdback_id>/ending")
@security.permit("mandate.end")
@http.writes
@bp.arguments(EndingSchema)
@bp.response(201, RecordedHoldbackSchema)
def end_holdback(data, holdback_id):
    """End a holdback from a day on. Answers with what is left of it."""
    holdback = promises.get_holdback(holdback_id, security.viewer())
    titles.lock([holdback.title_id])
    return promises.end_holdback(holdback, **data)


@bp.post("/titles/<id:title_id>/options")
@security.permit("mandate.record")
@http.writes
@bp.arguments(OptionSchema)
@bp.response(201, RecordedOptionSchema)
def record_option(data, title_id):
    """Give first negotiation, first or last refusal over what will be linked to this title."""
    title = titles.get(title_id, security.viewer(), "mandate.record")
    said = terms.read({**data, "languages": ["*"], "starts_on": terms.FIRST_DAY, "ends_on": None})
    return promises.option(title, said, kind=data["kind"], organisation_id=data["organisation"], days=data["days"])


@bp.get("/titles/<id:title_id>/options")
@security.permit("mandate.see")
@bp.response(200, RecordedOptionSchema(many=True))
@bp.paginate()
def list_options(title_id, pagination_parameters):
    """The options that a title carries."""
    return http.page(promises.options(titles.get(title_id, security.viewer(), "mandate.see")), pagination_parameters)


@bp.post("/titles/<id:title_id>/events")
@security.permit("mandate.record")
@http.writes
@bp.arguments(EventSchema)
@bp.response(201, EventSchema)
def record_event(data, title_id):
    """Give an event its date: what waited for it is computed anew."""
    title = titles.get(title_id, security.viewer(), "mandate.record")
    titles.lock([title.id])
    return promises.happen(title, **data)
