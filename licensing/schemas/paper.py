"""The shape of deal memos, their signatures and long forms on the wire."""
from marshmallow import Schema, fields

from catalogue.schemas import Words, one_of
from licensing.paper.longform import Stage


class SignatureSchema(Schema):
    side = fields.String(metadata={"description": "buyer or seller"})
    organisation = fields.String()
    name = fields.String()
    at = fields.DateTime()
    sha256 = fields.String(metadata={"description": "of the document that was signed"})


class LongFormStepSchema(Schema):
    id = fields.String()
    state = fields.String(metadata={"description": ", ".join(Stage)})
    happened_on = fields.Date()
    note = fields.String(allow_none=True)
    by = fields.String(attribute="person.name")
    at = fields.DateTime()


class MemoSchema(Schema):
    offer_id = fields.String()
    version = fields.Integer()
    sha256 = fields.String(metadata={"description": "of memo.json as it is served, byte for byte"})
    issued_at = fields.DateTime()
    document = fields.Raw(attribute="content", metadata={
        "type": "object", "description": "parts: key, heading, words, table, data"})
    signatures = fields.List(fields.Nested(SignatureSchema))
    long_form = fields.String(metadata={"description": "where the long form stands"})


class NewLongFormStepSchema(Schema):
    """One step of the long form, as its seller records it."""
    state = fields.String(required=True, validate=one_of(Stage))
    happened_on = fields.Date(load_default=None, allow_none=True, metadata={"description": "today if it is not said"})
    note = Words(4000, least=0, load_default=None, allow_none=True)
