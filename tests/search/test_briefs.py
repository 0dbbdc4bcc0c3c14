"""A seller's own titles for a buyer's brief: what is free for that buyer, on a page, by link, on paper, in a table."""
import csv
import io
import re
from datetime import timedelta

import pytest
from pypdfium2 import PdfDocument

import seed
from accounts import members, people
from catalogue import titles
from catalogue.models import Title
from core import clock
from core.database import db
from licensing import avails, contracts, terms
from licensing.rights.availability import Verdict
from search import briefs, catalogues
from search.models import Brief
from tests.accounts.organisations import belong
from tests.test_pages import Visitor, text

AGENT, RIVAL, BUYER = "agent@harbour.test", "agent@lotus.test", "buyer@nordlys.test"
TEXT = "drama, SVOD, Taiwan and Singapore, 2027 to 2029, exclusive"


@pytest.fixture
def house(world):
    """(the seller, the application)."""
    with world.app_context():
        yield people.viewer(people.find(AGENT).id), world


def made(seller, words=TEXT, buyer="Nordlys Distribution"):
    brief, _ = briefs.create(seller, words, people.organisation_named(buyer).id if buyer else None)
    db.session.commit()
    return brief


def test_it_is_the_sellers_own_published_titles_that_are_free_for_a_part_the_whole_ones_first(house):
    seller, app = house
    answer = briefs.answer(made(seller), app.extensions["index"])
    own = {title.id: title for title in db.session.scalars(db.select(Title).filter_by(
        organisation_id=seller.organisation_id))}
    buyer = people.organisation_named("Nordlys Distribution").id
    assert len(answer.hits) > 3 and {hit.title.id for hit in answer.hits} <= own.keys()
    assert all(hit.title.status == "published" for hit in answer.hits)
    verdicts = [hit.answer.verdict for hit in answer.hits]
    assert verdicts == sorted(verdicts, key=briefs.ORDER.get) and Verdict.UNAVAILABLE not in verdicts
    for hit in answer.hits:
        assert hit.answer.free == avails.ask(hit.title.id, answer.asked.line, buyer).free, "as every other door says"


def test_what_is_sold_or_withdrawn_meanwhile_is_no_longer_offered(house):
    seller, app = house
    brief, index = made(seller), app.extensions["index"]
    whole = [hit for hit in briefs.answer(brief, index).hits if hit.answer.verdict == Verdict.AVAILABLE]
    sold, withdrawn = (db.session.get(Title, hit.title.id) for hit in whole[:2])
    said = terms.read(seed.line("TW,SG", "svod", "2027-01-01", "2029-12-31"))
    contracts.grant(sold.organisation_id, [(sold, said)], licensee_id=None, licensee_name="Somebody")
    titles.revise(withdrawn, status="withdrawn")
    db.session.commit()
    assert {sold.id, withdrawn.id}.isdisjoint(hit.title.id for hit in briefs.answer(brief, index).hits)


def test_words_that_no_title_has_leave_all_that_is_free(house):
    seller, app = house
    answer = briefs.answer(made(seller, "zzzzqqq, SVOD, Taiwan, 2027 to 2029"), app.extensions["index"])
    assert answer.wordless and answer.hits


def test_a_brief_is_pasted_read_corrected_shortened_and_sent(world):
    agent = Visitor(world, AGENT)
    with world.app_context():
        buyer = people.organisation_named("Nordlys Distribution").id
    sent = agent.submit("/briefs", {"text": TEXT, "buyer": buyer})
    path = sent.location
    page = text(agent.get(path))
    assert "Titles for Nordlys Distribution" in page and "Taiwan + Singapore" in page
    ids = re.findall(r'name="on" value="(\d+)"', page)
    assert len(ids) > 3
    line = {"q": "drama", "territories": "HK", "media": "avod", "languages": "*", "starts_on": "2028-01-01"}
    assert agent.submit(path, {**line, "ends_on": "perpetuity", "exclusive": "false"}).location == path
    assert "AVOD · Hong Kong · all languages · from 1 Jan 2028 · non-exclusive" in text(agent.get(path))
    wrong = agent.submit(path, {**line, "territories": "Narnia", "ends_on": "2029-01-01"})
    assert wrong.status_code == 422 and "Narnia" in text(wrong)
    shown = re.findall(r'name="on" value="(\d+)"', text(agent.get(path)))
    agent.submit(f"{path}/titles", {"shown": shown, "on": shown[1:]}, form=path)
    table = agent.get(f"{path}/catalogue.csv").get_data().decode("utf-8-sig")
    listed = {row["title_id"] for row in csv.DictReader(io.StringIO(table))}
    assert listed == set(shown[1:]) and "Left out" in text(agent.get(path))
    paper = agent.get(f"{path}/catalogue.pdf")
    assert paper.mimetype == "application/pdf" and paper.get_data().startswith(b"%PDF-")
    agent.submit(f"{path}/titles", {"shown": shown, "on": shown}, form=path)
    assert "Left out" not in text(agent.get(path))


