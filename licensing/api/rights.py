"""Mandates and licences, a title that comes or moves among them, and whether it is free."""
from accounts import people, security
from catalogue import titles
from catalogue.schemas import ID, TitlePatch, TitleSchema
from core import http
from core.database import db, only_reads
from core.errors import Invalid, NotFound
from licensing import avails, contracts, floors, grounds, mandates, terms
from licensing.api import bp
from licensing.rights import languages, media, territories
from licensing.schemas import (
    AnswerSchema,
    AskedSchema,
    EndingSchema,
    LicenceSchema,
    MandateSchema,
    RecordedLicenceSchema,
    RecordedMandateSchema,
)


@bp.post("/titles")
@security.permit("title.create")
@http.writes
@bp.arguments(TitleSchema)
@bp.response(201, TitleSchema)
def create_title(data):
    """List a title."""
    viewer = security.viewer()
    parent = titles.parent_in(data, viewer)
    title = titles.create(viewer.organisation_id, parent=parent or None, titles=data.pop("names", ()), **data)
    if parent:
        contracts.follow(title, title.root_id)
    titles.told([title], viewer)
    return title, 201, http.etag(title.revision)


@bp.patch("/titles/<id:title_id>")
@security.permit("title.revise")
@http.writes
@bp.arguments(TitlePatch)
@bp.response(200, TitleSchema)
def revise_title(data, title_id):
    """Change what is sent; `If-Match` names the revision you read."""
    viewer = security.viewer()
    title = titles.get(title_id, viewer, "title.revise")
    http.check_if_match(title.revision)
    parent, root = titles.parent_in(data, viewer), title.root_id
    titles.revise(title, parent=parent, titles=data.pop("names", None), **data)
    if parent is not False:
        contracts.follow(title, root)
    titles.told([title], viewer)
    return title, 200, http.etag(title.revision)


@bp.post("/titles/<id:title_id>/mandates")
@security.permit("mandate.record")
@http.writes
@bp.arguments(MandateSchema)
@bp.response(201, RecordedMandateSchema)
def record_mandate(data, title_id):
    """Record what you may sell of a title."""
    title = titles.get(title_id, security.viewer(), "mandate.record")
    titles.lock([title.id])
    return mandates.record(title, terms.read(data), contract=data["contract"], licensor=data["licensor"],
                           floors=data["floors"])


@bp.get("/titles/<id:title_id>/mandates")
@security.permit("mandate.see")
@bp.response(200, RecordedMandateSchema(many=True))
@bp.paginate()
def list_mandates(title_id, pagination_parameters):
    """The mandates you recorded on a title, newest first."""
    return _slice(mandates.listing(titles.get(title_id, security.viewer(), "mandate.see")), pagination_parameters)


@bp.post("/mandates/<id:mandate_id>/ending")
@security.permit("mandate.end")
@http.writes
@bp.arguments(EndingSchema)
@bp.response(201, RecordedMandateSchema)
def end_mandate(data, mandate_id):
    """End a mandate from a day on. Licences granted under it stand."""
    mandate = mandates.get(mandate_id, security.viewer(), "mandate.end")
    titles.lock([mandate.title_id])
    mandates.end(mandate, **data)
    db.session.refresh(mandate)
    return mandate


@bp.post("/titles/<id:title_id>/licences")
@security.permit("licence.record")
@http.writes
@bp.arguments(LicenceSchema)
@bp.response(201, RecordedLicenceSchema)
def record_licence(data, title_id):
    """Record a deal done elsewhere. Refused with the reasons where it collides or lies outside the mandates."""
    viewer = security.viewer()
    title = titles.get(title_id, viewer, "licence.record")
    licensee_id, name = _licensee(data["licensee"])
    titles.lock([title.id])
    return contracts.grant(viewer.organisation_id, [(title, terms.read(data))], licensee_id=licensee_id,
                           licensee_name=name, contract=data["contract"], viewer=viewer, recording=True)


@bp.get("/titles/<id:title_id>/licences")
@security.permit("mandate.see")
@bp.response(200, RecordedLicenceSchema(many=True))
@bp.paginate()
def list_title_licences(title_id, pagination_parameters):
    """The licences you granted on a title, newest first."""
    viewer = security.viewer()
    return _grounded(_slice(avails.licences_of(titles.get(title_id, viewer, "mandate.see")), pagination_parameters),
                     viewer)


@bp.post("/licences/<id:licence_id>/termination")
@security.permit("licence.terminate")
@http.writes
@bp.arguments(EndingSchema)
@bp.response(201, RecordedLicenceSchema)
def terminate_licence(data, licence_id):
    """End a licence from a day on; its remaining cells are free again."""
    licence = contracts.get(licence_id, security.viewer(), "licence.terminate")
    titles.lock([line.title_id for line in licence.lines])
    contracts.terminate(licence, **data)
    db.session.refresh(licence)
    return licence


@bp.get("/licences")
@security.permit("licence.see")
@bp.response(200, RecordedLicenceSchema(many=True))
@bp.paginate()
def list_licences(pagination_parameters):
    """Your licences, as seller or as buyer, newest first."""
    viewer = security.viewer()
    return _grounded(http.page(contracts.listing(viewer), pagination_parameters), viewer)


def _grounded(licences, viewer):
    """The licences with what only their seller may read on them: where they rest on no mandate any more."""
    bare = grounds.bare([each for each in licences if each.organisation_id == viewer.organisation_id])
    for line in (line for licence in licences for line in licence.lines if line.id in bare):
        line.rests_on_nothing = bare[line.id]
    return licences


@bp.post("/titles/<id:title_id>/avails")
@security.permit("avails.ask")
@http.counts_as(http.SEARCH)
@bp.arguments(AskedSchema)
@bp.response(200, AnswerSchema)
@only_reads
def ask(data, title_id):
    """Is it free? The verdict, what is free, why the rest is not, and the next best thing."""
    viewer, as_of = security.viewer(), data.pop("as_of")
    title = titles.get(title_id, viewer)
    asked = terms.read(data)
    if as_of:
        avails.check_as_of(title, viewer)
    answer = avails.described(avails.ask(title.id, asked, avails.licensee(viewer, title), as_of), asked, title, viewer)
    return {**answer, "floors": floors.of(title, asked)} if avails.owns(title, viewer) else answer


@bp.get("/vocabulary")
@security.permit("look_up")
@bp.response(200)
def vocabulary():
    """The words a line may use: territories and groups with their leaves, the media tree, languages."""
    return {**territories.vocabulary(), "media": media.vocabulary(), "languages": languages.vocabulary()}


def _licensee(words):
    """(organisation id or None, name): an id of an organisation here, or a plain name."""
    if ID.fullmatch(words):
        try:
            organisation = people.organisation(int(words))
        except NotFound:
            raise Invalid({"licensee": ["There is no organisation with this id. Write its name instead."]}) from None
        return organisation.id, organisation.name
    return None, words


def _slice(rows, wanted):
    wanted.item_count = len(rows)
    return rows[wanted.first_item:wanted.last_item + 1]
