"""The life of an offer: the whole product of state, action and party."""
from itertools import product

import pytest

from core.errors import Refusal
from licensing.workflow import (
    ACTIONS,
    FINAL,
    RULES,
    TABLE,
    Party,
    Side,
    State,
    next_state,
    parties,
    possible,
)

ALL_ACTIONS = tuple(dict.fromkeys(rule.action for rule in TABLE))
ENDS = {State.EXPIRED, State.DECLINED, State.WITHDRAWN, State.LAPSED, State.SUPERSEDED, State.REJECTED,
        State.TERMINATED, State.REVERTED}


@pytest.mark.parametrize("state", State)
def test_every_move_is_a_row_of_the_table_or_refused(state):
    for action, party in product(ALL_ACTIONS, Party):
        if rule := RULES.get((state, action, party)):
            assert next_state(state, action, frozenset({party})) == rule.to
        else:
            with pytest.raises(Refusal):
                next_state(state, action, frozenset({party}))


@pytest.mark.parametrize("state", State)
def test_what_is_drawn_is_what_the_workflow_allows(state):
    """For each side, author and signature: an action is possible exactly when next_state takes it."""
    for side, author, signed in product(Side, (Side.BUYER, Side.SELLER), (None, Side.BUYER, Side.SELLER)):
        played = parties(side, author, signed)
        for action in ALL_ACTIONS:
            try:
                next_state(state, action, played)
                allowed = True
            except Refusal:
                allowed = False
            assert (action in possible(state, played)) == allowed


def test_no_two_rows_contradict_each_other():
    assert len(RULES) == len(TABLE)
    for side, author, signed in product(Side, (Side.BUYER, Side.SELLER), (None, Side.BUYER, Side.SELLER)):
        played = parties(side, author, signed)
        for state, action in product(State, ALL_ACTIONS):
            assert len({rule.to for rule in TABLE if (rule.state, rule.action) == (state, action)
                        and rule.party in played}) <= 1


def test_ends_have_no_way_out_and_everything_else_has_one():
    assert FINAL == ENDS


def test_every_state_can_be_reached_from_a_draft():
    reached, fresh = set(), {State.DRAFT}
    while fresh:
        reached |= fresh
        fresh = {rule.to for rule in TABLE if rule.state in reached} - reached
    assert reached == set(State)


@pytest.mark.parametrize("action", ["accept", "counter", "decline"])
def test_only_the_side_that_did_not_write_the_version_may_answer_it(action):
    for state in (State.SUBMITTED, State.COUNTERED):
        for author in (Side.BUYER, Side.SELLER):
            assert action not in possible(state, parties(author, author, None))
            other = Side.SELLER if author is Side.BUYER else Side.BUYER
            assert action in possible(state, parties(other, author, None))


def test_a_side_signs_once():
    for side in (Side.BUYER, Side.SELLER):
        assert "sign" not in possible(State.SIGNED_ONE, parties(side, Side.BUYER, side))
        other = Side.SELLER if side is Side.BUYER else Side.BUYER
        assert "sign" in possible(State.SIGNED_ONE, parties(other, Side.BUYER, side))


@pytest.mark.parametrize("action", ["lapse", "supersede", "activate", "expire", "refer"])
def test_the_clocks_moves_are_the_systems_alone(action):
    assert action not in ACTIONS
    assert all(rule.party is Party.SYSTEM for rule in TABLE if rule.action == action)


def test_everything_not_signed_yet_can_be_superseded():
    before = {rule.state for rule in TABLE if rule.action == "supersede"}
    assert before == set(State) - ENDS - {State.DRAFT, State.AGREED, State.SIGNED, State.ACTIVE}
