"""The shape of offers, their versions and their steps on the wire."""
from marshmallow import Schema, ValidationError, fields, missing, pre_load, validate

from catalogue.schemas import OR_NOTHING, Id, SellerSchema, Words
from core.money import CURRENCIES
from licensing import drafts, moves, workflow
from licensing.money.prices import Pricing
from licensing.schemas import AnswerSchema, LineSchema, StoredLineSchema
from licensing.schemas.money import PlanSchema, PricingSchema, planned
from media.schemas import LARGEST, SHA256, UploadSchema


class Currency(fields.String):
    """A currency in use (ISO 4217)."""

    def __init__(self, **kwargs):
        super().__init__(validate=validate.OneOf(CURRENCIES, error="Not a currency code of ISO 4217, such as EUR."),
                         **kwargs)


class PriceOfAll(fields.Raw):
    """One price in place of the lines' own, shared out among them to the last unit of the currency."""

    def __init__(self, **kwargs):
        super().__init__(load_default=None, allow_none=True, validate=lambda said: isinstance(said, str | int | float),
                         error_messages={"validator_failed": "A price is a number or a string such as 42000.50."},
                         metadata={"type": ["string", "number"], "description":
                                   "one price, shared out among the lines in the proportion of their own prices, or "
                                   "equally where a line has none"}, **kwargs)


class OfferLineSchema(LineSchema):
    title_id = Id(required=True)
    price = fields.Raw(load_default=None, allow_none=True, metadata={
        "type": ["string", "number"], "description": "in the offer's currency"})
    pricing = fields.Nested(PricingSchema, load_default=None, allow_none=True)

    @pre_load
    def check_price(self, data, **_):
        if isinstance(data, dict) and not isinstance(data.get("price"), str | int | float | None):
            raise ValidationError("A price is a number or a string such as 42000.50.", "price")
        return data


class OfferSchema(Schema):
    seller = Id(load_default=None, metadata={"description": "the seller's id, if you buy"})
    buyer = Id(load_default=None, metadata={"description": "the buyer's id, if you sell"})
    currency = Currency(required=True)
    valid_until = fields.Date(load_default=None, allow_none=True)
    lines = fields.List(fields.Nested(OfferLineSchema), required=True,
                        validate=validate.Length(1, drafts.MOST_LINES))
    payment = fields.Nested(PlanSchema, load_default=None, allow_none=True)
    price_of_all = PriceOfAll()


class OfferPatch(Schema):
    currency = Currency()
    valid_until = fields.Date(allow_none=True)
    lines = fields.List(fields.Nested(OfferLineSchema), validate=validate.Length(1, drafts.MOST_LINES))
    payment = fields.Nested(PlanSchema, allow_none=True)
    price_of_all = PriceOfAll()


class OfferQuery(Schema):
    state = fields.String(validate=validate.OneOf([state.value for state in workflow.State]))


class StepSchema(Schema):
    action = fields.String(required=True, validate=validate.OneOf(workflow.ACTIONS))
    version = fields.Integer(strict=True, load_default=None, allow_none=True)
    note = Words(4000, least=0, load_default=None, allow_none=True, metadata={"description": "for both sides"})
    internal_note = Words(4000, least=0, load_default=None, allow_none=True,
                          metadata={"description": "for your own organisation alone"})
    attachments = fields.List(Id(), load_default=list, validate=validate.Length(max=20),
                              metadata={"description": "papers of yours that go out with the step"})
    lines = fields.List(fields.Nested(OfferLineSchema), load_default=None, allow_none=True,
                        validate=validate.Length(1, drafts.MOST_LINES))
    payment = fields.Nested(PlanSchema, load_default=None, allow_none=True,
                            metadata={"description": "of a new version; that of the last one stays where none is sent"})
    first_day_gone = fields.Date(data_key="from", load_default=None, allow_none=True, metadata={
        "description": "to terminate or revert: the first day that is free again, today if it is not said"})
    governing = Words(20_000, least=0, load_default=None, allow_none=True, metadata={
        "description": "to issue the memo: the text that governs it; the last one you chose if it is not said"})
    sha256 = fields.String(load_default=None, allow_none=True, validate=validate.Regexp(r"[0-9a-fA-F]{64}\Z"),
                           metadata={"description": "to sign: of the memo you read; refused where it is another"})
    valid_until = fields.Date(load_default=None, allow_none=True, metadata={
        "description": "with new terms: the last day on which they can be accepted"})
    price_of_all = PriceOfAll()


class NewAttachmentSchema(Schema):
    """A paper that will be sent."""
    filename = Words(200, required=True)
    content_type = fields.String(required=True, validate=validate.Length(1, 60))
    size = fields.Integer(strict=True, required=True, validate=validate.Range(1, LARGEST))
    sha256 = fields.String(validate=SHA256, allow_none=True)


