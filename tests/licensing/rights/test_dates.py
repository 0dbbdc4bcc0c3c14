"""Days as sets: both ends included for people, half-open inside."""
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.rights.dates import Dates, union

FIRST = date(2030, 1, 1)
spans = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted), max_size=4)


def dates_of(pairs):
    return union(Dates.between(FIRST + timedelta(a), FIRST + timedelta(b)) for a, b in pairs)


def days(dates):
    return {n for n in range(-1, 15) if FIRST + timedelta(n) in dates}


@given(spans, spans)
def test_dates_behave_like_sets_of_days(one, other):
    a, b = dates_of(one), dates_of(other)
    assert days(a | b) == days(a) | days(b)
    assert days(a & b) == days(a) & days(b)
    assert days(a - b) == days(a) - days(b)
    assert (a - b) | (a & b) == a, "there is one way to write each set"


def test_a_single_shared_day_collides_and_adjoining_windows_do_not():
    june = Dates.between(date(2027, 1, 1), date(2027, 6, 30))
    assert not june & Dates.between(date(2027, 7, 1))
    assert june & Dates.between(date(2027, 6, 30))


def test_both_ends_are_included_and_no_end_is_perpetuity():
    assert Dates.between(date(2027, 1, 1), date(2027, 1, 1)).window == (date(2027, 1, 1), date(2027, 1, 1))
    assert Dates.between(date(2027, 1, 1)).window == (date(2027, 1, 1), None)
    assert date(9999, 12, 31) in Dates.between(date(2027, 1, 1))


def test_an_end_before_the_start_is_refused():
    with pytest.raises(ValueError):
        Dates.between(date(2027, 1, 2), date(2027, 1, 1))
