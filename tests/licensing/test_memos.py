"""The deal memo: frozen from the agreed terms, read on paper, signed by its hash, followed by a long form."""
import hashlib
import json
import resource

import pytest
from pypdfium2 import PdfDocument
from sqlalchemy import func, select, text

from core import paper
from core.database import db
from core.errors import Conflict, NotAllowed
from licensing import drafts, offers, terms
from licensing.models import Licence, OfferLine
from licensing.paper import longform, memos, parts
from licensing.paper.models import Memo, Signature
from licensing.rights import territories
from seed import line
from tests.conftest import Caller, both
from tests.licensing.deals import AGENT, BUYER, MANAGER, OTHER, RIVAL, signed, step, title, viewer
from tests.test_pages import Visitor

TERMS = "This is the text we chose.\nDisputes go to the courts of Hong Kong."


@pytest.fixture
def deal(world):
    """An approved offer over a Cantonese, a Japanese and a Korean title, in its context."""
    with world.app_context():
        yield approved(title(identifiers={"imdb": "tt0118694"}), title(name="雪線の駅", language="ja"),
                       title(name="겨울의 온도", language="ko"))


def approved(*several, buyer=BUYER):
    said = [{**line("JP,Nordics", "svod,pay_tv", "2027-01-01", "2029-12-31", languages="ja:dub,ja:sub"),
             "title_id": each.id, "price": "1234.50"} for each in several]
    offer = drafts.create(viewer(buyer), currency="EUR", seller_id=viewer(AGENT).organisation_id, lines=said)
    for who, action in ((buyer, "submit"), (AGENT, "accept"), (MANAGER, "approve")):
        step(offer, who, action)
    return offer


def advance(offer, email, action, **more):
    by = viewer(email)
    return offers.advance(offers.lock(offer.id, by), by, action, **more)


def read(pdf):
    """The text of each page."""
    return [page.get_textpage().get_text_bounded() for page in PdfDocument(pdf)]


def test_a_memo_says_all_of_the_deal(deal):
    advance(deal, AGENT, "issue_memo", governing=TERMS)
    memo = memos.get(deal)
    document = json.loads(memo.document)
    assert [each["key"] for each in document["parts"]] == [
        "parties", "titles", "rights", "money", "payment", "delivery", "governing", "annex"]
    assert memos.said(document, "parties")["licensor"]["name"] == "Harbour Pictures"
    assert memos.said(document, "titles")[0] == {
        "id": str(deal.current.lines[0].title_id), "original_title": "海霧", "original_language": "yue",
        "english_title": None, "kind": "film", "year": None, "identifiers": {"imdb": "tt0118694"}}
    assert memos.said(document, "money") == {
        "currency": "EUR", "total": "3703.50", "lines": [{"price": "1234.50", "pricing": {"kind": "flat"}}] * 3}
    assert memos.said(document, "governing") == TERMS
    granted = memos.said(document, "rights")[0]
    assert granted["territories"] == territories.codes(territories.read(["JP", "Nordics"]))
    assert granted["media"] == ["pay_tv", "svod"] and granted["languages"] == ["ja:dub", "ja:sub"]
    assert (granted["starts_on"], granted["ends_on"], granted["exclusive"]) == ("2027-01-01", "2029-12-31", True)
    assert {"title_id": granted["title_id"], "kind": "dub", "language": "ja"} in memos.said(document, "delivery")[
        "materials"]


def test_what_is_on_paper_is_what_the_document_says(deal):
    advance(deal, AGENT, "issue_memo", governing=TERMS)
    memo = memos.get(deal)
    pages = read(memos.pdf(memo))
    said = "\n".join(pages)
    for words in ("Harbour Pictures", "Sakura TV", "海霧", "雪線の駅", "겨울의 온도", "IMDb tt0118694", "EUR 3,703.50",
                  "EUR 1,234.50", "Disputes go to the courts of Hong Kong.", "Japan (JP)", "Sweden (SE)", "SVOD",
                  "2029-12-31", "Not signed yet."):
        assert words in said, words
    assert all(f"page {place} of {len(pages)}" in page.replace("\n", " ") and memo.sha256 in page.replace("\r\n", "")
               for place, page in enumerate(pages, 1)), "every page is numbered and says the hash"


