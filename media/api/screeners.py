"""Requests for screeners over the API: asking, the lists of both sides, and the seller's answer."""
from accounts import security
from catalogue import titles
from core import http
from media import assets, requests
from media.api import bp
from media.schemas import DecliningSchema, GivingSchema, GrantSchema, RequestQuery, ScreenerRequestSchema


@bp.post("/titles/<id:title_id>/screener-requests")
@security.permit("screener.request")
@http.writes
@bp.arguments(ScreenerRequestSchema)
@bp.response(201, ScreenerRequestSchema)
def request_screener(data, title_id):
    """Ask the seller of a title for a screener, also where there is none yet."""
    viewer = security.viewer()
    return requests.create(titles.get(title_id, viewer), viewer, **data)


@bp.get("/screener-requests")
@security.permit("request.see")
@bp.arguments(RequestQuery, location="query")
@bp.response(200, ScreenerRequestSchema(many=True))
@bp.paginate()
def list_requests(query, pagination_parameters):
    """What your organisation was asked as a seller, or asked as a buyer, newest first."""
    return http.page(requests.listing(security.viewer(), query.get("state")), pagination_parameters)


@bp.post("/screener-requests/<id:request_id>/grant")
@security.permit("asset.grant")
@http.writes
@bp.arguments(GivingSchema)
@bp.response(201, GrantSchema)
def grant_request(data, request_id):
    """Grant what was asked."""
    viewer = security.viewer()
    request = requests.get(request_id, viewer)
    return requests.grant(request, viewer, assets.own(data.pop("asset_id"), viewer), **data)


@bp.post("/screener-requests/<id:request_id>/declining")
@security.permit("asset.grant")
@http.writes
@bp.arguments(DecliningSchema)
@bp.response(200, ScreenerRequestSchema)
def decline_request(data, request_id):
    """Decline, with a sentence for those who asked."""
    viewer = security.viewer()
    request = requests.get(request_id, viewer)
    requests.decline(request, viewer, data["reply"])
    return request
