"""Where programs of one's organisation are told of what happens."""
from flask import current_app

from accounts import security
from accounts.api import bp
from accounts.webhooks import deliveries, endpoints
from accounts.webhooks.schemas import (
    DeliveryQuery,
    DeliverySchema,
    NewWebhookSchema,
    SecretSchema,
    WebhookRevisionSchema,
    WebhookSchema,
)
from core import http
from core.database import db


def _sender():
    return current_app.extensions["webhooks"]


@bp.get("/webhooks")
@security.permit("webhook.keep")
@bp.response(200, WebhookSchema(many=True))
@bp.paginate()
def list_webhooks(pagination_parameters):
    """The webhooks of your organisation, the oldest first."""
    return http.page(endpoints.listing(security.viewer()), pagination_parameters)


@bp.post("/webhooks")
@security.permit("webhook.keep")
@http.shows_once("secret")
@http.writes
@bp.arguments(WebhookSchema)
@bp.response(201, NewWebhookSchema)
def create_webhook(data):
    """Name an address to be told. The secret that signs, by Standard Webhooks, is in this answer and in no other."""
    sender = _sender()
    endpoint, secret = endpoints.create(security.viewer(), sender.seal, sender.outbound, **data)
    return {**WebhookSchema().dump(endpoint), "made_at": endpoint.made_at, "failing_since": None, "secret": secret}


@bp.get("/webhooks/<id:webhook_id>")
@security.permit("webhook.keep")
@bp.response(200, WebhookSchema)
def show_webhook(webhook_id):
    """One webhook. Its ETag is the revision a PATCH must name."""
    endpoint = endpoints.get(webhook_id, security.viewer())
    return endpoint, 200, http.etag(endpoint.revision)


@bp.patch("/webhooks/<id:webhook_id>")
@security.permit("webhook.keep")
@http.writes
@bp.arguments(WebhookRevisionSchema)
@bp.response(200, WebhookSchema)
def revise_webhook(data, webhook_id):
    """Change its address or its events, or switch it off or on; needs `If-Match`."""
    endpoint = endpoints.get(webhook_id, security.viewer())
    http.check_if_match(endpoint.revision)
    endpoints.revise(endpoint, _sender().outbound, **data)
    return endpoint, 200, http.etag(endpoint.revision)


@bp.delete("/webhooks/<id:webhook_id>")
@security.permit("webhook.keep")
@http.writes
@bp.response(204)
def remove_webhook(webhook_id):
    """Remove it, with the list of what it was told."""
    endpoints.remove(endpoints.get(webhook_id, security.viewer()))


@bp.post("/webhooks/<id:webhook_id>/secret")
@security.permit("webhook.keep")
@http.shows_once("secret")
@http.writes
@bp.response(201, SecretSchema)
def renew_secret(webhook_id):
    """Make the secret anew. For a day the former one signs, too."""
    return {"secret": endpoints.renew_secret(endpoints.get(webhook_id, security.viewer()), _sender().seal)}


@bp.post("/webhooks/<id:webhook_id>/tests")
@security.permit("webhook.keep")
@http.writes
@bp.response(201, DeliverySchema)
def try_webhook(webhook_id):
    """Send the event `test`, to see whether it answers."""
    return deliveries.try_out(endpoints.get(webhook_id, security.viewer()))


@bp.get("/webhooks/<id:webhook_id>/deliveries")
@security.permit("webhook.keep")
@bp.arguments(DeliveryQuery, location="query")
@bp.response(200, DeliverySchema(many=True))
@bp.paginate()
def list_deliveries(query, webhook_id, pagination_parameters):
    """What it was told in the last 30 days, the latest first."""
    return http.page(deliveries.listing(endpoints.get(webhook_id, security.viewer()), **query), pagination_parameters)


@bp.post("/deliveries/<id:delivery_id>/again")
@security.permit("webhook.keep")
@http.writes
@bp.response(202, DeliverySchema)
def send_again(delivery_id):
    """Send the same once more, under the same webhook-id."""
    delivery = deliveries.get(delivery_id, security.viewer())
    deliveries.send_again(delivery)
    db.session.refresh(delivery)
    return delivery
