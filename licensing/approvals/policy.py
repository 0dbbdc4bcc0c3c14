"""Which deals a rights manager must see: a seller's rules, and why a deal falls under them. `why` is pure."""
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from accounts.permissions import Relation, Viewer, allows, check_proof
from core import clock
from core.database import db
from core.errors import Invalid, NotAllowed
from core.money import Money
from licensing.approvals.models import ApprovalPolicy

MOST_YEARS = 99
RULES = ("exclusive", "below_floor", "years", "warning", "encumbrance", "amount")


@dataclass(frozen=True)
class Policy:
    """A seller's rules. `years` and `amount` of None are no rule; an amount of 0 is every deal. As it comes, every deal
    is approved: who wants fewer questions says so."""
    exclusive: bool = True
    below_floor: bool = True
    years: int | None = 5
    warning: bool = True
    encumbrance: bool = True
    amount: Decimal | None = Decimal(0)
    currency: str | None = None


class Warned(NamedTuple):
    """What is to be minded about a line, though it blocks nothing."""
    key: str
    mark: str
    text: str
    encumbers: bool
    overridden: bool


class Facts(NamedTuple):
    """What the rules look at in one line of a deal. `floors` are as `floors.judged` has them."""
    exclusive: bool
    starts_on: date
    ends_on: date | None
    floors: tuple[dict, ...] = ()
    warnings: tuple[Warned, ...] = ()


@dataclass(frozen=True)
class Why:
    """One reason why a deal needs a rights manager, and the place of the line it is about, where there are several.
    `grave` ones are more than its size and kind."""
    rule: str
    mark: str
    text: str
    line: int | None = None
    grave: bool = True


def why(policy: Policy, lines: list[Facts], total: Decimal, currency: str) -> list[Why]:
    """Every reason, none left out, in the order of the rules. Where a rule cannot be judged, for want of a rate between
    two currencies, it asks. A warning nobody has answered for asks whatever the rules say."""
    found = []
    for number, line in enumerate(lines):
        place = number if len(lines) > 1 else None
        if policy.exclusive and line.exclusive:
            found.append(Why("exclusive", "E", "exclusive", place, grave=False))
        if policy.below_floor:
            found += [Why("below_floor", "F", floor["text"], place) for floor in line.floors
                      if floor["below"] is not False]
        if policy.years and _longer(line, policy.years):
            found.append(Why("years", "Y", f"{_length(line)}, your limit is {_years(policy.years)}", place))
        for each in line.warnings:
            rule = "encumbrance" if each.encumbers else "warning"
            if not each.overridden or getattr(policy, rule):
                found.append(Why(rule, each.mark, each.text, place))
    if policy.amount is not None and (words := _amount(policy, total, currency)):
        found.append(Why("amount", "A", words, grave=bool(policy.amount)))
    return sorted(found, key=lambda each: RULES.index(each.rule))


def _longer(line, years) -> bool:
    return line.ends_on is None or line.ends_on >= _anniversary(line.starts_on, years)


def _anniversary(day, years) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)


def _length(line) -> str:
    """How long a line runs, in whole years or months, never less than it is."""
    if line.ends_on is None:
        return "no end"
    after = line.ends_on + timedelta(days=1)
    months = (after.year - line.starts_on.year) * 12 + after.month - line.starts_on.month + (
        after.day > line.starts_on.day)
    years, rest = divmod(months, 12)
    return " ".join(each for each in (_years(years), f"{rest} month{'s' * (rest > 1)}" * bool(rest)) if each)


def _years(number) -> str:
    return f"{number} year{'s' * (number > 1)}"


def _amount(policy, total, currency) -> str | None:
    if not policy.amount:
        return "every deal is approved"
    limit = Money(policy.amount, policy.currency)
    if policy.currency != currency:
        return f"your limit is {limit}; the deal is in {currency}"
    return f"{Money(total, currency)}, from {limit} on you approve" if total >= policy.amount else None


# ------------------------------------------------------------------ stored

def newest(organisation_id: int) -> ApprovalPolicy | None:
    """The wording that counts, with who set it; None while nobody has."""
    return db.session.scalar(select(ApprovalPolicy).where(ApprovalPolicy.organisation_id == organisation_id)
                             .options(joinedload(ApprovalPolicy.person)).order_by(ApprovalPolicy.id.desc()).limit(1))


def of(organisation_id: int) -> Policy:
    """The rules of a seller."""
    row = newest(organisation_id)
    return Policy(**{rule: getattr(row, rule) for rule in (*RULES, "currency")}) if row else Policy()


def set_rules(viewer: Viewer, rules: Policy) -> ApprovalPolicy:
    """Set the rules of the viewer's organisation, for deals agreed from now on. What waits already goes on waiting."""
    if not (viewer.sells and allows(viewer, "policy.set", Relation.OWN)):
        raise NotAllowed("Only a rights manager of a seller sets what is approved.")
    check_proof(viewer, "policy.set")
    if rules.years is not None and not 1 <= rules.years <= MOST_YEARS:
        raise Invalid({"years": [f"From 1 to {MOST_YEARS} years, or empty for no such rule."]})
    if rules.amount:
        try:
            Money(rules.amount, rules.currency)
        except ValueError as problem:
            raise Invalid({"amount": [str(problem)]}) from None
    row = ApprovalPolicy(organisation_id=viewer.organisation_id, person_id=viewer.person_id, set_at=clock.now(),
                         **{rule: getattr(rules, rule) for rule in RULES},
                         currency=rules.currency if rules.amount else None)
    db.session.add(row)
    db.session.flush()
    return row
