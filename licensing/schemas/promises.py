"""The shape of holdbacks, holds, options and the dates of events on the wire."""
from datetime import UTC

from marshmallow import Schema, fields, post_load, validate

from accounts.schemas import Flag
from catalogue.schemas import Id, SellerSchema, Words
from licensing import promises
from licensing.schemas import CODES, LineSchema, StoredLineSchema
from licensing.schemas.offers import Currency


class PromiseSchema(LineSchema):
    """Territories and media over some days, in every language and exclusively: silence has no say in a promise."""

    class Meta:
        exclude = ("languages", "exclusive", "hereafter", "future", "runs")

    @post_load
    def whole(self, data, **_):
        return {**data, "languages": ["*"], "exclusive": True}


class HoldbackSchema(PromiseSchema):
    hard = Flag(required=True)
    binds = fields.String(load_default=promises.LICENSOR, validate=validate.OneOf(promises.BINDS))
    licence_id = Id(load_default=None, allow_none=True)
    note = Words(2000, load_default=None, allow_none=True)


class RecordedHoldbackSchema(Schema):
    id = fields.String()
    title_id = fields.String()
    territories = fields.List(fields.String(), attribute="written.territories")
    media = fields.List(fields.String(), attribute="written.media")
    starts_on = fields.Date()
    ends_on = fields.Date(allow_none=True)
    hard = fields.Boolean()
    binds = fields.String()
    licence_id = fields.String(allow_none=True)
    counts_from = fields.DateTime()
    counts_until = fields.DateTime(allow_none=True)
    note = fields.String(allow_none=True)


class HoldSchema(LineSchema):
    organisation = Id(required=True)
    expires_at = fields.AwareDateTime(required=True, default_timezone=UTC)
    rank = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 99))


class HoldFormSchema(HoldSchema):
    """As a page asks for it: by the last day on which it holds."""
    last_day = fields.Date(required=True, error_messages={"invalid": "Write the last day as 2027-01-31."})

    class Meta:
        exclude = ("expires_at",)


class RecordedHoldSchema(StoredLineSchema):
    id = fields.String()
    organisation = fields.Nested(SellerSchema, attribute="holder")
    rank = fields.Integer()
    expires_at = fields.DateTime()
    offer_id = fields.String(allow_none=True, metadata={"description": "what it became"})


class TurningSchema(Schema):
    currency = Currency(required=True)


class OptionSchema(Schema):
    kind = fields.String(required=True, validate=validate.OneOf(promises.KINDS))
    organisation = Id(required=True)
    territories = fields.List(fields.String(validate=validate.Length(max=200)), required=True, validate=CODES)
    media = fields.List(fields.String(validate=validate.Length(max=200)), required=True, validate=CODES)
    days = fields.Integer(strict=True, required=True, validate=validate.Range(1, 3650))


class RecordedOptionSchema(Schema):
    id = fields.String()
    kind = fields.String()
    organisation = fields.Nested(SellerSchema, attribute="holder")
    territories = fields.List(fields.String(), attribute="written.territories")
    media = fields.List(fields.String(), attribute="written.media")
    days = fields.Integer()
    counts_from = fields.DateTime()
    counts_until = fields.DateTime(allow_none=True)


class EventSchema(Schema):
    event = Words(60, required=True)
    happens_on = fields.Date(required=True)
