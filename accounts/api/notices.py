"""What I am told."""
from accounts import notices, security
from accounts.api import bp
from accounts.schemas import ChoicesSchema, NoticeSchema, SeenSchema
from core import http


@bp.get("/notices")
@security.permit("notice.see")
@bp.response(200, NoticeSchema(many=True))
@bp.paginate()
def list_notices(pagination_parameters):
    """What you were told, the latest first."""
    return http.page(notices.listing(security.viewer()), pagination_parameters)


@bp.post("/notices/seen")
@security.permit("notice.see")
@http.writes
@bp.arguments(SeenSchema)
@bp.response(204)
def see_notices(data):
    """Say that you saw every notice up to one."""
    notices.see(security.viewer(), upto=data["upto"])


@bp.get("/notices/choices")
@security.permit("notice.see")
@bp.response(200, ChoicesSchema)
def show_choices():
    """By kind of notice, whether you are told by the bell on every page, and by mail."""
    return {"choices": notices.choices(security.viewer())}


@bp.put("/notices/choices")
@security.permit("notice.choose")
@http.writes
@bp.arguments(ChoicesSchema)
@bp.response(200, ChoicesSchema)
def choose(data):
    """Say what reaches you; kinds that are not named stay as they are."""
    viewer = security.viewer()
    notices.choose(viewer, data["choices"])
    return {"choices": notices.choices(viewer)}
