"""A record of the world, as the matrix asks for it."""
from dataclasses import dataclass, field

from accounts.permissions import Relation

MISSING = 999_999


@dataclass(frozen=True)
class Record:
    """Whose it is and to whom it is shown, by the words of domain.md; ids are those of an address."""
    state: str
    ids: dict = field(hash=False)
    own: str | None = None        # the house it belongs to
    seller: str | None = None     # the parties of a deal
    buyer: str | None = None
    published: bool = False       # to everybody
    shown: tuple = ()             # to these houses, as if it were published
    common: bool = False          # to whoever may do it at all
    granted: tuple = ()           # houses that were given leave
    person: str | None = None     # whose alone it is
    changed_by: str | None = None  # the house that alone may change it, where two see it
    unsent: bool = False          # a file that its sender's people alone see

    def missing(self):
        """The same question, about what is not there."""
        return Record("missing", dict.fromkeys(self.ids, MISSING))

    def stands(self, who):
        """Under which relations somebody stands to it."""
        if self.person:
            return set(Relation) if who.email == self.person else set()
        return {relation for relation, so in (
            (Relation.OWN, self.own == who.house), (Relation.SELLER, self.seller == who.house),
            (Relation.BUYER, self.buyer == who.house), (Relation.GRANTED, who.house in self.granted),
            (Relation.ANY, self.common), (Relation.PUBLISHED, self.own != who.house and (
                self.published or who.house in self.shown))) if so}
