"""What a line costs and when it is paid: the kinds of price, the plan of instalments. Pure arithmetic, in decimals.

A price is the fixed sum of a line, whatever its kind: a flat fee; a minimum guarantee, to which the licensor's share of
the receipts comes once it is earned; a fee per run, times the runs licensed. So prices of all kinds add up, stand above
or below a floor, and are paid in instalments.
"""
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from core import money
from core.errors import Invalid
from core.money import Money, split
from licensing import wording

MOST_INSTALMENTS = 36
LONGEST_TERM = 365  # days to pay in
TERM = 30  # where nothing is said


class Kind(StrEnum):
    FLAT = "flat"
    GUARANTEE = "guarantee"
    PER_RUN = "per_run"


class Receipts(StrEnum):
    """What a share is counted from: all the licensee takes, or what is left after its costs."""
    GROSS = "gross"
    NET = "net"


class Trigger(StrEnum):
    SIGNATURE = "signature"
    DELIVERY = "delivery"
    ACCEPTANCE = "acceptance"
    DATE = "date"


def percent(text) -> Decimal:
    """From 0.01 to 100, with two decimal places at most. Raises ValueError with a sentence."""
    try:
        found = Decimal(str(text).strip().removesuffix("%"))
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a percentage, such as 30 or 33.33.") from None
    if not found.is_finite() or not 0 < found <= 100 or found != round(found, 2):
        raise ValueError("A percentage lies between 0.01 and 100, with two decimal places at most.")
    return found


def plain(number: Decimal) -> str:
    """A decimal without needless zeros."""
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"


# ------------------------------------------------------------------ the kind of a price

@dataclass(frozen=True)
class Pricing:
    """How the price of a line is meant. `share` is the licensor's, in per cent; `fee` is for one run."""
    kind: Kind = Kind.FLAT
    share: Decimal | None = None
    share_of: Receipts | None = None
    fee: Decimal | None = None

    @classmethod
    def of(cls, stored: dict | None) -> "Pricing":
        """Back from a column; nothing is a flat fee."""
        if not stored:
            return cls()
        share, fee = (Decimal(stored[name]) if name in stored else None for name in ("share", "fee"))
        return cls(Kind(stored["kind"]), share, stored.get("share_of") and Receipts(stored["share_of"]), fee)

    def as_json(self) -> dict:
        """{kind, share, share_of, fee}: only what its kind has, decimals as strings."""
        return {name: plain(value) if isinstance(value, Decimal) else str(value)
                for name, value in asdict(self).items() if value is not None}

    def words(self, currency: str) -> str:
        if self.kind is Kind.GUARANTEE:
            return f"minimum guarantee against {plain(self.share)} % of {self.share_of} receipts"
        if self.kind is Kind.PER_RUN:
            return f"{money.words(self.fee, currency)} a run" if self.fee is not None else "a fee for each run"
        return "flat fee"


def read_price(price, pricing: dict | None, currency: str, runs: int | None) -> tuple[Decimal | None, Pricing]:
    """The price of a line and how it is meant, from what was sent. Raises Invalid, naming the field.

    The price of runs is the fee times the runs, and may be left out; where it is sent it must be just that.
    """
    pricing, amount = pricing or {}, _amount(price, currency, "price")
    kind = Kind(pricing.get("kind") or Kind.FLAT)
    stray = [name for name, owner in (("share", Kind.GUARANTEE), ("share_of", Kind.GUARANTEE), ("fee", Kind.PER_RUN))
             if pricing.get(name) not in (None, "") and kind is not owner]
    if stray:
        raise Invalid({"pricing": {stray[0]: ["This kind of price has none."]}})
    if kind is Kind.GUARANTEE:
        try:
            share = percent(pricing.get("share") or "")
        except ValueError as problem:
            raise Invalid({"pricing": {"share": [str(problem)]}}) from None
        if not pricing.get("share_of"):
            raise Invalid({"pricing": {"share_of": ["Say whether the share is of gross or of net receipts."]}})
        return amount, Pricing(kind, share, Receipts(pricing["share_of"]))
    if kind is Kind.PER_RUN:
        if not runs:
            raise Invalid({"runs": ["A fee for each run needs the number of runs."]})
        fee = _amount(pricing.get("fee"), currency, "fee")
        if fee is None and amount is not None:
            raise Invalid({"pricing": {"fee": ["Say the fee for one run."]}})
        whole = None if fee is None else _amount(fee * runs, currency, "fee")
        if amount is not None and amount != whole:
            raise Invalid({"price": [f"{runs} runs at {Money(fee, currency)} are {Money(whole, currency)}."]})
        return whole, Pricing(kind, fee=fee)
    return amount, Pricing()


