"""Applications, and organisations that are suspended: for operators."""
from accounts import applications, security
from accounts.api import bp
from accounts.schemas import (
    AdmissionSchema,
    ApplicationDecliningSchema,
    ApplicationQuery,
    ApplicationSchema,
    OrganisationSchema,
)
from core import http


@bp.get("/applications")
@security.permit("organisation.admit")
@bp.arguments(ApplicationQuery, location="query")
@bp.response(200, ApplicationSchema(many=True))
@bp.paginate()
def list_applications(query, pagination_parameters):
    """Who asks to be admitted, who has waited longest first; or what was decided, the latest first."""
    found = applications.waiting() if query["state"] == "waiting" else applications.decided()
    return http.page(found, pagination_parameters)


@bp.post("/applications/<id:application_id>/admission")
@security.permit("organisation.admit")
@http.writes
@bp.arguments(AdmissionSchema)
@bp.response(201, ApplicationSchema)
def admit(data, application_id):
    """Make the organisation, and invite its applicant to administer it."""
    return applications.admit(application_id, security.viewer(), **data)


@bp.post("/applications/<id:application_id>/declining")
@security.permit("organisation.admit")
@http.writes
@bp.arguments(ApplicationDecliningSchema)
@bp.response(200, ApplicationSchema)
def decline(data, application_id):
    """Decline, with a reason that the applicant reads."""
    return applications.decline(application_id, security.viewer(), **data)


@bp.put("/organisations/<id:organisation_id>/suspension")
@security.permit("organisation.admit")
@http.writes
@bp.response(200, OrganisationSchema)
def suspend(organisation_id):
    """Let nobody act for an organisation, from this moment."""
    return applications.suspend(organisation_id, security.viewer())


@bp.delete("/organisations/<id:organisation_id>/suspension")
@security.permit("organisation.admit")
@http.writes
@bp.response(200, OrganisationSchema)
def resume(organisation_id):
    """Let its people act for it again."""
    return applications.resume(organisation_id)
