"""Money adds up: digits of ISO 4217, and a split whose parts are the whole."""
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import CURRENCIES, LARGEST, MOST_DIGITS, Money, digits, figure, read, split

currencies = st.sampled_from(sorted(CURRENCIES))


@st.composite
def sums(draw, least=0):
    """An amount in a currency, of its smallest units."""
    currency = draw(currencies)
    units = draw(st.integers(least, int(LARGEST) * 10 ** digits(currency) - 1))
    return Money(Decimal(units).scaleb(-digits(currency)), currency)


@st.composite
def shares(draw):
    """Percentages with two places that sum to 100."""
    cuts = sorted(draw(st.sets(st.integers(1, 9_999), max_size=35)))
    return [Decimal(high - low) / 100 for low, high in zip([0, *cuts], [*cuts, 10_000], strict=True)]


@pytest.mark.parametrize("currency, places", [
    ("EUR", 2), ("USD", 2), ("TWD", 2), ("HKD", 2), ("JPY", 0), ("KRW", 0), ("VND", 0), ("CLP", 0), ("ISK", 0),
    ("KWD", 3), ("BHD", 3), ("TND", 3), ("IQD", 3), ("IRR", 2), ("HUF", 2), ("MGA", 2)])
def test_the_digits_are_those_of_iso_4217(currency, places):
    assert digits(currency) == places <= MOST_DIGITS
    smallest = Decimal(1).scaleb(-places)
    assert Money.read(str(smallest), currency).amount == smallest
    with pytest.raises(ValueError, match="decimal places"):
        Money.read(str(smallest / 10), currency)


def test_no_currency_in_use_is_missing_a_name_or_has_more_digits_than_are_kept():
    assert {"EUR", "JPY", "KWD", "TWD", "HKD", "CNY"} <= CURRENCIES
    assert max(map(digits, CURRENCIES)) == MOST_DIGITS


@pytest.mark.parametrize("words", ["NaN", "sNaN", "Infinity", "1e400", "1e-9999999", "-1", "", "ten", "1.0.0", LARGEST,
                                   True, "0." + "0" * 60 + "1"])
def test_what_is_no_amount_is_refused(words):
    with pytest.raises(ValueError):
        Money.read(words, "EUR")


@given(sums())
def test_an_amount_is_read_as_it_is_written(money):
    assert Money.read(str(money.amount), money.currency) == money
    assert Decimal(figure(money.amount, money.currency).replace(",", "")) == money.amount


def test_what_was_agreed_in_a_currency_is_paid_in_it_though_it_was_given_up():
    assert read("10.50", "HRK") == Decimal("10.50")
    with pytest.raises(ValueError, match="ISO 4217"):
        Money.read("10.50", "HRK")


@given(sums(), shares())
def test_the_parts_of_a_split_are_the_whole(money, percents):
    parts = split(money.amount, money.currency, percents)
    assert sum(parts) == money.amount and len(parts) == len(percents)
    unit = Decimal(1).scaleb(-digits(money.currency))
    for part in parts:
        assert part >= 0 and Money(part, money.currency), "no part is negative, or has more digits than the currency"
    for part, percent in zip(parts[:-1], percents[:-1], strict=True):
        assert 0 <= money.amount * percent / 100 - part < unit, "each but the last is rounded down"
    assert 0 <= parts[-1] - money.amount * percents[-1] / 100 < unit * len(parts), "the last takes the rounding"


@pytest.mark.parametrize("total, currency, percents, parts", [
    ("100", "EUR", "33.33 33.33 33.34", "33.33 33.33 33.34"), ("100", "JPY", "33.33 33.33 33.34", "33 33 34"),
    ("0.001", "KWD", "50 50", "0.000 0.001"), ("10.01", "TWD", "50 50", "5.00 5.01"),
    ("5", "JPY", "10 10 10 10 10 10 10 10 10 10", "0 0 0 0 0 0 0 0 0 5"),
    ("1.001", "KWD", "33.34 66.66", "0.333 0.668")])
def test_a_split_in_figures(total, currency, percents, parts):
    found = split(Decimal(total), currency, [Decimal(each) for each in percents.split()])
    assert " ".join(map(str, found)) == parts
