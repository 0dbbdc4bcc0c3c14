"""Who is told of the steps with a deal's materials: the other side, and both where the clock took it."""
from accounts import notices, people
from accounts.notices import News
from accounts.permissions import Viewer, relations
from licensing import moves
from licensing.delivery.models import Kind, Material, MaterialStep
from licensing.models import Offer
from licensing.rights import languages
from licensing.workflow import Side

KINDS = {Kind.MASTER: "Master", Kind.DUB: "Dub", Kind.MUSIC_AND_EFFECTS: "Music and effects",
         Kind.SUBTITLES: "Subtitles", Kind.ART: "Art", Kind.CHAIN_OF_TITLE: "Chain of title"}
DONE = {"order": "added", "ask": "asks for", "name": "named the languages of", "drop": "left out", "agree": "agreed to",
        "decline": "declined", "deliver": "delivered", "ask_to_drop": "asks to leave out", "accept": "accepted",
        "reject": "rejected", "set_dates": "set dates for"}
TODO = {"ask": "You can agree or decline.", "ask_to_drop": "You can agree or decline.",
        "deliver": "You can accept or reject it within its window.", "reject": "You can deliver another file.",
        "name": "You can deliver it."}


def called(item: Material) -> str:
    """What an item is called: "Dub, French"."""
    return KINDS[Kind(item.kind)] + (f", {languages.name(item.language)}" if item.language else "")


def step(offer: Offer, item: Material, taken: MaterialStep, by: Viewer | None):
    """Tell of a step that was just taken, in its own transaction. `by` is None where the clock took it.

    Files come by the dozen, so whoever has not looked at the list since is told of one of them alone; of a step with
    a reason everybody is told each time. Whoever took a step has seen what they were told before."""
    where = {True: f"/materials/{item.id}", False: f"/offers/{offer.id}/materials"}
    if by is not None:
        for path in where.values():
            notices.see(by, path=path)
    who = {Side.SELLER: offer.seller.name, Side.BUYER: offer.buyer.name}.get(taken.side)
    title, said = item.title, called(item)
    about = f"{said} of {title.original_title}"
    subject = f"{who} {DONE[taken.action]}: {about}" if who else f"Accepted without an answer: {about}"
    facts = [f"{offer.buyer.name} and {offer.seller.name}, offer {offer.id}."]
    if taken.note:
        facts.append(f"“{taken.note}”" if taken.person_id else taken.note)
    alone = taken.note is not None
    notices.tell(_readers(offer, taken.side), "materials", News(
        subject, where[alone], facts, todo=TODO.get(taken.action, "") if who else "",
        names={title.original_title: title.original_language}), once=not alone)


def _readers(offer, side) -> list[Viewer]:
    found = people.acting_for([offer.seller_id, offer.buyer_id])
    return [each for each in found for theirs in [moves.side_of(offer, each)]
            if theirs != side and moves.RELATIONS[theirs] in relations(each, "material.see")]