class AttachmentSchema(Schema):
    """A paper that goes, or went, with a step."""
    id = fields.String()
    filename = fields.String(attribute="asset.filename")
    content_type = fields.String(attribute="asset.type")
    size = fields.Integer(attribute="asset.size")
    sha256 = fields.String(attribute="asset.sha256", allow_none=True)
    state = fields.String(attribute="asset.state")
    reason = fields.String(attribute="asset.reason", allow_none=True,
                           metadata={"description": "why it was rejected"})


class AnnouncedSchema(Schema):
    attachment = fields.Nested(AttachmentSchema)
    upload = fields.Nested(UploadSchema)


class RemarkSchema(Schema):
    """A note that your own organisation alone reads."""
    id = fields.String(dump_only=True)
    text = Words(4000, required=True)
    by = fields.String(attribute="person.name", dump_only=True)
    step_id = fields.String(dump_only=True, allow_none=True)
    at = fields.DateTime(dump_only=True)


class DifferenceQuery(Schema):
    from_ = fields.Integer(data_key="from", required=True)
    to = fields.Integer(required=True)


class ChangeSchema(Schema):
    title_id = fields.String(allow_none=True, metadata={"description": "null for a term of the whole offer"})
    title = fields.String(allow_none=True)
    term = fields.String()
    before = fields.String(allow_none=True)
    after = fields.String(allow_none=True)
    delta = fields.String(metadata={"description": "the change alone: − Switzerland, + 6 months, USD 4,000 → 4,600"})


class TakenStepSchema(Schema):
    id = fields.String()
    action = fields.String()
    side = fields.String(metadata={"description": "buyer, seller or system"})
    by = fields.Function(lambda step: step.person and step.person.name, metadata=OR_NOTHING)
    from_state = fields.String(data_key="from")
    to_state = fields.String(data_key="to")
    state = fields.Function(lambda step: step.to_state, metadata={"type": "string"})
    version = fields.Integer()
    note = fields.String(allow_none=True)
    first_day_gone = fields.Date(data_key="from_day", allow_none=True, metadata={
        "description": "of a termination or reversion: the first day that is free again"})
    amendment_id = fields.Function(lambda step: str(step.amendment.id) if hasattr(step, "amendment") else missing,
                                   metadata={"type": "string", "description": "the offer that an amendment began"})
    at = fields.DateTime()
    attachments = fields.List(fields.Nested(AttachmentSchema))


class WrittenLineSchema(StoredLineSchema):
    """A line of an offer's version."""
    title = fields.String(attribute="title.original_title")
    price = fields.Function(lambda row: drafts.price_text(row), metadata=OR_NOTHING)
    pricing = fields.Function(lambda row: Pricing.of(row.pricing).as_json(), metadata={"type": "object"})
    avails = fields.Nested(AnswerSchema, attribute="answer", allow_none=True)

    class Meta:
        exclude = ("counts_from", "counts_until", "note")


class VersionSchema(Schema):
    number = fields.Integer()
    side = fields.String()
    by = fields.String(attribute="person.name")
    created_at = fields.DateTime()
    lines = fields.List(fields.Nested(WrittenLineSchema))
    payment = fields.Function(planned, metadata={"type": "object", "description": "when the price is paid"})
    valid_until = fields.Date(allow_none=True, metadata={"description": "of the offer, as this version put it"})
    changes = fields.List(fields.Nested(ChangeSchema), metadata={"description": "against the version before"})


class OfferListedSchema(Schema):
    id = fields.String()
    state = fields.String()
    seller = fields.Nested(SellerSchema)
    buyer = fields.Nested(SellerSchema)
    currency = fields.String()
    valid_until = fields.Date(allow_none=True)
    version = fields.Integer(attribute="number")
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    amends = fields.String(attribute="root_id", allow_none=True, metadata={"description": "the deal it amends"})
    waits_for = fields.Function(lambda offer: moves.waits_for(offer), metadata=OR_NOTHING)
    titles = fields.Function(lambda offer: [line.title.original_title for line in offer.current.lines],
                             metadata={"type": "array", "items": {"type": "string"}})


class OfferShownSchema(OfferListedSchema):
    versions = fields.List(fields.Nested(VersionSchema))
    steps = fields.List(fields.Nested(TakenStepSchema))
    actions = fields.List(fields.String(), metadata={"description": "what you may do now"})
    lines = fields.List(fields.Nested(WrittenLineSchema), metadata={"description": "of the current version"})
    notes = fields.List(fields.Nested(RemarkSchema), metadata={"description": "your organisation's own"})
