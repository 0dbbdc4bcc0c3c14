"""What is written to the log, of whom, and that nobody writes into it."""
import json
import logging
import sys
from datetime import UTC, datetime, timedelta

import pytest

from core import clock, log
from tests.conftest import Caller
from tests.test_pages import Visitor

BUYER, AGENT = "buyer@sakura.test", "agent@harbour.test"


def line(message, *said, error=None) -> dict:
    record = logging.LogRecord("slate", logging.WARNING, __file__, 1, message, said, error)
    written = log.Lines().format(record)
    assert "\n" not in written and written.isascii()
    return json.loads(written)


def test_an_event_is_one_line_of_json_with_its_moment_in_utc():
    said = line("The store does not answer: %s", "gone")
    assert said["level"] == "WARNING" and said["by"] == "slate" and said["said"] == "The store does not answer: gone"
    at = datetime.fromisoformat(said["at"])
    assert at.utcoffset() == timedelta(0) and abs(clock.now() - at.astimezone(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("words", ["a\n2026-01-01 CRITICAL all is well", "a\r\nb", "\x1b[2J\x1b[31mred", "a\u2028b",
                                   '", "level": "INFO', "\u202eturned", "a\x00b"])
def test_nothing_that_is_logged_writes_a_line_of_its_own(words):
    assert line("refused %s", words)["said"] == f"refused {words}"


def test_an_error_nobody_expected_is_logged_whole_and_its_asker_reads_nothing_of_it(world, monkeypatch, caplog):
    def breaks(*_, **__):
        raise RuntimeError("postgresql://slate:hunter2@db/slate said no")
    monkeypatch.setitem(world.config, "PROPAGATE_EXCEPTIONS", False)
    names = {rule.rule: rule.endpoint for rule in world.url_map.iter_rules()}
    for path in ("/account", "/readyz", "/api/v1/me"):
        buyer = Caller(world, BUYER)
        monkeypatch.setitem(world.view_functions, names[path], breaks)
        caplog.clear()
        answer = buyer.client.get(path, headers=buyer.headers)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 500 and "Something went wrong on our side" in page
        assert not [each for each in ("hunter2", "Traceback", "RuntimeError", "breaks", ".py", "Werkzeug", "Python")
                    if each in page]
        [record] = [each for each in caplog.records if each.exc_info]
        assert "hunter2" in str(record.exc_info[1]) and record.levelno == logging.ERROR


def test_the_next_request_after_an_error_is_answered(world, monkeypatch):
    monkeypatch.setitem(world.config, "PROPAGATE_EXCEPTIONS", False)
    someone, real = Visitor(world, BUYER), world.view_functions["accounts_pages.account"]
    monkeypatch.setitem(world.view_functions, "accounts_pages.account", lambda: 1 / 0)
    assert someone.get("/account").status_code == 500
    monkeypatch.setitem(world.view_functions, "accounts_pages.account", real)
    assert someone.get("/account").status_code == 200


@pytest.mark.parametrize("ask, status", [
    (lambda buyer, page: buyer.get("/titles/999999"), 404),               # another's, or nobody's
    (lambda buyer, page: page.get("/approvals"), 403),                    # another role's
    (lambda buyer, page: buyer.post("/offers", {"seller": "my-secret-word"}), 422),
    (lambda buyer, page: page.client.post("/account/password", data={"new_password": "my-secret-word"}), 400),  # CSRF
    (lambda buyer, page: buyer.client.get("/api/v1/me", headers={"Authorization": "Bearer my-secret-word"}), 401),
    (lambda buyer, page: buyer.post("/offers", {"seller": "my-secret-word" * 200_000}), 413)],
    ids=["not theirs", "not allowed", "not understood", "forged", "not signed in", "too large"])
def test_what_is_refused_is_logged_with_rule_and_asker_and_no_word_of_theirs(world, caplog, ask, status):
    buyer, page = Caller(world, BUYER), Visitor(world, BUYER)
    caplog.clear()
    assert ask(buyer, page).status_code == status
    said = [each.getMessage() for each in caplog.records if each.getMessage().startswith("refused")]
    assert said and f"refused with {status}: " in said[-1]
    assert not [each for each in caplog.records if "my-secret-word" in each.getMessage()]


def test_a_line_says_who_asked_from_where_and_for_whom(world):
    with world.test_request_context("/recovery/a-link-that-opens", environ_base={"REMOTE_ADDR": "203.0.113.9"}):
        from flask import g

        from accounts import people
        g.viewer = people.viewer(people.find(BUYER).id)
        said = line("refused")
        assert (said["address"], said["person"], said["organisation"], said["asked"]) == (
            "203.0.113.9", g.viewer.person_id, g.viewer.organisation_id, "GET security.reset_password")
        assert "a-link-that-opens" not in json.dumps(said)


def test_in_production_the_log_is_such_lines_on_standard_error_once(capsys):
    root, had = logging.getLogger(), list(logging.getLogger().handlers)

    class App:
        config = {"PRODUCTION": True}
    try:
        for handler in [each for each in root.handlers if isinstance(each.formatter, log.Lines)]:
            root.removeHandler(handler)
        log.init_app(App)
        log.init_app(App)
        assert sum(isinstance(each.formatter, log.Lines) for each in root.handlers) == 1
        logging.getLogger("flask-limiter").error("Redis went away\nfor good")
        [written] = [each for each in capsys.readouterr().err.splitlines() if each.startswith("{")]
        assert json.loads(written)["by"] == "flask-limiter"
    finally:
        root.handlers[:] = had
    assert sys.stderr
