"""Money: a decimal amount in one currency (ISO 4217), with no more digits than the currency has."""
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from babel.core import get_global
from babel.numbers import get_currency_precision

CURRENCIES = frozenset(code for used in get_global("territory_currencies").values()
                       for code, _, until, is_tender in used if until is None and is_tender)  # those in use today
LARGEST = Decimal(10) ** 12


def digits(currency: str) -> int:
    """How many decimal places a currency has."""
    return get_currency_precision(currency)


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str

    def __post_init__(self):
        if self.currency not in CURRENCIES:
            raise ValueError(f"{self.currency!r} is not a currency code of ISO 4217, such as EUR.")
        if not self.amount.is_finite() or not 0 <= self.amount < LARGEST:
            raise ValueError("An amount is a number from 0 to below one thousand thousand million.")
        digits = get_currency_precision(self.currency)
        if self.amount != round(self.amount, digits):
            raise ValueError(f"{self.currency} has {digits} decimal places at most.")

    @classmethod
    def read(cls, amount, currency):
        """From what a person or a client wrote: a number or a string. Raises ValueError with a sentence."""
        try:
            return cls(Decimal(str(amount)), currency)
        except InvalidOperation:
            raise ValueError(f"{amount!r} is not an amount, such as 42000 or 42000.50.") from None

    def __str__(self):
        digits = get_currency_precision(self.currency)
        whole = self.amount == self.amount.to_integral_value()
        return f"{self.currency} {self.amount:,.{0 if whole else digits}f}"
