"""Market editions, and who takes part."""
from accounts import editions, security
from accounts.api import bp
from accounts.schemas import EditionSchema, OrganisationSchema, ParticipantSchema
from core import http


@bp.get("/editions")
@security.permit("edition.see")
@bp.response(200, EditionSchema(many=True))
@bp.paginate()
def list_editions(pagination_parameters):
    """The market editions you run or take part in, the latest first."""
    return http.page(editions.listing(security.viewer()), pagination_parameters)


@bp.post("/editions")
@security.permit("edition.run")
@http.writes
@bp.arguments(EditionSchema)
@bp.response(201, EditionSchema)
def create_edition(data):
    """Begin an edition of a market, in which nobody takes part yet."""
    return editions.create(security.viewer(), **data)


@bp.get("/editions/<id:edition_id>/participants")
@security.permit("edition.run")
@bp.response(200, OrganisationSchema(many=True))
@bp.paginate()
def list_participants(edition_id, pagination_parameters):
    """Who takes part in an edition of yours, by name."""
    found = editions.participants(editions.own(edition_id, security.viewer()))
    pagination_parameters.item_count = len(found)
    return found[pagination_parameters.first_item:pagination_parameters.last_item + 1]


@bp.post("/editions/<id:edition_id>/participants")
@security.permit("edition.run")
@http.writes
@bp.arguments(ParticipantSchema)
@bp.response(201, ParticipantSchema)
def admit(data, edition_id):
    """Let an organisation take part: it sees what is shown there from now on. Again changes nothing."""
    editions.admit(editions.own(edition_id, security.viewer()), int(data["organisation"]))
    return data


@bp.delete("/editions/<id:edition_id>/participants/<id:organisation_id>")
@security.permit("edition.run")
@http.writes
@bp.response(204)
def dismiss(edition_id, organisation_id):
    """Let an organisation take part no more."""
    editions.dismiss(editions.own(edition_id, security.viewer()), organisation_id)
