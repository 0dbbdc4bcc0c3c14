"""The shape of lines, answers, mandates and licences on the wire; promises and offers by noun. Shape only: no rules, no
queries."""
from datetime import UTC

from marshmallow import Schema, ValidationError, fields, missing, post_load, validate, validates_schema

from accounts.schemas import Flag
from catalogue.schemas import OR_NOTHING, SellerSchema, Words
from catalogue.schemas import load as load
from licensing import terms
from licensing.rights.axes import MOST_NAMES

CODES = validate.Length(1, MOST_NAMES, error="Name between 1 and {max} of them: what a line does not name is not "
                                             "granted.")


class TbaSchema(Schema):
    """A date still to be announced: an event and a lag, between two days."""
    event = Words(60, required=True)
    lag_days = fields.Integer(strict=True, load_default=0, validate=validate.Range(-36_500, 36_500))
    not_before = fields.Date(required=True)
    not_after = fields.Date(required=True)

    @validates_schema
    def check_order(self, data, **_):
        if data["not_after"] < data["not_before"]:
            raise ValidationError("Lies before not_before.", "not_after")


class LineSchema(Schema):
    """A line: the same object everywhere."""
    territories = fields.List(fields.String(validate=validate.Length(max=200)), required=True, validate=CODES)
    media = fields.List(fields.String(validate=validate.Length(max=200)), required=True, validate=CODES)
    languages = fields.List(fields.String(validate=validate.Length(max=200)), required=True, validate=CODES)
    starts_on = fields.Date(error_messages={"invalid": "Write the first day as 2027-01-01."})
    ends_on = fields.Date(allow_none=True, metadata={"description": "null is perpetuity"},
                          error_messages={"invalid": "Write the last day as 2029-12-31, or say that there is no end."})
    exclusive = Flag(required=True)
    hereafter = Flag(load_default=False, metadata={"description": "media that come later, too"})
    future = Flag(load_default=False, metadata={"description": "later seasons and episodes, too"})
    runs = fields.Integer(strict=True, allow_none=True, validate=validate.Range(1, 1_000_000))
    starts_tba = fields.Nested(TbaSchema, allow_none=True)
    ends_tba = fields.Nested(TbaSchema, allow_none=True)
    label = fields.String(load_only=True, metadata={"description": "the line in words, as answers write it; ignored"})

    @validates_schema
    def check_dates(self, data, **_):
        """Both dates are named, or are said to be announced."""
        missing = [name for name in ("starts_on", "ends_on") if name not in data and not data.get(f"{name[:-3]}_tba")]
        if missing:
            raise ValidationError({name: ["Missing data for required field."] for name in missing})

    @post_load
    def drop_label(self, data, **_):
        data.pop("label", None)
        return data


class BlockSchema(Schema):
    territories = fields.List(fields.String())
    media = fields.List(fields.String())
    languages = fields.List(fields.String())
    starts_on = fields.String()
    ends_on = fields.String(allow_none=True)
    exclusive = fields.Boolean()
    label = fields.String()
    tentative = fields.Boolean()


class DealSchema(Schema):
    """Which deal stands in the way: for the seller alone."""
    licence_id = fields.String()
    licensee = fields.String()
    contract = fields.String(allow_none=True)
    exclusive = fields.Boolean()
    offer_id = fields.String(allow_none=True)


class ReasonSchema(Schema):
    code = fields.String()
    blocking = fields.Boolean()
    text = fields.String()
    block = fields.Nested(BlockSchema)
    blocks = fields.List(fields.Nested(BlockSchema))
    deal = fields.Nested(DealSchema)
    tentative = fields.Boolean(metadata={"description": "hangs on a date still to be announced"})
    children = fields.List(fields.Dict(), metadata={"description": "the parts that limit: id, title"})
    holdback = fields.Dict(metadata={"description": "for the seller"})
    hold = fields.Dict(metadata={"description": "for the seller"})
    option = fields.Dict(metadata={"description": "for the seller"})


class AlternativeSchema(Schema):
    kind = fields.String()
    text = fields.String()
    line = fields.Dict()


