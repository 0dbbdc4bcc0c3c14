"""Saved searches tell what is new: a title that comes to match, or becomes free; once, and to nobody else."""
import re
from datetime import date, timedelta
from itertools import count

import pytest

from accounts import people
from catalogue import titles
from core import clock
from core.database import db
from licensing import contracts, mandates, terms
from search import query, saved, worker
from search.models import SavedSearch
from seed import line as a_line
from tests.conftest import both
from tests.test_pages import Visitor, text

BUYER, OTHER, AGENT = "buyer@nordlys.test", "buyer@sakura.test", "agent@harbour.test"
LINE = a_line("TW", "svod", "2027-01-01", "2029-12-31")


def viewer(email):
    return people.viewer(people.find(email).id)


minutes = count(1)


def looked_at(app, days=0):
    """Everything there is to do is done, a while later than before."""
    with clock.stopped_at(clock.now() + timedelta(days=days, minutes=next(minutes))):
        while worker.turn(app.extensions["index"]):
            pass
        db.session.commit()


def a_title(name="Lighthouse Waltz", status="published"):
    made = titles.create(viewer(AGENT).organisation_id, kind="film", original_title=name, status=status)
    mandates.record(made, terms.read(a_line("World", "all", "2020-01-01", None)))
    db.session.commit()
    return made


def told(email):
    return {each.name: [one.title.original_title for one in found] for each in saved.listing(viewer(email))
            if (found := saved.news(viewer(email)).get(each.id))}


@pytest.fixture
def keep(world):
    """`keep(**asked)`: the buyer saves a search."""
    def save(name="Waltzes", email=BUYER, **asked):
        made = saved.save(viewer(email), name, query.Asked(**asked), world.extensions["index"])
        db.session.commit()
        return made
    with world.app_context():
        yield save


@both
def test_a_new_title_that_matches_is_told_once(world, keep):
    keep(q="waltz")
    a_title("Harbour Polka")
    looked_at(world)
    assert told(BUYER) == {}
    a_title()
    looked_at(world)
    assert told(BUYER) == {"Waltzes": ["Lighthouse Waltz"]} and saved.waiting(viewer(BUYER)) == 1
    looked_at(world, days=1)
    assert saved.waiting(viewer(BUYER)) == 1
    saved.see(saved.listing(viewer(BUYER))[0])
    db.session.commit()
    looked_at(world, days=2)
    assert told(BUYER) == {}


@both
def test_a_title_that_becomes_free_is_told_and_again_when_it_was_sold_in_between(world, keep):
    title = a_title()
    looked_at(world)

    def sold():
        licence = contracts.grant(title.organisation_id, [(title, terms.read(LINE))], licensee_id=None,
                                  licensee_name="Formosa")
        db.session.commit()
        return licence

    licence = sold()
    keep(q="waltz", line=terms.read(LINE))
    looked_at(world)
    assert told(BUYER) == {}
    contracts.terminate(licence, date(2027, 1, 1))
    db.session.commit()
    looked_at(world)
    assert told(BUYER) == {"Waltzes": ["Lighthouse Waltz"]}
    saved.see(saved.listing(viewer(BUYER))[0])
    licence = sold()
    looked_at(world)
    contracts.terminate(licence, date(2027, 1, 1))
    db.session.commit()
    looked_at(world)
    assert told(BUYER) == {"Waltzes": ["Lighthouse Waltz"]}


def test_what_one_may_not_see_is_never_told(world, keep):
    keep(q="waltz")
    title = a_title(status="draft")
    looked_at(world)
    assert told(BUYER) == {} and saved.waiting(viewer(BUYER)) == 0
    titles.revise(title, status="published")
    db.session.commit()
    looked_at(world)
    assert saved.waiting(viewer(BUYER)) == 1
    titles.revise(title, status="withdrawn")
    db.session.commit()
    assert told(BUYER) == {} and saved.waiting(viewer(BUYER)) == 0, "gone from the very next answer"


