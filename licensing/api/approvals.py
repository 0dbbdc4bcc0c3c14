"""What waits for approval, the policy that asks for it, and warnings passed over."""
from accounts import security
from core import http
from licensing import offers
from licensing.api import bp
from licensing.approvals import cases, given, morning, policy
from licensing.schemas.approvals import (
    CaseSchema,
    OverrideSchema,
    PolicySchema,
    SetPolicySchema,
    WrittenOverrideSchema,
)


@bp.get("/approvals")
@security.permit("offer.approve")
@bp.response(200, CaseSchema(many=True))
@bp.paginate()
def list_approvals(pagination_parameters):
    """The deals that wait for your approval, the oldest first, and why each needs it."""
    return cases.look(http.page(morning.waiting(security.viewer()), pagination_parameters))


@bp.get("/approval-policy")
@security.permit("policy.see")
@bp.response(200, SetPolicySchema)
def show_policy():
    """Which deals of your organisation a rights manager must approve."""
    seller_id = security.viewer().organisation_id
    return policy.newest(seller_id) or policy.of(seller_id)


@bp.put("/approval-policy")
@security.permit("policy.set")
@http.writes
@bp.arguments(PolicySchema)
@bp.response(200, SetPolicySchema)
def set_policy(data):
    """Set which deals are approved, from now on."""
    return policy.set_rules(security.viewer(), policy.Policy(**data))


@bp.post("/offers/<id:offer_id>/overrides")
@security.permit("offer.override")
@http.writes
@bp.arguments(OverrideSchema)
@bp.response(201, WrittenOverrideSchema(many=True))
def override(data, offer_id):
    """Pass over warnings about the current version, with a written reason."""
    viewer = security.viewer()
    return given.override(offers.lock(offer_id, viewer), viewer, data["note"], data["warnings"])
