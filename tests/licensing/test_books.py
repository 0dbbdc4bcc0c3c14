"""Books of sellers: tried dry; recorded all or nothing, or the good rows; the same twice changes nothing."""
from datetime import date

import pytest
from sqlalchemy import func, select

from catalogue.models import Title
from core.database import db
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from licensing import checks, contracts, mandates, terms
from licensing.books import judging, uploads, workbooks, worker
from licensing.models import Licence, Line, Mandate
from seed import line
from tests.conftest import both
from tests.licensing.deals import AGENT, BUYER, MANAGER, RIVAL, title, viewer
from tests.licensing.sheets import COMMON, TIDE, cells_in, counts, csv_of, loaded, rows, said, table_of, tried, upload
from tests.licensing.sheets import xlsx_of as xlsx

MANDATE = {**COMMON, "Territories": "World", "Media": "all", "From": "2020-01-01", "To": "perpetuity",
           "Licensor": "Blue Ferry Films"}


@pytest.fixture(autouse=True)
def inside(request, backend):
    with request.getfixturevalue("world").app_context():
        yield


def lines() -> int:
    return db.session.scalar(select(func.count()).select_from(Line))


def bare(name) -> int:
    """The id of a title whose mandate was ended."""
    film = title(name=name)
    for each in mandates.listing(film):
        mandates.end(each, terms.FIRST_DAY)
    db.session.commit()
    return film.id


def remark(upload_id, place=0):
    return rows(upload_id)[place].remarks[0]


@both
def test_a_dry_run_says_what_would_be_recorded_and_changes_nothing_and_loading_does_what_it_said(backend):
    name, before = title(name="Mooring").original_title, lines()
    db.session.commit()
    made = tried(csv_of({**TIDE, "Reference": "A-1", "Contract": "D-7"}, {**TIDE, "Title": name, "Runs": "3"},
                        {**TIDE, "Title": "Nobody Knows"}))
    assert lines() == before and counts(made) == {"ok": 2, "error": 1, "new": 2}
    assert loaded(made, "good") == {"ok": 2, "error": 1, "recorded": 2}
    assert upload(made).state == "loaded" and lines() == before + 2
    first, second = db.session.scalars(select(Licence).order_by(Licence.id.desc()).limit(2)).all()[::-1]
    assert (first.licensee_name, first.contract, first.external_id) == ("Formosa Stream", "D-7", "A-1")
    assert second.lines[0].runs == 3 and terms.label(first.lines[0]) == (
        "SVOD · Taiwan · all languages · 1 Jan 2030–31 Dec 2031 · exclusive")
    assert not checks.sold_twice() and not checks.outside_mandates()


@both
def test_mandates_and_the_licences_that_rest_on_them_come_in_one_workbook(backend):
    """Also where the licences stand first, and one of them collides with another of the same file."""
    bare("Jetty")
    sold = {**TIDE, "Title": "Jetty"}
    book = xlsx(**{"Deals done": table_of([sold, {**sold, "Licensee": "Victoria Plus", "Territories": "TW, HK"}]),
                   "Mandates": table_of([{**MANDATE, "Title": "Jetty"}])})
    made = tried(book, "books.xlsx")
    assert counts(made) == {"ok": 2, "error": 1, "new": 2}
    taken = rows(made)[1].remarks
    assert [each["nearest"] for each in taken] == ["HK"] and taken[0]["cell"] == "B3"
    assert taken[0]["other"].startswith("Row 2 of Deals done of this file: SVOD · Taiwan")
    assert "Licensed exclusively to Formosa Stream" in taken[0]["why"]
    with pytest.raises(Conflict):
        uploads.load(upload(made), "all")
    db.session.rollback()
    assert loaded(made, "good") == {"ok": 2, "error": 1, "recorded": 2}
    assert not checks.sold_twice() and not checks.outside_mandates()


def test_a_collision_names_the_line_the_reason_and_the_nearest_right_value():
    held_back = {"Title": "Das Salz der Häuser", "Territories": "DE, PL", "Media": "avod", "From": "2026-03-01"}
    made = tried(csv_of({**TIDE, "From": "2027-01-01"}, {**TIDE, **held_back, "To": "2029-12-31"}))
    first, second = (row.remarks[0] for row in rows(made))
    assert first["cell"] == "E2" and first["nearest"] == "2028-07-01" and first["title_id"]
    assert first["other"].startswith("Recorded: licence to Formosa Stream, HP-D-012: SVOD · Taiwan")
    assert "Held back" in second["why"] and second["nearest"] == "PL" and second["cell"] == "B3"
    night = tried(csv_of({**TIDE, "Title": "Night Boat on the Pearl", "To": "2035-12-31"}))
    assert remark(night)["nearest"] == "2030-12-31" and "Not this seller's" in remark(night)["why"]


