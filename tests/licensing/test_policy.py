"""Which deals a rights manager must see: each rule by itself, at its edge, and where it cannot be judged."""
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest

from licensing.approvals.policy import RULES, Facts, Policy, Warned, why

NOTHING = Policy(False, False, None, False, False, None)
STARTS = date(2027, 1, 1)
FLOOR = {"text": "Below your floor", "below": True}
UNSAID = {"text": "Your floor is in EUR", "below": None}
KEPT = {"text": "Your floor", "below": False}


def line(**more):
    return Facts(**{"exclusive": False, "starts_on": STARTS, "ends_on": date(2029, 12, 31), **more})


def warned(encumbers=False, overridden=True):
    return Warned("0:X:y-1", "S", "Mind this.", encumbers, overridden)


def rules(policy, *lines, total="100", currency="EUR"):
    return [each.rule for each in why(policy, list(lines or [line()]), Decimal(total), currency)]


ASKING = {  # what makes each rule ask, and the rule alone
    "exclusive": (line(exclusive=True), {"exclusive": True}),
    "below_floor": (line(floors=(FLOOR,)), {"below_floor": True}),
    "years": (line(ends_on=date(2032, 1, 1)), {"years": 5}),
    "warning": (line(warnings=(warned(),)), {"warning": True}),
    "encumbrance": (line(warnings=(warned(encumbers=True),)), {"encumbrance": True}),
    "amount": (line(), {"amount": Decimal(100), "currency": "EUR"}),
}


@pytest.mark.parametrize("rule, other", list(product(RULES, RULES)))
def test_a_rule_asks_for_its_own_deals_and_for_no_others(rule, other):
    facts, _ = ASKING[rule]
    _, alone = ASKING[other]
    expected = [other] if other in (rule, "amount") else []  # the amount is over the limit in all of them
    assert rules(Policy(**{**NOTHING.__dict__, **alone}), facts) == expected


def test_no_rule_lets_everything_pass_but_what_nobody_answered_for():
    everything = line(exclusive=True, ends_on=None, floors=(FLOOR,), warnings=(warned(), warned(encumbers=True)))
    assert rules(NOTHING, everything, total="9" * 12) == []
    assert rules(NOTHING, line(warnings=(warned(overridden=False),))) == ["warning"]
    assert rules(NOTHING, line(warnings=(warned(encumbers=True, overridden=False),))) == ["encumbrance"]


def test_as_it_comes_every_deal_is_approved():
    assert rules(Policy(), line(), total="0") == ["amount"]


def test_every_reason_is_kept_in_the_order_of_the_rules_and_names_its_line():
    found = why(Policy(), [line(warnings=(warned(),)), line(exclusive=True, ends_on=None, floors=(FLOOR,))],
                Decimal(1), "EUR")
    assert [each.rule for each in found] == ["exclusive", "below_floor", "years", "warning", "amount"]
    assert [(each.line, each.text) for each in found] == [
        (1, "exclusive"), (1, "Below your floor"), (1, "no end, your limit is 5 years"), (0, "Mind this."),
        (None, "every deal is approved")]


@pytest.mark.parametrize("starts_on, years, last", [
    (date(2027, 1, 1), 5, date(2031, 12, 31)), (date(2027, 7, 15), 1, date(2028, 7, 14)),
    (date(2028, 2, 29), 1, date(2029, 2, 28)), (date(2028, 2, 29), 4, date(2032, 2, 28))])
def test_years_are_counted_to_the_day_before_the_anniversary(starts_on, years, last):
    only = Policy(**{**NOTHING.__dict__, "years": years})
    assert rules(only, line(starts_on=starts_on, ends_on=last)) == []
    assert rules(only, line(starts_on=starts_on, ends_on=last + timedelta(days=1))) == ["years"]
    assert rules(only, line(starts_on=starts_on, ends_on=None)) == ["years"]


def test_how_long_it_is_is_said_in_years_and_months():
    only = Policy(**{**NOTHING.__dict__, "years": 5})
    for ends_on, words in ((date(2032, 1, 1), "5 years 1 month"), (date(2034, 12, 31), "8 years"),
                           (date(2033, 6, 30), "6 years 6 months")):
        assert why(only, [line(ends_on=ends_on)], Decimal(1), "EUR")[0].text == f"{words}, your limit is 5 years"


def test_what_cannot_be_judged_for_want_of_a_rate_is_asked():
    assert rules(Policy(**{**NOTHING.__dict__, "below_floor": True}), line(floors=(UNSAID,))) == ["below_floor"]
    assert rules(Policy(**{**NOTHING.__dict__, "below_floor": True}), line(floors=(KEPT,))) == []
    limit = Policy(**{**NOTHING.__dict__, "amount": Decimal(500), "currency": "EUR"})
    assert rules(limit, total="499.99") == [] and rules(limit, total="500") == ["amount"]
    assert rules(limit, total="1", currency="USD") == ["amount"]
