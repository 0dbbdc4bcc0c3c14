"""The shape of policies, of why a deal needs approval, and of warnings passed over, on the wire."""
from marshmallow import Schema, fields, validate

from accounts.schemas import Flag
from catalogue.schemas import OR_NOTHING, Words
from licensing.approvals.given import LONGEST_REASON
from licensing.approvals.policy import MOST_YEARS
from licensing.schemas.offers import Currency, OfferListedSchema


class PolicySchema(Schema):
    """Which deals a rights manager must approve."""
    exclusive = Flag(required=True)
    below_floor = Flag(required=True)
    years = fields.Integer(strict=True, required=True, allow_none=True, validate=validate.Range(1, MOST_YEARS),
                           metadata={"description": "longer than so many; null is no such rule"})
    warning = Flag(required=True, metadata={"description": "a warning that was passed over with a reason"})
    encumbrance = Flag(required=True)
    amount = fields.Decimal(required=True, allow_none=True, as_string=True, places=4, error_messages={
        "invalid": "Write an amount such as 42000.50, or nothing where there is no such rule."}, metadata={
        "type": ["string", "number"], "description": "from so much on; 0 is every deal, null no such rule"})
    currency = Currency(load_default=None, allow_none=True)


class SetPolicySchema(PolicySchema):
    by = fields.Function(lambda row: getattr(row, "person", None) and row.person.name,
                         metadata=OR_NOTHING)
    set_at = fields.DateTime(metadata={"description": "null while nobody has set it"})


class WhySchema(Schema):
    rule = fields.String()
    text = fields.String()
    line = fields.Integer(allow_none=True, metadata={"description": "the place of the line, where there are several"})


class WarningSchema(Schema):
    key = fields.String()
    text = fields.String()
    overridden = fields.Boolean()


class OverrideSchema(Schema):
    note = Words(LONGEST_REASON, required=True)
    warnings = fields.List(fields.String(validate=validate.Length(max=120)), load_default=None, allow_none=True,
                           validate=validate.Length(1, 1000), metadata={"description": "keys; all where none is named"})


class WrittenOverrideSchema(Schema):
    warning = fields.String()
    text = fields.String()
    reason = fields.String()
    by = fields.String(attribute="person.name")
    at = fields.DateTime()


class CaseSchema(Schema):
    """One deal that waits for a rights manager, and why."""
    offer = fields.Nested(OfferListedSchema)
    group = fields.String(metadata={"description": "blocked, decide, or clear"})
    why = fields.List(fields.Nested(WhySchema), attribute="whys")
    warnings = fields.List(fields.Nested(WarningSchema))
    overrides = fields.List(fields.Nested(WrittenOverrideSchema))
    blocking = fields.Function(lambda case: [line.text(reason) for line in case.lines for reason in line.blocking],
                               metadata={"type": "array", "items": {"type": "string"}})
