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
    (judged, reason), *_ = found
    of = f"Line {judged.line.position + 1}: " if len(case.lines) > 1 else ""
    if avails.owns(judged.line.title, viewer):
        raise Conflict(f"{of}{judged.text(reason)} Only then can this be agreed.")
    raise Conflict(f"{of}The seller must hear somebody else first. This cannot be agreed yet.")
