"""The rights in some titles as they would be if more were recorded: each line of a long list is judged after those
before it, in few queries. Nothing is written."""
from collections import defaultdict
from dataclasses import replace

from core import clock
from core.database import db
from licensing import counting
from licensing.rights import availability, holdings
from licensing.rights.availability import Judgement, Verdict
from licensing.rights.holdings import Share
from licensing.terms import Terms


class Ahead:
    """What counts for titles, and what came since by `mandate` and `licence`.

    With `claims`, holds and options are known as well, which block nothing.
    """

    def __init__(self, title_ids, claims: bool = False):
        self._shares = counting.shares(db.session, title_ids, claims=claims)
        self._family = counting.Family(db.session, title_ids)
        self._mandates, self._licences = defaultdict(tuple), defaultdict(tuple)

    def mandate(self, title_id: int, said: Terms, ref=None):
        self._mandates[title_id] += (said.line(ref),)

    def licence(self, title_id: int, said: Terms, ref=None):
        for leaf in self.leaves(title_id):
            self._licences[leaf] += (said.line(ref),)

    def leaves(self, title_id: int) -> list[int]:
        return [leaf for share in self._shares[title_id] for leaf in share.leaves]

    def counted(self, title_id: int, said: Terms) -> Terms:
        """A licence drawn on a mandate with runs names a number: one, where none is said."""
        block = said.line().block
        if said.runs is None and any(line.runs is not None and line.block.meets(block)
                                     for share in self._now(title_id) for line in share.holdings.mandates):
            return replace(said, runs=1)
        return said

    def judge(self, title_id: int, said: Terms) -> tuple[availability.Answer | None, list[availability.Reason]]:
        """(None or the answer that refuses, advice that does not). Recording knows no past (domain.md, "The past")."""
        shares, line = self._now(title_id), said.line()
        judgement = Judgement(line, shares)
        if judgement.verdict() is Verdict.AVAILABLE:
            return None, judgement.advice()
        return availability.answer(line, shares, min(clock.today(), said.starts_on)), []

    def _now(self, title_id) -> list[Share]:
        found = []
        for share in self._shares[title_id]:
            together = defaultdict(list)
            for leaf in share.leaves:
                more = tuple(line for each in self._family.path(leaf) for line in self._mandates.get(each, ()))
                together[more, self._licences.get(leaf, ())].append(leaf)
            for (mandates, licences), leaves in together.items():
                held: holdings.Holdings = share.holdings
                found.append(Share(replace(held, mandates=held.mandates + mandates,
                                           licences=held.licences + licences), tuple(leaves)))
        return found
