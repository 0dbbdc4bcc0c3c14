"""Own data out: everything that is an organisation's own, nothing of another side's, and no cell that is computed."""
import io
import json
import re
import tempfile
import tracemalloc
from contextlib import contextmanager

import pytest
from openpyxl import load_workbook
from sqlalchemy import String, Text, cast, func, literal, select, update

from accounts.models import Membership
from accounts.notices import Notice
from accounts.permissions import Role
from accounts.takeout import files
from accounts.takeout.tables import LEFT, PARTS
from accounts.webhooks import deliveries, endpoints
from accounts.webhooks.signing import Seal
from catalogue import titles
from catalogue.models import Synopsis, Title
from core import sheets
from core.audit import AuditRow
from core.database import db
from core.outbound import Outbound
from licensing import basket, drafts, remarks, terms
from licensing.approvals.models import Override
from licensing.books.models import Upload
from licensing.models import Offer
from search.models import Brief, SavedSearch
from seed import line
from tests import scale
from tests.conftest import Caller, both
from tests.licensing import deals
from tests.licensing.deals import AGENT, BUYER, MANAGER, OTHER, RIVAL, viewer
from tests.licensing.sheets import TIDE, csv_of, tried
from tests.test_pages import Visitor
from tests.test_pages import text as words

HOUSES = (MANAGER, BUYER, OTHER, RIVAL)
SECRET = re.compile("password|digest|secret|token|uniquifier|totp|recovery")


@pytest.fixture
def world(world):
    """The demo world, in which each organisation has an administrator, and keeps something of each kind."""
    with world.app_context():
        for email in HOUSES:
            one = db.session.scalar(select(Membership).where(Membership.person_id == viewer(email).person_id))
            one.roles = [*one.roles, Role.ADMIN.value]
        film = deals.title(name="Zwischenspiel", credits=[{"role": "director", "name": "Somebody"}])
        offer = deals.agreed((film, "*"))
        draft = drafts.create(viewer(OTHER), currency="EUR", seller_id=viewer(AGENT).organisation_id, lines=[
            {**line("KR", "svod", "2027-01-01", "2027-12-31"), "title_id": film.id, "price": 7654321}])
        for email in (MANAGER, BUYER):
            remarks.note(offer, viewer(email), "A note inside.")
        remarks.note(draft, viewer(OTHER), "A note inside.")
        db.session.add(Override(offer_id=offer.id, version=1, warning="x", text="A warning.", reason="A reason.",
                                person_id=viewer(MANAGER).person_id, at=offer.created_at))
        basket.add(film, terms.read(line("SG", "svod", "2027-01-01", None)), viewer(OTHER))
        for email in HOUSES:
            endpoint, _ = endpoints.create(viewer(email), Seal("x"), Outbound(), url="https://hooks.example.com/",
                                           events=["offer.step"])
            deliveries.put(endpoint.id, "test", {})
            db.session.add(SavedSearch(person_id=viewer(email).person_id, organisation_id=viewer(email).organisation_id,
                                       name="A search", asked={}, tells=True,
                                       made_at=offer.created_at, checked_at=offer.created_at, place=0, known=b""))
        db.session.commit()
        tried(csv_of({**TIDE, "Territories": "=1+1"}))
        db.session.commit()
    return world


def taken(email) -> dict:
    return json.loads("".join(files.as_json(db.engine, viewer(email).organisation_id)))


# ------------------------------------------------------------------ nothing is forgotten

def test_of_every_table_it_is_said_what_is_taken_out_or_why_nothing(app):
    told = {part.table.name for part in PARTS.values()}
    assert told | set(LEFT) == set(db.metadata.tables) and not told & set(LEFT)
    assert all(why.endswith(".") for why in LEFT.values())


def test_no_secret_is_among_the_columns(app):
    assert [(name, each.name) for name, part in PARTS.items() for each in part.columns
            if SECRET.search(each.name)] == []


@both
def test_every_row_that_bears_the_organisations_name_is_in_it(world):
    with world.app_context():
        for email in HOUSES:
            house, found = viewer(email).organisation_id, taken(email)["tables"]
            for table in db.metadata.tables.values():
                if "organisation_id" in table.c and table.name not in {*LEFT, "audience_organisation"}:  # whom a seller
                    keys = [each.name for each in table.primary_key]                                     # chose
                    kept = {tuple(map(str, row)) for row in db.session.execute(select(*table.primary_key).where(
                        table.c.organisation_id == house))}
                    out = {tuple(str(row[key]) for key in keys) for name, part in PARTS.items()
                           if part.table is table for row in found[name]}
                    assert kept <= out, (email, table.name)
        sold = taken(MANAGER)["tables"]
        assert not [name for name in (
            "title", "title_name", "title_credit", "title_link", "mandate", "line", "licence", "holdback", "hold",
            "option", "offer", "offer_version", "offer_line", "offer_step", "remark", "override", "memo",
            "memo_signature", "instalment", "material", "webhook_delivery", "books_row", "audit",
            "membership", "person", "notice", "saved_search", "brief", "term_set") if not sold[name]]
        bought = taken(BUYER)["tables"]
        assert all(bought[name] for name in ("offer", "offer_line", "licence_bought", "line_bought", "title_of_others"))
        named = {each["key"] for each in sold["term_set"]}
        assert {row[axis] for name in ("line", "offer_line") for row in sold[name]
                for axis in ("territories_key", "media_key", "languages_key")} <= named


