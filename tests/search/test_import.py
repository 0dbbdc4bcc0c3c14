"""flask import: the corpus and its like come in whole, each bad row is named, and doing it again changes nothing."""
import csv
import json
import os
import pty
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
import unicodedata
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

import seed
from accounts import people
from catalogue import titles
from catalogue.models import Credit, Franchise, Link, Name, Status, Title
from core import outbox
from core.database import db
from licensing import checks, contracts, mandates, terms
from licensing.models import Licence, Line, Mandate
from search import worker
from tests.conftest import both
from tests.scale import LONG, at
from tests.search.judged import JUDGED

ROOT = Path(__file__).parents[2]
FILM = {"id": "a:1", "source": "test", "kind": "film", "original_title": "霧の港", "original_language": "ja",
        "titles": [{"lang": "ja-hrkt", "value": "キリノミナト", "type": "reading"},
                   {"lang": "ja", "value": "霧の港", "type": "main"},
                   {"lang": "en", "value": "Misty Harbour ", "type": "translation"},
                   {"lang": "zh-Hant", "value": "霧港", "type": "alias", "src": "test"},
                   {"lang": "zh-Hans", "value": "雾港"}],
        "year": 1999, "countries": ["JP"], "genres": ["Drama", "Noir"], "synopsis": "A boat\ndoes not come back.",
        "synopsis_lang": "en", "cast": ["【船長】山本太郎", "【】鈴木花子", "】佐藤一"],
        "crew": [{"role": "監督", "name": "小林正"}],
        "companies": [{"role": "production:製作", "name": "港映画"},
                      {"role": "distributor_or_publisher", "name": "松東"}],
        "runtime_min": 96, "external_ids": {"mal": "77", "tmdb": "tv/5"},
        "episodes": [{"number": "第1話", "title": "出航"}, {"number": None, "title": "帰港"}], "license": "none"}
RELATIONS = ["from_id", "type", "to_id"]
AVAILABILITY = ["title_id", "service", "service_name", "service_title_id", "territories", "begin", "end"]
SHOWN = ["a:1", "tube", "Tube 管", "T-1", "HK|MO|TW", "2020-12-31T23:30:00-02:00", ""]
WHEN = ("created_at", "updated_at", "recorded_at", "counts_from", "at", "hash")
CJK = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")


def a_film(number, **more):
    return {"id": f"a:{number}", "kind": "film", "original_title": f"Film {number}", "original_language": "en",
            "year": 2000, **more}


def write(folder, films=(), relations=None, availability=None):
    """The files of a folder from rows; returns the folder."""
    folder.mkdir(exist_ok=True)
    if films:
        (folder / "titles.jsonl").write_text("".join(f"{json.dumps(film)}\n" for film in films), encoding="utf-8")
    for name, header, rows in (("relations.csv", RELATIONS, relations), ("availability.csv", AVAILABILITY,
                                                                         availability)):
        if rows is not None:
            with (folder / name).open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([header, *rows])
    return folder


