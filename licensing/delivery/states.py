"""The life of an item on a list of materials: one table, and the questions asked of it. Pure.

domain.md, "After signing": ordered, delivered, accepted, rejected within the QC window. What is owed changes by
agreement alone: what one side asks for, the other agrees to or declines; the licensee may waive what is owed to it.
"""
from enum import StrEnum
from typing import NamedTuple

from core.errors import Conflict, NotAllowed
from licensing.workflow import Side


class State(StrEnum):
    OPEN = "open"            # its languages are still to be named
    ASKED = "asked"          # the licensee asks for it
    ORDERED = "ordered"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DROPPING = "dropping"    # the licensor asks to leave it out
    DROPPED = "dropped"


class Rule(NamedTuple):
    state: State
    action: str
    side: Side
    to: State


S = State
LICENSEE, LICENSOR, SYSTEM = Side.BUYER, Side.SELLER, Side.SYSTEM

TABLE = tuple(Rule(*row) for row in (
    # from         action         side      to
    (S.OPEN,       "name",        LICENSEE, S.ORDERED),
    (S.OPEN,       "drop",        LICENSEE, S.DROPPED),
    (S.ASKED,      "agree",       LICENSOR, S.ORDERED),
    (S.ASKED,      "decline",     LICENSOR, S.DROPPED),
    (S.ASKED,      "drop",        LICENSEE, S.DROPPED),
    (S.ORDERED,    "deliver",     LICENSOR, S.DELIVERED),
    (S.ORDERED,    "ask_to_drop", LICENSOR, S.DROPPING),
    (S.ORDERED,    "drop",        LICENSEE, S.DROPPED),
    (S.DROPPING,   "agree",       LICENSEE, S.DROPPED),
    (S.DROPPING,   "decline",     LICENSEE, S.ORDERED),
    (S.DROPPING,   "deliver",     LICENSOR, S.DELIVERED),
    (S.DELIVERED,  "accept",      LICENSEE, S.ACCEPTED),
    (S.DELIVERED,  "reject",      LICENSEE, S.REJECTED),
    (S.DELIVERED,  "deliver",     LICENSOR, S.DELIVERED),  # another file instead: the window begins anew
    (S.DELIVERED,  "accept",      SYSTEM,   S.ACCEPTED),   # silence is acceptance, once the window is over
    (S.REJECTED,   "deliver",     LICENSOR, S.DELIVERED),
    (S.REJECTED,   "drop",        LICENSEE, S.DROPPED),
    *((state, "set_dates", side, state) for state in (S.OPEN, S.ORDERED, S.DELIVERED, S.REJECTED)
      for side in (LICENSEE, LICENSOR)),
))
RULES = {(rule.state, rule.action, rule.side): rule for rule in TABLE}
ACTIONS = tuple(dict.fromkeys(rule.action for rule in TABLE))
NEEDS_NOTE = frozenset({"reject", "decline", "ask_to_drop"})
FINAL = frozenset(State) - {rule.state for rule in TABLE}
NAMES = {Side.BUYER: "the licensee", Side.SELLER: "the licensor", Side.SYSTEM: "the clock"}


def next_state(state: State, action: str, side: Side) -> State:
    """Where `action` leads. Raises NotAllowed for the wrong side, Conflict for the wrong state."""
    if rule := RULES.get((state, action, side)):
        return rule.to
    words = action.replace("_", " ")
    if others := [rule.side for rule in TABLE if (rule.state, rule.action) == (state, action)]:
        raise NotAllowed(f"Only {NAMES[others[0]]} may {words} this item now.")
    raise Conflict(f"An item that is {state} cannot take the step {words}.")


def possible(state: State, side: Side) -> list[str]:
    """The actions open to a side, in the table's order."""
    return [rule.action for rule in TABLE if (rule.state, rule.side) == (state, side)]
