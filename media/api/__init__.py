"""Assets over the API. Addresses lead to the store: no bytes of an asset pass here."""
from datetime import timedelta
from urllib.parse import urljoin

from flask import current_app, jsonify, request

from accounts import security
from catalogue import titles
from core import clock, http
from core.database import only_reads
from core.http import Blueprint
from media import assets, grants, requests
from media.schemas import (
    AddressQuery,
    AddressSchema,
    AssetSchema,
    BegunSchema,
    CompletionSchema,
    DescriptionSchema,
    GrantSchema,
    NewAssetSchema,
    NumbersSchema,
    PartsSchema,
    ProgressSchema,
    SendingSchema,
    told,
)

bp = Blueprint("assets", __name__, url_prefix="/api/v1", description="Pictures, films and papers of a title")


def _store():
    return current_app.extensions["store"]


def whole(url: str | None) -> str | None:
    """An address that stands by itself: a folder's are paths on this host."""
    return url and urljoin(request.host_url, url)


def _with_whole(upload: dict) -> dict:
    return {**upload, "url": whole(upload["url"]), "parts": [{**each, "url": whole(each["url"])}
                                                             for each in upload["parts"]]}


@bp.post("/titles/<id:title_id>/assets")
@security.permit("asset.send")
@http.counts_as(http.UPLOAD)
@http.shows_once("upload")
@http.writes
@bp.arguments(NewAssetSchema)
@bp.response(201, SendingSchema)
def create_asset(data, title_id):
    """Announce a file of a title. The answer says how to send it to the store."""
    viewer = security.viewer()
    asset = assets.create(titles.get(title_id, viewer, "asset.send"), viewer, _store(), **data)
    return {"asset": asset, "upload": _with_whole(assets.upload(asset, _store()))}


@bp.get("/titles/<id:title_id>/assets")
@security.permit("asset.send")
@bp.response(200, AssetSchema(many=True))
@bp.paginate()
def list_assets(title_id, pagination_parameters):
    """Every file of a title of yours, newest first."""
    viewer = security.viewer()
    titles.get(title_id, viewer, "asset.send")
    return http.page(assets.listing(viewer, title_id), pagination_parameters)


@bp.post("/assets/<id:asset_id>/parts")
@security.permit("asset.send")
@http.counts_as(http.UPLOAD)
@only_reads
@bp.arguments(NumbersSchema)
@bp.response(200, PartsSchema)
def sign_parts(data, asset_id):
    """Fresh addresses for numbered parts, and which parts have arrived."""
    found = assets.sending(assets.own(asset_id, security.viewer()), _store(), data["numbers"])
    return {**found, "parts": [{**each, "url": whole(each["url"])} for each in found["parts"]]}


@bp.post("/assets/<id:asset_id>/completion")
@security.permit("asset.send")
@http.writes
@bp.arguments(CompletionSchema)
@bp.response(202, AssetSchema)
def complete(data, asset_id):
    """Say that everything was sent. It is read and checked after this answer."""
    asset = assets.own(asset_id, security.viewer())
    assets.complete(asset, _store(), data.get("sha256"))
    return asset


@bp.get("/assets/<id:asset_id>")
@security.permit("asset.see")
@bp.response(200, AssetSchema)
def show_asset(asset_id):
    """One file, and how far it is."""
    viewer = security.viewer()
    asset = assets.get(asset_id, viewer)
    return jsonify(told(asset, assets.is_own(asset, viewer)))


@bp.patch("/assets/<id:asset_id>")
@security.permit("asset.send")
@http.writes
@bp.arguments(DescriptionSchema)
@bp.response(200, AssetSchema)
def describe(data, asset_id):
    """Say anew what a picture shows, or what of it stays in view."""
    asset = assets.own(asset_id, security.viewer())
    assets.describe(asset, **data)
    return asset


@bp.delete("/assets/<id:asset_id>")
@security.permit("asset.send")
@http.writes
@bp.response(204)
def delete_asset(asset_id):
    """Let nobody have a file any more."""
    assets.delete(assets.own(asset_id, security.viewer()))


@bp.get("/assets/<id:asset_id>/url")
@security.permit("asset.see")
@bp.arguments(AddressQuery, location="query")
@bp.response(200, AddressSchema)
def sign_address(query, asset_id):
    """Where the file can be read for five minutes."""
    viewer = security.viewer()
    return _address(grants.address(assets.get(asset_id, viewer), viewer, _store(), query["download"]))


def _address(url: str) -> dict:
    return {"url": whole(url), "expires_at": clock.now() + timedelta(seconds=_store().reading_seconds)}


@bp.post("/assets/<id:asset_id>/plays")
@security.permit("asset.see")
@http.shows_once("url")
@http.writes
@bp.response(201, BegunSchema)
def play(asset_id):
    """Begin to watch a film. Of a screener this is one view."""
    viewer = security.viewer()
    begun, url = grants.play(assets.get(asset_id, viewer), viewer, _store())
    return {"id": begun.id, **_address(url)}


@bp.post("/plays/<id:play_id>/progress")
@security.permit("asset.see")
@http.shows_once("url")
@http.writes
@bp.arguments(ProgressSchema)
@bp.response(200, BegunSchema)
def go_on(data, play_id):
    """Say how far a play is, and have a fresh address to go on with."""
    begun, url = grants.go_on(play_id, security.viewer(), _store(), data["seconds"])
    return {"id": begun.id, **_address(url)}


@bp.post("/assets/<id:asset_id>/grants")
@security.permit("asset.grant")
@http.writes
@bp.arguments(GrantSchema)
@bp.response(201, GrantSchema)
def give_grant(data, asset_id):
    """Let an organisation or a person watch a screener for a while."""
    viewer = security.viewer()
    given = grants.give(assets.own(asset_id, viewer), viewer, **data)
    requests.settle(given)
    return given


@bp.get("/assets/<id:asset_id>/grants")
@security.permit("asset.grant")
@bp.response(200, GrantSchema(many=True))
@bp.paginate()
def list_grants(asset_id, pagination_parameters):
    """Who may watch a screener, who watched, how far and how often."""
    return http.page(grants.listing(assets.own(asset_id, security.viewer())), pagination_parameters)


@bp.delete("/assets/<id:asset_id>/grants/<id:grant_id>")
@security.permit("asset.grant")
@http.writes
@bp.response(204)
def end_grant(asset_id, grant_id):
    """Take a grant back: at once for new addresses, within five minutes for old ones."""
    grants.end(assets.own(asset_id, security.viewer()), grant_id)
