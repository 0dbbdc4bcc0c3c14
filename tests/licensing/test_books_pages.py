"""Books over HTTP: sent, tried, loaded and fetched back by a browser without script; by nobody else."""
import io
import re

import pytest

from licensing.books import worker
from tests.licensing.deals import AGENT, BUYER, RIVAL
from tests.licensing.sheets import TIDE, cells_in, csv_of
from tests.test_pages import Visitor, text


@pytest.fixture
def visitor(world):
    return lambda email: Visitor(world, email)


def send(someone, content, name="licences.csv", **more):
    return someone.submit("/books", {"file": (io.BytesIO(content), name), **more}, form="/books")


def turn(world):
    with world.app_context():
        worker.turn()


def test_from_the_file_to_the_recorded_line(world, visitor):
    agent = visitor(AGENT)
    sent = send(agent, csv_of(TIDE, {**TIDE, "Territories": "Formosaa"}))
    assert sent.status_code == 302 and 'http-equiv="refresh"' in text(agent.get(sent.location))
    turn(world)
    page = text(agent.get(sent.location))
    assert "1 line would be recorded" in page and "Nearest: <b>TW" in page and "refresh" not in page
    assert "Record all, or nothing" not in page, "not while a row is wrong"
    errors = text(agent.get(f"{sent.location}?status=error"))
    assert "Formosaa" in errors and "Good</span>" not in errors
    assert agent.submit(f"{sent.location}/load", {"mode": "all"}, form="/books").status_code == 409
    assert agent.submit(f"{sent.location}/load", {"mode": "some"}, form="/books").status_code == 422
    assert agent.submit(f"{sent.location}/load", {"mode": "good"}, form="/books").status_code == 302
    assert "It is being recorded" in text(agent.get(sent.location))
    assert agent.submit(f"{sent.location}/load", {"mode": "good"}, form="/books").status_code == 409, "once"
    turn(world)
    assert "1 line was recorded" in text(agent.get(sent.location))
    assert "Formosa Stream" in text(agent.get("/titles/1/rights"))
    answer = agent.get(f"{sent.location}/answer.xlsx")
    assert "licences-checked.xlsx" in answer.headers["Content-Disposition"]
    assert [row[-3] for row in cells_in(answer.data)["licences"]] == ["Status", "ok, recorded", "error"]
    again = send(agent, csv_of(TIDE))
    turn(world)
    assert "Nothing new would be recorded" in text(agent.get(again.location))


def test_others_find_nothing_and_strangers_to_books_are_refused(world, visitor):
    location = send(visitor(AGENT), csv_of(TIDE)).location
    turn(world)
    rival, buyer = visitor(RIVAL), visitor(BUYER)
    for path in ("", "/answer.xlsx"):
        assert rival.get(location + path).status_code == 404 and buyer.get(location + path).status_code == 403
    assert rival.submit(f"{location}/load", {"mode": "all"}, form="/books").status_code == 404
    assert buyer.get("/books").status_code == buyer.get("/books/template").status_code == 403


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the test client's own large bodies
def test_files_of_ten_megabytes_are_taken_and_larger_ones_refused(world, visitor):
    agent = visitor(AGENT)
    assert send(agent, b"x" * 9_900_000).status_code == 302
    assert send(agent, b"x" * 11_000_000).status_code == 413
    assert send(agent, b"").status_code == 422
    assert agent.submit("/books", {}, form="/books").status_code == 422
    assert agent.submit("/slate", {"original_title": "x" * 3_000_000}, form="/slate").status_code == 413, "elsewhere 2"


def test_what_cannot_be_read_is_said_and_hostile_words_are_harmless(world, visitor):
    agent = visitor(AGENT)
    wrong = send(agent, b"Title,Media\nTide,svod\n", name="<script>alert(1)</script>licences.csv").location
    hostile = send(agent, csv_of({**TIDE, "Title": "<img src=x>", "Licensee": "<b>x</b>"})).location
    turn(world)
    page = text(agent.get(wrong))
    assert "Missing: Territories" in page and "<script>alert" not in page
    assert agent.get(f"{wrong}/answer.xlsx").status_code == 409
    assert "<img src=x" not in text(agent.get(hostile)) and "<b>x</b>" not in text(agent.get(hostile))
    assert "licences.csv" in text(agent.get("/books"))


def test_templates_come_as_workbook_and_as_csv(visitor):
    agent = visitor(AGENT)
    assert list(cells_in(agent.get("/books/template").data)) == ["Mandates", "Licences", "Columns"]
    for kind, column in (("mandates", "Licensor"), ("licences", "Licensee")):
        assert re.match(f"\ufeffTitle,.*{column}", text(agent.get(f"/books/template?of={kind}")))