def test_the_same_memo_is_the_same_bytes_on_any_day(deal):
    advance(deal, AGENT, "issue_memo")
    first = memos.pdf(memos.get(deal))
    assert first == memos.pdf(memos.get(deal))
    assert b"D:20000101" in first, "nothing of the hour goes into it"


def test_characters_are_written_as_the_language_of_their_title_writes_them(deal):
    advance(deal, AGENT, "issue_memo")
    fonts = memos.pdf(memos.get(deal))
    for face in (b"NotoSansCJKHK", b"NotoSansCJKJP", b"NotoSansCJKKR"):
        assert face in fonts


def test_the_longest_deal_fits_its_pages(world):
    with world.app_context():
        said = [{**line("World", "all", "2027-01-01", None, exclusive=False), "title_id": each.id, "price": 1}
                for each in [title(name=f"{'霧' * 200} {number}") for number in range(100)]]
        offer = drafts.create(viewer(BUYER), currency="EUR", seller_id=viewer(AGENT).organisation_id, lines=said)
        pages = read(memos.pdf(memos.issue(offer)))
        assert "Line 100" in "".join(pages[-2:]) and len(pages) < 120
        assert "".join(pages).count("Zimbabwe (ZW)") == 1, "the same territories are written once"


def test_words_that_would_be_commands_stand_as_they_are(world):
    with world.app_context():
        offer = approved(title(name="**Tide** {nb} <b>&\\n\u202e\ue000"))
        assert "**Tide** {nb} <b>&" in "".join(read(memos.pdf(memos.issue(offer, "--Law-- of {nb}"))))


def test_a_name_in_letters_that_the_paper_has_not_is_in_the_document(world):
    with world.app_context():
        memo = memos.issue(approved(title(name="தமிழ்", language="ta")))
        assert "தமிழ்" in memo.document
        assert "in letters that this paper has not" in "".join(read(memos.pdf(memo))).replace("\r\n", " ")


def test_signatures_record_who_when_and_the_hash_and_stand_on_the_paper(deal):
    advance(deal, AGENT, "issue_memo")
    advance(deal, BUYER, "sign", sha256=memos.get(deal).sha256)
    assert not db.session.scalar(select(func.count()).select_from(Licence).where(Licence.offer_id == deal.id))
    advance(deal, MANAGER, "sign")
    memo = memos.get(deal)
    assert [(each.side, each.name, each.organisation, each.sha256) for each in memo.signatures] == [
        ("buyer", "Buyer and signatory", "Sakura TV", memo.sha256),
        ("seller", "Rights manager and signatory", "Harbour Pictures", memo.sha256)]
    assert hashlib.sha256(memo.document.encode()).hexdigest() == memo.sha256
    said = "\n".join(read(memos.pdf(memo)))
    for each in memo.signatures:
        assert each.name in said and f"{each.at:%Y-%m-%d %H:%M:%S} UTC" in said
    granted = db.session.scalars(select(Licence).where(Licence.offer_id == deal.id)).one()
    assert [territories.codes(terms.of_row(each).territories) for each in granted.lines] == [
        each["territories"] for each in memos.said(json.loads(memo.document), "rights")]


