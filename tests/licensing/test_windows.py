"""Licences after they were granted: the list, the spreadsheet, the calendar of windows, and the alerts."""
import csv
import io
from datetime import date, datetime, timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import func, select

from catalogue import links, titles
from catalogue.models import LinkKind
from core import clock
from core.database import db
from licensing import avails, contracts, mandates, promises, terms
from licensing.after import alerts, calendar, windows
from licensing.after.models import Alert
from licensing.models import Line
from licensing.rights.availability import Verdict
from licensing.rights.blocks import Block
from licensing.rights.dates import Dates
from search import worker
from seed import line
from tests.conftest import Caller, both
from tests.licensing.deals import AGENT, BUYER, MANAGER, OPERATOR, OTHER, RIVAL, signed, title, viewer
from tests.test_pages import Visitor

TODAY = clock.today()


def licence(film, *args, to=None, name="Kanal Mitte", contract=None, **more):
    titles.lock([film.id])
    buyer = viewer(to) if to else None
    return contracts.grant(film.organisation_id, [(film, terms.read({**line(*args, **more)}))], recording=True,
                           licensee_id=buyer and buyer.organisation_id, contract=contract,
                           licensee_name=buyer.organisation_name if buyer else name)


def days(number):
    return (TODAY + timedelta(days=number)).isoformat()


def listed(email, **filters):
    return [(row.line.title.original_title, row.other, row.standing)
            for row in windows.rows(db.session.scalars(windows.listing(viewer(email), **filters)).all(), viewer(email))]


@pytest.fixture
def house(world):
    """Harbour with one film of each standing; Sakura bought the two that are in force or coming."""
    with world.app_context():
        for name, starts, ends, to in (("running", -10, 40, BUYER), ("coming", 10, 400, BUYER), ("over", -90, -1, None),
                                       ("for ever", -10, None, None)):
            licence(title(name=name), "DE", "svod", days(starts), ends and days(ends), to=to, contract=f"X-{name}")
        gone = licence(title(name="gone"), "DE", "svod", days(5), days(90))
        contracts.terminate(gone, TODAY, "Never began.")
        db.session.commit()
    return world


@pytest.fixture
def inside(house):
    with house.app_context():
        yield house


# ------------------------------------------------------------------ the list

def test_both_sides_see_their_licences_and_nobody_elses(inside):
    assert {("running", "Sakura TV", "in force"), ("for ever", "Kanal Mitte", "in force")} <= set(listed(AGENT))
    assert [each for each in listed(BUYER) if each[0] in ("running", "coming")] == [
        ("running", "Harbour Pictures", "in force"), ("coming", "Harbour Pictures", "coming")]
    for email in (OTHER, RIVAL, OPERATOR):
        assert not {"running", "coming", "over", "gone", "for ever"} & {each[0] for each in listed(email)}


@pytest.mark.parametrize("filters, names", [
    ({}, {"running", "coming", "for ever"}), ({"standing": "in_force"}, {"running", "for ever"}),
    ({"standing": "coming"}, {"coming"}), ({"standing": "ended"}, {"over", "gone"}),
    ({"standing": "all"}, {"running", "coming", "over", "gone", "for ever"}), ({"words": "x-RUNN"}, {"running"}),
    ({"words": "kanal", "standing": "all"}, {"over", "for ever", "gone"}), ({"words": "100%"}, set()),
    ({"ends_by": TODAY + timedelta(days=40)}, {"running"}), ({"side": "bought"}, set())])
def test_the_list_can_be_sifted(inside, filters, names):
    own = {"running", "coming", "over", "gone", "for ever"}
    assert {each[0] for each in listed(AGENT, **filters)} & own == names


def test_what_ends_first_stands_first(inside):
    ends = [each.ends_on or date.max for each in db.session.scalars(windows.listing(viewer(AGENT)))]
    assert ends == sorted(ends)


def test_a_licence_that_was_ended_is_listed_to_its_new_last_day_once(world):
    with world.app_context():
        made = licence(title(name="cut"), "DE", "svod", days(-10), days(300))
        contracts.terminate(made, TODAY + timedelta(days=20), "Cut.")
        assert [each for each in listed(AGENT, standing="all") if each[0] == "cut"] == [
            ("cut", "Kanal Mitte", "in force")]
        assert {each.ends_on for each in db.session.scalars(windows.listing(viewer(AGENT), words="cut"))} == {
            TODAY + timedelta(days=19)}


