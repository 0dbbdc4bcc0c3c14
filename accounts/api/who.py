"""Who am I, and who else is there."""
from accounts import people, security
from accounts.api import bp
from accounts.models import Person
from accounts.schemas import MeSchema, OrganisationQuery, OrganisationSchema
from core.database import db


@bp.get("/me")
@security.permit("look_up")
@bp.response(200, MeSchema)
def me():
    """The person the token belongs to, every organisation they may act for, and the one the token acts for."""
    viewer = security.viewer()
    return {"person": db.session.get(Person, viewer.person_id), "acting_for": viewer, "roles": sorted(viewer.roles),
            "organisations": people.memberships(viewer.person_id), "scopes": sorted(viewer.scopes)}


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