def test_what_does_not_block_is_a_warning():
    made = tried(csv_of({**TIDE, "Title": "The Tide Keeps Time II: Backflow", "Territories": "HK", "From": "2027-06-01",
                         "To": "2027-12-31"}, {**TIDE, "From": "2023-01-01", "To": "2023-12-31"}))
    assert counts(made) == {"warning": 2, "new": 2}
    assert any("First hold" in each["why"] for each in rows(made)[0].remarks)
    assert "past" in remark(made, 1)["why"]


@both
def test_the_same_file_twice_changes_nothing_in_whatever_form(backend):
    deals = [{**TIDE, "Reference": "R-1"}, {**TIDE, "Territories": "HK", "Contract": "D-8"},
             {**TIDE, "Territories": "SG", "Exclusive": "no"}]
    assert loaded(tried(csv_of(*deals))) == {"ok": 3, "recorded": 3}
    before = lines()
    for content, name in ((csv_of(*deals), "licences.csv"), (csv_of(*reversed(deals), delimiter=";"), "deals.csv"),
                          (xlsx(Licences=table_of(deals)), "x.xlsx")):
        made = tried(content, name)
        assert counts(made) == {"ok": 3, "same": 3}
        assert loaded(made) == {"ok": 3, "same": 3} and lines() == before
    other = tried(csv_of({**deals[0], "Territories": "Taiwan", "From": "1 Jan 2030", "To": "31/12/2031"},
                         {**deals[2], "Territories": "Singapore"}, {**deals[2], "Territories": "SGP"}))
    assert counts(other) == {"ok": 2, "warning": 1, "same": 3}, "the same terms in other words"
    assert "same as row 3" in remark(other, 2)["why"]


def test_what_was_recorded_by_hand_is_known_too_and_what_was_ended_is_not_revived():
    film = title(name="Slipway")
    said_ = terms.read(line("TW", "svod", "2030-01-01", "2031-12-31"))
    licence = contracts.grant(film.organisation_id, [(film, said_)], licensee_id=None,
                              licensee_name="Formosa Stream").id
    db.session.commit()
    again = {**TIDE, "Title": "Slipway"}
    assert counts(tried(csv_of(again))) == {"ok": 1, "same": 1}
    contracts.terminate(db.session.get(Licence, licence), date(2030, 6, 1))
    db.session.commit()
    made = tried(csv_of(again, {**again, "From": "2031-01-01", "Reference": "anew"}))
    assert counts(made) == {"ok": 1, "warning": 1, "same": 1, "new": 1}
    assert "ended" in remark(made)["why"] and "another reference" in remark(made)["why"]


def test_a_reference_stands_for_one_line():
    loaded(tried(csv_of({**TIDE, "Reference": "R-9"})))
    made = tried(csv_of(*({**TIDE, "Territories": code, "To": last, "Reference": mark} for code, last, mark in (
        ("TW", "2032-12-31", "R-9"), ("HK", "2031-12-31", "N"), ("SG", "2031-12-31", "N")))))
    assert counts(made) == {"ok": 1, "error": 2, "new": 1}
    assert "never edited" in remark(made)["why"] and "Taiwan" in remark(made)["other"]
    assert remark(made, 2)["why"].startswith("Row 3 has this reference")


def test_all_or_nothing_is_nothing_where_a_row_became_wrong_meanwhile():
    made = tried(csv_of({**TIDE, "Territories": "SG"}, TIDE))
    loaded(tried(csv_of({**TIDE, "Licensee": "Somebody Quicker"})))
    before = lines()
    assert loaded(made, "all") == {"ok": 1, "error": 1, "new": 1}
    assert (upload(made).state, lines()) == ("checked", before) and "Nothing was recorded" in upload(made).note
    assert "Somebody Quicker" in remark(made, 1)["other"]
    assert loaded(made, "good") == {"ok": 1, "error": 1, "recorded": 1} and lines() == before + 1