def test_the_list_takes_the_same_number_of_queries_however_long_it_is(inside):
    from sqlalchemy import event

    def counted():
        seen = []
        event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        db.session.expunge_all()
        listed(AGENT)
        return len(seen)
    few = counted()
    for number in range(20):
        licence(title(name=f"more {number}"), "DE", "svod", days(-1), days(100))
    db.session.commit()
    assert counted() <= few + 1


def test_the_spreadsheet_says_the_same_and_computes_nothing(house):
    with house.app_context():
        licence(title(name="=1+1"), "DE,AT", "svod,pay_tv", "2027-01-01", "2028-12-31", name="@SUM(A1)",
                languages="de:dub")
        db.session.commit()
    path = "/licences.csv?q=1%2B1"
    for answer in (Caller(house, AGENT).get(path), Visitor(house, AGENT).get(path)):
        assert answer.mimetype == "text/csv"
        row, = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")))
        assert (row["title"], row["licensee"]) == ("'=1+1", "'@SUM(A1)")
        assert (row["territories"], row["media"], row["languages"]) == ("AT,DE", "pay_tv,svod", "de:dub")
        assert (row["starts_on"], row["ends_on"], row["standing"]) == ("2027-01-01", "2028-12-31", "coming")


def test_filters_that_cannot_be_read_are_named(house):
    for path in ("/licences.csv?standing=maybe", "/licences.csv?ends_by=soon", "/licences.ics?side=left"):
        assert Caller(house, AGENT).get(path).status_code == 422
    page = Visitor(house, AGENT).get("/licences?ends_by=soon")
    assert page.status_code == 422 and "Write the day as" in page.text
    assert Visitor(house, OPERATOR).get("/licences").status_code == 403


def test_the_page_shows_each_side_its_own(house):
    page = Visitor(house, BUYER).get("/licences").text
    assert "running" in page and "for ever" not in page
    assert "running" not in Visitor(house, OTHER).get("/licences").text


# ------------------------------------------------------------------ the calendar

def read(data):
    return {str(each["summary"]): each for each in Calendar.from_ical(data).walk("VEVENT")}


def test_the_calendar_is_read_by_others_as_whole_days(house):
    found = read(Caller(house, BUYER).get("/licences.ics").data)
    event = found["running: Licence from Harbour Pictures"]
    assert event["dtstart"].dt == TODAY - timedelta(days=10) and event["dtend"].dt == TODAY + timedelta(days=41)
    own = read(Visitor(house, AGENT).get("/licences.ics").data)
    endless = own["for ever: Licence to Kanal Mitte"]
    assert endless["dtend"].dt - endless["dtstart"].dt == timedelta(days=1)
    assert "in perpetuity" in endless["description"]
    assert any(name.endswith(": Mandate") for name in own) and not any(name.endswith(": Mandate") for name in found)


def test_lines_are_folded_and_escaped(house):
    name = "霧,;\\ 長い題名" * 12
    with house.app_context():
        licence(title(name=name), "DE", "svod", days(1), days(2), name="A\r\nBEGIN:VEVENT")
        db.session.commit()
    data = Caller(house, AGENT).get("/licences.ics").data
    assert all(len(each) <= 75 for each in data.split(b"\r\n")) and b"\n" not in data.replace(b"\r\n", b"")
    assert f"{name}: Licence to A\nBEGIN:VEVENT" in read(data)
    assert data.count(b"\r\nBEGIN:VEVENT\r\n") == len(Calendar.from_ical(data).walk("VEVENT"))


def test_a_window_keeps_its_uid_when_its_end_moves_and_no_two_share_one(world):
    with world.app_context():
        offer_id = signed((title(name="moves", language="yue"), "ja:sub"))
        before = {each.uid: each for each in windows.events(viewer(MANAGER))}
        assert len(before) == len(windows.events(viewer(MANAGER)))
        line_ = db.session.scalar(select(Line).join(Line.licence).where(contracts.Licence.offer_id == offer_id))
        contracts.terminate(line_.licence, date(2028, 1, 1), "Cut.")
        after = {each.uid: each for each in windows.events(viewer(MANAGER))}
        assert before.keys() == after.keys()
        moved, = [uid for uid in before if before[uid].ends_on != after[uid].ends_on]
        assert (before[moved].ends_on, after[moved].ends_on) == (date(2029, 12, 31), date(2027, 12, 31))
        assert after[moved].stamp > before[moved].stamp


def test_the_same_windows_are_the_same_file_at_any_hour(house):
    first = Caller(house, BUYER).get("/licences.ics").data
    with clock.stopped_at(clock.now() + timedelta(hours=1)):
        assert Caller(house, BUYER).get("/licences.ics").data == first


