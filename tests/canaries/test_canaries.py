"""What is confidential of one company is found by nobody else: a crawler signed in as everybody reads all it can reach.

Two worlds are made alike, but that one has a seller and a buyer with secrets, each a word that is nowhere else, and the
other the same two without them. In no answer of the first stands a secret for who may not read it, and whoever has
nothing to do with the two is answered the same in both: so no count, order, facet or suggestion tells of them either.
"""
import base64
import contextlib
import io
import logging
import random
import re
import shutil
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import quote, quote_plus, urlencode

import numpy as np
import pytest
from sqlalchemy import select, true

from accounts import notices, permissions
from catalogue import titles
from catalogue.models import Title
from core import clock
from core.database import db
from licensing import contracts, offers, remarks
from licensing.books import uploads
from licensing.delivery import lists
from licensing.money import instalments
from licensing.refusals import asked
from media import assets, requests
from search import briefs
from search.columns import Columns
from search.models import Brief
from tests import scale
from tests.canaries import columns, reading
from tests.canaries.crawl import Crawl, Person, in_turn, routes, told
from tests.canaries.house import build
from tests.canaries.words import Canaries, unlike
from tests.conftest import a_line, another_app, put_away

ANSWERS = scale.at(ci=2_000, long=100_000)
BY_ADDRESS, BY_LINK, BY_WORD, BY_TWIN = (round(ANSWERS * share) for share in (0.53, 0.11, 0.25, 0.13))
STRANGERS = (None, "agent@harbour.test", "rights@harbour.test", "agent@lotus.test", "buyer@sakura.test",
             "buyer@skyway.test", "operator@market.test")  # and what else there is of roles, in `house.STAFF`
PARTIES = ("umbra", "meridian", "nordlys")
LINE = {"territories": "PT", "media": "svod", "languages": "*", "starts_on": "2027-01-01", "ends_on": "2029-12-31"}
CHANGING = re.compile(r'name="csrf_token" value="[^"]*"|nonce="[^"]*"|nonce-[\w=-]*|"took_ms": ?[\d.]+|/stored/[^"\s]*|'
                      r'"expires_at": "[^"]*"|/account/sessions/\d+/|name="state" value="[^"]*"|'
                      r'data:image/svg[^"]*|<code class="key">[^<]*')
# Tokens, and rows and links of the audit, are numbered one after another, whosever they are (docs/security.md)
NUMBERED = re.compile(r'/account/tokens/\d+/|token[ ,]\d+|"id": ?"\d+"(?=, ?"last_used_on")|^\d+,(?=\d{4}-\d\d-)|'
                      r'""id"": \d+|>id</span> \d+|,\d*,[0-9a-f]*\r?$', re.MULTILINE)


@pytest.fixture(scope="module")
def world(templates, tmp_path_factory):
    """Both worlds, an hour after they were made: `app`, `twin`, `house`, `canaries`, the `people` who read, the `ids`
    of all records, of those of the two companies (`theirs`) and of those that the twin has not (`hidden`), and the
    `logs` of everything."""
    records, said, began = [], io.StringIO(), clock.now()
    handler = logging.Handler()
    handler.emit = lambda record: records.append(handler.format(record))
    logging.getLogger().addHandler(handler)
    source, _ = templates("sqlite", True, None)
    made = []
    with contextlib.redirect_stdout(said):
        for hidden in (True, False):
            instance = tmp_path_factory.mktemp("world") / "instance"
            shutil.copytree(source, instance)
            app = another_app(f"sqlite:///{instance / 'slate.db'}", instance)
            canaries = Canaries(first=hidden)
            with app.app_context():
                before = columns.ids()
            made.append((app, canaries, build(app, canaries, began, hidden)))
    (app, canaries, house), (twin, _, twins) = made
    ids = []
    for each in (app, twin):
        with each.app_context():
            ids.append(columns.ids())
    theirs, hidden = ({table: found - others[table] for table, found in ids[0].items()} for others in (before, ids[1]))
    with clock.stopped_at(began + timedelta(hours=1)):
        staff = {email: Person(app, email) for email in (*STRANGERS, "buyer@nordlys.test", *house.of.values())}
        yield SimpleNamespace(
            app=app, twin=twin, house=house, twins=twins, canaries=canaries, ids=ids[0], theirs=theirs, hidden=hidden,
            people=staff,
            strangers=[each for each in staff.values() if each.viewer is None or key(each) not in PARTIES],
            logs=lambda: "\n".join([*records, said.getvalue()]))
    logging.getLogger().removeHandler(handler)
    for each in (app, twin):
        put_away(each)