@both
def test_a_changed_document_cannot_be_signed(world):
    with world.app_context():
        offer = approved(title())
        advance(offer, AGENT, "issue_memo")
        db.session.commit()
        for change, undo in (
                ("UPDATE memo SET document = replace(document, '1234.50', '1.50')",
                 "UPDATE memo SET document = replace(document, '1.50', '1234.50')"),
                ("UPDATE offer_line SET ends_on = '2039-12-31'", "UPDATE offer_line SET ends_on = '2029-12-31'"),
                ("UPDATE offer_line SET price = 1", "UPDATE offer_line SET price = 1234.5"),
                ("UPDATE offer_line SET exclusive = false", "UPDATE offer_line SET exclusive = true"),
                (f"UPDATE memo SET sha256 = '{'0' * 64}'", f"UPDATE memo SET sha256 = '{memos.get(offer).sha256}'")):
            where = " WHERE version_id = :version" if "offer_line" in change else " WHERE offer_id = :offer"
            said = {"version": offer.current.id} if "offer_line" in change else {"offer": offer.id}
            db.session.execute(text(change + where), said)
            db.session.expire_all()
            with pytest.raises(Conflict):
                advance(offer, BUYER, "sign")
            assert not db.session.scalar(select(func.count()).select_from(Signature).where(
                Signature.memo_id == memos.get(offer).id))
            db.session.execute(text(undo + where), said)
            db.session.expire_all()
        assert advance(offer, BUYER, "sign").to_state == "signed_one", "unchanged it can be"


def test_who_read_another_document_does_not_sign_this_one(deal):
    advance(deal, AGENT, "issue_memo")
    with pytest.raises(Conflict, match="another document"):
        advance(deal, BUYER, "sign", sha256="0" * 64)


def test_a_name_that_changes_later_leaves_the_memo_as_it_is_and_can_be_signed(deal):
    advance(deal, AGENT, "issue_memo")
    before = memos.pdf(memos.get(deal))
    deal.current.lines[0].title.original_title = "Renamed"
    db.session.flush()
    assert memos.pdf(memos.get(deal)) == before
    advance(deal, BUYER, "sign")


def test_pages_are_set_once_and_anew_for_each_signature(deal):
    """Each is set by a process of its own: whether there was one is seen by the time that such took."""
    def spent():
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    advance(deal, AGENT, "issue_memo", governing="This text stands on no other test's paper.")
    took, made = [], []
    for email in (None, None, BUYER, None):
        if email:
            advance(deal, email, "sign")
        before = spent()
        made.append(memos.pdf(memos.get(deal)))
        took.append(spent() - before > 0.05)
    assert took == [True, False, True, False] and made[0] == made[1] != made[2] == made[3]


def test_a_text_that_was_written_for_one_buyer_is_not_offered_to_another(deal):
    advance(deal, AGENT, "issue_memo", governing=TERMS)
    other = approved(title(), buyer=OTHER)
    assert memos.last_governing(other) == parts.GOVERNING
    assert memos.said(json.loads(memos.issue(other).document), "governing") == parts.GOVERNING


def test_the_seller_is_offered_the_text_they_chose_last_for_the_same_buyer(deal):
    assert memos.last_governing(deal) == parts.GOVERNING
    advance(deal, AGENT, "issue_memo", governing=TERMS)
    assert memos.last_governing(deal) == TERMS
    assert memos.said(json.loads(memos.issue(approved(title())).document), "governing") == TERMS


def test_an_offer_whose_memo_was_issued_before_documents_were_kept_can_be_signed(deal):
    advance(deal, AGENT, "issue_memo")
    db.session.execute(db.delete(Memo).where(Memo.offer_id == deal.id))
    advance(deal, BUYER, "sign")
    assert memos.get(deal).signatures[0].sha256 == memos.get(deal).sha256


def test_a_part_that_others_add_is_in_the_document_and_on_paper(deal, monkeypatch):
    monkeypatch.setattr(parts, "PARTS", [*parts.PARTS[:4], lambda offer, _: parts.part(
        "extra", "Instalments", ["Due as follows."], [[["On signature", "EUR 1,851.75", None]]], ["1851.75"]),
        lambda *_: None, *parts.PARTS[4:]])
    memo = memos.issue(deal)
    assert memos.said(json.loads(memo.document), "extra") == ["1851.75"]
    assert "On signature" in "".join(read(memos.pdf(memo)))


def test_no_web_process_carries_the_library_or_the_fonts():
    import sys
    assert paper.pdf and "fpdf" not in sys.modules


# ------------------------------------------------------------------ at the doors

