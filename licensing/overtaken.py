"""When rights are licensed, the other open offers over them are checked again at once: their parties read what is
left, and an offer of which nothing is left is superseded.

A licence puts a row into the outbox in its own transaction; the worker checks after the commit.
"""
from sqlalchemy import and_, select, update

from accounts import notices
from accounts.notices import News
from catalogue import titles
from catalogue.models import Title
from core import outbox
from core.database import db
from licensing import avails, moves, offers, telling, terms, workflow
from licensing.models import Licence, Line, Offer, OfferLine, Version
from licensing.rights.availability import Verdict

TOPIC = "licensed"
OPEN = sorted({rule.state.value for rule in workflow.TABLE if rule.action == "supersede"})
BLOCKS = 5  # of what is left, in a notice


def follow() -> int:
    """Check what waits, licence by licence. Returns how many rows of the outbox were handled. Commits, by `drain`."""
    done = 0
    while outbox.drain(TOPIC, lambda ids: [check(each) for each in ids], limit=1):
        done += 1
    return done


def check(licence_id: int):
    """Look again at every open offer from which a licence took something, in one transaction."""
    roots = set(titles.roots(db.session.scalars(select(Line.title_id).where(Line.licence_id == licence_id))))
    touched = [offer.id for offer in _read(_near(licence_id, roots)) if _touched(offer, licence_id, roots)]
    for offer in _held(touched):
        if offer.state in OPEN and _touched(offer, licence_id, roots):  # it may have moved while we waited for it
            _tell(offer)


def _near(licence_id, roots) -> list[int]:
    """Open offers over titles of the same hierarchies, but for the one that became this licence."""
    current = and_(Version.offer_id == Offer.id, Version.number == Offer.number)
    same = select(Licence.offer_id).where(Licence.id == licence_id, Licence.offer_id.is_not(None))
    return db.session.scalars(
        select(Offer.id).join(Version, current).join(OfferLine, OfferLine.version_id == Version.id)
        .join(OfferLine.title).where(Title.root_id.in_(roots), Offer.state.in_(OPEN), Offer.id.not_in(same))
        .distinct()).all()


def _read(offer_ids) -> list[Offer]:
    return db.session.scalars(select(Offer).where(Offer.id.in_(offer_ids)).order_by(Offer.id).options(*offers.WHOLE)
                              .execution_options(populate_existing=True)).all()


def _held(offer_ids) -> list[Offer]:
    """The offers as they are under their locks: all offers before all titles, each ascending, as a step holds them."""
    for each in sorted(offer_ids):
        db.session.execute(update(Offer).where(Offer.id == each).values(revision=Offer.revision + 1)
                           .execution_options(synchronize_session=False))
    titles.lock(db.session.scalars(select(OfferLine.title_id).join(Version).where(Version.offer_id.in_(offer_ids))))
    return _read(offer_ids)


def _touched(offer, licence_id, roots) -> bool:
    """Whether the answer to the offer is another because of the licence."""
    for line in offer.current.lines:
        if line.title.root_id in roots:
            said = terms.of_row(line)
            now, without = (avails.granting(line.title_id, said, offer.buyer_id, leaving_out=each)
                            for each in (None, licence_id))
            if (now.free, now.reasons) != (without.free, without.reasons):
                return True
    return False


def _tell(offer):
    answers = [(line, said, avails.ask(line.title_id, said, offer.buyer_id))
               for line in offer.current.lines for said in [terms.of_row(line)]]
    if all(_gone(*each, offer.buyer_id) for each in answers):
        offers.supersede(offer, "Nothing of it is left: the same rights were licensed in another deal.")
        return
    groups = {}
    for viewer in telling.parties(offer):
        key = moves.side_of(offer, viewer), avails.owns(offer.current.lines[0].title, viewer), _todo(offer, viewer)
        groups.setdefault(key, []).append(viewer)
    for (_, _, todo), viewers in groups.items():
        notices.tell(viewers, "rights", News(
            f"Rights in offer {offer.id} were licensed in another deal: {telling.named(offer)}", f"/offers/{offer.id}",
            [f"{offer.buyer.name} and {offer.seller.name}, offer {offer.id}, version {offer.number}. It was checked "
             "again at once, and cannot be agreed or signed as it stands. This is what is left:",
             *(left(*each, viewers[0]) for each in answers)], todo=todo, names=telling.names(offer)))


def _gone(line, said, answer, buyer_id) -> bool:
    """Whether nothing is left of a line: no part of it, no episode, nothing that could be asked for instead."""
    if answer.verdict != Verdict.UNAVAILABLE or answer.alternatives:
        return False
    parts = avails.ask_all(avails.leaves(line.title_id), said, buyer_id).values()
    return all(each.verdict == Verdict.UNAVAILABLE and not each.alternatives for each in parts)


def _todo(offer, viewer) -> str:
    possible = moves.actions(offer, viewer)
    return ("You can counter with what is left." if "counter" in possible else
            "You can propose what is left." if "propose" in possible else "")


def left(line: OfferLine, said, answer, viewer) -> str:
    """What is left of one line, for this viewer: the seller reads which deal took the rest."""
    shown = avails.described(answer, said, line.title, viewer)
    found = [f"{line.title.original_title}: {shown['text']}",
             *(f"{each['text']}{_parts(each)}" for each in shown["reasons"] if each["blocking"])]
    if free := [each["label"] for each in shown["free"]] if answer.verdict == Verdict.PARTIAL else []:
        more = f" and {len(free) - BLOCKS} blocks more" if len(free) > BLOCKS else ""
        found.append(f"Still free: {'; '.join(free[:BLOCKS])}{more}.")
    if shown["alternatives"]:
        found.append(f"It could be instead: {'; '.join(each['text'] for each in shown['alternatives'])}.")
    return "\n".join(found)


def _parts(reason) -> str:
    """The episodes that a reason is about: the others are left."""
    names = [each["title"] for each in reason.get("children", [])]
    more = f" and {len(names) - BLOCKS} more" if len(names) > BLOCKS else ""
    return f" It is about {', '.join(names[:BLOCKS])}{more}." if names else ""