def test_a_row_that_became_wrong_between_trying_and_writing_undoes_all(monkeypatch):
    """The last look, under the locks, is the one that counts."""
    made, record, before = tried(csv_of({**TIDE, "Territories": "SG"}, TIDE)), uploads._record, lines()

    def somebody_is_quicker(batch):
        with monkeypatch.context() as still:
            still.setattr(uploads, "_record", record)
            film = db.session.get(Title, batch[1].title_id)
            contracts.grant(film.organisation_id, [(film, batch[1].terms)], licensee_id=None, licensee_name="Quicker")
        record(batch)

    monkeypatch.setattr(uploads, "_record", somebody_is_quicker)
    assert loaded(made, "all") == {"ok": 1, "error": 1, "new": 1}
    assert lines() == before and upload(made).state == "checked"


class Killed(BaseException):
    """The process is gone."""


@both
@pytest.mark.parametrize("mode", ["good", "all"])
def test_a_worker_killed_after_any_commit_goes_on_and_the_end_is_the_same(backend, mode, monkeypatch):
    monkeypatch.setattr(uploads, "BATCH", 1)
    names = [title(name=f"Quay {number}").original_title for number in range(4)]
    db.session.commit()
    before = lines()
    made = uploads.send(viewer(AGENT), filename="licences.csv", content=csv_of(
        *({**TIDE, "Title": name} for name in names))).id
    db.session.commit()
    kills = _attend_with_kills(made)
    assert counts(made) == {"ok": 4, "new": 4} and kills >= 3 and lines() == before
    uploads.load(upload(made), mode)
    db.session.commit()
    seen = []
    kills = _attend_with_kills(made, lambda: seen.append(lines() - before))
    assert counts(made) == {"ok": 4, "recorded": 4} and lines() == before + 4 and kills >= 2
    assert set(seen) <= ({0, 4} if mode == "all" else set(range(5))), "whole or absent"
    assert not checks.sold_twice()


def _attend_with_kills(upload_id, look=lambda: None) -> int:
    """Attend, killed before the first commit, then before the second … each time by a new worker. How often."""
    for kills in range(40):
        left = kills

        def commit():
            nonlocal left
            if not left:
                raise Killed
            left -= 1
            db.session.commit()
        try:
            uploads.attend(upload_id, commit)
            return kills
        except Killed:
            db.session.rollback()
            db.session.expunge_all()
            look()
    raise AssertionError("it never ends")


def test_what_nobody_foresaw_is_said_and_keeps_no_other_waiting(monkeypatch):
    def broken(batch):
        raise KeyError("unforeseen")
    heard, film = [], csv_of(TIDE)
    with monkeypatch.context() as patched:
        patched.setattr(judging, "judge", broken)
        first = uploads.send(viewer(AGENT), filename="licences.csv", content=film).id
        db.session.commit()
        worker.turn(heard.append)
    assert upload(first).state == "unreadable" and "on our side" in upload(first).note and "KeyError" in heard[0]
    assert counts(tried(film)) == {"ok": 1, "new": 1}


@both
def test_a_series_and_its_episodes_are_judged_together(backend):
    series = title("series", "Pier Street")
    season = title("season", "Pier Street, season 1", parent=series)
    episode = title("episode", "Pier Street 1.1", parent=season)
    title("episode", "Pier Street 1.2", parent=season)
    db.session.commit()
    made = tried(csv_of({**TIDE, "Title": "", "Title ID": str(episode.id)}, {**TIDE, "Title": "Pier Street"},
                        {**TIDE, "Title": "Pier Street 1.2"}))
    assert counts(made) == {"ok": 2, "error": 1, "new": 2}
    assert "Not free on every part" in remark(made, 1)["why"]
    assert loaded(made, "good")["recorded"] == 2 and not checks.sold_twice()


def test_runs_are_counted_over_the_rows_of_a_file():
    film = bare("Breakwater")
    mandate = {**MANDATE, "Title": "Breakwater", "Runs": "3"}
    deals = [{**TIDE, "Title": "Breakwater", "Territories": code, "Exclusive": "no", "Runs": "2"}
             for code in ("TW", "HK")]
    made = tried(xlsx(Mandates=table_of([mandate]), Licences=table_of([*deals, {**deals[1], "Runs": ""}])), "b.xlsx")
    assert [row.status for row in rows(made)] == ["ok", "ok", "error", "ok"]
    assert "No runs are left" in remark(made, 2)["why"]
    assert loaded(made, "good")["recorded"] == 3
    sold = select(Line.runs).where(Line.title_id == film, Line.licence_id.is_not(None)).order_by(Line.id)
    assert db.session.scalars(sold).all() == [2, 1], "one, where none is said"
    assert counts(tried(csv_of({**deals[1], "Runs": ""}))) == {"ok": 1, "same": 1}


