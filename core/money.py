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


def split(total: Decimal, currency: str, percents: list[Decimal]) -> list[Decimal]:
    """`total` in parts that sum to it exactly, for percents that sum to 100.

    Each but the last is rounded down to the digits of the currency and the last takes the rest, so none is negative
    and the last is short of nothing.
    """
    unit = Decimal(1).scaleb(-digits(currency))
    parts = [(total * percent / 100).quantize(unit, ROUND_DOWN) for percent in percents[:-1]]
    return [*parts, total - sum(parts)]


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str

    def __post_init__(self):
        if self.currency not in CURRENCIES:
            raise ValueError(f"{self.currency!r} is not a currency code of ISO 4217, such as EUR.")
        if not self.amount.is_finite() or not 0 <= self.amount < LARGEST:
            raise ValueError("An amount is a number from 0 to below one thousand thousand million.")
        places = digits(self.currency)
        if self.amount != round(self.amount, places):
            raise ValueError(f"{self.currency} has {places} decimal places at most." if places else
                             f"{self.currency} has no decimal places.")

    @classmethod
    def read(cls, amount, currency):
        """From what a person or a client wrote: a number or a string. Raises ValueError with a sentence."""
        try:
            return cls(Decimal(str(amount)) or Decimal(0), currency)  # -0 is a plain 0
        except InvalidOperation:
            raise ValueError(f"{amount!r} is not an amount, such as 42000 or 42000.50.") from None

    def __str__(self):
        return f"{self.currency} {figure(self.amount, self.currency)}"