def test_a_day_that_ends_a_window_is_noticed_without_any_change(world, keep):
    title = a_title()
    contracts.grant(title.organisation_id, [(title, terms.read(a_line("TW", "svod", "2020-01-01", str(
        clock.today() + timedelta(days=3)))))], licensee_id=None, licensee_name="Formosa", recording=True)
    db.session.commit()
    looked_at(world)
    far = a_line("TW", "svod", str(clock.today()), str(clock.today() + timedelta(days=400)))
    keep(q="waltz", line=terms.read(far))  # the days that are over count no more: from then on it is all free
    looked_at(world, days=2)
    assert told(BUYER) == {}
    looked_at(world, days=4)
    assert told(BUYER) == {"Waltzes": ["Lighthouse Waltz"]}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Whoosh leaves a file open
def test_nothing_is_lost_while_the_index_is_damaged(world, keep):
    made = keep(q="waltz")
    a_title()
    index = world.extensions["index"]
    index.close()
    for path in (index._folder / index._pointer()).glob("*.trm"):
        path.write_bytes(b"")
    place = made.place
    with clock.stopped_at(clock.now() + timedelta(minutes=1)):
        saved.tick(made.id, index)
    assert made.place == place
    looked_at(world)
    assert told(BUYER) == {"Waltzes": ["Lighthouse Waltz"]}


def test_a_saved_search_is_nobody_elses(world, keep):
    made = keep(q="tide")
    search_id = made.id
    other = Visitor(world, OTHER)
    assert "Waltzes" not in text(other.get("/searches"))
    for what in ("seen", "removal"):
        assert other.submit(f"/searches/{search_id}/{what}", {}, form="/account").status_code == 404
    assert db.session.get(SavedSearch, search_id) is not None


def test_what_is_searched_on_the_page_is_saved_and_found_again(world):
    person = Visitor(world, BUYER)
    address = "q=tide&territories=TW&media=svod&languages=*&starts_on=2027-01-01&ends_on=perpetuity&kind=film"
    assert "Save this search" in text(person.get(f"/?{address}"))
    assert person.submit(f"/searches?{address}", {"name": "Tides", "tells": "on"}, form="/account").status_code == 302
    page = text(person.get("/searches"))
    assert "“tide” · Film · SVOD · Taiwan · all languages · from 1 Jan 2027 · non-exclusive" in page
    link = page.split("<h2 id=")[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "ends_on=perpetuity" in link
    first, again = (re.findall(r'<h3 class="name".*?/titles/(\d+)', text(person.get(each)))
                    for each in (f"/?{address}", link))
    assert first == again != []
    assert person.submit("/searches/1/removal", {}, form="/account").status_code == 302
    assert "Nothing is saved yet" in text(person.get("/searches"))


@pytest.mark.parametrize(("address", "name", "words"), [
    ("q=tide", " ", "Give the search a name"), ("q=tide", "x" * 101, "Give the search a name"),
    ("territories=Narnia&media=svod&starts_on=2027-01-01&ends_on=2029-12-31", "N", "Narnia"),
    ("q=" + "x" * 301, "N", "300 characters")])
def test_what_cannot_be_saved_is_refused_with_its_reason(world, address, name, words):
    answer = Visitor(world, BUYER).submit(f"/searches?{address}", {"name": name}, form="/account")
    assert answer.status_code == 422 and words in text(answer)


def test_a_hundred_searches_are_enough(world, keep, monkeypatch):
    monkeypatch.setattr(saved, "MOST", 1)
    keep(q="tide")
    with pytest.raises(saved.Invalid):
        keep(q="salt")


def test_a_search_whose_names_mean_nothing_any_more_says_so(world, keep):
    made = keep(q="tide", line=terms.read(LINE))
    made.asked = {**made.asked, "line": {**made.asked["line"], "territories": ["Atlantis"]}}
    db.session.commit()
    a_title("Tide Waltz")
    looked_at(world)
    assert "Atlantis" in text(Visitor(world, BUYER).get("/searches"))


def test_a_search_that_asks_about_no_rights_stands_on_the_page_like_the_others(world, keep):
    keep(q="tide")
    page = Visitor(world, BUYER).get("/searches")
    assert page.status_code == 200 and "“tide”" in text(page)
