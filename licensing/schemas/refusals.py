"""The shape of first negotiations and refusals on the wire."""
from marshmallow import Schema, fields, validate

from catalogue.schemas import SellerSchema, Words
from licensing.refusals import asked


class RefusalSchema(Schema):
    """One holder, asked about one title."""
    id = fields.String()
    kind = fields.String(attribute="option.kind")
    title_id = fields.String()
    title = fields.String(attribute="title.original_title")
    link = fields.String(attribute="link.kind")
    carried_by = fields.String(attribute="option.title.original_title", metadata={
        "description": "the title the first word lies on"})
    seller = fields.Nested(SellerSchema)
    holder = fields.Nested(SellerSchema)
    territories = fields.List(fields.String(), attribute="option.written.territories")
    media = fields.List(fields.String(), attribute="option.written.media")
    state = fields.Function(asked.standing, metadata={
        "type": "string", "description": "asked, taken, licensed, passed or lapsed"})
    asked_at = fields.DateTime()
    answer_by = fields.Date(metadata={"description": "the last day"})
    answered_at = fields.DateTime(allow_none=True)
    note = fields.String(allow_none=True)
    offer_id = fields.String(allow_none=True)
    actions = fields.List(fields.String(), metadata={"description": "what you may answer now"})


class RefusalAnswerSchema(Schema):
    answer = fields.String(required=True, validate=validate.OneOf(asked.ANSWERS))
    note = Words(4000, least=0, load_default=None, allow_none=True)


class WordSchema(Schema):
    """A first word on a title of a franchise."""
    title_id = fields.String()
    kind = fields.String()
    holder = fields.Nested(SellerSchema)
    territories = fields.List(fields.String())
    media = fields.List(fields.String())
    state = fields.String()
    answer_by = fields.Date(allow_none=True)
