"""Money: what is owed and what is due, one instalment with what was paid of it, and the fields of prices in forms."""
import re
from decimal import Decimal

from flask import Response, flash, redirect, render_template, request, url_for

from accounts import security
from core import http, sheets
from core.database import db
from core.errors import Invalid
from core.money import figure, words
from licensing import differences, floors
from licensing.after import amendments
from licensing.models import Offer
from licensing.money import instalments, payments
from licensing.money.instalments import Standing
from licensing.money.prices import MOST_INSTALMENTS, Kind, Plan, Pricing, Receipts, Trigger, plain
from licensing.pages import ON_A_PAGE, bp
from licensing.schemas import load
from licensing.schemas.money import InstalmentQuery, PaidSchema, UndoingSchema, planned
from licensing.workflow import Side

STANDINGS = {Standing.OVERDUE: "overdue", Standing.DUE: "due", Standing.WAITING: "not due yet",
             Standing.PAID: "paid", Standing.CANCELLED: "cancelled"}
KINDS = {Kind.FLAT: "Flat fee", Kind.GUARANTEE: "Minimum guarantee and a share", Kind.PER_RUN: "Fee for each run"}
TRIGGERS = {Trigger.SIGNATURE: "on signature", Trigger.DELIVERY: "on delivery", Trigger.ACCEPTANCE: "on acceptance",
            Trigger.DATE: "on a date"}
SIDES = {Side.SELLER: "To receive", Side.BUYER: "To pay"}
EMPTY_ROWS = 2
FIELDS = ("instalment", "offer", "titles", "seller", "buyer", "due", "due_on", "state", "currency", "amount",
          "outstanding", "references")
LONGEST_TABLE = 50_000
THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$")


@bp.app_context_processor
def money_words():
    """What the pages of money call things."""
    return {"standing_of": instalments.standing, "standings": STANDINGS, "triggers": TRIGGERS, "price_kinds": KINDS,
            "receipts": Receipts, "money_sides": instalments.sides, "floor_words": floors.words}


# ------------------------------------------------------------------ the fields of a form

def price_in(form, prefix: str) -> dict:
    """The price of a line and how it is meant, as it was typed. What does not belong to the kind chosen is left."""
    kind = form.get(f"{prefix}price_kind") or Kind.FLAT.value
    said = {"guarantee": ("share", "share_of"), "per_run": ("fee",)}.get(kind, ())
    runs = _whole(form.get(f"{prefix}runs", ""))
    return {"price": None if kind == Kind.PER_RUN else _number(form, f"{prefix}price"),
            "pricing": {"kind": kind, **{name: _number(form, prefix + name) for name in said}},
            **({} if runs == "" else {"runs": runs})}


def payment_in(form) -> dict | None:
    """The plan of payment, as it was typed; None where the form has none. Rows without a figure are left out, and
    where there is none with one, all is due on signature."""
    if "plan-days" not in form:
        return None
    parts = []
    for row in range(MOST_INSTALMENTS + EMPTY_ROWS):
        if much := _number(form, f"plan-{row}-much"):
            is_percent = much.endswith("%")
            parts.append({"on": form.get(f"plan-{row}-on", ""), "day": form.get(f"plan-{row}-day") or None,
                          "percent" if is_percent else "amount": much.rstrip("% ") if is_percent else much})
    return {"instalments": parts or Plan().as_json()["instalments"], "days": _whole(form["plan-days"]),
            "withholding_tax": form.get("plan-tax", "").strip() or None}


def floors_in(form) -> list[dict]:
    """Price floors typed as "Nordics: EUR 20000; TW, HK: USD 5000"."""
    found = []
    for each in filter(str.strip, form.get("floors", "").split(";")):
        where, _, much = each.partition(":")
        currency, _, amount = much.strip().partition(" ")
        if not amount:
            raise Invalid({"floors": ["Write a floor as territories, a colon, a currency and an amount: TW, HK: USD "
                                      "5000."]})
        found.append({"territories": [name.strip() for name in where.split(",") if name.strip()],
                      "currency": currency.upper(), "amount": _plain(amount)})
    return found


def _number(form, name) -> str | None:
    return _plain(form.get(name, "")) or None


def _whole(typed: str) -> int | str:
    """A whole number where it is one of reasonable length; else the words, for the schema to refuse."""
    typed = typed.strip()
    return int(typed) if typed.isdecimal() and len(typed) < 10 else typed


def _plain(typed: str) -> str:
    """A number without the commas between its thousands. Any other comma stays, and is refused: 1,50 is not 150."""
    return typed.strip().replace(",", "") if THOUSANDS.match(typed.strip()) else typed.strip()


def section(offer: Offer, viewer, typed: dict | None = None) -> dict:
    """What the offer's page shows of money, and the rows of the form; `typed` is what was typed just now."""
    owed = instalments.of_offer(offer.id, viewer)
    plan = typed or planned(amendments.terms_of(offer))
    rows = [{"on": each["on"], "day": each.get("day") or "",
             "much": f"{each['percent']} %" if each.get("percent") else each.get("amount") or ""}
            for each in plan["instalments"]]
    return {"instalments": owed, "plan": Plan.of(offer.current.payment),
            "plan_said": differences.payment(offer.current), "planned": _parts(offer),
            "plan_form": {
                "days": plan["days"], "tax": plan.get("withholding_tax") or "",
                "rows": rows + [{"on": "signature", "day": "", "much": ""}] * EMPTY_ROWS},
            "pricing_of": lambda line: Pricing.of(line.pricing).words(offer.currency)}


