"""Webhooks: an organisation's endpoints, and what each was told."""
from flask import current_app, flash, redirect, render_template, request, url_for

from accounts import security
from accounts.pages import bp
from accounts.webhooks import deliveries, endpoints
from core import http
from core.database import db
from core.errors import Conflict, Invalid

ON_A_PAGE = 30


def _sender():
    return current_app.extensions["webhooks"]


def _list(typed, errors=None, status=200):
    shown = db.session.scalars(endpoints.listing(security.viewer())).all()
    return render_template("accounts/webhooks.html", shown=shown, typed=typed, errors=errors or {},
                           events=endpoints.EVENTS, most=endpoints.MOST), status


def _one(endpoint, errors=None, status=200, secret=None):
    page = http.page_asked()
    told = db.session.scalars(deliveries.listing(endpoint).limit(ON_A_PAGE + 1).offset((page - 1) * ON_A_PAGE)).all()
    return render_template("accounts/webhook.html", endpoint=endpoint, told=told[:ON_A_PAGE], page=page, secret=secret,
                           more=len(told) > ON_A_PAGE, events=endpoints.EVENTS, errors=errors or {}), status


@bp.get("/webhooks")
@security.permit("webhook.keep")
def list_webhooks():
    """The endpoints, and one to be added."""
    return _list({"events": list(endpoints.EVENTS)})


@bp.post("/webhooks")
@security.permit("webhook.keep")
@http.writes
def create_webhook():
    """Add one; its secret is on this page and on no other."""
    sender, typed = _sender(), {"url": request.form.get("url", ""), "events": request.form.getlist("events")}
    try:
        endpoint, secret = endpoints.create(security.viewer(), sender.seal, sender.outbound, **typed)
    except Invalid as problem:
        return _list(typed, problem.errors, problem.status)
    except Conflict as problem:
        return _list(typed, {"": [problem.detail]}, problem.status)
    return _one(endpoint, secret=secret, status=201)


@bp.get("/webhooks/<id:webhook_id>")
@security.permit("webhook.keep")
def webhook(webhook_id):
    """One endpoint, and what it was told."""
    return _one(endpoints.get(webhook_id, security.viewer()))


@bp.post("/webhooks/<id:webhook_id>")
@security.permit("webhook.keep")
@http.writes
def revise_webhook(webhook_id):
    """Another address, other events, off or on."""
    endpoint = endpoints.get(webhook_id, security.viewer())
    if http.form_is_stale(endpoint.revision):
        return _one(endpoint, {"": ["A colleague changed this webhook while you did. Below stands what they saved: "
                                    "change it again if you still want to."]}, 412)
    try:
        endpoints.revise(endpoint, _sender().outbound, url=request.form.get("url", ""),
                         events=request.form.getlist("events"), active="active" in request.form)
    except Invalid as problem:
        db.session.rollback()
        return _one(endpoints.get(webhook_id, security.viewer()), problem.errors, problem.status)
    flash("Changed.")
    return redirect(url_for(".webhook", webhook_id=webhook_id))


@bp.post("/webhooks/<id:webhook_id>/secret")
@security.permit("webhook.keep")
@http.writes
def renew_webhook_secret(webhook_id):
    """A new secret, on this page and on no other."""
    endpoint = endpoints.get(webhook_id, security.viewer())
    return _one(endpoint, secret=endpoints.renew_secret(endpoint, _sender().seal), status=201)


@bp.post("/webhooks/<id:webhook_id>/tests")
@security.permit("webhook.keep")
@http.writes
def try_webhook(webhook_id):
    """Send the event `test`."""
    deliveries.try_out(endpoints.get(webhook_id, security.viewer()))
    flash("A test is on its way. Load this page again in a moment to read what was answered.")
    return redirect(url_for(".webhook", webhook_id=webhook_id, _anchor="told"))


@bp.post("/webhooks/<id:webhook_id>/removal")
@security.permit("webhook.keep")
@http.writes
def remove_webhook(webhook_id):
    """Remove it."""
    endpoints.remove(endpoints.get(webhook_id, security.viewer()))
    flash("Removed: nothing is sent there any more.")
    return redirect(url_for(".list_webhooks"))


@bp.post("/deliveries/<id:delivery_id>/again")
@security.permit("webhook.keep")
@http.writes
def send_delivery_again(delivery_id):
    """Send the same once more."""
    delivery = deliveries.get(delivery_id, security.viewer())
    deliveries.send_again(delivery)
    flash("It is sent again, under the same id.")
    return redirect(url_for(".webhook", webhook_id=delivery.webhook_id, _anchor="told"))
