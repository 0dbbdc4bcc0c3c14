"""The life of an item on a list of materials: the whole product of state, action and side."""
from itertools import product

import pytest

from core.errors import Conflict, NotAllowed, Refusal
from licensing.delivery.models import FILES, USES, Kind
from licensing.delivery.states import ACTIONS, FINAL, NEEDS_NOTE, RULES, TABLE, State, next_state, possible
from licensing.workflow import Side


@pytest.mark.parametrize("state", State)
def test_every_move_is_a_row_of_the_table_or_refused(state):
    for action, side in product(ACTIONS, Side):
        if rule := RULES.get((state, action, side)):
            assert next_state(state, action, side) == rule.to
            assert action in possible(state, side)
        else:
            others = [each for each in TABLE if (each.state, each.action) == (state, action)]
            with pytest.raises(NotAllowed if others else Conflict):
                next_state(state, action, side)
            assert action not in possible(state, side)


def test_no_row_is_written_twice_and_every_state_is_reached():
    assert len(RULES) == len(TABLE)
    reached = {State.OPEN, State.ASKED, State.ORDERED}
    while fresh := {rule.to for rule in TABLE if rule.state in reached} - reached:
        reached |= fresh
    assert reached == set(State)
    assert {State.ACCEPTED, State.DROPPED} == FINAL


def test_only_the_licensor_delivers_and_only_the_licensee_or_silence_accepts():
    assert {rule.side for rule in TABLE if rule.action == "deliver"} == {Side.SELLER}
    assert {rule.side for rule in TABLE if rule.action == "reject"} == {Side.BUYER}
    assert {(rule.state, rule.side) for rule in TABLE if rule.to is State.ACCEPTED} == {
        (State.DELIVERED, Side.BUYER), (State.DELIVERED, Side.SYSTEM)}
    assert [rule.action for rule in TABLE if rule.side is Side.SYSTEM] == ["accept"]


def test_what_is_owed_is_never_dropped_by_the_licensor_alone():
    for rule in TABLE:
        if rule.to is State.DROPPED and rule.side is Side.SELLER:
            assert rule.state is State.ASKED, "what was only asked for may be declined"
    assert set(ACTIONS) >= NEEDS_NOTE


def test_every_kind_has_its_files_and_refusals_are_sentences():
    assert set(FILES) == set(Kind) and set(USES) < set(Kind)
    with pytest.raises(Refusal, match="Only the licensee may accept this item now"):
        next_state(State.DELIVERED, "accept", Side.SELLER)
