"""The shape of prices, plans of payment, instalments and payments on the wire."""
from marshmallow import Schema, ValidationError, fields, post_load, validate

from catalogue.schemas import SellerSchema, Words, one_of
from licensing.money import instalments
from licensing.money.instalments import Standing
from licensing.money.prices import LONGEST_TERM, MOST_INSTALMENTS, TERM, Kind, Plan, Receipts, Trigger, plain
from licensing.workflow import Side


class Figure(fields.Field):
    """A decimal, written as a number or as a string."""

    def __init__(self, *, metadata=None, **kwargs):
        super().__init__(metadata={"type": ["string", "number"], "maxLength": 40, **(metadata or {})}, **kwargs)

    def _deserialize(self, value, attr, data, **_):
        if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > 40:
            raise ValidationError("Write a number, or a string such as 42000.50.")
        return value

    def _serialize(self, value, attr, obj, **_):
        return None if value is None else plain(value)


class PricingSchema(Schema):
    """How the price of a line is meant; a flat fee where nothing is said."""
    kind = fields.String(required=True, validate=one_of(Kind))
    share = Figure(allow_none=True, metadata={"description": "of a guarantee: the licensor's share in per cent"})
    share_of = fields.String(allow_none=True, validate=one_of(Receipts), metadata={"description": "of a guarantee"})
    fee = Figure(allow_none=True, metadata={"description": "per_run: for one run; the price is fee x runs"})


class PlannedPartSchema(Schema):
    """One instalment as it is agreed: all of a plan in per cent, or all as amounts."""
    on = fields.String(required=True, validate=one_of(Trigger))
    day = fields.Date(allow_none=True, metadata={"description": "of an instalment on a date"})
    percent = Figure(allow_none=True)
    amount = Figure(allow_none=True)
    comes_to = Figure(allow_none=True, metadata={"description": "in answers: what it is of the price; ignored"})

    @post_load
    def drop_answer(self, data, **_):
        data.pop("comes_to", None)
        return data


class PlanSchema(Schema):
    """When the price is paid. All of it on signature where nothing is said."""
    instalments = fields.List(fields.Nested(PlannedPartSchema), required=True,
                              validate=validate.Length(1, MOST_INSTALMENTS))
    days = fields.Integer(strict=True, load_default=TERM, validate=validate.Range(0, LONGEST_TERM),
                          metadata={"description": "to pay in, after a signature, a delivery or an acceptance"})
    withholding_tax = Words(1000, least=0, load_default=None, allow_none=True)


def planned(version) -> dict:
    """The plan of a version as an answer writes it, with what each part comes to where the price is named."""
    plan, prices = Plan.of(version.payment), [line.price for line in version.lines]
    said = plan.as_json()
    if None not in prices:
        for part, amount in zip(said["instalments"], plan.amounts(sum(prices), version.offer.currency), strict=True):
            part["comes_to"] = plain(amount)
    return said


class PaymentSchema(Schema):
    """What came in, as the seller marked it."""
    id = fields.String()
    paid_on = fields.Date()
    amount = Figure()
    withheld = Figure(metadata={"description": "tax kept back at source"})
    reference = fields.String(allow_none=True)
    at = fields.DateTime()
    undone_at = fields.DateTime(allow_none=True)
    undone_note = fields.String(allow_none=True)


class InstalmentSchema(Schema):
    """A part of a signed deal's price."""
    id = fields.String()
    offer_id = fields.String()
    number = fields.Integer()
    seller = fields.Nested(SellerSchema, attribute="offer.seller")
    buyer = fields.Nested(SellerSchema, attribute="offer.buyer")
    on = fields.String(attribute="trigger", metadata={"description": ", ".join(Trigger)})
    state = fields.Function(lambda row: instalments.standing(row).value,
                            metadata={"type": "string", "description": ", ".join(Standing)})
    currency = fields.String()
    amount = Figure()
    outstanding = Figure()
    reached_on = fields.Date(allow_none=True, metadata={"description": "the day of the milestone"})
    due_on = fields.Date(allow_none=True)
    cancelled_on = fields.Date(allow_none=True)
    payments = fields.List(fields.Nested(PaymentSchema))


class InstalmentQuery(Schema):
    side = fields.String(validate=validate.OneOf([Side.SELLER, Side.BUYER]),
                         metadata={"description": "seller: what you are owed; buyer: what you owe"})
    state = fields.String(validate=validate.OneOf(["open", *Standing]))
    currency = fields.String()


class PaidSchema(Schema):
    """Mark a payment: all that is outstanding, unless an amount is named."""
    paid_on = fields.Date(required=True)
    amount = Figure(load_default=None, allow_none=True)
    withheld = Figure(load_default=None, allow_none=True, metadata={"description": "tax kept back at source"})
    reference = Words(200, least=0, load_default=None, allow_none=True)
    outstanding = Figure(load_default=None, allow_none=True, metadata={
        "description": "what you read; another amount now is 409"})


class UndoingSchema(Schema):
    note = Words(2000, required=True)
