"""Kinds of price and plans of payment: what adds up is read, what does not is refused."""
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.money import LARGEST, digits
from licensing.money.prices import Kind, Part, Plan, Pricing, Receipts, Trigger, percent, read_plan, read_price
from tests.core.test_amounts import shares, sums

TODAY = date(2026, 11, 26)
HALVES = [{"on": "signature", "percent": "50"}, {"on": "delivery", "percent": "50"}]


def wrong(field, read, *args):
    with pytest.raises(Invalid) as refused:
        read(*args)
    assert field in str(refused.value.errors), refused.value.errors
    return refused.value.detail


@pytest.mark.parametrize("price, pricing, runs, amount, read", [
    ("42000", None, None, "42000", Pricing()),
    (42000.5, {"kind": "flat"}, None, "42000.5", Pricing()),
    (None, None, None, None, Pricing()),
    ("40000", {"kind": "guarantee", "share": "30", "share_of": "net"}, None, "40000",
     Pricing(Kind.GUARANTEE, Decimal(30), Receipts.NET)),
    (None, {"kind": "guarantee", "share": 33.33, "share_of": "gross"}, None, None,
     Pricing(Kind.GUARANTEE, Decimal("33.33"), Receipts.GROSS)),
    (None, {"kind": "per_run", "fee": "1200.50"}, 4, "4802", Pricing(Kind.PER_RUN, fee=Decimal("1200.5"))),
    ("4802.00", {"kind": "per_run", "fee": "1200.50"}, 4, "4802", Pricing(Kind.PER_RUN, fee=Decimal("1200.5"))),
    (None, {"kind": "per_run"}, 4, None, Pricing(Kind.PER_RUN)),
    (None, {"kind": "per_run", "fee": 0}, 4, "0", Pricing(Kind.PER_RUN, fee=Decimal(0)))])
def test_a_price_of_each_kind(price, pricing, runs, amount, read):
    found, kind = read_price(price, pricing, "EUR", runs)
    assert found == (amount and Decimal(amount)) and kind == read
    assert Pricing.of(kind.as_json()) == kind, "what is stored is what was said"


@pytest.mark.parametrize("price, pricing, runs, currency, field", [
    ("1.5", None, None, "JPY", "price"), ("-1", None, None, "EUR", "price"), ("x", None, None, "EUR", "price"),
    ("1", {"kind": "guarantee", "share_of": "net"}, None, "EUR", "share"),
    ("1", {"kind": "guarantee", "share": "0", "share_of": "net"}, None, "EUR", "share"),
    ("1", {"kind": "guarantee", "share": "100.01", "share_of": "net"}, None, "EUR", "share"),
    ("1", {"kind": "guarantee", "share": "33.333", "share_of": "net"}, None, "EUR", "share"),
    ("1", {"kind": "guarantee", "share": "30"}, None, "EUR", "share_of"),
    ("1", {"kind": "flat", "share": "30"}, None, "EUR", "share"),
    ("1", {"kind": "guarantee", "share": "30", "share_of": "net", "fee": "5"}, None, "EUR", "fee"),
    (None, {"kind": "per_run", "fee": "5"}, None, "EUR", "runs"),
    ("11", {"kind": "per_run", "fee": "5"}, 2, "EUR", "price"), ("10", {"kind": "per_run"}, 2, "EUR", "fee"),
    (None, {"kind": "per_run", "fee": "0.5"}, 2, "JPY", "fee"),
    (None, {"kind": "per_run", "fee": "999999999999"}, 2, "EUR", "fee")])
def test_a_price_that_does_not_add_up_is_refused(price, pricing, runs, currency, field):
    wrong(field, read_price, price, pricing, currency, runs)


@given(sums(), st.integers(1, 1_000_000))
def test_runs_times_their_fee_are_the_price(fee, runs):
    if fee.amount * runs >= LARGEST:
        wrong("fee", read_price, None, {"kind": "per_run", "fee": fee.amount.to_eng_string()}, fee.currency, runs)
    else:
        found, _ = read_price(None, {"kind": "per_run", "fee": str(fee.amount)}, fee.currency, runs)
        assert found == fee.amount * runs
        off = found + Decimal(1).scaleb(-digits(fee.currency))
        wrong("price", read_price, str(off), {"kind": "per_run", "fee": str(fee.amount)}, fee.currency, runs)


