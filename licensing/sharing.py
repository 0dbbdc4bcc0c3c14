"""One price for several lines, shared out among them to the last unit of its currency. Pure."""
from decimal import Decimal

from core.errors import Invalid
from core.money import Money, split


def over(lines: list[dict], total, currency: str) -> list[dict]:
    """The lines with `total` shared out among them: in the proportion of the prices that stand on all of them, or
    equally. Raises Invalid naming `price_of_all`."""
    if total is None or total == "" or not lines:
        return lines
    try:
        whole = Money.read(total, currency).amount
    except ValueError as problem:
        raise Invalid({"price_of_all": [str(problem)]}) from None
    weights = [_weight(line.get("price"), currency) for line in lines]
    if None in weights:
        weights = [Decimal(0)] * len(lines)
    return [{**line, "price": part} for line, part in zip(lines, split(whole, currency, weights), strict=True)]


def _weight(price, currency) -> Decimal | None:
    """What a line's own price weighs; None where it has none that can be read."""
    try:
        return Money.read(price, currency).amount
    except ValueError:
        return None
