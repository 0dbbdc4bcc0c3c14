"""What counts for a title: rights in, rights out, promises, and the claims that are only advice. Pure.

The door (`licensing.avails`) makes these from rows; the engine (`availability`, `ledger`) judges a request by them.
"""
from dataclasses import dataclass
from typing import NamedTuple

from licensing.rights.blocks import Block
from licensing.rights.dates import NEVER, Dates


@dataclass(frozen=True)
class Line:
    """A block with its exclusivity: a mandate, a licence or a request. `ref` is the caller's own key.

    `runs` is the limit of a mandate, the number of a licence or a request; None is no limit, none named.
    `doubt` are the days whose fate hangs on a date still to be announced.
    """
    block: Block
    exclusive: bool
    ref: object = None
    runs: int | None = None
    doubt: Dates = NEVER


@dataclass(frozen=True)
class Holdback:
    """A promise not to exploit: of the licensor, or of the one `licensee` it names. Soft ones only warn."""
    block: Block
    hard: bool = True
    licensee: object = None
    ref: object = None
    doubt: Dates = NEVER

    def binds(self, licensee) -> bool:
        """Whether it touches a request of this licensee."""
        return self.licensee is None or self.licensee == licensee


@dataclass(frozen=True)
class Claim:
    """A hold or an option: reported to the seller under `code`, never blocking."""
    block: Block
    code: str
    ref: object = None


@dataclass(frozen=True)
class Holdings:
    mandates: tuple[Line, ...] = ()
    licences: tuple[Line, ...] = ()
    holdbacks: tuple[Holdback, ...] = ()
    claims: tuple[Claim, ...] = ()


class Share(NamedTuple):
    """Leaves of a title that have the same holdings. A film is one share of one leaf."""
    holdings: Holdings
    leaves: tuple = (None,)


def remaining(mandate: Line, licences) -> int | None:
    """The runs left of a mandate: its limit less what every licence on its cells names; None is no limit."""
    if mandate.runs is None:
        return None
    return mandate.runs - sum(each.runs for each in licences
                              if each.runs is not None and each.block.meets(mandate.block))