@given(sums(), shares(), st.data())
def test_a_plan_in_per_cent_adds_up_or_is_refused(total, percents, data):
    parts = [{"on": "delivery", "percent": str(each)} for each in percents]
    plan = read_plan({"instalments": parts}, total.amount, total.currency)
    assert sum(plan.amounts(total.amount, total.currency)) == total.amount
    assert Plan.of(plan.as_json()) == plan
    place = data.draw(st.integers(0, len(parts) - 1))
    changed = Decimal(data.draw(st.integers(1, 10_000))) / 100
    if changed != percents[place]:
        parts[place]["percent"] = str(changed)
        wrong("instalments", read_plan, {"instalments": parts}, total.amount, total.currency)


@given(sums(least=1), st.lists(st.integers(1, 10 ** 12), min_size=1, max_size=35), st.integers(-5, 5))
def test_a_plan_in_amounts_adds_up_or_is_refused(total, weights, off):
    unit = Decimal(1).scaleb(-digits(total.currency))
    units = int(total.amount / unit)
    parts = [units * weight // sum(weights) for weight in weights]
    parts[-1] += units - sum(parts)
    sent = [{"on": "acceptance", "amount": str(each * unit)} for each in parts]
    sent[-1]["amount"] = str((parts[-1] + off) * unit)
    if off == 0 and min(parts) > 0:
        plan = read_plan({"instalments": sent}, total.amount, total.currency)
        assert sum(plan.amounts(total.amount, total.currency)) == total.amount and Plan.of(plan.as_json()) == plan
    else:
        wrong("instalments", read_plan, {"instalments": sent}, total.amount, total.currency)


@pytest.mark.parametrize("sent, field", [
    ([], "instalments"), (HALVES * 19, "instalments"), (HALVES[:1], "50 %"), ([*HALVES, HALVES[0]], "150 %"),
    ([HALVES[0], {"on": "delivery", "amount": "50"}], "all as amounts"),
    ([{"on": "delivery"}], "percent"), ([{"on": "delivery", "percent": "50", "amount": "50"}], "percent"),
    ([{"on": "delivery", "amount": "99.99"}], "EUR 99.99"), ([{"on": "delivery", "amount": "1.001"}], "amount"),
    ([{"on": "delivery", "amount": "0"}, {"on": "delivery", "amount": "100"}], "amount"),
    ([{"on": "date", "percent": "100"}], "day"), ([{"on": "delivery", "percent": "100", "day": "2027-01-01"}], "day"),
    ([{"on": "date", "percent": "100", "day": "2026-11-25"}], "passed"), ([{"on": "date", "percent": "x"}], "day")])
def test_a_plan_that_says_nonsense_is_refused(sent, field):
    wrong(field, read_plan, {"instalments": sent}, Decimal(100), "EUR", TODAY)


def test_while_there_is_no_price_a_plan_is_in_per_cent():
    assert read_plan({"instalments": HALVES}, None, "EUR").days == 30
    assert "per cent" in wrong("instalments", read_plan, {"instalments": [{"on": "delivery", "amount": "5"}]}, None,
                               "EUR")


def test_nothing_said_is_the_whole_price_on_signature():
    assert Plan.of(None).parts == (Part(Trigger.SIGNATURE, percent=Decimal(100)),)
    assert Plan.of(None).amounts(Decimal("9.99"), "EUR") == [Decimal("9.99")]
    assert Plan.of(None).words(0, "EUR") == "100 % on signature"


@pytest.mark.parametrize("words", ["", "x", "0", "-1", "101", "NaN", "1e-9", "33.333"])
def test_what_is_no_percentage_is_refused(words):
    with pytest.raises(ValueError):
        percent(words)
