"""Money: a decimal amount in one currency (ISO 4217), with no more digits than the currency has."""
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, InvalidOperation

from babel.core import get_global

CURRENCIES = frozenset(code for used in get_global("territory_currencies").values()
                       for code, _, until, is_tender in used if until is None and is_tender)  # those in use today
LARGEST = Decimal(10) ** 12
# The minor units of ISO 4217; two where none are named. CLDR's are others: those people use in cash.
DIGITS = {**dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
                            "XAF", "XOF", "XPF"), 0),
          **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)}
MOST_DIGITS = 3


def digits(currency: str) -> int:
    """How many decimal places a currency has."""
    return DIGITS.get(currency, 2)


def figure(amount: Decimal, currency: str) -> str:
    """An amount as people read it: 42,000 where it is whole, else with all digits of its currency."""
    return f"{amount:,.{0 if amount == amount.to_integral_value() else digits(currency)}f}"


def words(amount: Decimal, currency: str) -> str:
    """The same with its currency: EUR 42,000."""
    return f"{currency} {figure(amount, currency)}"


def split(total: Decimal, currency: str, weights: list[Decimal]) -> list[Decimal]:
    """`total` in one part for each weight, that sum to it exactly; without any weight the parts are equal.

    Each but the last is rounded down to the digits of the currency and the last takes the rest, so none is negative
    and the last is short of nothing.
    """
    whole = sum(weights)
    if not whole:
        weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights))
    unit = Decimal(1).scaleb(-digits(currency))
    parts = [(total * weight / whole).quantize(unit, ROUND_DOWN) for weight in weights[:-1]]
    return [*parts, total - sum(parts)]


def read(amount, currency: str) -> Decimal:
    """An amount from what a person or a client wrote: a number or a string. Raises ValueError with a sentence.

    The currency is taken as it is: what was agreed in one is paid in it, though it may have been given up since.
    """
    try:
        found = Decimal(str(amount)) or Decimal(0)  # -0 is a plain 0
    except InvalidOperation:
        raise ValueError(f"{amount!r} is not an amount, such as 42000 or 42000.50.") from None
    if not found.is_finite() or not 0 <= found < LARGEST:
        raise ValueError("An amount is a number from 0 to below one thousand thousand million.")
    places = digits(currency)
    if found != round(found, places):
        raise ValueError(f"{currency} has {places} decimal places at most." if places else
                         f"{currency} has no decimal places.")
    return found


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str

    def __post_init__(self):
        if self.currency not in CURRENCIES:
            raise ValueError(f"{self.currency!r} is not a currency code of ISO 4217, such as EUR.")
        read(self.amount, self.currency)

    @classmethod
    def read(cls, amount, currency):
        """From what a person or a client wrote: a number or a string. Raises ValueError with a sentence."""
        return cls(read(amount, currency) if currency in CURRENCIES else Decimal(0), currency)

    def __str__(self):
        return words(self.amount, self.currency)
