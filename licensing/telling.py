"""Who is told of an offer's steps, and what: the other side, and those of one's own who worked on it or can act now."""
from accounts import notices, people
from accounts.notices import Change, News
from accounts.permissions import Viewer, relations
from core.money import Money
from licensing import differences, moves, terms, workflow
from licensing.models import Offer, Step
from licensing.workflow import Side, State

PAST = {"submit": "sent you an offer", "request": "asks for a price", "propose": "proposes terms",
        "counter": "countered", "accept": "accepted", "decline": "declined the offer", "withdraw": "withdrew the offer",
        "park": "parked the offer", "resume": "resumed the offer", "approve": "approved the deal",
        "reject": "rejected the deal", "request_changes": "asks for changes", "issue_memo": "issued the deal memo",
        "sign": "signed the deal", "terminate": "terminated the deal", "revert": "reverted the rights"}
SYSTEM = {"lapse": "lapsed: nobody accepted it in time", "activate": "is active: its first day has come",
          "expire": "has expired: its last day has passed", "supersede": "is superseded"}
STATES = {State.PENDING_APPROVAL: "It now waits for the approval of {seller}.",
          State.APPROVED: "{seller} now issues the deal memo.", State.SIGNED_ONE: "One signature is missing.",
          State.SIGNED: "Both sides have signed: the licences are written.",
          State.CHANGES_REQUESTED: "{seller} will counter with a new version, which the buyer has to accept again."}
CAN = {"propose": "propose terms", "counter": "counter", "accept": "accept", "decline": "decline",
       "approve": "approve", "reject": "reject", "request_changes": "ask for changes",
       "issue_memo": "issue the deal memo", "sign": "sign", "resume": "resume it"}
OPENING = {"submit", "request"}  # steps with the first terms the other side reads
TITLES, LINES = 3, 10  # named in a sentence, and told of an offer that is new


def step(offer: Offer, taken: Step, by: Viewer | None):
    """Tell of a step that was just taken, in its own transaction. `by` is None where the system took it; whoever took
    it has seen what they were told of this offer before."""
    path = f"/offers/{offer.id}"
    if by is not None:
        notices.see(by, path=path)
    changes = _changes(offer, taken)
    groups = {}
    for viewer in parties(offer):
        if by is None or viewer.person_id != by.person_id:
            side = moves.side_of(offer, viewer)
            todo = _todo(offer, viewer)
            if kind := _kind(offer, taken, viewer, side, todo):
                groups.setdefault((side, kind, _sentence(todo)), []).append(viewer)
    for (side, kind, todo), viewers in groups.items():
        notices.tell(viewers, kind, News(
            _subject(offer, taken, side), path, _said(offer, taken), changes, todo, names(offer)))


def parties(offer: Offer) -> list[Viewer]:
    """Everyone on both sides whose role may see the offer."""
    found = people.acting_for([offer.seller_id, offer.buyer_id])
    return [each for each in found if moves.RELATIONS[moves.side_of(offer, each)] in relations(each, "offer.see")]


def _kind(offer, taken, viewer, side, todo):
    """The kind of notice this is to a viewer; None where it is nothing to them."""
    if "approve" in todo:
        return "approvals"
    if "sign" in todo:
        return "signatures"
    if taken.side != side:
        return "offers"
    worked = {each.person_id for each in offer.steps} | {each.person_id for each in offer.versions}
    return "colleagues" if viewer.person_id in worked or "issue_memo" in todo else None


def _todo(offer, viewer) -> list[str]:
    return [action for action in moves.actions(offer, viewer) if action in CAN]


def _sentence(todo) -> str:
    words = [CAN[action] for action in todo]
    if not words:
        return ""
    choice = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    return f"You can {choice} now."


def _changes(offer, taken) -> list[Change]:
    """What the step's version changed of the one before; nothing where the step wrote none."""
    if taken.action not in workflow.WRITES_VERSION or taken.version < 2:
        return []
    return [Change(each["title"] or "The whole offer", differences.TERMS[each["term"]], each["delta"], each["before"],
                   each["after"])
            for each in differences.asked(offer, taken.version - 1, taken.version)]


def names(offer: Offer) -> dict[str, str | None]:
    """{name: its language} of every title that stands, or stood, in an offer."""
    return {line.title.original_title: line.title.original_language
            for version in offer.versions for line in version.lines}


def named(offer: Offer) -> str:
    """The titles of an offer in a sentence."""
    titles = list(dict.fromkeys(line.title.original_title for line in offer.current.lines))
    more = len(titles) - TITLES
    return ", ".join(titles[:TITLES]) + (f" and {more} more" if more > 0 else "")


def _subject(offer, taken, side) -> str:
    about = named(offer)
    if taken.side == Side.SYSTEM:
        return f"Offer {offer.id} {SYSTEM[taken.action]} ({about})"
    who = (offer.seller if taken.side == Side.SELLER else offer.buyer).name
    if taken.side == side and taken.person:
        who = taken.person.name
    what = PAST[taken.action].replace("sent you", "sent") if taken.side == side else PAST[taken.action]
    version = f" version {taken.version}" if taken.action in workflow.NAMES_VERSION else (
        f" with version {taken.version}" if taken.action == "counter" else "")
    return f"{who} {what}{version}: {about}"


def _said(offer, taken) -> list[str]:
    """What happened in sentences, with the note of the step, which is for both sides."""
    opening = [f"{line.title.original_title}: {terms.label(line)}, {_price(line, offer.currency)}"
               for line in offer.current.lines] if taken.action in OPENING else []
    more = [f"and {len(opening) - LINES} lines more"] * (len(opening) > LINES)
    found = [f"{offer.buyer.name} and {offer.seller.name}, offer {offer.id}, version {taken.version}."]
    if words := STATES.get(State(offer.state)):
        found.append(words.format(seller=offer.seller.name))
    return [*found, *opening[:LINES], *more, *[f"“{taken.note}”"] * bool(taken.note)]


def _price(line, currency) -> str:
    return "price to be named" if line.price is None else str(Money(line.price, currency))