# ------------------------------------------------------------------ nothing of another side's

OWNED = {  # table → (the column that says whose it is, of itself or of what it belongs to)
    "mandate": None, "holdback": None, "hold": None, "option": None, "remark": None, "brief": None, "title": None,
    "books_upload": None, "webhook": None, "notice": None, "franchise": None,
    "title_name": "title", "title_synopsis": "title", "title_credit": "title", "webhook_delivery": "webhook",
    "saved_search": "person", "override": "seller", "person": "person"}
SHARED = {("person", "email"), ("person", "name"), ("title", "original_title")}  # which others read, by right


def owner(table, through):
    """The organisation a row belongs to, as SQL."""
    tables = db.metadata.tables
    if through is None:
        return table.c.organisation_id
    if through == "seller":
        offers = tables["offer"]
        return select(offers.c.seller_id).where(offers.c.id == table.c.offer_id).scalar_subquery()
    if through == "person":
        memberships = tables["membership"]
        mine = table.c.id if table.name == "person" else table.c.person_id
        return select(memberships.c.organisation_id).where(memberships.c.person_id == mine).scalar_subquery()
    above = tables[through]
    return select(above.c.organisation_id).where(above.c.id == table.c[f"{through}_id"]).scalar_subquery()


def write_canaries() -> set[tuple[str, str]]:
    """Every text that people write says of what row it is, and whose."""
    written = set()
    for name, through in OWNED.items():
        table = db.metadata.tables[name]
        columns = [each for each in table.c if isinstance(each.type, String | Text) and not each.foreign_keys
                   and (each.type.length is None or each.type.length >= 100)]
        db.session.execute(update(table).values({each.name: (
            literal(f"canary {name} {each.name} of ") + cast(owner(table, through), String) + literal(" row ")
            + cast(table.c.id, String) + literal(".")) for each in columns}))
        written |= {(name, each.name) for each in columns if not SECRET.search(each.name)}
    db.session.commit()
    return written


@pytest.mark.parametrize("email", HOUSES)
def test_no_word_that_another_side_keeps_inside_is_in_it_and_every_one_of_its_own_is(world, email):
    with world.app_context():
        house = viewer(email).organisation_id
        written = write_canaries()
        everything = "".join(files.as_json(db.engine, house))
        found = re.findall(r"canary (\w+) (\w+) of (\d+) row (\d+)\.", everything)
        others = {(table, column) for table, column, whose, _ in found if int(whose) != house}
        assert others <= SHARED
        own = {(table, column, int(row)) for table, column, whose, row in found if int(whose) == house}
        for name, column in written:
            table = db.metadata.tables[name]
            rows = db.session.scalars(select(table.c.id).where(owner(table, OWNED[name]) == house))
            assert {(name, column, row) for row in rows} <= own, (name, column)


def test_drafts_papers_and_terms_of_another_side_are_not_in_it(world):
    with world.app_context():
        seller, other = taken(MANAGER), taken(OTHER)
        text, theirs = json.dumps(seller), json.dumps(other)
        assert "7654321" not in text and "7654321" in theirs, "a draft is its author's"
        drafted = db.session.scalar(select(Offer.id).where(Offer.buyer_id == viewer(OTHER).organisation_id).order_by(
            Offer.id.desc()))
        assert str(drafted) not in {each["id"] for each in seller["tables"]["offer"]}
        assert not seller["tables"]["basket_line"] and other["tables"]["basket_line"]
        buyer = taken(BUYER)["tables"]
        assert not buyer["override"] and not buyer["approval"] and not buyer["mandate"] and not buyer["holdback"]
        assert {each["organisation_id"] for each in buyer["licence_bought"]} and "external_id" not in str(
            buyer["licence_bought"][0].keys())


def test_what_is_a_persons_own_stays_theirs_where_they_belong_to_two(world):
    with world.app_context():
        both_houses = viewer(BUYER).person_id
        assert taken(BUYER)["tables"]["saved_search"]
        db.session.add(Membership(person_id=both_houses, roles=["buyer"],
                                  organisation_id=viewer(RIVAL).organisation_id))
        db.session.commit()
        for email in (BUYER, RIVAL):
            assert not [each for each in taken(email)["tables"]["saved_search"]
                        if each["person_id"] == str(both_houses)]


# ------------------------------------------------------------------ the two forms

HOSTILE = ("=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠A1")


