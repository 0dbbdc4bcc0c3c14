"""The shape of webhooks on the wire."""
from marshmallow import Schema, fields, validate

from accounts.webhooks.endpoints import EVENTS
from accounts.webhooks.models import State


class WebhookSchema(Schema):
    id = fields.String(dump_only=True)
    url = fields.String(required=True, validate=validate.Length(1, 500), metadata={
        "description": "https://, at a public address"})
    events = fields.List(fields.String(validate=validate.OneOf(EVENTS)), required=True, validate=validate.Length(1, 10))
    active = fields.Boolean(dump_only=True)
    made_at = fields.DateTime(dump_only=True)
    failing_since = fields.DateTime(dump_only=True, allow_none=True)
    why_off = fields.String(dump_only=True, allow_none=True, metadata={"description": "where Slate switched it off"})


class WebhookRevisionSchema(Schema):
    url = fields.String(validate=validate.Length(1, 500))
    events = fields.List(fields.String(validate=validate.OneOf(EVENTS)), validate=validate.Length(1, 10))
    active = fields.Boolean()


class NewWebhookSchema(WebhookSchema):
    secret = fields.String(metadata={"description": "signs what you are told; shown this once"})


class SecretSchema(Schema):
    secret = fields.String(metadata={"description": "shown this once; the former one signs, too, for a day"})


class DeliveryQuery(Schema):
    state = fields.String(load_default=None, validate=validate.OneOf([each.value for each in State]))


class DeliverySchema(Schema):
    id = fields.String()
    key = fields.String(metadata={"description": "the webhook-id, the same at every attempt"})
    event = fields.String()
    body = fields.String(metadata={"description": "as it was signed"})
    state = fields.String()
    attempts = fields.Integer()
    status = fields.Integer(allow_none=True, metadata={"description": "of the last answer"})
    answer = fields.String(allow_none=True, metadata={"description": "the beginning of it, or why there was none"})
    made_at = fields.DateTime()
    tried_at = fields.DateTime(allow_none=True)
