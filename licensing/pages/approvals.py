"""Approvals: the rights manager's morning, the policy that asks for it, and warnings passed over."""
from decimal import Decimal, InvalidOperation

from flask import flash, redirect, render_template, request, url_for

from accounts import permissions, security
from accounts.permissions import Relation
from core import clock, http
from core.database import db
from core.errors import Conflict, Invalid
from licensing import moves, offers
from licensing.approvals import cases, given, morning, pairs, policy
from licensing.approvals.policy import Policy
from licensing.pages import bp
from licensing.refusals import last
from licensing.schemas import load
from licensing.schemas.approvals import OverrideSchema, PolicySchema
from licensing.schemas.offers import StepSchema
from licensing.workflow import Side, State

GROUPS = {"blocked": ("Blocked", "Nothing here can be signed until something changes."),
          "decide": ("To decide", "Something stands out, and a rule asks for you."),
          "clear": ("Clear", "Only their size or kind asks for your name; nothing else stands out.")}
DECIDED = {"approve": "Approved", "request_changes": "Sent back", "reject": "Rejected"}


@bp.app_context_processor
def approval_on_pages():
    """For the page of an offer: why it needs approval, what to mind, what was approved. For its seller alone."""
    def approval_of(offer, side):
        viewer = security.viewer()
        if side is not Side.SELLER or not permissions.allows(viewer, "policy.see", Relation.OWN):
            return None
        approved = given.find(offer)
        step = approved and next(step for step in offer.steps if step.id == approved.step_id)
        case = cases.of(offer) if offer.state in (State.DRAFT, *given.OPEN) else None
        return {"case": case, "last": case and last.unanswered(case), "given": approved, "step": step,
                "void": approved and given.void(offer, approved),
                "may_override": offer.state in given.OPEN and permissions.allows(viewer, "offer.override",
                                                                                 Relation.SELLER)}
    return {"approval_of": approval_of}


# ------------------------------------------------------------------ the morning

@bp.get("/approvals")
@security.permit("offer.approve")
def approvals():
    """What waits for approval: what stands in its way first, why each needs it, the other deal beside it."""
    return _morning()


def _morning(errors=None, failed=None, typed="", status=200):
    viewer = security.viewer()
    found, total = morning.groups(viewer)
    every = [case for some in found.values() for case in some]
    days = {case.offer.id: (clock.today() - clock.day_of(case.offer.updated_at)).days for case in every}
    sums = {}
    for case in every:
        sums[case.offer.currency] = sums.get(case.offer.currency, 0) + sum(
            each.line.price or 0 for each in case.lines)
    return render_template(
        "licensing/approvals.html", found=found, total=total, shown=len(every), heads=GROUPS, pairs=pairs.of(every),
        days=days, sums=sums, oldest=max(days.values(), default=None), errors=errors or {}, failed=failed, typed=typed,
        may={case.offer.id: moves.actions(case.offer, viewer) for case in every}), status


@bp.post("/approvals/<id:offer_id>")
@security.permit("offer.approve")
@http.writes
def decide(offer_id):
    """Approve, send back or reject. What is passed over must be what was read: a warning that came up meanwhile is
    shown first."""
    viewer = security.viewer()
    shown, note = offers.lock(offer_id, viewer), request.form.get("note", "")
    try:
        data = load(StepSchema(), {"action": request.form.get("action", ""), "note": note or None,
                                   "version": request.form.get("version", type=int)})
        data.pop("price_of_all")
        if data["action"] not in DECIDED:
            raise Invalid({"action": ["Approve, send back or reject."]})
        if data["action"] == "approve" and {each.key for each in cases.of(shown).unanswered} - set(
                request.form.getlist("seen")):
            raise Conflict("Something more is to be minded than when you opened this page. Read it again.")
        offers.advance(shown, viewer, **data)
    except (Invalid, Conflict) as problem:
        db.session.rollback()
        errors = problem.errors if isinstance(problem, Invalid) else {"": [problem.detail, *(
            reason["text"] for reason in problem.more.get("reasons", [])[1:])]}
        return _morning(errors, offer_id, note, problem.status)
    flash(f"{DECIDED[data['action']]}: offer {offer_id}, {shown.buyer.name}.")
    return redirect(url_for(".approvals"))


@bp.post("/offers/<id:offer_id>/overrides")
@security.permit("offer.override")
@http.writes
def override(offer_id):
    """Pass over what is to be minded about the current version, with a written reason."""
    viewer = security.viewer()
    shown = offers.lock(offer_id, viewer)
    data = load(OverrideSchema(), {"note": request.form.get("note", ""),
                                   "warnings": request.form.getlist("warnings") or None})
    made = given.override(shown, viewer, data["note"], data["warnings"])
    flash(f"Noted for who approves: {len(made)} warning{'s' * (len(made) != 1)} passed over.")
    return redirect(url_for(".offer", offer_id=offer_id, _anchor="approval"))


# ------------------------------------------------------------------ the policy

@bp.get("/approvals/policy")
@security.permit("policy.see")
def approval_policy():
    """Which deals a rights manager must see."""
    return _policy_page(policy.of(security.viewer().organisation_id))


def _policy_page(rules, errors=None, status=200):
    viewer = security.viewer()
    return render_template("licensing/policy.html", rules=rules, errors=errors or {},
                           newest=policy.newest(viewer.organisation_id),
                           may_set=permissions.allows(viewer, "policy.set", Relation.OWN)), status


@bp.post("/approvals/policy")
@security.permit("policy.set")
@http.writes
def set_approval_policy():
    """Set the rules. A tick is a rule; of the size, nothing typed is no rule, and the tick for every deal is 0."""
    form = request.form
    typed = {rule: rule in form for rule in ("exclusive", "below_floor", "warning", "encumbrance")}
    years, amount = form.get("years", "").strip(), form.get("amount", "").replace(",", "").strip()
    typed.update(years=int(years) if years.isdecimal() else years or None, currency=form.get("currency") or None,
                 amount="0" if "every" in form else amount or None)
    newest = policy.newest(security.viewer().organisation_id)
    if newest and http.form_is_stale(newest.id):
        return _policy_page({**typed, "amount": _number(typed["amount"])}, {"": [
            f"{newest.person.name} set the policy after you opened this page. Your form is kept below; sent again, it "
            "replaces what counts now: " + _in_words(newest)]}, 412)
    try:
        policy.set_rules(security.viewer(), Policy(**load(PolicySchema(), typed)))
    except Invalid as problem:
        db.session.rollback()
        return _policy_page({**typed, "amount": _number(typed["amount"])}, problem.errors, 422)
    flash("The policy is set. It counts for deals agreed from now on.")
    return redirect(url_for(".approval_policy"))


def _in_words(rules) -> str:
    said = [words for name, words in (("exclusive", "exclusive deals"), ("below_floor", "prices below a floor"),
                                      ("warning", "warnings passed over"), ("encumbrance", "encumbrances passed over"))
            if getattr(rules, name)]
    if rules.years is not None:
        said.append(f"more than {rules.years} years")
    if rules.amount is not None:
        said.append(f"from {rules.amount:,} {rules.currency or ''}".rstrip() if rules.amount else "every deal")
    return f"{', '.join(said) or 'nothing'}."


def _number(typed):
    try:
        return Decimal(typed)
    except (InvalidOperation, TypeError):
        return typed