def _amount(text, currency, field) -> Decimal | None:
    if text is None or text == "":
        return None
    try:
        return Money.read(text, currency).amount
    except ValueError as problem:
        raise Invalid({"price": [str(problem)]} if field == "price" else {"pricing": {field: [str(problem)]}}) from None


# ------------------------------------------------------------------ the plan

@dataclass(frozen=True)
class Part:
    """One instalment as it is agreed: a part of the price, due on a milestone or on a day."""
    on: Trigger
    day: date | None = None
    percent: Decimal | None = None
    amount: Decimal | None = None


@dataclass(frozen=True)
class Plan:
    """When the price is paid: `days` after a milestone; what is due on a day is due that day."""
    parts: tuple[Part, ...] = (Part(Trigger.SIGNATURE, percent=Decimal(100)),)
    days: int = TERM
    withholding_tax: str | None = None

    @classmethod
    def of(cls, stored: dict | None) -> "Plan":
        """Back from a column; nothing is the whole price on signature."""
        if not stored:
            return cls()
        return cls(tuple(Part(Trigger(each["on"]), each.get("day") and date.fromisoformat(each["day"]),
                              *(each.get(name) and Decimal(each[name]) for name in ("percent", "amount")))
                         for each in stored["instalments"]), stored["days"], stored.get("withholding_tax"))

    def as_json(self) -> dict:
        """The `payment` of a version, with decimals as strings."""
        return {"days": self.days, "withholding_tax": self.withholding_tax, "instalments": [
            {name: plain(value) if isinstance(value, Decimal) else str(value)
             for name, value in asdict(part).items() if value is not None} for part in self.parts]}

    def amounts(self, total: Decimal, currency: str) -> list[Decimal]:
        """What each part comes to: they sum to `total` exactly."""
        if self.parts[0].amount is None:
            return split(total, currency, [part.percent for part in self.parts])
        whole = sum(part.amount for part in self.parts)
        if whole == total:
            return [part.amount for part in self.parts]
        return split(total, currency, [part.amount for part in self.parts])  # a part was earned before

    def words(self, place: int, currency: str) -> str:
        """One part for people: "30 % on signature"."""
        part = self.parts[place]
        much = f"{plain(part.percent)} %" if part.percent is not None else money.words(part.amount, currency)
        return f"{much} on {wording.day(part.day) if part.day else part.on}"


def read_plan(data: dict, total: Decimal | None, currency: str, today: date | None = None) -> Plan:
    """The plan for a price of `total`, None where it is still to be named, from the `payment` of api.md's offers.

    All parts are percentages that sum to 100, or all are amounts that sum to the price: money that does not add up is
    refused. Raises Invalid. A date before `today` is refused, where it is given.
    """
    sent = data.get("instalments") or []
    if not 1 <= len(sent) <= MOST_INSTALMENTS:
        raise Invalid({"instalments": [f"Name between 1 and {MOST_INSTALMENTS} instalments."]})
    parts, errors = [], {}
    for place, each in enumerate(sent):
        try:
            parts.append(_part(each, currency, today))
        except Invalid as problem:
            errors[str(place)] = problem.errors
    if errors:
        raise Invalid({"instalments": errors})
    if len({part.amount is None for part in parts}) > 1:
        raise Invalid({"instalments": ["Say all instalments in per cent, or all as amounts."]})
    if parts[0].amount is None:
        if (said := sum(part.percent for part in parts)) != 100:
            raise Invalid({"instalments": [f"The instalments are {plain(said)} % together, and must be 100 %."]})
    elif total is None:
        raise Invalid({"instalments": ["While there is no price yet, say the instalments in per cent."]})
    elif (said := sum(part.amount for part in parts)) != total:
        raise Invalid({"instalments": [f"The instalments are {money.words(said, currency)} together, and the price is "
                                       f"{money.words(total, currency)}."]})
    return Plan(tuple(parts), data.get("days", TERM), data.get("withholding_tax") or None)


def _part(data, currency, today) -> Part:
    on, day = Trigger(data["on"]), data.get("day")
    if (on is Trigger.DATE) != bool(day):
        raise Invalid({"day": ["Say the day." if on is Trigger.DATE else "Only an instalment on a date has a day."]})
    day = date.fromisoformat(day) if isinstance(day, str) else day
    if day and today and day < today:
        raise Invalid({"day": ["That day has passed."]})
    said = [name for name in ("percent", "amount") if data.get(name) not in (None, "")]
    if len(said) != 1:
        raise Invalid({"percent": ["Say each instalment in per cent, or as an amount."]})
    try:
        if said == ["percent"]:
            return Part(on, day, percent=percent(data["percent"]))
        amount = Money.read(data["amount"], currency).amount
    except ValueError as problem:
        raise Invalid({said[0]: [str(problem)]}) from None
    if not amount:
        raise Invalid({"amount": ["An instalment is more than nothing."]})
    return Part(on, day, amount=amount)