class AnswerSchema(Schema):
    verdict = fields.String(metadata={"description": "available, partial or unavailable"})
    coverage = fields.Float(metadata={"description": "free cell-days / asked cell-days"})
    text = fields.String()
    line = fields.Dict()
    strip = fields.List(fields.Dict(), metadata={"description": "one cell for each country asked"})
    free = fields.List(fields.Nested(BlockSchema))
    reasons = fields.List(fields.Nested(ReasonSchema))
    alternatives = fields.List(fields.Nested(AlternativeSchema))
    floors = fields.List(fields.Dict(), metadata={"description": "for the seller: territories, label, amount, "
                                                                 "currency, text; of an offer's line also below"})


class FloorSchema(Schema):
    territories = fields.List(fields.String(), required=True, validate=CODES)
    amount = fields.Raw(required=True, metadata={"type": ["string", "number"]})
    currency = fields.String(required=True)


TBA = {"type": ["object", "null"], "description": "a date to be announced: event, lag_days, not_before, not_after"}


class StoredLineSchema(Schema):
    """A line as recorded, and from when until when it counted."""
    territories = fields.List(fields.String(), attribute="written.territories")
    media = fields.List(fields.String(), attribute="written.media")
    languages = fields.List(fields.String(), attribute="written.languages")
    starts_on = fields.Date()
    ends_on = fields.Date(allow_none=True)
    exclusive = fields.Boolean()
    hereafter = fields.Boolean()
    future = fields.Boolean()
    runs = fields.Integer(allow_none=True)
    starts_tba = fields.Function(lambda row: (row.tba or {}).get("starts"), metadata=TBA)
    ends_tba = fields.Function(lambda row: (row.tba or {}).get("ends"), metadata=TBA)
    label = fields.Function(lambda row: terms.label(row), metadata={"type": "string"})
    redefined = fields.Function(lambda row: terms.redefined(row) or missing, metadata={
        "type": "object", "description": "what names of this line say today beside what they said when it was "
                                         "written: {axis: {also, no_longer}}; only where there is a difference"})
    title_id = fields.String()
    counts_from = fields.DateTime()
    counts_until = fields.DateTime(allow_none=True)
    note = fields.String(allow_none=True)


class MandateSchema(LineSchema):
    contract = Words(200, load_default=None, allow_none=True)
    licensor = Words(200, load_default=None, allow_none=True)
    floors = fields.List(fields.Nested(FloorSchema), load_default=list, validate=validate.Length(max=100))


class RecordedMandateSchema(Schema):
    id = fields.String()
    title_id = fields.String()
    contract = fields.String(allow_none=True)
    licensor = fields.String(allow_none=True)
    floors = fields.List(fields.Dict())
    recorded_at = fields.DateTime()
    lines = fields.List(fields.Nested(StoredLineSchema))


class LicenceSchema(LineSchema):
    licensee = Words(200, required=True, metadata={"description": "an organisation's id, or a plain name"})
    contract = Words(200, load_default=None, allow_none=True)


class LicensedLineSchema(StoredLineSchema):
    rests_on_nothing = fields.List(fields.String(), metadata={
        "description": "for the seller: where no mandate covers it any more, and why"})


class RecordedLicenceSchema(Schema):
    id = fields.String()
    seller = fields.Nested(SellerSchema)
    licensee = fields.Function(lambda licence: {"id": licence.licensee_id and str(licence.licensee_id),
                                                "name": licence.licensee_name}, metadata={
        "type": "object", "properties": {"id": OR_NOTHING, "name": {"type": "string"}}})
    contract = fields.String(allow_none=True)
    offer_id = fields.String(allow_none=True)
    recorded_at = fields.DateTime()
    lines = fields.List(fields.Nested(LicensedLineSchema))


class EndingSchema(Schema):
    """From which day on it no longer counts, and why."""
    first_day_gone = fields.Date(required=True, data_key="from")
    note = Words(2000, load_default=None, allow_none=True)


class AskedSchema(LineSchema):
    as_of = fields.AwareDateTime(load_default=None, allow_none=True, default_timezone=UTC,
                                 metadata={"description": "the answer as it would have been at that instant"})
