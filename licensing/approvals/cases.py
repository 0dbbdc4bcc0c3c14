"""A deal as a rights manager judges it: each line's answer, floors and warnings, and why the policy asks.

Many deals are judged with a fixed number of queries. Warnings are for the seller alone.
"""
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from core.database import db
from licensing import avails, floors, terms, wording
from licensing.after import amendments
from licensing.approvals import policy
from licensing.approvals.models import Override
from licensing.approvals.policy import Facts, Policy, Warned, Why
from licensing.models import Offer, OfferLine
from licensing.rights.availability import Answer, Code, Reason, Verdict
from licensing.terms import Terms

MINDED = {Code.HELD: "H", Code.SOFT_HOLDBACK: "S", Code.ENCUMBERED: "R", Code.TENTATIVE: "T"}


@dataclass(frozen=True)
class Judged:
    """One line of a deal. `known` is what stands behind its reasons."""
    line: OfferLine
    said: Terms
    answer: Answer
    known: dict
    floors: list[dict]
    warnings: tuple[Warned, ...]

    @property
    def blocked(self) -> bool:
        return self.answer.verdict is not Verdict.AVAILABLE

    @property
    def blocking(self) -> list[Reason]:
        return [reason for reason in self.answer.reasons if reason.blocking]

    @property
    def instead(self) -> list[str]:
        """What would be free instead, in words."""
        return [wording.alternative(each.kind, Terms.of_line(each.request), self.said)
                for each in self.answer.alternatives]

    def text(self, reason: Reason) -> str:
        return wording.reason(reason, avails.known_of(reason, self.known))


@dataclass(frozen=True)
class Case:
    """One deal, in its current version."""
    offer: Offer
    lines: tuple[Judged, ...]
    rules: Policy
    overrides: tuple[Override, ...]

    @cached_property
    def whys(self) -> list[Why]:
        """Why this deal needs a rights manager; empty where the policy lets it pass."""
        facts = [Facts(each.said.exclusive, each.said.starts_on, each.said.ends_on, tuple(each.floors),
                       each.warnings) for each in self.lines]
        return policy.why(self.rules, facts, sum(each.line.price or 0 for each in self.lines), self.offer.currency)

    @property
    def warnings(self) -> list[Warned]:
        return [each for line in self.lines for each in line.warnings]

    @property
    def unanswered(self) -> list[Warned]:
        """The warnings that nobody has passed over with a reason."""
        return [each for each in self.warnings if not each.overridden]

    @property
    def blocked(self) -> bool:
        return any(line.blocked for line in self.lines)

    @property
    def group(self) -> str:
        """blocked; decide, where something stands out; clear, where only its size or kind asks."""
        return "blocked" if self.blocked else "decide" if any(each.grave for each in self.whys) else "clear"


def of(offer: Offer) -> Case:
    return look([offer])[0]


def look(offers: list[Offer]) -> list[Case]:
    """The cases of offers that are read whole."""
    rows = [(offer, line, terms.of_row(line)) for offer in offers for line in offer.current.lines]
    out = {offer.id: amendments.replaced(offer) for offer in offers}
    answers = avails.ask_lines([(line.title_id, said, offer.buyer_id, out[offer.id]) for offer, line, said in rows])
    known = avails.behind({ref for answer in answers for reason in answer.reasons for ref in reason.refs})
    least = floors.of_all([(line.title_id, said) for _, line, said in rows])
    written = defaultdict(list)
    for each in db.session.scalars(select(Override).where(Override.offer_id.in_([offer.id for offer in offers]))
                                   .order_by(Override.id).options(joinedload(Override.person))):
        written[each.offer_id, each.version].append(each)
    judged = defaultdict(list)
    for (offer, line, said), answer, some in zip(rows, answers, least, strict=True):
        passed = {each.warning for each in written[offer.id, offer.number]}
        judged[offer.id].append(Judged(line, said, answer, known, floors.judged(some, line.price, offer.currency),
                                       _warnings(line, answer, known, offer.buyer_id, passed)))
    rules = {seller_id: policy.of(seller_id) for seller_id in {offer.seller_id for offer in offers}}
    return [Case(offer, tuple(judged[offer.id]), rules[offer.seller_id], tuple(written[offer.id, offer.number]))
            for offer in offers]


def _warnings(line, answer, known, buyer_id, passed) -> tuple[Warned, ...]:
    """What is to be minded about a line: not the buyer's own holds and rights, nor holds that stand behind theirs."""
    told = [(reason, avails.known_of(reason, known)) for reason in answer.reasons if reason.code in MINDED]
    mine = min((behind["hold"]["rank"] for _, behind in told
                if "hold" in behind and behind["hold"]["organisation_id"] == str(buyer_id)), default=None)
    found = []
    for reason, behind in told:
        hold = behind.get("hold")
        if (hold or behind.get("option") or {}).get("organisation_id") == str(buyer_id):
            continue
        if hold and mine is not None and hold["rank"] > mine:
            continue
        key = ":".join((str(line.position), str(reason.code), *("-".join(map(str, ref)) for ref in reason.refs)))
        found.append(Warned(key, MINDED[reason.code], wording.reason(reason, behind), reason.code is Code.ENCUMBERED,
                            key in passed))
    return tuple(found)