def load(app, *words, status=0):
    """Run the command. Whatever it is given it ends with a status and with words that leave the terminal alone."""
    result = app.test_cli_runner().invoke(args=["import", *map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise AssertionError("".join(traceback.format_exception(*result.exc_info)))
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    assert all(char.isprintable() or char == "\n" for char in result.output), result.output
    return result.output


def remarks(app):
    """What the report of the last run says, a line each."""
    return (Path(app.config["INSTANCE"]) / "import-report.txt").read_text(encoding="utf-8").splitlines()


def refused(app):
    """(file:line, field) of each row that did not load."""
    return [tuple(line.split(" ")[1:3]) for line in remarks(app) if line.startswith("error: ")]


def everything(app, but=()):
    """Every row of every table, but columns or tables with these names."""
    with app.app_context():
        return {name: sorted(map(repr, db.session.execute(select(*[
            column for column in table.columns if column.name not in but])))) for name, table in
            db.metadata.tables.items() if name not in but}


def count(what):
    return db.session.scalar(select(func.count()).select_from(what))


def amount(app, *what):
    with app.app_context():
        return tuple(map(count, what))


def a_title(external_id):
    return db.session.scalar(select(Title).where(Title.external_id == external_id))


@pytest.fixture
def house(fresh):
    """An application with one seller."""
    app = fresh()
    with app.app_context():
        people.found("House", ["seller"])
        db.session.commit()
    return app


# ------------------------------------------------------------------ what comes in

def test_a_row_becomes_a_title_with_its_names_credits_companies_and_episodes(house, tmp_path):
    said = load(house, write(tmp_path / "in", [FILM]))
    assert re.search(r"1 titles created\n1 rows in [\d.]+ s, [\d,]+ rows a second\. 1 changes indexed\.\n\Z", said)
    with house.app_context():
        title = a_title("a:1")
        assert (title.kind, title.status, title.original_title, title.original_language, title.year) == (
            "film", Status.PUBLISHED, "霧の港", "ja", 1999)
        assert [(name.language, name.value, name.kind) for name in title.names] == [
            ("ja", "霧の港", "original"), ("ja-hrkt", "キリノミナト", "transliteration"),
            ("en", "Misty Harbour", "translated"), ("zh-Hant", "霧港", "alias"), ("zh-Hans", "雾港", "translated")]
        assert [(credit.role, credit.name) for credit in title.credits] == [
            ("cast", "【船長】山本太郎"), ("cast", "鈴木花子"), ("cast", "佐藤一"), ("監督", "小林正"),
            ("製作", "港映画"), ("distributor", "松東")]
        assert title.episodes == [{"number": "第1話", "name": "出航"}, {"number": None, "name": "帰港"}]
        assert title.synopsis == {"en": "A boat\ndoes not come back."}
        assert (title.countries, title.genres, title.runtime_minutes, title.identifiers, title.tags) == (
            ["JP"], ["Drama", "Noir"], 96, {"mal": "77", "tmdb": "tv/5"}, [])
        assert house.extensions["index"].find("雾港") == [title.id], "the index is caught up"
        assert (outbox.waiting(), worker.differences(house.extensions["index"])) == (0, [])


def test_kinds_that_are_not_ours_are_loaded_as_the_nearest_and_kept_as_tags(house, tmp_path):
    kinds = ["ova", "web_series", "special", "series", "film"]
    load(house, write(tmp_path / "in", [a_film(number, kind=kind) for number, kind in enumerate(kinds)]))
    with house.app_context():
        assert [(each.kind, each.tags) for each in db.session.scalars(select(Title).order_by(Title.id))] == [
            ("special", ["ova"]), ("series", ["web_series"]), ("special", []), ("series", []), ("film", [])]


def test_links_take_our_words_and_a_part_of_a_work_joins_a_franchise_without_a_link(house, tmp_path):
    said = load(house, write(tmp_path / "in", map(a_film, range(1, 6)), [
        ["a:2", "continuation_of", "a:1"], ["a:3", "spinoff_of", "a:1"], ["a:4", "remake_of", "a:1"],
        ["a:4", "part_of_work", "C 7"], ["a:5", "part_of_work", "C 7"]]))
    assert "3 links created" in said and "2 titles joined to a franchise" in said
    with house.app_context():
        assert [(link.title_id, link.kind, link.target_id) for link in db.session.scalars(select(Link))] == [
            (2, "sequel_of", 1), (3, "spin_off_of", 1), (4, "remake_of", 1)]
        (franchise,) = db.session.scalars(select(Franchise))
        assert franchise.external_id == "C 7"
        assert db.session.scalars(select(Title.id).where(Title.franchise_id == franchise.id)).all() == [4, 5]


def test_a_service_that_shows_a_title_is_a_licence_under_the_mandate_that_the_import_gives(house, tmp_path):
    load(house, write(tmp_path / "in", [FILM, a_film(2)], availability=[SHOWN]), "--mandate")
    with house.app_context():
        (licence,) = db.session.scalars(select(Licence))
        (line,) = licence.lines
        assert (licence.licensee_name, licence.licensee_id, licence.contract) == ("Tube 管", None, "T-1")
        assert line.title_id == a_title("a:1").id
        assert line.written == {"territories": ["HK", "MO", "TW"], "media": ["svod"], "languages": ["*"]}
        assert (line.starts_on, line.ends_on, line.exclusive) == (date(2021, 1, 1), None, False), "its day in UTC"
        given = [line for mandate in db.session.scalars(select(Mandate)) for line in mandate.lines]
        assert {line.title_id for line in given} == {a_title("a:1").id, a_title("a:2").id}
        assert {(str(line.written), line.starts_on, line.ends_on, line.exclusive) for line in given} == {
            (str({"territories": ["World"], "media": ["all"], "languages": ["*"]}), date(1900, 1, 1), None, True)}
        assert checks.outside_mandates() == checks.sold_twice() == []


def test_a_mandate_is_given_on_the_titles_of_the_files_and_on_no_others(house, tmp_path):
    with house.app_context():
        titles.create(1, kind="film", original_title="By hand", external_id="a:9", status="published")
        db.session.commit()
    folder = write(tmp_path / "in", [a_film(1), a_film(2)], availability=[SHOWN])
    load(house, folder / "titles.jsonl", "--mandate")
    with house.app_context():
        assert {mandate.title.external_id for mandate in db.session.scalars(select(Mandate))} == {"a:1", "a:2"}
    write(folder, availability=[["a:9", *SHOWN[1:]]])
    load(house, folder / "availability.csv", "--mandate")
    assert amount(house, Mandate, Licence) == (3, 1), "a file of licences names its titles too"


def test_a_missing_year_is_a_warning_and_silence_is_never_all(house, tmp_path):
    said = load(house, write(tmp_path / "in", [a_film(1, year=None)], availability=[
        [*SHOWN[:4], "", SHOWN[5], ""], [*SHOWN[:5], "", ""], [*SHOWN[:4], " ", "", ""]]), "--mandate")
    assert "titles.jsonl:1 year: is missing; the title is loaded without it." in said
    assert "3 rows are left out by rule" in said
    for place, field in ((2, "territories"), (3, "begin"), (4, "territories")):
        assert f"availability.csv:{place} {field}: is empty, and silence is never all: Tube 管 on a:1 is not" in said
    assert amount(house, Title, Licence) == (1, 0)


def test_other_files_of_the_folder_are_left_alone(house, tmp_path):
    folder = write(tmp_path / "in", [FILM])
    for name in ("companies.csv", "services.csv", "cross_source_matches.csv", "territory_containment.csv",
                 "queries_12.jsonl", "SOURCES.md"):
        (folder / name).write_bytes(b"\0\xff not for us \0")
    assert load(house, folder).startswith("titles.jsonl for House\n")
    assert refused(house) == []


def test_the_seller_is_the_one_that_is_named(world, tmp_path):
    folder = write(tmp_path / "in", [a_film(1)])
    assert "for Lotus Sales" in load(world, folder, "--seller", "lotus sales")
    with world.app_context():
        lotus = people.organisation_named("Lotus Sales")
        assert a_title("a:1").organisation_id == lotus.id
    assert "1 titles unchanged" in load(world, folder, "--seller", lotus.id)
    for nobody in ("%", "²", "9" * 30, "Sakura TV"):
        assert "There are: Harbour Pictures, Lotus Sales." in load(world, folder, "--seller", nobody, status=2)


def test_without_a_seller_or_without_tables_it_says_what_to_do(app, tmp_path):
    folder = write(tmp_path / "in", [a_film(1)])
    assert "There is no seller yet" in load(app, folder, status=2)
    with app.app_context():
        db.drop_all()
    assert "no such table" in load(app, folder, status=1)


def test_what_comes_in_by_file_leaves_the_same_rows_as_what_a_person_records(fresh, tmp_path):
    apps = by_file, by_hand = fresh(), fresh()
    for app in apps:
        with app.app_context():
            people.found("House", ["seller"])
            db.session.commit()
    load(by_file, write(tmp_path / "in", [FILM, a_film(2)], availability=[SHOWN, ["a:2", "other", *SHOWN[2:]]]),
         "--mandate")
    with by_hand.app_context():
        made = [titles.create(
            1, external_id="a:1", kind="film", status="published", original_title="霧の港", original_language="ja",
            year=1999, runtime_minutes=96, countries=["JP"], genres=["Drama", "Noir"], tags=[],
            identifiers=FILM["external_ids"], synopsis={"en": FILM["synopsis"]},
            episodes=[{"number": "第1話", "name": "出航"}, {"number": None, "name": "帰港"}],
            titles=[{"language": language, "value": value, "kind": kind} for language, value, kind in (
                ("ja-hrkt", "キリノミナト", "transliteration"), ("en", "Misty Harbour", "translated"),
                ("zh-Hant", "霧港", "alias"), ("zh-Hans", "雾港", "translated"))],
            credits=[{"role": role, "name": name} for role, name in (
                ("cast", "【船長】山本太郎"), ("cast", "鈴木花子"), ("cast", "佐藤一"), ("監督", "小林正"),
                ("製作", "港映画"), ("distributor", "松東"))]),
                titles.create(1, external_id="a:2", kind="film", status="published", original_title="Film 2",
                              original_language="en", year=2000)]
        titles.lock([title.id for title in made])
        for title in made:
            mandates.record(title, terms.read(seed.line("World", "all", "1900-01-01", None)), contract="Import",
                            external_id="import")
        titles.lock([title.id for title in made])
        for title, service in zip(made, ("tube", "other"), strict=True):
            said = terms.read(seed.line("HK,MO,TW", "svod", "2021-01-01", None, exclusive=False))
            key = "|".join([title.external_id, service, *SHOWN[3:6]])
            contracts.grant(1, [(title, said)], licensee_id=None, licensee_name="Tube 管", contract="T-1",
                            external_id=key, recording=True)
        assert worker.catch_up(by_hand.extensions["index"]) == 2
        db.session.commit()
    assert everything(by_file, but=WHEN) == everything(by_hand, but=WHEN)
    assert by_file.extensions["index"].stamps() == by_hand.extensions["index"].stamps()


# ------------------------------------------------------------------ bad rows

WRONG = [5, 1.5, True, ["a"], {"a": "b"}, "a\x07b", "a\x00b", "\ud800", "\x1b[31mred", "x" * 30_000]
NO_LIST = [5, 1.5, True, "text", {"a": 1}, [None], [5], [[]], ["\x7f"], ["x" * 301], [{"name": "\x00"}]]


def bad_films():
    """(field, row) for rows that must not load, each for one reason."""
    def wrong(name, values, where=None):
        return [(where or name, {**FILM, "id": f"b:{name}:{number}", name: value})
                for number, value in enumerate(values)]

    def inside(name, key, values):
        return wrong(name, [[{**FILM[name][0], key: value}] for value in values], f"{name}.{key}")

    for name in ("id", "kind", "original_title"):
        yield from wrong(name, [*WRONG, None, "", " \t\n"])
    yield from wrong("id", ["x" * 201])
    yield from wrong("kind", ["movie", "Film"])
    yield from wrong("original_title", ["x" * 501])
    for name in ("original_language", "synopsis_lang"):
        yield from wrong(name, [*WRONG, "日本語", "en_US", "english-", "en-abcdefgh-abcdefgh1"])
    yield from wrong("synopsis", WRONG)
    yield from wrong("year", ["1999", 1999.0, float("nan"), float("inf"), True, [], {}, 10**30, -1, 1869, 2101])
    yield from wrong("runtime_min", ["96", 9.6, True, [], {}, 10**30, -1, 100_001])
    for name, most in (("countries", 50), ("genres", 50), ("cast", 2000)):
        yield from wrong(name, [*NO_LIST, ["ZZ"] * (most + 1)])
    yield from wrong("countries", [["jp"], ["JPN"], ["日本"]])
    for name, most in (("titles", 200), ("crew", 2000), ("companies", 2000), ("episodes", 5000)):
        yield from wrong(name, [5, 1.5, True, "text", {"a": 1}, [None], [5], [[]], ["text"], [{}] * (most + 1)])
    yield from inside("titles", "value", [*WRONG, None, "", "x" * 501])
    yield from inside("titles", "lang", [*WRONG, "日本語", "x"])
    yield from inside("titles", "type", [*WRONG, "official"])
    for name in ("crew", "companies"):
        yield from inside(name, "role", [*WRONG, "x" * 101])
        yield from inside(name, "name", [*WRONG, "x" * 301])
    yield from inside("episodes", "number", [*WRONG, "x" * 41])
    yield from inside("episodes", "title", [*WRONG, "x" * 501])
    yield from wrong("external_ids", [5, 1.5, True, "text", [], {"a": 5}, {"": "a"}, {"x" * 41: "a"}, {"a\x00": "a"},
                                      {"a": "\x07"}, {"a": "x" * 201}, {"a": {"b": "c"}}])


@both
def test_each_field_that_is_wrong_is_named_and_the_good_rows_load(house, tmp_path):
    bad = list(bad_films())
    rows = [row for number, (_, row) in enumerate(bad) for row in (row, a_film(number))]
    said = load(house, write(tmp_path / "in", rows), status=1)
    assert f"{len(bad):,} rows were not loaded" in said and f"{len(bad):>8,} titles created" in said
    assert refused(house) == [(f"titles.jsonl:{2 * number + 1}", f"{where}:") for number, (where, _) in enumerate(bad)]
    assert amount(house, Title) == (len(bad),)


@both
def test_what_is_just_within_the_limits_loads_as_it_is(house, tmp_path):
    most = {"id": "x" * 200, "kind": "ova", "original_title": "霧" * 500, "original_language": "en-abcdefgh-abcdefgh",
            "titles": [{"lang": "ja", "value": "𠮷" * (300 + number), "type": "alias"} for number in (1, 200)] + [
                {"lang": "ja", "value": f"別名 {number}", "type": "alias"} for number in range(198)],
            "year": 2100, "countries": ["JP"] * 50, "genres": ["x" * 60] * 50, "synopsis": "港" * 20_000,
            "synopsis_lang": "zh-Hant-HK", "cast": ["x" * 300] * 2000, "crew": [{"role": "x" * 100, "name": "x" * 300}],
            "companies": [], "runtime_min": 100_000, "external_ids": {"x" * 40: "x" * 200},
            "episodes": [{"number": "x" * 40, "title": "x" * 500}] * 10, "franchise": {"not": "read"}}
    shown = [*["x" * 200] * 4, "HK|" * 500 + "TW", "2999-12-31", ""]
    folder = write(tmp_path / "in", [most, a_film(2, year=1870, runtime_min=1)],
                   [["x" * 200, "part_of_work", "y" * 200]], [shown])
    load(house, folder, "--mandate")
    assert refused(house) == []
    with house.app_context():
        title = a_title("x" * 200)
        assert [name.value for name in title.names[1:]] == [each["value"] for each in most["titles"]]
        assert (title.synopsis, len(title.credits), title.episodes[0]["number"]) == (
            {"zh-Hant-HK": most["synopsis"]}, 2001, "x" * 40)
    assert "1 licences unchanged" in load(house, write(folder, availability=[
        shown, [*shown[:4], f"{shown[4]}|JP", *shown[5:]]]), "--mandate")
    assert amount(house, Licence) == (2,), "two rows that differ late are two licences"


def test_lines_that_cannot_be_read_are_named_and_the_others_load(house, tmp_path):
    folder, good = write(tmp_path / "in"), [json.dumps(a_film(number)).encode() for number in range(12)]
    lines = [b"\xef\xbb\xbf" + good[0] + b"\r", b"", good[1], b'{"id": "b:1", "kind": "fi', good[2],
             b"\xff\xfe" + good[3], b"   ", b"[1, 2]", b"null", b"5", good[4], b"[" * 100_000,
             b'{"year": ' + b"9" * 5000 + b"}", good[5], b'{"id": "b:2", "kind": "' + b"x" * 5_000_000 + b'"}', good[6],
             b"\0\0\0", good[7], b"nothing", b'{"id": "b:3", "original_title": "a\0b"}', good[8] + good[9],
             b"\x80" * 4_000_000, good[10], good[11]]
    (folder / "titles.jsonl").write_bytes(b"\n".join(lines))
    said = load(house, folder, status=1)
    assert refused(house) == [(f"titles.jsonl:{line}", "line:")
                              for line in (4, 6, 8, 9, 10, 12, 13, 15, 17, 19, 20, 21, 22)]
    assert "titles.jsonl:15 line: is far too long for one record; not loaded." in said
    assert "titles.jsonl:6 line: is not UTF-8 at byte 1; not loaded." in said
    with house.app_context():
        loaded = set(db.session.scalars(select(Title.external_id)))
        assert loaded == {f"a:{number}" for number in (0, 1, 2, 4, 5, 6, 7, 10, 11)}


def test_records_of_csv_are_named_by_their_first_line_and_an_open_quote_loses_its_own_line_alone(house, tmp_path):
    folder = write(tmp_path / "in", [a_film(1), a_film(2), a_film(3), a_film('"q", x'), a_film("5\nlines")])
    (folder / "relations.csv").write_bytes(
        "\ufefffrom_id, type ,to_id,evidence\r\n".encode()
        + b'a:2,sequel_of,a:1,"a ""quoted"" word,\r\n and a second line"\r\n'      # 2
        + b"\r\n"
        + b'"a:3,sequel_of,a:2,a quote is left open\r\n'                           # 5
        + b'"a:""q"", x",sequel_of,a:1,fine\r\n'
        + b"a:3,sequel_of\r\n"                                                     # 7
        + b"a:3,sequel_of,a:1,one,too many\r\n"
        + b'"a:3"x,sequel_of,a:1,\r\n'                                             # 9
        + b"a:3\xff,sequel_of,a:1,\r\n"
        + b'"a:5\nlines",remake_of,a:1,\r\n'                                       # 11
        + b"a:3,sequel_of,a:1," + b"x" * 200_000 + b"\r\n"                         # 13
        + b"a\0:3,sequel_of,a:1,\r\n"
        + b"a:3,spinoff_of,a:1,last\rline,\r\n"                                    # 15
        + b'a:3,reboot_of,a:1,"and open to the end')
    said = load(house, folder, status=1)
    assert refused(house) == [(f"relations.csv:{line}", f"{field}:") for line, field in (
        (5, "line"), (7, "line"), (8, "line"), (9, "line"), (10, "line"), (13, "line"), (14, "from_id"), (15, "line"),
        (16, "line"))]
    assert "relations.csv:5 line: is not CSV (a quote is left open); not loaded." in said
    assert "relations.csv:7 line: has 2 fields, the first line names 4; not loaded." in said
    assert amount(house, Link) == (3,)


def test_each_link_that_cannot_be_is_named(house, tmp_path):
    rows = [(["a:2", "sequel_of", "a:1"], None), (["a:3", "sequel_of", "a:2"], None),
            (["a:1", "sequel_of", "a:3"], "to_id"), (["a:3", "prequel_of", "a:1"], "to_id"),
            (["a:1", "remake_of", "a:1"], "to_id"), (["a:2", "sequel_of", "a:1"], "from_id"),
            (["b:1", "sequel_of", "a:1"], "from_id"), (["a:1", "sequel_of", "b:1"], "to_id"),
            (["", "sequel_of", "a:1"], "from_id"), (["a:1", "sequel_of", ""], "to_id"),
            (["a:1", "", "a:2"], "type"), (["a:1", "cousin_of", "a:2"], "type"), (["a:1", "\x1b[2J", "a:2"], "type"),
            (["a:1", "part_of_work", ""], "to_id"), (["a:1", "part_of_work", "x" * 201], "to_id"),
            (["a:1", "part_of_work", "C1"], None), (["a:1", "part_of_work", "C2"], "from_id"),
            (["a:4", "remake_of", "a:1"], None)]
    folder = write(tmp_path / "in", map(a_film, range(1, 5)), [row for row, _ in rows])
    said = load(house, folder, status=1)
    assert refused(house) == [(f"relations.csv:{number}", f"{field}:") for number, (_, field) in enumerate(rows, 2)
                              if field]
    assert "relations.csv:4 to_id: This would close a circle: Film 3 already follows Film 1 by other links." in said
    assert "relations.csv:18 from_id: the work that a:1 is part of stands in line 17 already; not loaded." in said
    assert amount(house, Link, Franchise) == (3, 1)
    assert "titles joined" not in load(house, folder, status=1), "two works of one title do not take turns"


def test_each_licence_that_cannot_be_is_named(house, tmp_path):
    def row(**more):
        return list({**dict(zip(AVAILABILITY, SHOWN, strict=True)), **more}.values())

    rows = [(row(), None), (row(), "row"), (row(title_id="a:7"), "title_id"), (row(title_id=""), "title_id"),
            (row(service_name=""), "service_name"), (row(service_name="x" * 201), "service_name"),
            (row(service_title_id="\x07"), "service_title_id"), (row(territories="HK|Atlantis"), "territories"),
            (row(territories="Guinea-Bisau"), "territories"), (row(territories="HK||TW"), "territories"),
            (row(territories="-HK"), "territories"), (row(territories="|".join(["HK"] * 1001)), "territories"),
            (row(territories="x" * 4001), "territories"), (row(begin="yesterday"), "begin"),
            (row(begin="2020-02-30"), "begin"), (row(begin="0001-01-01T00:00:00+14:00"), "begin"),
            (row(begin="9999-12-31T23:00:00-14:00"), "begin"), (row(begin="1700-01-01"), "begin"),
            (row(begin="1850-01-01"), "territories"), (row(end="2030-01-01"), "end"),
            (row(territories="JP", service="other"), None)]
    said = load(house, write(tmp_path / "in", [FILM], availability=[row for row, _ in rows]), "--mandate", status=1)
    assert refused(house) == [(f"availability.csv:{number}", f"{field}:") for number, (_, field) in enumerate(rows, 2)
                              if field]
    assert "availability.csv:9 territories: 'Atlantis' is no territory we know." in said
    assert "availability.csv:10 territories: 'Guinea-Bisau' is no territory we know. Did you mean GW" in said
    assert "availability.csv:20 territories: Not this seller's to license: Hong Kong + Macao + Taiwan, SVOD" in said
    assert amount(house, Licence) == (2,)


def test_what_was_sold_exclusively_or_is_in_no_mandate_is_refused_with_its_reason(house, tmp_path):
    folder = write(tmp_path / "in", [a_film(1), a_film(2)], availability=[SHOWN, ["a:2", *SHOWN[1:]]])
    assert "availability.csv:2 territories: Not this seller's to license" in load(house, folder, status=1)
    assert amount(house, Licence, Mandate) == (0, 0)
    with house.app_context():
        title = a_title("a:1")
        titles.lock([title.id])
        mandates.record(title, terms.read(seed.line("World", "all", "2000-01-01", None)))
        contracts.grant(1, [(title, terms.read(seed.line("TW", "svod", "2027-01-01", "2029-12-31")))],
                        licensee_id=None, licensee_name="Formosa", recording=True)
        db.session.commit()
    said = load(house, folder, "--mandate", status=1)
    assert "availability.csv:2 territories: Licensed: Taiwan, SVOD, 1 Jan 2027" in said
    with house.app_context():
        assert {licence.licensee_name for licence in db.session.scalars(select(Licence))} == {"Formosa", "Tube 管"}
        assert checks.sold_twice() == checks.outside_mandates() == []


def test_a_second_row_with_the_same_id_is_named_and_the_first_stays(house, tmp_path):
    said = load(house, write(tmp_path / "in", [a_film(1, kind="movie"), a_film(1, original_title="First"), a_film(2),
                                               a_film(1, original_title="Second")]), status=1)
    assert "titles.jsonl:4 id: a:1 stands in line 2 already; not loaded." in said
    with house.app_context():
        assert a_title("a:1").original_title == "First"


@pytest.mark.parametrize("name, content, words", [
    ("titles.jsonl", b"", "titles.jsonl is empty."), ("titles.jsonl", b"\n \r\n", "titles.jsonl is empty."),
    ("titles.jsonl", bytes(range(256)) * 40, "titles.jsonl is not what its name says: line 1"),
    ("titles.jsonl", json.dumps(FILM).encode("utf-16"), "line 1 is not UTF-8 at byte 1"),
    ("titles.jsonl", b"id,kind\na:1,film\n", "line 1 is not JSON"),
    ("titles.jsonl", b'[\n{"id":\n"a:1"}\n]', "line 1 is not JSON"),
    ("relations.csv", b"", "it lacks the column from_id, type, to_id; its first line names none."),
    ("relations.csv", b"title_id,end\na:1,b\n", "lacks the column from_id, type, to_id; its first line names title_id"),
    ("relations.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it lacks the column from_id"),
    ("relations.csv", json.dumps(FILM).encode(), "it lacks the column from_id"),
    ("availability.csv", b"title_id,service,begin\n", "lacks the column service_name, service_title_id, territories"),
    ("availability.csv", b'"title_id,service\n', "it lacks the column title_id")])
def test_a_file_that_is_not_what_it_says_is_one_clear_line(house, tmp_path, name, content, words):
    folder = write(tmp_path / "in", [FILM], [], [])
    (folder / name).write_bytes(content)
    before = everything(house)
    said = load(house, folder, status=1)
    assert words in said and said.startswith("Error: ") and said.endswith("Nothing was imported.\n")
    assert said.count("\n") == 1
    assert everything(house) == before


def test_a_path_that_is_none_of_ours_is_refused_with_what_it_should_be(house, tmp_path):
    folder = write(tmp_path / "in")
    (folder / "movies.jsonl").write_text("{}")
    (folder / "titles.jsonl").mkdir()
    assert "holds none of titles.jsonl, relations.csv, availability.csv" in load(house, folder, status=2)
    assert "the name says what a file holds" in load(house, folder / "movies.jsonl", status=2)
    for nowhere in (folder / "nowhere", folder / "x" / "titles.jsonl", folder / ("x" * 5000)):
        assert "does not exist" in load(house, nowhere, status=2)
    (folder / "movies.jsonl").rename(folder / "relations.csv")
    assert "relations.csv is not what its name says" in load(house, folder / "relations.csv", status=1)


def test_whatever_a_file_holds_there_is_never_a_traceback(house, tmp_path):
    """Real rows, their bytes flipped, cut, doubled and mixed."""
    folder, rng = tmp_path / "in", random.Random(5)
    rows = [[f"a:{number}", "sequel_of", f"a:{number - 1}"] for number in range(2, 6)]
    write(folder, [FILM, *map(a_film, range(2, 6))], rows, [[f"a:{number}", *SHOWN[1:]] for number in range(1, 6)])
    whole = {path: path.read_bytes() for path in folder.iterdir()}
    statuses = Counter()
    for _ in range(at(ci=40, long=1000)):
        for path, content in whole.items():
            spoiled = bytearray(content)
            for _ in range(rng.choice([0, 1, 3, 30])):
                place = rng.randrange(len(spoiled))
                spoiled[place:place + rng.choice([0, 1, 1, 9])] = rng.choice([
                    b"", b'"', b"\0", b"\n", b"\r", b",", b"{", b"]", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"null",
                    b"-1", b"9" * 400, bytes([rng.randrange(256)]), content[:50], "霧".encode()])
            path.write_bytes(spoiled)
        result = house.test_cli_runner().invoke(args=["import", str(folder), "--mandate", "--dry-run"])
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            {path.name: path.read_bytes() for path in whole}, result.exc_info)
        statuses[result.exit_code] += 1
    assert set(statuses) <= {0, 1} and statuses[1]
    assert amount(house, Title, Licence) == (0, 0)


# ------------------------------------------------------------------ again, and what people did in between

def a_folder_with_everything(folder):
    return write(folder, [FILM, *map(a_film, range(2, 7)), a_film(1)], [
        ["a:2", "continuation_of", "a:1"], ["a:3", "sequel_of", "a:2"], ["a:1", "sequel_of", "a:3"],
        ["a:4", "part_of_work", "C1"], ["a:5", "part_of_work", "C1"]],
        [SHOWN, ["a:2", *SHOWN[1:]], ["a:2", *SHOWN[1:4], "Atlantis", *SHOWN[5:]],
         ["a:2", *SHOWN[1:4], "", *SHOWN[5:]]])


@both
def test_running_it_twice_changes_nothing(house, tmp_path):
    folder = a_folder_with_everything(tmp_path / "in")
    first = load(house, folder, "--mandate", status=1)
    before, said = everything(house), remarks(house)
    second = load(house, folder, "--mandate", status=1)
    assert everything(house) == before, "no revision, no row, nothing in the outbox, no change in the log"
    assert remarks(house) == said and len(said) == 4
    for number, what in ((6, "titles"), (2, "links"), (2, "franchises"), (6, "mandates"), (2, "licences")):
        assert f"{number} {what} unchanged" in second
    assert not re.search(r"created|revised|joined|recorded", second) and "created" in first
    assert second.endswith("0 changes indexed.\n")


@both
def test_a_dry_run_says_the_same_and_changes_nothing(house, tmp_path):
    folder = a_folder_with_everything(tmp_path / "in")
    before = everything(house)
    dry = load(house, folder, "--mandate", "--dry-run", status=1).splitlines()
    assert everything(house) == before and house.extensions["index"].stamps() == {}
    wet = load(house, folder, "--mandate", status=1).splitlines()
    assert dry[:-1] == wet[:-1]
    assert dry[-1].endswith("rows a second. Nothing was changed: this was a dry run.")
    assert re.fullmatch(r"16 rows in [\d.]+ s, [\d,]+ rows a second\. \d+ changes indexed\.", wet[-1])
    again = load(house, folder, "--mandate", "--dry-run", status=1)
    assert "6 titles unchanged" in again and "created" not in again


def test_a_changed_row_revises_what_it_names_and_leaves_what_people_did(house, tmp_path):
    folder = write(tmp_path / "in", [FILM, a_film(2, kind="ova")])
    load(house, folder)
    with house.app_context():
        titles.revise(a_title("a:1"), status=Status.WITHDRAWN.value, synopsis={"fr": "Un bateau."}, tags=["festival"])
        titles.revise(a_title("a:2"), genres=["Comedy"], tags=["ova", "festival"])
        db.session.commit()
    silent = {name: value for name, value in FILM.items() if name not in ("synopsis", "genres", "cast", "crew",
                                                                          "companies")}
    write(folder, [{**silent, "year": 2001, "titles": [{"lang": "en", "value": "Fog", "type": "alias"}]},
                   a_film(2, kind="ova")])
    said = load(house, folder)
    assert "1 titles revised" in said and "1 titles unchanged" in said
    with house.app_context():
        title = a_title("a:1")
        assert (title.year, title.status, title.synopsis, title.genres, title.tags, len(title.credits)) == (
            2001, "withdrawn", {"fr": "Un bateau."}, ["Drama", "Noir"], ["festival"], 6)
        assert [name.value for name in title.names] == ["霧の港", "Fog"]
        assert (a_title("a:2").genres, a_title("a:2").tags) == (["Comedy"], ["ova", "festival"])
        assert house.extensions["index"].find("Misty").tolist() == []
    assert "2 titles unchanged" in load(house, folder)


def start(app, folder, **more):
    """The command in a process of its own, over the files of an application."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "INDEX_FOLDER")}
    return subprocess.Popen([sys.executable, "-m", "flask", "--app", "wsgi", "import", folder, "--mandate"], cwd=ROOT,
                            env={**environment, "SLATE_INSTANCE": app.config["INSTANCE"], "TERM": "xterm-256color"},
                            stdout=subprocess.PIPE, text=True, **more)


def test_killed_again_and_again_it_ends_where_a_clean_run_ends(fresh, tmp_path):
    films, apps = 520, [fresh(), fresh()]
    for app in apps:
        with app.app_context():
            people.found("House", ["seller"])
            db.session.commit()
    folder = write(tmp_path / "in", [a_film(number, kind="ova") for number in range(films)],
                   [[f"a:{number}", "sequel_of", f"a:{number - 1}"] for number in range(1, 9)],
                   [[f"a:{number}", *SHOWN[1:]] for number in range(films)])
    killed, clean = apps
    load(clean, folder, "--mandate")
    table = sqlite3.connect(Path(killed.config["INSTANCE"]) / "slate.db")
    for name, enough in (("title", 500), ("licence", 500), ("licence", films)):
        process = start(killed, folder, stderr=subprocess.DEVNULL)
        while process.poll() is None and table.execute(f"SELECT count(*) FROM {name}").fetchone()[0] < enough:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it had not come to its end"
    table.close()
    assert amount(killed, outbox.OutboxRow)[0] > 0, "not indexed yet"
    load(killed, folder, "--mandate")
    assert everything(killed, but=WHEN) == everything(clean, but=WHEN)
    for app in apps:
        index = app.extensions["index"]
        with app.app_context():
            assert (worker.differences(index), outbox.waiting(), len(index.stamps())) == ([], 0, films)


def test_who_watches_sees_a_bar_for_each_part_with_its_rate_and_the_time_left(house, tmp_path):
    folder = write(tmp_path / "in", map(a_film, range(4)), [["a:1", "remake_of", "a:2"]],
                   [[f"a:{number % 4}", f"tube {number}", *SHOWN[2:]] for number in range(3_000)])
    ours, theirs = pty.openpty()
    process = start(house, folder, stderr=theirs)
    os.close(theirs)
    seen = b""
    while True:
        try:
            seen += os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
    os.close(ours)
    said = process.communicate()[0]
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    for part, number in (("titles", 4), ("links", 1), ("mandates", 4), ("licences", "3,000"), ("index", r"\d+")):
        assert re.search(rf"{part} +━+ +{number} of +{number} +[\d,]+/s +0:\d\d", shown), shown[-2000:]
    assert re.search(r"licences +[━╸╺]+ +\d+ of +3,000 +[\d,]+/s +0:\d\d left", shown)
    assert "titles created" in said and "━" not in said, "what is printed can be kept"


# ------------------------------------------------------------------ the real corpus

def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def part_of(corpus, folder, most):
    """The titles that links name first, up to a half, and others from all over; with the rows that name them."""
    lines = (corpus / "titles.jsonl").read_text(encoding="utf-8").splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    links, shows = read_csv(corpus / "relations.csv"), read_csv(corpus / "availability.csv")
    named = [row[end] for row in links[::4] for end in ("from_id", "to_id") if row[end] in set(ids)]
    chosen = set(list(dict.fromkeys(named))[:most // 2])
    chosen |= set([each for each in ids[::len(ids) // most] if each not in chosen][:most - len(chosen)])
    folder.mkdir()
    (folder / "titles.jsonl").write_text("\n".join(line for line, each in zip(lines, ids, strict=True)
                                                   if each in chosen), encoding="utf-8")
    for name, rows in (("relations.csv", [row for row in links if row["from_id"] in chosen and (
            row["to_id"] in chosen or row["type"] == "part_of_work")]),
                       ("availability.csv", [row for row in shows if row["title_id"] in chosen])):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return folder


def check_against(folder, app, said):
    """That the tables hold what the files say, name by name and right by right. Returns what was counted."""
    rows = [json.loads(line) for line in (folder / "titles.jsonl").read_text(encoding="utf-8").splitlines()]
    links, shows = read_csv(folder / "relations.csv"), read_csv(folder / "availability.csv")
    open_ended = [row for row in shows if not row["territories"] or not row["begin"]]
    with app.app_context():
        ids = dict(db.session.execute(select(Title.external_id, Title.id)).all())
        assert set(ids) == {row["id"] for row in rows}
        names = {}
        for title_id, language, value in db.session.execute(select(
                Name.title_id, Name.language, Name.value).order_by(Name.title_id, Name.position)):
            names.setdefault(title_id, []).append((language, value))
        for row in rows:
            assert names[ids[row["id"]]] == list(dict.fromkeys([
                (row["original_language"], row["original_title"].strip()),
                *((each["lang"], each["value"].strip()) for each in row["titles"])])), "each name, exactly"
        kinds = Counter((title.kind, *title.tags) for title in db.session.scalars(select(Title)))
        words = {"ova": ("special", "ova"), "web_series": ("series", "web_series")}
        assert kinds == Counter(words.get(row["kind"], (row["kind"],)) for row in rows)
        left_out = sum(" is left out, for it has no " in line for line in remarks(app))
        assert count(Credit) == sum(len(row.get(part, ())) for row in rows
                                             for part in ("cast", "crew", "companies")) - left_out
        episodes = {title.external_id: len(title.episodes) for title in db.session.scalars(select(Title))}
        assert episodes == {row["id"]: len(row.get("episodes", ())) for row in rows}
        ours = {"continuation_of": "sequel_of", "spinoff_of": "spin_off_of"}
        assert {(link.title_id, link.kind, link.target_id) for link in db.session.scalars(select(Link))} == {
            (ids[row["from_id"]], ours.get(row["type"], row["type"]), ids[row["to_id"]]) for row in links
            if row["type"] != "part_of_work"}
        joined = dict(db.session.execute(select(Title.external_id, Franchise.external_id).join(
            Franchise, Franchise.id == Title.franchise_id)).all())
        assert joined == {row["from_id"]: row["to_id"] for row in links if row["type"] == "part_of_work"}
        granted = Counter((title_id, licensee, tuple(written["territories"]), starts_on)
                          for title_id, licensee, written, starts_on in db.session.execute(select(
                              Line.title_id, Licence.licensee_name, Line.written, Line.starts_on).join(Line.licence)))
        assert granted == Counter((ids[row["title_id"]], row["service_name"], tuple(row["territories"].split("|")),
                                   datetime.fromisoformat(row["begin"]).astimezone(UTC).date())
                                  for row in shows if row["territories"] and row["begin"])
        assert db.session.execute(select(Line.exclusive, Line.ends_on, Line.media_key, Line.languages_key).where(
            Line.licence_id.is_not(None)).distinct()).all() == [(False, None, *(
                terms.read(seed.line("HK", "svod", "2027-01-01", None)).columns()[f"{axis}_key"]
                for axis in ("media", "languages")))]
        assert checks.sold_twice() == checks.outside_mandates() == []
        assert (worker.differences(app.extensions["index"]), outbox.waiting()) == ([], 0)
    left = [line for line in remarks(app) if line.startswith("notice: ")]
    assert len(left) == len(open_ended) and all("silence is never all" in line for line in left)
    without_year = sum(row.get("year") is None for row in rows)
    assert sum(" year: is missing" in line for line in remarks(app)) == without_year
    assert refused(app) == []
    assert re.search(r"[\d,]+ rows in [\d.]+ s, [\d,]+ rows a second\. [\d,]+ changes indexed\.\n\Z", said)
    linked, given = amount(app, Link, Mandate)
    return {"titles": len(rows), "links": linked, "joined": len(joined), "works": len(set(joined.values())),
            "mandates": given, "licences": granted.total(), "open": len(open_ended), "no year": without_year}


def check_finding(app, corpus):
    """Of the queries that come with the corpus every title meant is among the first three; of ours it mostly leads."""
    index = app.extensions["index"]
    with app.app_context():
        called = dict(db.session.execute(select(Title.id, Title.external_id)).all())
    given = [json.loads(line) for line in (corpus / "queries_12.jsonl").read_text(encoding="utf-8").splitlines()]
    first = {each["query"]: {called[title_id] for title_id in index.find(each["query"])[:3].tolist()} for each in given}
    assert all({one["id"] for one in each["expected"]} <= first[each["query"]] for each in given), first
    worth = {}
    for words, meant, _ in JUDGED:
        found = [called[title_id] in meant for title_id in index.find(words).tolist()]
        worth[words] = 1 / (found.index(True) + 1) if True in found else 0
    assert sum(worth.values()) / len(worth) >= 0.95, {words: each for words, each in worth.items() if each < 1}


@pytest.mark.corpus
def test_the_titles_of_the_whole_corpus_come_in_and_are_found(house, corpus):
    """With all that goes with them at full numbers only: it takes three times as long."""
    if not LONG:
        assert "10,300 titles created" in load(house, corpus / "titles.jsonl")
        check_finding(house, corpus)
        return
    dry = load(house, corpus, "--mandate", "--dry-run")
    said = load(house, corpus, "--mandate")
    assert check_against(corpus, house, said) == {
        "titles": 10_300, "links": 616, "joined": 489, "works": 120, "mandates": 10_300, "licences": 10_161,
        "open": 2_721, "no year": 429}
    for words in ("10,300 titles created", "616 links created", "489 titles joined to a franchise",
                  "10,300 mandates recorded", "10,161 licences recorded", "2,721 rows are left out by rule"):
        assert words in said
    check_finding(house, corpus)
    with house.app_context():
        originals = db.session.scalars(select(Title.original_title)).all()
        asian = sum(any(unicodedata.name(char, "").startswith(CJK) for char in title) for title in originals)
        assert asian == 4_757, "46 % of the original titles"
        kinds = dict(db.session.execute(select(Title.kind, func.count()).group_by(Title.kind)).all())
        assert kinds == {"film": 6_621, "series": 2_568, "special": 1_111}
        sequels = dict(db.session.execute(select(Link.kind, func.count()).group_by(Link.kind)).all())
        assert sequels == {"sequel_of": 483, "remake_of": 108, "prequel_of": 14, "spin_off_of": 7, "reboot_of": 4}
    assert dry.splitlines()[:-1] == said.splitlines()[:-1]
    before = everything(house)
    assert "10,300 titles unchanged" in load(house, corpus, "--mandate")
    assert everything(house) == before


@pytest.mark.corpus
@pytest.mark.postgresql
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_the_corpus_comes_in_as_it_is_on_postgresql(house, corpus, tmp_path):
    folder = corpus if LONG else part_of(corpus, tmp_path / "in", 500)
    said = load(house, folder, "--mandate")
    counted = check_against(folder, house, said)
    assert counted["titles"] == counted["mandates"] == at(ci=500, long=10_300)
    assert counted["links"] > 100 and counted["joined"] > 20 and counted["licences"] > 100
    before = everything(house)
    assert f"{counted['titles']:,} titles unchanged" in load(house, folder, "--mandate")
    assert everything(house) == before