def key(person):
    return person.viewer and person.viewer.organisation_name.split()[0].lower()


def around(hidden, all_ids):
    """The hidden records, and those whose ids are next to theirs."""
    return {table: {near for each in found for near in (each - 1, each, each + 1)}
            or {max(all_ids[table], default=0) + 1} for table, found in hidden.items()}


def test_every_column_holds_a_canary_or_it_is_said_why_it_needs_none(world):
    with world.app.app_context():
        held = columns.holding(world.canaries.finder())
        keys = {f"{table.name}.{column.name}" for table in db.metadata.sorted_tables for column in table.columns
                if column.foreign_keys or column.name == "id" or column.name.endswith("_id")}
    plain = {each for said in columns.PLAIN.values() for each in said.split()}
    full = {column for column, found in held.items() if found}
    assert sorted(set(held) - full - plain - keys) == [], "no canary, and no reason"
    assert sorted(plain & full) == [], "said to be nothing confidential, and holds a canary"
    assert sorted(plain - set(held)) == [], "there is no such column"
    placed = set().union(*held.values())
    assert [world.canaries.labels[each] for each in world.canaries.labels if each not in placed] == []


def test_no_answer_at_any_address_holds_what_its_reader_may_not_read(world):
    crawl, ids = Crawl(world.canaries), around(world.theirs, world.ids)
    if scale.LONG:
        ids = {table: found | {near for each in world.ids[table] for near in (each, each + 1)}
               for table, found in ids.items()}
    found, writes = routes(world.app, ids), routes(world.app, world.hidden, {"POST", "PUT", "PATCH", "DELETE"})
    shuffled = random.Random(7)
    groups = []
    writes = [each for each in writes if each and re.match(r"/api/v1/.*\d", each[0][1])]
    for person in world.people.values():  # whatever strangers send to what is not theirs is refused
        for each in found + (writes if person in world.strangers else []):
            groups.append([(person, *question) for question in shuffled.sample(each, len(each))])
    shuffled.shuffle(groups)
    for person, method, path in in_turn(groups):
        if crawl.answers >= BY_ADDRESS:
            break
        response = crawl.read(person, path, method, {} if method != "GET" else None)
        assert method == "GET" or response.status_code >= 400, (str(person), method, path, response.text[:300])
    assert crawl.leaks == []
    assert crawl.answers >= BY_ADDRESS, "there is not so much to ask: lower the share"
    read = {word for word, readers in crawl.seen.items() if readers}
    least = scale.at(ci=0.4, long=0.8) * len(world.canaries.labels)
    assert len(read) > least, "the crawler hardly reads what people may read"


STARTS = ("/", "/api/v1/titles?page_size=100", "/api/v1/search?page_size=100", "/offers", "/slate", "/notices",
          "/licences", "/money", "/screeners", "/your-screeners", "/basket", "/searches", "/briefs", "/books", "/audit",
          "/approvals", "/refusals", "/account", "/licences.ics", "/no/such/page", "/api/v1/no/such")


