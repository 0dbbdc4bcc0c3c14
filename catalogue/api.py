"""Titles and links over the API."""
from accounts import security
from catalogue import links, titles
from catalogue.schemas import FranchiseSchema, LinkSchema, TitleQuery, TitleSchema
from core import http
from core.errors import Invalid
from core.http import Blueprint

bp = Blueprint("titles", __name__, url_prefix="/api/v1/titles", description="What exists")


@bp.get("")
@security.permit("title.see")
@bp.arguments(TitleQuery, location="query")
@bp.response(200, TitleSchema(many=True))
@bp.paginate()
def listing(query, pagination_parameters):
    """The titles you may see, newest first."""
    viewer = security.viewer()
    return titles.told(http.page(titles.listing(viewer, own=query["own"]), pagination_parameters), viewer)


@bp.get("/<id:title_id>")
@security.permit("title.see")
@bp.response(200, TitleSchema)
def show(title_id):
    """One title. Its ETag is the revision a PATCH must name."""
    viewer = security.viewer()
    title, = titles.told([titles.get(title_id, viewer)], viewer)
    return title, 200, http.etag(title.revision)


@bp.post("/<id:title_id>/links")
@security.permit("title.link")
@http.writes
@bp.arguments(LinkSchema)
@bp.response(201, LinkSchema)
def link(data, title_id):
    """Say what this title is a sequel, remake or spin-off of."""
    viewer = security.viewer()
    title = titles.get(title_id, viewer, "title.link")
    target = titles.find(data["title_id"], viewer)
    if target is None:
        raise Invalid({"title_id": ["There is no such title that you may see."]})
    made = links.create(title, data["kind"], target)
    return {"id": made.id, "kind": made.kind, "title_id": made.target_id}


@bp.get("/<id:title_id>/franchise")
@security.permit("title.see")
@bp.response(200, FranchiseSchema)
def franchise(title_id):
    """The titles linked to this one, in order, with their links."""
    viewer = security.viewer()
    members, among = links.franchise(titles.get(title_id, viewer), viewer)
    titles.complete(members)
    return {"items": titles.told(members, viewer), "links": among}
