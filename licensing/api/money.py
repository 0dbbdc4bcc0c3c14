"""Instalments of signed deals, and what was paid of them."""
from accounts import security
from core import http
from licensing import offers
from licensing.api import bp
from licensing.money import instalments, payments
from licensing.schemas.money import InstalmentQuery, InstalmentSchema, PaidSchema, UndoingSchema


@bp.get("/instalments")
@security.permit("money.see")
@bp.arguments(InstalmentQuery, location="query")
@bp.response(200, InstalmentSchema(many=True))
@bp.paginate()
def list_instalments(query, pagination_parameters):
    """What your deals owe you, and what you owe: those due first on top."""
    return http.page(instalments.listing(security.viewer(), **query), pagination_parameters)


@bp.get("/offers/<id:offer_id>/instalments")
@security.permit("money.see")
@bp.response(200, InstalmentSchema(many=True))
def offer_instalments(offer_id):
    """The instalments of one deal; none before both have signed."""
    viewer = security.viewer()
    offer = offers.get(offer_id, viewer)
    instalments.check_may_see(offer, viewer)
    return instalments.of_offer(offer.id, viewer)


@bp.get("/instalments/<id:instalment_id>")
@security.permit("money.see")
@bp.response(200, InstalmentSchema)
def show_instalment(instalment_id):
    """One instalment, with what was paid of it."""
    return instalments.get(instalment_id, security.viewer())


@bp.post("/instalments/<id:instalment_id>/payments")
@security.permit("money.mark")
@http.writes
@bp.arguments(PaidSchema)
@bp.response(201, InstalmentSchema)
def mark_paid(data, instalment_id):
    """Mark what came in. Answers the instalment as it stands then."""
    viewer = security.viewer()
    instalment = payments.lock(instalment_id, viewer)
    payments.pay(instalment, viewer, **data)
    return instalment


@bp.post("/payments/<id:payment_id>/undoing")
@security.permit("money.mark")
@http.writes
@bp.arguments(UndoingSchema)
@bp.response(201, InstalmentSchema)
def undo_payment(data, payment_id):
    """Take a payment back that was marked by mistake, with the reason. It stays on record."""
    viewer = security.viewer()
    payment = payments.lock_payment(payment_id, viewer)
    payments.undo(payment, viewer, data["note"])
    return payment.instalment
