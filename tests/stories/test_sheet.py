"""A seller's spreadsheet, from the file to the recorded lines, in a browser with and without script."""
import secrets

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from core.database import db
from tests.conftest import make_app
from tests.licensing.deals import AGENT, title
from tests.licensing.sheets import TIDE, table_of, xlsx_of
from tests.stories.people import PHONE, WIDE

pytestmark = [pytest.mark.story]
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def film(slate):
    """The name of a film of its own."""
    app = make_app(f"sqlite:///{slate.instance / 'slate.db'}", slate.instance)
    with app.app_context():
        name = title(name=f"Kassenbuch {secrets.token_hex(4)}", language="de").original_title
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    app.extensions["index"].close()
    return name


@pytest.mark.parametrize("scripted, viewport", [(True, WIDE), (False, PHONE)], ids=["with script", "without script"])
def test_a_sheet_is_tried_mended_and_recorded_and_the_second_time_changes_nothing(people, film, tmp_path, scripted,
                                                                                 viewport):
    agent = people(AGENT, viewport=viewport, java_script_enabled=scripted, accept_downloads=True)

    def send(*rows):
        agent.open("/books")
        agent.page.get_by_label("Spreadsheet").set_input_files(
            {"name": "licences.xlsx", "mimeType": SHEET, "buffer": xlsx_of(licences=table_of(rows))})
        agent.button("Try it").click()

    def ends(words):
        """The page renews itself until it says so."""
        expect(agent.page.get_by_text(words)).to_be_visible()
        agent.look()

    good = {**TIDE, "Title": film}
    send(good, {**good, "Territories": "Formosaa", "From": "2033-01-01", "To": "2033-12-31"})
    ends("1 line would be recorded")
    agent.press(agent.page.get_by_role("link", name="Errors 1"))
    expect(agent.page.get_by_text("Nearest: TW")).to_be_visible()
    with agent.page.expect_download() as going:
        agent.link("Download with our answers").click()
    going.value.save_as(tmp_path / "checked.xlsx")
    book = load_workbook(tmp_path / "checked.xlsx")
    assert [row[-3] for row in book["licences"].iter_rows(values_only=True)] == ["Status", "ok", "error"]

    agent.button("Record the good rows only").click()
    ends("1 line was recorded.")
    send(good)
    ends("Nothing new would be recorded")
    assert agent.faults == []
    assert [each for each in agent.problems if "answer.xlsx: net::ERR_ABORTED" not in each] == []  # a download
    agent.slate.check()