def test_no_cell_is_computed_whatever_is_written_in_it():
    file = io.BytesIO()
    rows = [[text, "a\x00b\x0bc\ud800", "x" * 40_000] for text in HOSTILE]
    sheets.write(file, [("a sheet with a name that is much too long for it", HOSTILE[:3], rows)])
    sheet = load_workbook(file).worksheets[0]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert len(cells) == 3 + 3 * len(HOSTILE) and {cell.data_type for cell in cells} == {"s"}
    assert [row[0].value[0] for row in sheet.iter_rows(min_row=2)] == ["'"] * len(HOSTILE)
    assert cells[-1].value.endswith(sheets.CUT) and cells[-2].value == "a\ufffdb\ufffdc\ufffd"
    assert all(sheets.readable(each) == f"'{each}" for each in HOSTILE) and sheets.readable("a=1") == "a=1"


def test_what_does_not_fit_a_sheet_goes_on_in_another(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 4)
    file = io.BytesIO()
    sheets.write(file, [("rows", ["n"], [[each] for each in range(7)]), ("more", ["n"], [])])
    book = load_workbook(file)
    assert [[cell.value for cell in each["A"]] for each in book.worksheets] == [
        ["n", 0, 1, 2], ["n", 3, 4, 5], ["n", 6], ["n"]]


def test_the_workbook_has_the_rows_of_the_json(world):
    with world.app_context():
        db.session.execute(update(Title).values(original_title="=1+1"))
        db.session.commit()
        data = taken(MANAGER)["tables"]
        book = load_workbook(io.BytesIO(b"".join(files.as_xlsx(db.engine, viewer(MANAGER).organisation_id))))
        assert book.sheetnames == list(data)
        for sheet in book.worksheets:
            assert sheet.max_row == len(data[sheet.title]) + 1, sheet.title
            assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row), sheet.title
        assert "'=1+1" in [cell.value for cell in book["title"]["E"]]


@both
def test_it_is_of_one_moment(world):
    with world.app_context():
        house = viewer(MANAGER).organisation_id
        pieces = files.as_json(db.engine, house)
        begun = [next(pieces) for _ in range(4)]
        late = titles.create(house, kind="film", original_title="Too late", status="draft")
        db.session.commit()
        text = "".join([*begun, *pieces])
        assert str(late.id) not in {each["id"] for each in json.loads(text)["tables"]["title"]}
        assert "Too late" in json.dumps(taken(MANAGER))


def test_no_more_of_it_is_held_than_some_rows(world):
    many, long = scale.at(ci=2_500, long=50_000), "x" * 4_000
    with world.app_context():
        house = viewer(MANAGER).organisation_id
        film = db.session.scalar(select(Title.id).where(Title.organisation_id == house))
        db.session.execute(Synopsis.__table__.insert(), [
            {"title_id": film, "language": "en", "text": long} for _ in range(many)])
        db.session.commit()
        with held() as most:
            size = sum(map(len, files.as_json(db.engine, house)))
        assert size > many * len(long) > 8 << 20 and most() < 5 << 20, most()
    with tempfile.TemporaryFile() as file, held() as most:
        sheets.write(file, [("rows", ["text"], ([long] for _ in range(many)))])
    assert most() < 5 << 20, most()


@contextmanager
def held():
    """How to ask for the most bytes that were held at once."""
    peak = []
    tracemalloc.start()
    try:
        yield lambda: peak[0]
    finally:
        peak.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()


# ------------------------------------------------------------------ who may

def test_an_administrator_takes_it_out_over_the_api_and_that_is_noted(world):
    admin = Caller(world, MANAGER)
    answer = admin.post("/data", {"as": "json"})
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    assert {"title", "offer"} <= set(json.loads(answer.data)["tables"])
    book = admin.post("/data", {"as": "xlsx"})
    assert book.mimetype == sheets.XLSX and "title" in load_workbook(io.BytesIO(book.data)).sheetnames
    assert admin.post("/data", {"as": "pdf"}).status_code == 422
    assert admin.post("/data", {}, Idempotency_Key="k").status_code == 422
    assert Caller(world, AGENT).post("/data").status_code == 403 and Caller(world).post("/data").status_code == 401
    with world.app_context():
        noted = db.session.scalars(select(AuditRow).where(AuditRow.action == "data taken out")).all()
        assert [each.after["as"] for each in noted] == ["json", "xlsx"]
        assert {each.person_id for each in noted} == {viewer(MANAGER).person_id}


def test_on_its_page_too_and_nobody_else(world):
    admin = Visitor(world, BUYER)
    assert "/data" in words(admin.get("/account")) and "offer line" in words(admin.get("/data"))
    answer = admin.submit("/data", {"as": "json"})
    assert json.loads(answer.data)["organisation_id"] and "attachment" in answer.headers["Content-Disposition"]
    assert load_workbook(io.BytesIO(admin.submit("/data", {"as": "xlsx"}).data)).sheetnames
    assert admin.submit("/data", {"as": ""}).status_code == 422
    agent = Visitor(world, AGENT)
    assert agent.get("/data").status_code == 403 and "/data" not in words(agent.get("/account"))
    assert agent.submit("/data", {"as": "json"}, form="/account").status_code == 403
    with world.app_context():
        assert db.session.scalar(select(func.count()).select_from(Upload)) == 1
        assert db.session.scalar(select(func.count()).select_from(Brief)) and db.session.scalar(
            select(func.count()).select_from(Notice))