def test_the_document_and_the_pages_are_for_the_two_parties(world):
    with world.app_context():
        offer_id = signed((title(), "ja:sub"))
    for email in (AGENT, MANAGER, BUYER):
        caller = Caller(world, email)
        shown = caller.get(f"/offers/{offer_id}/memo").json
        document = caller.get(f"/offers/{offer_id}/memo.json")
        assert hashlib.sha256(document.data).hexdigest() == shown["sha256"] and document.json == shown["document"]
        assert [each["side"] for each in shown["signatures"]] == ["buyer", "seller"]
        assert caller.get(f"/offers/{offer_id}/memo.pdf").data.startswith(b"%PDF-")
        visitor = Visitor(world, email)
        assert visitor.get(f"/offers/{offer_id}/memo.json").data == document.data
        assert visitor.get(f"/offers/{offer_id}/memo.pdf").mimetype == "application/pdf"
    for email in (OTHER, RIVAL):
        for path in ("memo", "memo.json", "memo.pdf", "long-form"):
            assert Caller(world, email).get(f"/offers/{offer_id}/{path}").status_code == 404
        assert Visitor(world, email).get(f"/offers/{offer_id}/memo.pdf").status_code == 404


def test_over_the_api_the_seller_chooses_the_text_and_the_signer_names_the_hash(world):
    with world.app_context():
        offer_id = approved(title()).id
        db.session.commit()
    agent, buyer = Caller(world, AGENT), Caller(world, BUYER)
    assert buyer.get(f"/offers/{offer_id}/memo").status_code == 404
    assert agent.post(f"/offers/{offer_id}/steps", {"action": "issue_memo", "governing": TERMS}).status_code == 201
    sha256 = buyer.get(f"/offers/{offer_id}/memo").json["sha256"]
    wrong = buyer.post(f"/offers/{offer_id}/steps", {"action": "sign", "sha256": "f" * 64})
    assert wrong.status_code == 409 and wrong.json["sha256"] == sha256
    assert buyer.post(f"/offers/{offer_id}/steps", {"action": "sign", "sha256": "x"}).status_code == 422
    assert buyer.post(f"/offers/{offer_id}/steps", {"action": "sign", "sha256": sha256}).status_code == 201


# ------------------------------------------------------------------ the long form

def test_the_long_form_is_recorded_by_the_seller_and_read_by_both(world):
    with world.app_context():
        offer_id = signed((title(), "ja:sub"))
    agent, buyer, path = Caller(world, AGENT), Caller(world, BUYER), f"/offers/{offer_id}/long-form"
    assert agent.post(path, {"state": "sent", "note": "By courier"}).status_code == 201
    assert agent.post(path, {"state": "signed", "happened_on": "2999-01-01"}).status_code == 422
    assert agent.post(path, {"state": "signed"}).json["state"] == "signed"
    assert agent.post(path, {"state": "drafted"}).status_code == 409, "what is signed is signed"
    assert buyer.post(path, {"state": "waived"}).status_code == 403
    assert Caller(world, RIVAL).post(path, {"state": "waived"}).status_code == 404
    assert [each["state"] for each in buyer.get(path).json] == ["sent", "signed"]
    assert buyer.get(f"/offers/{offer_id}/memo").json["long_form"] == "signed"


def test_no_long_form_before_both_have_signed(deal):
    with pytest.raises(Conflict):
        longform.record(deal, viewer(AGENT), "drafted")
    with pytest.raises(NotAllowed):
        longform.record(deal, viewer(BUYER), "drafted")
    assert longform.possible(deal, [], viewer(AGENT)) == ()


@pytest.mark.parametrize("stage", longform.Stage)
def test_every_stage_leads_where_its_table_says(world, stage):
    assert set(longform.NEXT) == set(longform.Stage) and stage not in longform.NEXT[stage]


def test_the_lines_of_a_signed_version_are_never_changed_by_the_memo(deal):
    before = db.session.execute(select(OfferLine.__table__).order_by(OfferLine.id)).all()
    advance(deal, AGENT, "issue_memo")
    assert db.session.execute(select(OfferLine.__table__).order_by(OfferLine.id)).all() == before
