"""The shape of a deal's list of materials on the wire."""
from marshmallow import Schema, fields, validate

from catalogue.schemas import OR_NOTHING, Id, Words, one_of
from licensing.delivery import states
from licensing.delivery.items import LONGEST_QC
from licensing.delivery.models import Kind
from licensing.rights.axes import MOST_NAMES


class FileSchema(Schema):
    """What was delivered. Its licensee fetches it by the item, never by the file."""
    filename = fields.String()
    content_type = fields.String(attribute="type")
    size = fields.Integer()
    sha256 = fields.String()
    state = fields.String()


class MaterialStepSchema(Schema):
    id = fields.String()
    action = fields.String()
    side = fields.String(metadata={"description": "buyer, seller, or system where the clock or a signature did it"})
    by = fields.Function(lambda step: step.person and step.person.name, metadata=OR_NOTHING)
    state = fields.String(attribute="to_state")
    filename = fields.Function(lambda step: step.asset and step.asset.filename, metadata=OR_NOTHING)
    note = fields.String(allow_none=True)
    at = fields.DateTime()


class MaterialSchema(Schema):
    """One item of the list."""
    id = fields.String()
    offer_id = fields.String()
    title_id = fields.String()
    title = fields.String(attribute="title.original_title")
    kind = fields.String()
    language = fields.String(allow_none=True, metadata={"description": "of a dub or of subtitles, once it is named"})
    state = fields.String(attribute="standing", metadata={"description": ", ".join(states.State)})
    unanswered = fields.Boolean(metadata={"description": "accepted, for nobody answered within the window"})
    due_on = fields.Date(allow_none=True)
    qc_days = fields.Integer(metadata={"description": "days to answer in, after the day of delivery"})
    answer_by = fields.Date(allow_none=True, metadata={
        "description": "last day to accept or reject; without an answer it counts as accepted on the next"})
    file = fields.Nested(FileSchema, attribute="asset", allow_none=True)
    steps = fields.List(fields.Nested(MaterialStepSchema))
    actions = fields.List(fields.String(), metadata={"description": "what you may do now"})


class NewMaterialSchema(Schema):
    """An item more: added by the licensor, asked for by the licensee."""
    title_id = Id(required=True)
    kind = fields.String(required=True, validate=one_of(Kind))
    language = Words(60, load_default=None, allow_none=True)
    due_on = fields.Date(load_default=None, allow_none=True)
    note = Words(4000, least=0, load_default=None, allow_none=True)


class MaterialActionSchema(Schema):
    """One step with an item."""
    action = fields.String(required=True, validate=validate.OneOf(states.ACTIONS))
    note = Words(4000, least=0, load_default=None, allow_none=True)
    asset_id = Id(load_default=None, allow_none=True, metadata={"description": "to deliver"})
    languages = fields.List(Words(60), attribute="tags", load_default=None, allow_none=True,
                            validate=validate.Length(max=MOST_NAMES), metadata={"description": "to name"})
    due_on = fields.Date(load_default=None, allow_none=True)
    qc_days = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(1, LONGEST_QC))
