"""A last refusal is answered before anybody else may agree (domain.md, "The life of an offer")."""
from accounts.permissions import Viewer
from core.errors import Conflict
from licensing import avails
from licensing.approvals.cases import Case
from licensing.rights.availability import Code

LAST = "last_refusal"


def unanswered(case: Case) -> list[tuple]:
    """(line, reason) where somebody else than the buyer still has the last word."""
    return [(each, reason) for each in case.lines for reason in each.answer.reasons if reason.code is Code.ENCUMBERED
            for option in [avails.known_of(reason, each.known)["option"]]
            if option["kind"] == LAST and option["organisation_id"] != str(case.offer.buyer_id)]


def check(case: Case, viewer: Viewer):
    """Raise Conflict while a last refusal is open. The buyer learns that somebody must be asked, and not who."""
    if not (found := unanswered(case)):
        return
    title = found[0][0].line.title
    if avails.owns(title, viewer):
        raise Conflict(f"{title.original_title}: {found[0][0].text(found[0][1])} Only then can this be agreed.")
    raise Conflict(f"{title.original_title}: the seller must hear somebody else about it first. "
                   "It cannot be agreed yet.")