def test_nothing_that_pages_lead_to_holds_it_either(world):
    crawl = Crawl(world.canaries)
    token = world.house.ids["brief_token"]
    readers = list(world.people.values())
    for place, person in enumerate(readers):
        crawl.follow(person, STARTS, (BY_LINK - crawl.answers) // (len(readers) - place))
    assert crawl.leaks == [] and crawl.answers >= 0.9 * BY_LINK, "some have fewer pages than their share"
    shown = crawl.read(world.people[None], f"/for/{token}")  # who was given the address reads what the seller shows
    assert shown.status_code == 200 and crawl.leaks == []


DOORS = ("/api/v1/search?", "/?", "/suggestions?", "/api/v1/search?sort=title&kind=film&", f"/?{urlencode(LINE)}&")


def test_to_type_a_canary_letter_by_letter_is_like_typing_any_other_word(world):
    crawl, shuffled = Crawl(world.canaries), random.Random(7)
    words = [each for each, label in world.canaries.labels.items() if not each.isdigit()]
    groups = []
    for person in world.strangers[1:]:
        for door in DOORS:
            typed = [(person, door, word[:length]) for word in words
                     for length in range(3 if word[0] == "x" else 1, len(word) + 1)]
            groups.append(shuffled.sample(typed, len(typed)))
    shuffled.shuffle(groups)
    others = {}
    for person, door, typed in in_turn(groups):
        if crawl.answers >= BY_WORD:
            break
        other = unlike(typed)
        if (person, door, other) not in others:
            others[person, door, other] = blank(crawl.read(person, f"{door}q={quote(other)}", typed=()), other)
        whole = {each for each in words if each.startswith(typed)}
        answer = crawl.read(person, f"{door}q={quote(typed)}", typed=whole)
        assert blank(answer, typed) == others[person, door, other], (str(person), door, typed)
    assert crawl.leaks == [] and crawl.answers >= BY_WORD


def blank(response, typed) -> str:
    """An answer without the word that was typed, and without what is another each time."""
    said = f"{response.status} {response.headers.get('X-Pagination')} {response.text}"
    for each in (typed, quote(typed), quote_plus(typed), typed.encode("unicode_escape").decode()):
        said = said.replace(each, "·")
    return CHANGING.sub("", said)


def questions(world):
    """What is asked of both worlds: every address there is, and searches that count."""
    searches = [{}, {"sort": "title"}, {"sort": "year", "page_size": "3", "page": "2"}, LINE,
                {**LINE, "match": "overlap"}, {**LINE, "match": "min_days", "min_days": "30", "exclusive": "true"}]
    searches += [{"q": each} for each in ("paper", "trains", "glas", "harvest again", "drama", "sea", "q", "潮")]
    searches += [{"year_from": str(each), "year_to": str(each)} for each in (2024, 2070, 2071, 2072)]
    searches += [{facet: value} for facet, values in (
        ("genre", ("Drama", "Crime")), ("country", ("AQ", "IE", "HK")), ("language", ("mi", "en")), ("kind", (
            "film", "season", "episode", "series")), ("decade", ("2020", "2070")),
        ("seller", (world.house.ids["umbra"], world.house.ids["harbour"]))) for value in values]
    counting = [[("GET", f"{door}?{urlencode(each)}") for each in searches] for door in (
        "/api/v1/search", "/", "/suggestions")]
    shown = [world.house.ids[each] for each in ("film", "sequel", "series", "season", "episode1", "orchard")]
    titles_ = [[("GET", f"/titles/{each}{rest}?{urlencode(LINE)}") for each in shown] for rest in (
        "", "/rights", "/rights.csv", "/franchise", "/media")]
    titles_ += [[("GET", f"/api/v1/titles/{each}{rest}") for each in shown] for rest in (
        "", "/franchise", "/assets", "/holds", "/options", "/mandates", "/licences", "/holdbacks")]
    titles_ += [[("GET", f"/api/v1/titles?page={page}&page_size={size}") for page, size in ((1, 100), (2, 5), (5, 5))]]
    return counting + titles_, routes(world.app, around(world.hidden, world.ids))


def test_who_has_nothing_to_do_with_them_is_answered_the_same_where_there_are_no_secrets(world):
    crawl, shuffled = Crawl(world.canaries), random.Random(7)
    counting, everywhere = questions(world)
    some = world.strangers if scale.LONG else [world.people[each] for each in STRANGERS[::2]]
    pairs = [(each, Person(world.twin, each.email)) for each in some]
    groups = [[(pair, *question) for question in shuffled.sample(group, len(group))]
              for group in counting + everywhere for pair in pairs]
    first, rest = groups[:len(counting) * len(pairs)], groups[len(counting) * len(pairs):]
    shuffled.shuffle(rest)
    differing = []
    for (person, other), method, path in [*in_turn(first), *in_turn(rest)]:
        if crawl.answers >= BY_TWIN or path == "/readyz":
            continue
        years = re.findall(r"year_\w+=(\d+)", path)
        ours, theirs = crawl.read(person, path, method, typed=years), other.ask(path, method)
        differing += compared(world, ours, theirs, f"{person} {path}")
    for person, other in pairs:
        differing += asked_of(world, crawl, person, other, ("film", "sequel", "episode1", "orchard"))
    assert not differing, "\n".join(differing)
    assert crawl.leaks == [] and crawl.answers >= BY_TWIN


def asked_of(world, crawl, person, other, titles_) -> list[str]:
    """What is free of these titles, where the two worlds say different things."""
    differing = []
    for title in titles_:
        where, line = f"/api/v1/titles/{world.house.ids[title]}/avails", a_line("PT,DE,IT,ES", "svod,avod,fast")
        ours, theirs = crawl.read(person, where, "POST", line), other.ask(where, "POST", line)
        may = person.viewer and permissions.relations(person.viewer, "avails.ask")
        assert ours.status_code == (200 if may else 403 if person.viewer else 401)
        differing += compared(world, ours, theirs, f"{person} {where}")
    return differing


def test_an_answer_about_a_series_counts_the_drafts_among_its_parts_and_tells_nothing_else_of_them(world):
    """docs/decisions/0022: who licenses a series licenses all of it. The twin's house has no drafts."""
    crawl, buyer = Crawl(world.canaries), "buyer@sakura.test"
    for title in ("series", "season"):
        where, line = f"/api/v1/titles/{world.house.ids[title]}/avails", a_line("PT,DE,IT,ES", "svod,avod,fast")
        ours = crawl.read(world.people[buyer], where, "POST", line).json
        theirs = Person(world.twin, buyer).ask(where, "POST", line).json
        assert ours.pop("coverage") != theirs.pop("coverage") and ours == theirs
    assert crawl.leaks == []


def compared(world, ours, theirs, words) -> list[str]:
    """A line, if the two worlds say different things. Each has an application in words of its own, which its operator
    reads."""
    said = [alike(ours), alike(theirs)]
    for place, house in enumerate((world.house, world.twins)):
        for word, label in house.canaries.labels.items():
            if label.startswith("application."):
                said[place] = said[place].replace(word, label)
    return [f"{words}: {difference(*said)}"] if said[0] != said[1] else []


def alike(response) -> str:
    head = {name: response.headers.get(name) for name in ("Location", "X-Pagination", "ETag", "Content-Type")}
    data = response.get_data()
    if response.mimetype == "application/pdf" or (response.mimetype or "").endswith("sheet"):
        return f"{response.status} {head} {reading.body(data, response.mimetype)}"
    return NUMBERED.sub("", CHANGING.sub("", f"{response.status} {head} {data.decode('utf-8', 'replace')}"))


def difference(one, other) -> str:
    at = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
              min(len(one), len(other)))
    return f"{one[max(at - 60, 0):at + 80]!r} for {other[max(at - 60, 0):at + 80]!r}"


