"""Titles and links over the API."""
from accounts import security
from catalogue import links, titles
from catalogue.models import Title
from catalogue.schemas import FranchiseSchema, LinkSchema, TitlePatch, TitleQuery, TitleSchema
from core import http
from core.errors import Invalid
from core.http import Blueprint

bp = Blueprint("titles", __name__, url_prefix="/api/v1/titles", description="What exists")


@bp.post("")
@security.permit("title.create")
@http.writes
@bp.arguments(TitleSchema)
@bp.response(201, TitleSchema)
def create(data):
    """List a title."""
    viewer = security.viewer()
    parent = _parent(data, viewer)
    title = titles.create(viewer.organisation_id, parent=parent or None, titles=data.pop("names", ()), **data)
    return title, 201, http.etag(title.revision)


@bp.get("")
@security.permit("title.see")
@bp.arguments(TitleQuery, location="query")
@bp.response(200, TitleSchema(many=True))
@bp.paginate()
def listing(query, pagination_parameters):
    """The titles you may see, newest first."""
    return http.page(titles.listing(security.viewer(), own=query["own"]), pagination_parameters)


@bp.get("/<int:title_id>")
@security.permit("title.see")
@bp.response(200, TitleSchema)
def show(title_id):
    """One title. Its ETag is the revision a PATCH must name."""
    title = titles.get(title_id, security.viewer())
    return title, 200, http.etag(title.revision)


@bp.patch("/<int:title_id>")
@security.permit("title.revise")
@http.writes
@bp.arguments(TitlePatch)
@bp.response(200, TitleSchema)
def revise(data, title_id):
    """Change what is sent; `If-Match` names the revision you read."""
    viewer = security.viewer()
    title = titles.get(title_id, viewer, "title.revise")
    http.check_if_match(title.revision)
    parent = _parent(data, viewer)
    titles.revise(title, parent=parent, titles=data.pop("names", None), **data)
    return title, 200, http.etag(title.revision)


@bp.post("/<int:title_id>/links")
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


@bp.get("/<int:title_id>/franchise")
@security.permit("title.see")
@bp.response(200, FranchiseSchema)
def franchise(title_id):
    """The titles linked to this one, in order, with their links."""
    viewer = security.viewer()
    members, among = links.franchise(titles.get(title_id, viewer), viewer)
    return {"items": members, "links": among}


def _parent(data, viewer) -> Title | None | bool:
    """The parent a body names: a title of one's own, None to have none, False where nothing is said."""
    if "parent_id" not in data:
        return False
    parent_id = data.pop("parent_id")
    if parent_id is None:
        return None
    if parent := titles.find(parent_id, viewer, "title.revise"):
        return parent
    raise Invalid({"parent_id": ["There is no such title of yours."]})