def test_which_title_is_meant():
    title(name="Twin", year=2001)
    title(name="Twin", year=2011)
    isan = "0000-0000-3A8D-0000-Z-0000-0000-6"
    marked = str(title(name="Marked", external_id="X-77", identifiers={"isan": isan}).id)
    db.session.commit()
    wanted = (("HK", "twin"), ("HK", "Twin", "", "2011"), ("HK", "Twin", "", "1999"), ("JP", "潮信2：回流"),
              ("SG", "the tide keeps tyme"), ("TH", "", "X-77"), ("MY", "Marked", isan.lower()), ("SG", ""),
              ("HK", "Lantern Street"), ("ID", "Other", marked))
    made = tried(csv_of(*({**TIDE, **dict(zip(("Territories", "Title", "Title ID", "Year"), each, strict=False))}
                          for each in wanted)))
    assert [row.status[0] for row in rows(made)] == list("eoeeeooeew")
    assert "Not this seller's" in remark(made, 3)["why"], "it was found by its Chinese name; Japan is not held"
    nearest = [row.remarks[0]["nearest"] if row.remarks else None for row in rows(made)]
    assert nearest[0].startswith("Title ID ") and nearest[2] == "2001 or 2011"
    assert nearest[4] == "The Tide Keeps Time" and nearest[9] == "Marked"
    assert "Lantern" in remark(made, 8)["why"], "another seller's title is none of yours"


def test_books_are_their_sellers_alone():
    made = tried(csv_of(TIDE))
    assert upload(made, MANAGER).id == made
    with pytest.raises(NotFound):
        upload(made, RIVAL)
    with pytest.raises(NotAllowed):
        upload(made, BUYER)
    assert db.session.scalars(uploads.listing(viewer(RIVAL))).all() == []
    for wrong in ({"content": b""}, {"filename": ""}, {"holds": "deeds"}, {"encoding": "rot13"},
                  {"content": b"x" * (uploads.MOST_BYTES + 1)}):
        with pytest.raises(Invalid):
            uploads.send(viewer(AGENT), **{"filename": "a.csv", "content": b"x", **wrong})
    for mode, error in (("some", Invalid), ("good", None), ("good", Conflict)):
        if error:
            with pytest.raises(error):
                uploads.load(upload(made), mode)
        else:
            uploads.load(upload(made), mode)


def test_the_answer_comes_back_as_a_workbook_that_can_be_mended_and_sent_again():
    deals = [{**TIDE, "Remarks": '=HYPERLINK("http://evil")'}, {**TIDE, "Territories": "-TW", "Licensee": "@sum"},
             {**TIDE, "Territories": "Formosa", "Media": "SVID"}]
    made = tried(xlsx(Licences=table_of(deals), Empty=[]), "a.xlsx")
    table = cells_in(workbooks.answered(uploads.written(upload(made))))["Licences"]
    assert table[0][-3:] == ("Status", "Why", "Nearest right value")
    assert [row[-3] for row in table[1:]] == ["ok", "error", "error"] and "Media: svod" in table[3][-1]
    assert not [cell for row in table for cell in row if str(cell).startswith(("=", "@", "-", "+"))]
    assert table[2][1] == "'-TW"
    mended = [list(row) for row in table]
    mended[2][1], mended[3][1], mended[3][2] = "SG", "KR", "svod"
    again = tried(xlsx(Licences=mended), "a-checked.xlsx")
    assert counts(again) == {"ok": 3, "new": 3} and upload(again).sheets[0]["ignored"] == ["Remarks"]
    assert rows(again)[1].cells[7] == "@sum", "the quote that guards a cell is no part of it"


def test_the_templates_are_read_as_they_come():
    made = tried(workbooks.template(), "slate-books.xlsx")
    assert counts(made) == {"ok": 1, "error": 1, "new": 1}, "the example is of a title that is licensed there"
    for kind in ("mandates", "licences"):
        text = workbooks.template_csv(uploads.Kind(kind)).encode()
        assert len(rows(tried(text, f"slate-{kind}.csv"))) == 1
    assert db.session.scalar(select(func.count()).select_from(Mandate).where(Mandate.contract == "HP-D-012")) == 0


def test_remarks_are_in_order_of_the_sheet():
    made = tried(csv_of({**TIDE, "Exclusive": "maybe", "To": ""}, {**TIDE, "From": "03/04/2030"}))
    assert said(made) == [(2, "error", "F2", "perpetuity"), (2, "error", "G2", ""),
                          (3, "error", "E3", "2030-04-03 or 2030-03-04")]