def test_the_calendar_has_no_other_windows_than_the_answer(world):
    """One engine answers everywhere: a licence's days are taken, the days around them are not, by that licence."""
    with world.app_context():
        film = title(name="door")
        licence(film, "DE", "svod", days(30), days(60))
        waits = {"event": "release", "lag_days": 10, "not_before": date(2028, 1, 1), "not_after": date(2028, 12, 31)}
        tba = {**line("FR", "svod", "2028-01-01", "2029-06-30"), "starts_tba": waits}
        titles.lock([film.id])
        contracts.grant(film.organisation_id, [(film, terms.read(tba))], licensee_id=None, licensee_name="Later",
                        recording=True)
        series = title("series", name="serial")
        season = title("season", name="first", parent=series)
        licence(series, "DE", "svod", days(30), days(60))
        for known in (None, date(2028, 5, 1)):
            if known:
                promises.happen(film, "release", known)
            checked = 0
            shown = {each.uid: each for each in windows.events(viewer(AGENT))}
            lines = db.session.scalars(select(Line).where(
                Line.title_id.in_([film.id, series.id, season.id]), Line.licence_id.is_not(None),
                Line.counts_until.is_(None))).all()
            for each in lines:
                event = shown[windows._uid(each, windows.Counter())]
                said = terms.of_row(each)
                for day, free in ((event.starts_on - timedelta(days=1), True), (event.starts_on, False),
                                  (event.ends_on, False), (event.ends_on + timedelta(days=1), True)):
                    asked = terms.Terms.of_line(said.line().__class__(
                        Block(said.territories, said.media, said.languages, Dates.between(day, day)), True))
                    found = avails.ask(each.title_id, asked).verdict
                    assert found == (Verdict.AVAILABLE if free else Verdict.UNAVAILABLE), (event, day)
                    checked += 1
            assert checked == 12
            later = next(each for each in shown.values() if "Later" in each.summary)
            assert ("tentative" in later.summary) == (known is None)
            assert later.starts_on == (date(2028, 5, 11) if known else date(2028, 1, 1))


def test_a_mandates_window_is_where_rights_are(world):
    with world.app_context():
        film = title(name="mandated", parent=None)
        titles.lock([film.id])
        for old in mandates.listing(film):
            mandates.end(old, TODAY, "Anew.")
        mandates.record(film, terms.read(line("DE", "svod", days(10), days(20))))
        events = [each for each in windows.events(viewer(AGENT)) if each.summary == "mandated: Mandate"]
        event = max(events, key=lambda each: each.starts_on)
        for day, there in ((9, False), (10, True), (20, True), (21, False)):
            asked = terms.read(line("DE", "svod", days(day), days(day)))
            assert (avails.ask(film.id, asked).verdict == Verdict.AVAILABLE) == there
            assert (event.starts_on <= TODAY + timedelta(days=day) <= event.ends_on) == there


def test_text_of_a_calendar_is_the_standards():
    """RFC 5545, 3.1 and 3.3.11."""
    stamp = datetime(2026, 11, 26, 8, 0, tzinfo=clock.UTC)
    said = calendar.text("A, B", [calendar.Event("u@slate", date(2027, 1, 1), date(2027, 1, 31), "x" * 100, "a;b\\c\nd",
                                                 stamp)])
    assert said.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") and said.endswith("END:VCALENDAR\r\n")
    assert "DTSTART;VALUE=DATE:20270101\r\nDTEND;VALUE=DATE:20270201\r\n" in said
    assert "DTSTAMP:20261126T080000Z\r\n" in said and "DESCRIPTION:a\\;b\\\\c\\nd\r\n" in said
    assert f"SUMMARY:{'x' * 67}\r\n {'x' * 33}\r\n" in said and "X-WR-CALNAME:A\\, B\r\n" in said


# ------------------------------------------------------------------ alerts

def sweep(app, times=1):
    for _ in range(times):
        for kind in alerts.due():
            alerts.tick(kind)
            db.session.commit()


def made(name=None):
    rows = db.session.scalars(select(Alert).order_by(Alert.id)).all()
    shown = alerts.in_words([each for each in rows if each.ends_on >= TODAY])
    return [(each.alert.organisation_id, each.alert.kind, each.alert.days) for each in shown
            if name is None or each.title.original_title == name]