def _parts(offer):
    """The parts of the current version's plan, each with the `sum` it comes to where the price is named."""
    return [{**part, "sum": figure(Decimal(part["comes_to"]), offer.currency) if "comes_to" in part else None}
            for part in planned(offer.current)["instalments"]]


# ------------------------------------------------------------------ what is owed, and what is due

@bp.get("/money")
@security.permit("money.see")
def money():
    """What your deals owe you, or what you owe: open instalments, those due first on top."""
    viewer = security.viewer()
    asked, page = _asked(viewer), http.page_asked()
    found = db.session.scalars(_wanted(viewer, asked).limit(ON_A_PAGE + 1).offset((page - 1) * ON_A_PAGE)).all()
    return render_template(
        "licensing/money.html", rows=found[:ON_A_PAGE], more=len(found) > ON_A_PAGE, page=page, asked=asked,
        sides={side: SIDES[side] for side in instalments.sides(viewer)},
        titles_of=instalments.titles_of(each.offer_id for each in found),
        totals=instalments.totals(viewer, asked["side"]) if asked["side"] else [])


def _asked(viewer) -> dict:
    """{side, state, currency} of the address. What is open, where nothing is said."""
    sides = instalments.sides(viewer)
    said = {name: request.args[name].strip() for name in ("side", "state", "currency") if request.args.get(name)}
    state = said.pop("state", "open")
    said = load(InstalmentQuery(), said if state == "all" else {**said, "state": state})
    side = Side(said["side"]) if said.get("side") else sides[0] if sides else None
    return {"side": side, "state": state, "currency": said.get("currency", "").upper() or None}


def _wanted(viewer, asked):
    return instalments.listing(viewer, **{**asked, "state": None if asked["state"] == "all" else asked["state"]})


@bp.get("/money.csv")
@security.permit("money.see")
def money_table():
    """The same as a spreadsheet: all of it, not one page."""
    viewer = security.viewer()
    found = db.session.scalars(_wanted(viewer, _asked(viewer)).limit(LONGEST_TABLE)).all()
    named = instalments.titles_of(each.offer_id for each in found)
    rows = ([each.number, each.offer_id, ", ".join(title.original_title for title in named.get(each.offer_id, [])),
             each.offer.seller.name, each.offer.buyer.name, TRIGGERS[Trigger(each.trigger)], each.due_on or "",
             STANDINGS[instalments.standing(each)], each.currency, plain(each.amount), plain(each.outstanding),
             ", ".join(paid.reference for paid in each.payments if paid.reference and not paid.undone_at)]
            for each in found)
    return Response(sheets.table(FIELDS, rows), mimetype="text/csv", headers={
        "Content-Disposition": "attachment; filename=slate-money.csv"})


# ------------------------------------------------------------------ one instalment

@bp.get("/instalments/<id:instalment_id>")
@security.permit("money.see")
def instalment(instalment_id):
    """One instalment: when it is due, and what was paid of it."""
    viewer = security.viewer()
    return _instalment_page(instalments.get(instalment_id, viewer), viewer)


def _instalment_page(shown, viewer, errors=None, status=200):
    side = instalments.side_of(shown, viewer)
    return render_template(
        "licensing/instalment.html", instalment=shown, side=side, errors=errors or {}, typed=request.form,
        titles_shown=instalments.titles_of([shown.offer_id]).get(shown.offer_id, []),
        withholding_tax=Plan.of(shown.offer.current.payment).withholding_tax,
        may_mark=payments.may_mark(shown, viewer)), status


@bp.post("/instalments/<id:instalment_id>/payments")
@security.permit("money.mark")
@http.writes
def mark_paid(instalment_id):
    """Mark what came in."""
    viewer = security.viewer()
    shown = payments.lock(instalment_id, viewer)
    data = {name: request.form[name].strip() for name in ("paid_on", "reference", "outstanding")
            if request.form.get(name, "").strip()}
    try:
        payments.pay(shown, viewer, **load(PaidSchema(), {
            **data, "amount": _number(request.form, "amount"), "withheld": _number(request.form, "withheld")}))
    except Invalid as problem:
        db.session.rollback()
        return _instalment_page(instalments.get(instalment_id, viewer), viewer, problem.errors, 422)
    flash("Marked as paid." if not shown.outstanding else
          f"Marked. {words(shown.outstanding, shown.currency)} is still outstanding.")
    return redirect(url_for(".instalment", instalment_id=instalment_id))


@bp.post("/payments/<id:payment_id>/undoing")
@security.permit("money.mark")
@http.writes
def undo_payment(payment_id):
    """Take a payment back, with the reason."""
    viewer = security.viewer()
    payment = payments.lock_payment(payment_id, viewer)
    instalment_id = payment.instalment_id
    try:
        payments.undo(payment, viewer, load(UndoingSchema(), {"note": request.form.get("note", "")})["note"])
    except Invalid as problem:
        db.session.rollback()
        return _instalment_page(instalments.get(instalment_id, viewer), viewer, problem.errors, 422)
    flash("The payment is undone; it stays on record.")
    return redirect(url_for(".instalment", instalment_id=instalment_id))
