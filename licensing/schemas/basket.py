"""The shape of a buyer's basket on the wire."""
from marshmallow import Schema, fields, validate

from catalogue.schemas import Id, SellerSchema, Words
from licensing import basket, drafts
from licensing.schemas import AnswerSchema, LineSchema, StoredLineSchema
from licensing.schemas.offers import Currency, PriceOfAll


class NewBasketLineSchema(LineSchema):
    title_id = Id(required=True)


class BasketLineSchema(StoredLineSchema):
    """A title and what is asked of it."""
    id = fields.String()
    title = fields.String(attribute="title.original_title")
    seller = fields.Nested(SellerSchema, attribute="title.seller")
    avails = fields.Nested(AnswerSchema, attribute="answer")

    class Meta:
        exclude = ("counts_from", "counts_until", "note")


class BasketPriceSchema(Schema):
    id = Id(required=True)
    price = fields.Raw(load_default=None, allow_none=True, metadata={"type": ["string", "number"]},
                       validate=lambda said: isinstance(said, str | int | float),
                       error_messages={"validator_failed": "A price is a number or a string such as 42000.50."})


class BasketPartSchema(Schema):
    """What becomes one offer."""
    seller = Id(required=True)
    way = fields.String(data_key="as", attribute="as", required=True, validate=validate.OneOf(basket.WAYS),
                        metadata={"description": "request: ask for a price; submit: offer one"})
    currency = Currency(required=True)
    valid_until = fields.Date(load_default=None, allow_none=True)
    note = Words(4000, least=0, load_default=None, allow_none=True)
    price_of_all = PriceOfAll()
    lines = fields.List(fields.Nested(BasketPriceSchema), required=True, validate=validate.Length(1, drafts.MOST_LINES))


class BasketSendingSchema(Schema):
    offers = fields.List(fields.Nested(BasketPartSchema), required=True, validate=validate.Length(1, drafts.MOST_LINES))
