"""The deal memo: issued from the agreed terms, signed by both, never changed between.

Its document is canonical JSON, so that everybody who has it can compute its SHA-256; the pages are made of it and of
the signatures, each time to the same bytes (docs/decisions/0014-the-memo-is-its-json.md).
"""
import hashlib
import json
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from accounts.permissions import Viewer
from core import clock, paper
from core.database import db
from core.errors import Conflict, NotFound
from licensing.models import Offer
from licensing.paper import parts
from licensing.paper.models import Memo, Signature
from licensing.workflow import Side

KEPT = 64  # memos on pages, in one process: of 30 to 200 kB each

def canonical(document: dict) -> str:
    """JSON with sorted keys and no spaces: one text for one content."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def issue(offer: Offer, governing: str | None = None) -> Memo:
    """Freeze the current version as the document to sign, under the governing text that the seller chose."""
    text = canonical(parts.document(offer, (governing or "").strip() or last_governing(offer)))
    memo = Memo(offer_id=offer.id, version=offer.number, document=text, sha256=digest(text), issued_at=clock.now())
    db.session.add(memo)
    db.session.flush()
    return memo


def last_governing(offer: Offer) -> str:
    """The text of the last memo between the same two, or the one everybody begins with: what was written for one buyer
    is never offered to another."""
    last = db.session.scalar(select(Memo.document).join(Offer, Offer.id == Memo.offer_id).where(
        Offer.seller_id == offer.seller_id, Offer.buyer_id == offer.buyer_id).order_by(Memo.id.desc()).limit(1))
    return said(json.loads(last), "governing") if last else parts.GOVERNING


def said(document: dict, key: str):
    """The data of one part."""
    return next(each["data"] for each in document["parts"] if each["key"] == key)


def find(offer: Offer) -> Memo | None:
    """The memo of an offer, if one was issued."""
    return db.session.scalar(select(Memo).where(Memo.offer_id == offer.id).options(selectinload(Memo.signatures)))


def get(offer: Offer) -> Memo:
    """The same, or NotFound."""
    if memo := find(offer):
        return memo
    raise NotFound()


def sign(offer: Offer, side: Side, viewer: Viewer, sha256: str | None = None) -> Signature:
    """One side signs the document. `sha256` is the one they read, where they say so.

    Raises Conflict where that is another, or where the document is not any more what was issued or what the offer
    says: then nothing is signed.
    """
    memo = find(offer) or issue(offer)  # of an offer whose memo was issued before documents were kept
    if sha256 and sha256.lower() != memo.sha256:
        raise Conflict(f"You read another document. The memo of this offer has the SHA-256 {memo.sha256}.",
                       sha256=memo.sha256)
    now = parts.rights(offer, "")["data"], parts.money(offer, "")["data"]
    document = json.loads(memo.document)
    if (digest(memo.document) != memo.sha256 or memo.version != offer.number
            or canonical(now) != canonical((said(document, "rights"), said(document, "money")))):
        raise Conflict("The memo is not what was issued, or not what the offer says. It cannot be signed.")
    house = offer.seller if side is Side.SELLER else offer.buyer
    signature = Signature(memo_id=memo.id, side=side.value, person_id=viewer.person_id, name=viewer.name,
                          organisation=house.name, sha256=memo.sha256, at=clock.now())
    memo.signatures.append(signature)
    db.session.flush()
    return signature


def pdf(memo: Memo) -> bytes:
    """The memo on pages, with the signatures it has: set once, for half a second, then kept by each process while it is
    asked for."""
    return _pages(canonical({
        "document": json.loads(memo.document), "sha256": memo.sha256, "signatures": [
            {"side": each.side, "name": each.name, "organisation": each.organisation,
             "at": f"{each.at:%Y-%m-%d %H:%M:%S} UTC", "sha256": each.sha256} for each in memo.signatures]}))


@lru_cache(KEPT)
def _pages(said):
    return paper.pdf("licensing.paper.sheet", json.loads(said))
