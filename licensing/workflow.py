"""The life of an offer: one table, and the questions asked of it. Pure (domain.md, "The life of an offer")."""
from enum import StrEnum
from typing import NamedTuple

from core.errors import Conflict, NotAllowed


class State(StrEnum):
    DRAFT = "draft"
    REQUESTED = "requested"
    SUBMITTED = "submitted"
    COUNTERED = "countered"
    ON_HOLD = "on_hold"
    AGREED = "agreed"
    PENDING_APPROVAL = "pending_approval"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    MEMO_ISSUED = "memo_issued"
    SIGNED_ONE = "signed_one"
    SIGNED = "signed"
    ACTIVE = "active"
    EXPIRED = "expired"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    TERMINATED = "terminated"
    REVERTED = "reverted"


class Side(StrEnum):
    BUYER = "buyer"
    SELLER = "seller"
    SYSTEM = "system"


class Party(StrEnum):
    """Who may take a step: a side, or the part a side plays just now."""
    BUYER = "the buyer"
    SELLER = "the seller"
    AUTHOR = "the side that wrote the current version"
    ANSWERER = "the side that did not write the current version"
    UNSIGNED = "a side that has not signed yet"
    SYSTEM = "the system"


class Rule(NamedTuple):
    state: State
    action: str
    party: Party
    to: State


S = State
BUYER, SELLER, AUTHOR, ANSWERER, UNSIGNED, SYSTEM = Party

TABLE = tuple(Rule(*row) for row in (
    # from               action             party     to
    (S.DRAFT,             "submit",          AUTHOR,   S.SUBMITTED),
    (S.DRAFT,             "request",         BUYER,    S.REQUESTED),
    (S.REQUESTED,         "propose",         SELLER,   S.SUBMITTED),
    (S.REQUESTED,         "decline",         ANSWERER, S.DECLINED),
    (S.REQUESTED,         "withdraw",        AUTHOR,   S.WITHDRAWN),
    (S.SUBMITTED,         "counter",         ANSWERER, S.COUNTERED),
    (S.COUNTERED,         "counter",         ANSWERER, S.SUBMITTED),
    (S.SUBMITTED,         "accept",          ANSWERER, S.AGREED),
    (S.COUNTERED,         "accept",          ANSWERER, S.AGREED),
    (S.SUBMITTED,         "decline",         ANSWERER, S.DECLINED),
    (S.COUNTERED,         "decline",         ANSWERER, S.DECLINED),
    (S.SUBMITTED,         "withdraw",        AUTHOR,   S.WITHDRAWN),
    (S.COUNTERED,         "withdraw",        AUTHOR,   S.WITHDRAWN),
    (S.SUBMITTED,         "park",            SELLER,   S.ON_HOLD),
    (S.COUNTERED,         "park",            SELLER,   S.ON_HOLD),
    (S.ON_HOLD,           "resume",          SELLER,   S.SUBMITTED),  # or countered, where it was parked
    (S.ON_HOLD,           "withdraw",        AUTHOR,   S.WITHDRAWN),
    (S.AGREED,            "refer",           SYSTEM,   S.PENDING_APPROVAL),
    (S.AGREED,            "pass",            SYSTEM,   S.APPROVED),
    (S.PENDING_APPROVAL,  "approve",         SELLER,   S.APPROVED),
    (S.PENDING_APPROVAL,  "reject",          SELLER,   S.REJECTED),
    (S.PENDING_APPROVAL,  "request_changes", SELLER,   S.CHANGES_REQUESTED),
    (S.CHANGES_REQUESTED, "counter",         SELLER,   S.COUNTERED),
    (S.APPROVED,          "issue_memo",      SELLER,   S.MEMO_ISSUED),
    (S.MEMO_ISSUED,       "sign",            UNSIGNED, S.SIGNED_ONE),
    (S.SIGNED_ONE,        "sign",            UNSIGNED, S.SIGNED),
    (S.SIGNED,            "activate",        SYSTEM,   S.ACTIVE),
    (S.ACTIVE,            "expire",          SYSTEM,   S.EXPIRED),
    (S.SIGNED,            "terminate",       SELLER,   S.TERMINATED),
    (S.ACTIVE,            "terminate",       SELLER,   S.TERMINATED),
    (S.SIGNED,            "revert",          SELLER,   S.REVERTED),
    (S.ACTIVE,            "revert",          SELLER,   S.REVERTED),
    *((state, "amend", side, state) for state in (S.SIGNED, S.ACTIVE) for side in (BUYER, SELLER)),
    *((state, "take_in", SYSTEM, state) for state in (S.SIGNED, S.ACTIVE)),  # an amendment that both have signed
    *((state, "lapse", SYSTEM, S.LAPSED) for state in (
        S.REQUESTED, S.SUBMITTED, S.COUNTERED, S.ON_HOLD, S.CHANGES_REQUESTED)),
    *((state, "supersede", SYSTEM, S.SUPERSEDED) for state in (
        S.REQUESTED, S.SUBMITTED, S.COUNTERED, S.ON_HOLD, S.PENDING_APPROVAL, S.CHANGES_REQUESTED,
        S.APPROVED, S.MEMO_ISSUED, S.SIGNED_ONE)),
))
RULES = {(rule.state, rule.action, rule.party): rule for rule in TABLE}
ACTIONS = tuple(dict.fromkeys(rule.action for rule in TABLE if rule.party is not SYSTEM))
FINAL = frozenset(State) - {rule.state for rule in TABLE}
NAMES_VERSION = frozenset({"accept"})            # fails when the version moved
WRITES_VERSION = frozenset({"counter", "propose"})  # brings new terms
NEEDS_NOTE = frozenset({"decline", "reject", "request_changes", "terminate", "revert"})


def parties(side: Side, author: Side, signed: Side | None) -> frozenset[Party]:
    """The parts a side plays: `author` wrote the current version, `signed` has signed alone."""
    if side is Side.SYSTEM:
        return frozenset({SYSTEM})
    played = {BUYER if side is Side.BUYER else SELLER, AUTHOR if side == author else ANSWERER}
    return frozenset(played if side == signed else played | {UNSIGNED})


def next_state(state: State, action: str, played: frozenset[Party]) -> State:
    """Where `action` leads. Raises NotAllowed for the wrong party, Conflict for the wrong state."""
    for party in played:
        if rule := RULES.get((state, action, party)):
            return rule.to
    others = [rule.party for rule in TABLE if (rule.state, rule.action) == (state, action)]
    if others:
        raise NotAllowed(f"Only {others[0]} may {action.replace('_', ' ')} this offer now.")
    raise Conflict(f"An offer that is {state.replace('_', ' ')} cannot take the step {action.replace('_', ' ')}.")


def possible(state: State, played: frozenset[Party]) -> list[str]:
    """The actions open to someone who plays these parts, in the table's order."""
    return list(dict.fromkeys(rule.action for rule in TABLE if rule.state == state and rule.party in played))