def test_no_letter_holds_what_its_reader_may_not_read(world):
    crawl = Crawl(world.canaries)
    told(crawl, world.app)
    assert crawl.leaks == [] and crawl.answers > 50 and crawl.seen, "letters tell parties of their deals"


def test_no_line_of_a_log_holds_what_is_confidential_and_none_is_written_where_something_breaks(world, monkeypatch):
    word = next(each for each, label in world.canaries.labels.items() if label == "title.original_title")

    def broken(*_, **__):
        db.session.execute(Title.__table__.insert().values(original_title=word, organisation_id=1))

    monkeypatch.setitem(world.app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr(titles, "touch", broken)
    answer = world.people[world.house.of["agent@umbra"]].ask("/api/v1/titles", "POST", {
        "kind": "film", "original_title": word})
    find = world.canaries.finder()
    assert answer.status_code == 500 and find(reading.of(answer)) == set()
    assert "INSERT INTO title" in world.logs() and find(world.logs()) == set()


# ------------------------------------------------------------------ the crawler does find what there is to be found

def everything(*_, **__):
    return true()


def all_notes(offer, viewer):
    return db.session.scalars(select(remarks.Remark).where(remarks.Remark.offer_id == offer.id)).all()


def every_relation(viewer, action):
    return frozenset(permissions.Relation)


LEAKS = {  # what is not filtered any more → (where, its name, in its place, who reads then, at which addresses)
    "titles": (titles, "visible", everything, "agent@lotus.test", "/titles/<"),
    "offers": (offers, "visible", everything, "buyer@sakura.test", "/offers/<"),
    "licences": (contracts, "visible", everything, "buyer@sakura.test", "/licences"),
    "assets": (assets, "visible", everything, "agent@lotus.test", "/media/<|/assets/<"),
    "requests": (requests, "visible", everything, "agent@lotus.test", "/screener"),
    "money": (instalments, "visible", everything, "buyer@sakura.test", "/instalments|/money"),
    "materials": (lists, "visible", everything, "agent@lotus.test", "/materials"),
    "refusals": (asked, "visible", everything, "buyer@sakura.test", "/refusals"),
    "books": (uploads, "_own", everything, "agent@lotus.test", "/books"),
    "notes": (remarks, "notes", all_notes, "buyer@meridian", "/offers/<"),
    "notices": (notices, "_mine", lambda viewer: (true(),), "operator@market.test", "/notices"),
    "briefs": (briefs, "get", lambda brief_id, viewer: db.session.get(Brief, brief_id), "agent@lotus.test", "/briefs"),
    "roles": (permissions, "relations", every_relation, "materials@umbra", "/titles/<|/money|/instalments"),
}


@pytest.mark.parametrize("filter", LEAKS)
def test_where_a_filter_is_left_out_the_crawler_finds_what_it_kept_back(world, monkeypatch, filter):
    where, name, instead, who, addresses = LEAKS[filter]
    person, crawl = world.people[world.house.of.get(who, who)], Crawl(world.canaries)
    some = [each for each in routes(world.app, world.hidden) if each and re.search(addresses, pattern(each[0][1]))]
    questions = in_turn(some)[:60]
    monkeypatch.setattr(where, name, instead)
    for method, path in questions:
        response = person.ask(path, method)
        crawl.look(str(person), person.viewer, path, reading.of(response))
        if crawl.leaks:
            return
    raise AssertionError(f"nothing was found at {len(questions)} addresses")


def pattern(path):
    return re.sub(r"/\d+", "/<id>", path)


def test_where_hidden_titles_are_counted_the_twin_differs(world, monkeypatch):
    person, other = world.people["buyer@sakura.test"], Person(world.twin, "buyer@sakura.test")
    path = "/api/v1/search?country=AQ"
    assert alike(person.ask(path)) == alike(other.ask(path))
    monkeypatch.setattr(Columns, "visible", lambda *_: lambda rows: np.ones(len(rows), dtype=bool))
    assert alike(person.ask(path)) != alike(other.ask(path))


@pytest.mark.parametrize("written", [
    "{}", "<p>{}</p>", "XQ{up}", "x&#113;{rest}", "\\u0078q{rest}", "%78q{rest}", "%78%71{rest}",
    "<mark>xq</mark>{rest}", "/for?q={}", "data:{base64}", "xq{rest4}…"])
def test_a_canary_is_known_however_it_is_written(written):
    canaries = Canaries()
    word = canaries.word("a field", "nobody:offer.see")
    text = written.format(word, up=word[2:].upper(), rest=word[2:], rest4=word[2:6],
                          base64=base64.b64encode(f"says {word} twice".encode()).decode())
    assert canaries.finder()(reading.unpacked(text)) == {word}