def test_every_free_block_is_in_the_spreadsheet_and_no_cell_is_computed(house):
    seller, app = house
    brief = made(seller)
    title = briefs.answer(brief, app.extensions["index"]).hits[0].title
    titles.revise(title, original_title="=1+1 drama")
    db.session.commit()
    answer = briefs.answer(brief, app.extensions["index"])
    rows = list(csv.DictReader(io.StringIO(catalogues.table(brief, answer).removeprefix("\ufeff"))))
    assert len(rows) == sum(len(hit.answer.free) for hit in answer.hits)
    assert "'=1+1 drama" in {row["title"] for row in rows}


def test_paper_has_the_letters_of_every_script_and_is_the_same_twice(house):
    seller, app = house
    brief = made(seller)
    answer = briefs.answer(brief, app.extensions["index"])
    paper = catalogues.pdf(brief, answer)
    said = "".join(page.get_textpage().get_text_bounded() for page in PdfDocument(paper))
    assert paper == catalogues.pdf(brief, answer)
    for hit in answer.hits:
        assert hit.title.original_title in said


def test_a_link_shows_the_list_to_who_has_it_until_it_ends(world):
    agent, stranger = Visitor(world, AGENT), Visitor(world)
    path = agent.submit("/briefs", {"text": TEXT, "buyer": ""}).location
    agent.submit(f"{path}/link", {}, form=path)
    link = re.search(r'value="http://localhost(/for/[^"]+)"', text(agent.get(path)))[1]
    page = stranger.get(link)
    assert page.status_code == 200 and page.headers["X-Robots-Tag"] == "noindex"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    shown = text(page)
    assert "Titles for you" in shown and "Harbour Pictures" in shown and "/titles/" not in shown
    for word in ("Licensed", "licensed to", "Not this seller", "contract", "csrf_token"):
        assert word not in re.sub(r'<ul class="strip".*?</ul>', "", shown, flags=re.S), "nothing of the deals is told"
    assert stranger.get(f"{link[:-1]}{'A' if link[-1] != 'A' else 'B'}").status_code == 404
    with world.app_context():
        later = clock.now() + briefs.OPEN_FOR + timedelta(days=1)
    with clock.stopped_at(later):
        assert stranger.get(link).status_code == 404
    agent.submit(f"{path}/link", {"end": "1"}, form=path)
    assert stranger.get(link).status_code == 404


def test_of_somebody_in_two_houses_a_brief_lists_the_titles_of_the_one_it_was_made_for(world):
    """On its page and behind its link; also when they act for the other, or have left."""
    belong(world, AGENT, ("Lotus Sales", ["agent"]))
    index = world.extensions["index"]
    with world.app_context():
        person, lotus = people.find(AGENT).id, people.organisation_named("Lotus Sales").id
        for seller in [people.acting(each) for each in people.memberships(person)]:
            brief = made(seller, "SVOD, Taiwan, 2027 to 2029", None)
            briefs.open_up(brief)
            db.session.commit()
            found = briefs.answer(brief, index)
            assert found.hits and {hit.title.organisation_id for hit in found.hits} == {seller.organisation_id}
        link, names = f"/for/{brief.token}", {each.original_title for each in db.session.scalars(
            db.select(Title).filter_by(organisation_id=lotus))}
        others = set(db.session.scalars(db.select(Title.original_title))) - names
        members.leave(people.viewer(person, lotus))
        db.session.commit()
        assert {hit.title.organisation_id for hit in briefs.answer(brief, index).hits} == {lotus}
    shown = text(Visitor(world).get(link))
    assert "Lotus Sales" in shown and any(each in shown for each in names)
    assert not any(f">{each}<" in shown for each in others)


def test_a_brief_is_its_sellers_alone(world):
    agent, rival, buyer = (Visitor(world, each) for each in (AGENT, RIVAL, BUYER))
    path = agent.submit("/briefs", {"text": TEXT, "buyer": ""}).location
    for other in (rival, buyer):
        assert other.get(path).status_code in (403, 404)
        assert other.get(f"{path}/catalogue.csv").status_code in (403, 404)
        for what in ("", "/titles", "/link"):
            assert other.submit(f"{path}{what}", {}, form="/account").status_code in (403, 404)
    assert TEXT not in text(rival.get("/briefs")) and buyer.get("/briefs").status_code == 403


@pytest.mark.parametrize(("form", "words"), [
    ({"text": " "}, "Paste what the buyer wants"), ({"text": "x" * 5001}, "5,000 characters"),
    ({"text": TEXT, "buyer": "x"}, "from the list"), ({"text": TEXT, "buyer": "1"}, "organisation that buys"),
    ({"text": "SVOD, Taiwan excluding Taiwan", "buyer": ""}, "Nothing is left")])
def test_what_cannot_be_read_is_refused_with_its_reason(world, form, words):
    agent = Visitor(world, AGENT)
    answer = agent.submit("/briefs", form)
    assert answer.status_code == 422 and words in text(answer)
    with world.app_context():
        assert db.session.query(Brief).count() == 1, "that of the demo world"