@both
def test_both_sides_are_told_90_60_and_30_days_before_and_once_each(world):
    with world.app_context():
        film = title(name="ending")
        licence(film, "DE", "svod", days(-1), days(95), to=BUYER)
        db.session.commit()
        seller, buyer = viewer(AGENT).organisation_id, viewer(BUYER).organisation_id
        for later, told in ((0, []), (5, [90]), (6, [90]), (35, [90, 60]), (64, [90, 60]), (65, [90, 60, 30]),
                            (95, [90, 60, 30]), (96, [90, 60, 30])):
            with clock.stopped_at(clock.now() + timedelta(days=later)):
                sweep(world, times=2)
            assert sorted(made("ending")) == sorted((house, "licence", each) for house in (seller, buyer)
                                                    for each in told), later


def test_who_was_away_is_told_of_the_nearest_only(world):
    with world.app_context():
        licence(title(name="near"), "DE", "svod", days(-1), days(20))
        db.session.commit()
        sweep(world)
        assert made("near") == [(viewer(AGENT).organisation_id, "licence", 30)]


def test_a_mandate_is_told_to_its_seller_alone_and_a_new_end_is_told_anew(world):
    with world.app_context():
        film = title(name="mandate")
        mandate = mandates.listing(film)[0]
        titles.lock([film.id])
        mandates.end(mandate, TODAY + timedelta(days=80))
        db.session.commit()
        sweep(world)
        seller = viewer(AGENT).organisation_id
        assert made("mandate") == [(seller, "mandate", 90)]
        mandates.end(mandate, TODAY + timedelta(days=70))
        db.session.commit()
        with clock.stopped_at(clock.now() + timedelta(days=1)):
            sweep(world)
            assert made("mandate") == [(seller, "mandate", 90)] * 2
            assert [each.alert.ends_on for each in alerts.showing(viewer(AGENT))[0]
                    if each.title.original_title == "mandate"] == [TODAY + timedelta(days=69)], "the old end is gone"


@pytest.mark.parametrize("kind, said", [("first_negotiation", "option"), ("last_refusal", "refusal")])
def test_an_option_is_told_to_its_holder_and_the_seller_before_its_days_are_over(world, kind, said):
    with world.app_context():
        first, sequel = title(name="first"), title(name="second")
        holder = viewer(BUYER).organisation_id
        promises.option(first, terms.read(line("JP", "all", "2020-01-01", None)), kind=kind, organisation_id=holder,
                        days=60)
        sweep(world)
        assert not made("first"), "nothing is called upon yet"
        links.create(sequel, LinkKind.SEQUEL, first)
        db.session.commit()
        with clock.stopped_at(clock.now() + timedelta(days=1)):
            sweep(world)
        assert sorted(made("first")) == sorted((house, said, 60) for house in (holder, viewer(AGENT).organisation_id))
        words = {each.alert.organisation_id: each.words for each in alerts.untold()
                 if each.title.original_title == "first"}
        assert f" over {sequel.original_title} " in words[holder]
        assert words[holder].startswith("Your ") and words[viewer(AGENT).organisation_id].startswith("Sakura TV’s ")


def test_what_is_told_is_told_once_and_what_is_no_longer_so_is_not_told(world):
    with world.app_context():
        _, two = (licence(title(name=name), "DE", "svod", days(-1), days(50)) for name in ("one", "two"))
        db.session.commit()
        sweep(world)
        told = {each.title.original_title: each for each in alerts.untold()}
        assert told["one"].words == f"The licence to Kanal Mitte ends {alerts.wording.day(TODAY + timedelta(days=50))}"
        alerts.tell(told["one"].alert.id)
        contracts.terminate(two, TODAY + timedelta(days=10), "Cut.")
        db.session.commit()
        assert not {"one", "two"} & {each.title.original_title for each in alerts.untold()}


def test_the_workers_clock_makes_them_and_the_page_shows_them(world):
    with world.app_context():
        licence(title(name="shown"), "DE", "svod", days(-1), days(25), to=BUYER)
        db.session.commit()
        while worker.turn(world.extensions["index"]):
            pass
        before = db.session.scalar(select(func.count()).select_from(Alert))
        worker.turn(world.extensions["index"])
        assert db.session.scalar(select(func.count()).select_from(Alert)) == before
    for email, words in ((AGENT, "The licence to Sakura TV ends"), (BUYER, "The licence from Harbour Pictures ends")):
        page = Visitor(world, email).get("/licences").text
        assert words in page and "25 days" in page
    assert "Sakura TV" not in Visitor(world, OTHER).get("/licences").text
