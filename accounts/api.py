"""Who am I, who else is there, and what I am told."""
from accounts import notices, people, security
from accounts.models import Person
from accounts.schemas import (
    ChoicesSchema,
    MeSchema,
    NoticeSchema,
    OrganisationQuery,
    OrganisationSchema,
    SeenSchema,
)
from core import http
from core.database import db
from core.http import Blueprint

bp = Blueprint("accounts", __name__, url_prefix="/api/v1", description="People and organisations")


@bp.get("/me")
@security.permit("look_up")
@bp.response(200, MeSchema)
def me():
    """The person the token belongs to, with their organisations and roles."""
    viewer = security.viewer()
    person = db.session.get(Person, viewer.person_id)
    return {"person": person, "organisations": person.memberships, "roles": sorted(viewer.roles)}


@bp.get("/organisations")
@security.permit("look_up")
@bp.arguments(OrganisationQuery, location="query")
@bp.response(200, OrganisationSchema(many=True))
@bp.paginate()
def organisations(query, pagination_parameters):
    """Organisations at the market, by name."""
    everyone = people.organisations(query.get("role"))
    pagination_parameters.item_count = len(everyone)
    return everyone[pagination_parameters.first_item:pagination_parameters.last_item + 1]


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
@security.permit("notice.see")
@http.writes
@bp.arguments(ChoicesSchema)
@bp.response(200, ChoicesSchema)
def choose(data):
    """Say what reaches you; kinds that are not named stay as they are."""
    viewer = security.viewer()
    notices.choose(viewer, data["choices"])
    return {"choices": notices.choices(viewer)}
