"""A title's pictures and films: looking at them, and for its seller sending them from the browser.

What the script asks for is JSON; it comes with the session and the form's token. Bytes go to the store.
"""
from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for

from accounts import permissions, security
from accounts.permissions import Relation
from catalogue import titles
from catalogue.schemas import load
from core import http
from core.database import db, only_reads
from core.errors import Invalid
from media import assets, grants, pictures, watching
from media.models import FILMS, PICTURES, Asset, Kind, State, Track
from media.schemas import (
    AssetSchema,
    CompletionSchema,
    DescriptionSchema,
    NewAssetSchema,
    NumbersSchema,
    ProgressSchema,
    told,
)
from media.types import ALLOWED

bp = Blueprint("media_pages", __name__)
STILL_SIZES = (320, 640)


def _store():
    return current_app.extensions["store"]


@bp.app_context_processor
def poster_pictures():
    """`posters(title_ids, large)` for the pages that show titles: for such as the viewer may see. `seen_titles(ids)`
    says which of the titles that a record names these are: the others have no page for them to be led to."""
    def posters(title_ids, large=()):
        return pictures.posters(title_ids, _store(), large)

    def seen_titles(title_ids):
        return titles.seen(title_ids, g.viewer) if g.get("viewer") else set()
    return {"posters": posters, "seen_titles": seen_titles}


@bp.get("/titles/<id:title_id>/media")
@security.permit("asset.see")
def media(title_id):
    """Posters, stills and trailers; for the seller everything, with the form to send more."""
    viewer = security.viewer()
    return _media_page(titles.get(title_id, viewer), viewer)


def _media_page(title, viewer, typed=None, status=200):
    """`typed` are the fields of a description that came too late, by the name of its picture."""
    found = db.session.scalars(assets.listing(viewer, title.id).limit(200)).all()
    own = title.organisation_id == viewer.organisation_id and permissions.allows(viewer, "asset.send", Relation.OWN)
    ready = [each for each in found if each.state == State.READY]
    shown = [(each, pictures.shown(each, _store(), pictures.LARGE if each.kind == Kind.POSTER else STILL_SIZES))
             for each in ready if each.kind in PICTURES and each.pictures]
    trailers = [each for each in ready if each.kind == Kind.TRAILER]
    return render_template("media/media.html", title=title, own=own, assets=found if own else [], shown=shown,
                           trailers=trailers, kinds=list(Kind), tracks=list(Track), **_playing(trailers),
                           films=[each for each in found if each.kind in FILMS and each.state not in (
                               State.REJECTED, State.DELETED)] if own else [],
                           typed=typed or {}, revision=_revision,
                           allowed={kind.value: sorted(types) for kind, (types, _) in ALLOWED.items()}), status


def _revision(asset):
    return http.revision_of(asset.alt, asset.focal_x, asset.focal_y)


@bp.post("/titles/<id:title_id>/media")
@security.permit("asset.send")
@http.counts_as(http.UPLOAD)
@http.writes
def send(title_id):
    """Announce a file; answers how to send it."""
    viewer = security.viewer()
    title = titles.get(title_id, viewer, "asset.send")
    asset = assets.create(title, viewer, _store(), **load(NewAssetSchema(), _body()))
    return {"asset": AssetSchema().dump(asset), "upload": assets.upload(asset, _store())}, 201


@bp.get("/media/<id:asset_id>")
@security.permit("asset.see")
def state(asset_id):
    """How far a file is."""
    viewer = security.viewer()
    asset = assets.get(asset_id, viewer)
    return told(asset, assets.is_own(asset, viewer))


@bp.post("/media/<id:asset_id>/parts")
@security.permit("asset.send")
@http.counts_as(http.UPLOAD)
@only_reads
def parts(asset_id):
    """Fresh addresses for numbered parts, and which have arrived."""
    asset = assets.own(asset_id, security.viewer())
    return assets.sending(asset, _store(), load(NumbersSchema(), _body())["numbers"])


@bp.post("/media/<id:asset_id>/completion")
@security.permit("asset.send")
@http.writes
def completion(asset_id):
    """Everything was sent."""
    asset = assets.own(asset_id, security.viewer())
    assets.complete(asset, _store(), load(CompletionSchema(), _body()).get("sha256"))
    return AssetSchema().dump(asset), 202


@bp.post("/media/<id:asset_id>/description")
@security.permit("asset.send")
@http.writes
def description(asset_id):
    """What a picture shows, and what of it stays in view."""
    viewer = security.viewer()
    asset = assets.own(asset_id, viewer)
    db.session.refresh(asset, with_for_update={"of": Asset})  # not what is read with it, which may not be there
    if http.form_is_stale(_revision(asset)):
        return _media_page(asset.title, viewer, {asset.id: request.form}, 412)
    said = {"alt_text": request.form.get("alt_text", "")}
    try:
        said["focal_point"] = {axis: int(request.form.get(axis, 50)) / 100 for axis in "xy"}
    except ValueError:
        raise Invalid({"focal_point": ["The focal point is two numbers from 0 to 100."]}) from None
    assets.describe(asset, **load(DescriptionSchema(), said))
    flash("Noted.")
    return redirect(url_for(".media", title_id=asset.title_id))


@bp.post("/media/<id:asset_id>/deletion")
@security.permit("asset.send")
@http.writes
def deletion(asset_id):
    """Let nobody have a file any more."""
    asset = assets.own(asset_id, security.viewer())
    assets.delete(asset)
    flash(f"{asset.filename} is deleted: nobody has it any more.")
    return redirect(url_for(".media", title_id=asset.title_id))


@bp.get("/media/<id:asset_id>/watch")
@security.permit("asset.see")
def watch(asset_id):
    """One film, to be watched here: a screener with the viewer's mark over it."""
    viewer = security.viewer()
    film = watching.film(asset_id, viewer)
    screener = film.kind == Kind.SCREENER
    return render_template("media/watch.html", film=film, title=titles.find(film.title_id, viewer),
                           standing=watching.standing(film, viewer) if screener else None,
                           seller=film.title.seller, own=assets.is_own(film, viewer), **_playing([film]))


@bp.post("/media/<id:asset_id>/plays")
@security.permit("asset.see")
@http.writes
def play(asset_id):
    """Begin to watch a film. Of a screener this is one view."""
    viewer = security.viewer()
    begun, url = grants.play(watching.film(asset_id, viewer), viewer, _store())
    return _played(begun, url), 201


@bp.post("/plays/<id:play_id>/progress")
@security.permit("asset.see")
@http.writes
def progress(play_id):
    """Say how far a play is; answers fresh addresses to go on with."""
    seconds = load(ProgressSchema(), _body())["seconds"]
    return _played(*grants.go_on(play_id, security.viewer(), _store(), seconds))


def _playing(films) -> dict:
    """What a page with players is given: addresses of trailers, words over each film, what stands in its place."""
    tracks = watching.tracks([each.id for each in films])
    return {"words": tracks, "stills": watching.stills(films, _store()), "away": bool(_store().origin),
            "addresses": {each.id: assets.address(each, _store()) for each in films if each.kind == Kind.TRAILER},
            "track_addresses": watching.track_addresses([each for some in tracks.values() for each in some], _store())}


def _played(play, url) -> dict:
    words = watching.tracks([play.asset_id]).get(play.asset_id, [])
    return {"id": str(play.id), "url": url, "lives": _store().reading_seconds,
            "tracks": watching.track_addresses(words, _store())}


def _body() -> dict:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid({"body": ["This is not JSON."]})
    return body
