"""What is true of every answer, at every address, whoever asks."""
import re
from urllib.parse import quote

import pytest
from sqlalchemy import event

from core.database import db
from tests.conftest import Caller
from tests.test_hostile_input import Calls, body_with
from tests.test_pages import Visitor, text

BUYER, AGENT = "buyer@sakura.test", "agent@harbour.test"


def addresses(app):
    """Every address that is asked with GET, with some id in it."""
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and rule.endpoint != "static":
            yield re.sub(r"<[^>]*>", "1", rule.rule)


@pytest.fixture
def everybody(world):
    return Visitor(world, BUYER), Visitor(world, AGENT), Visitor(world)


def test_each_says_what_it_is_and_text_in_which_encoding(world, everybody):
    seen = set()
    for visitor in everybody:
        for path in addresses(world):
            with visitor.get(path) as answer:
                said = answer.headers.get("Content-Type", "")
                if not answer.data:
                    continue
                seen.add(said)
                assert said, path
                if said.startswith("text/"):
                    assert "charset=utf-8" in said, (path, said)
                    answer.data.decode("utf-8")
                if "json" in said:
                    assert answer.get_json(force=True) is not None, path
                if said.startswith("text/html"):
                    assert text(answer).lstrip().startswith("<!doctype html>"), path
    assert {"text/html; charset=utf-8", "application/json", "application/problem+json"} <= seen


def test_no_site_but_ours_is_let_in_by_any(world, everybody):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "authorization"}
    for path in {*addresses(world), "/static/slate.css"}:
        for method in ("GET", "OPTIONS"):
            with everybody[0].client.open(path, method=method, headers=asked) as answer:
                assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")], path


def test_trace_and_unknown_methods_are_refused(world, everybody):
    for path in ("/", "/account", "/api/v1/me", "/static/slate.css", "/healthz"):
        for method in ("TRACE", "TRACK", "CONNECT", "PROPFIND", "XYZZY"):
            with everybody[0].client.open(path, method=method, headers={"X-Probe": "zq7probe"}) as answer:
                assert answer.status_code in (400, 403, 405) and b"zq7probe" not in answer.data, (path, method)


@pytest.mark.parametrize("path", ["/.git/config", "/.git/HEAD", "/.svn/entries", "/.env", "/config.py", "/static/",
                                  "/static/js/", "/static/js", "/static/../config.py", "/static/%2e%2e/config.py",
                                  "/static/..%2fconfig.py", "/instance/slate.db", "/templates/base.html", "/stored/",
                                  "/requirements.txt", "/tests/", "/console", "/debug", "/static/js/.git/config"])
def test_nothing_of_the_folder_but_static_files_is_served(everybody, path):
    for visitor in everybody:
        with visitor.get(path) as answer:
            assert answer.status_code in (404, 308, 403, 405) and b"SECRET_KEY" not in answer.data
            if answer.status_code == 308:
                assert visitor.get(answer.location).status_code == 404


def test_every_page_has_the_way_out(world):
    for email in (BUYER, AGENT):
        visitor, seen = Visitor(world, email), 0
        for rule in world.url_map.iter_rules():
            if "GET" in rule.methods and not rule.arguments and not rule.rule.startswith(("/api", "/sign-in")):
                with visitor.get(rule.rule) as page:
                    if page.status_code == 200 and page.mimetype == "text/html":
                        assert 'action="/sign-out"' in text(page), rule.rule
                        seen += 1
        assert seen > 15


def test_leaving_lets_the_browser_forget(world):
    someone = Visitor(world, BUYER)
    left = someone.submit("/sign-out", {}, form="/account")
    assert left.headers["Clear-Site-Data"] == '"cache", "storage"' and left.headers["Cache-Control"] == "no-store"


def test_a_secret_in_an_address_opens_nothing(world):
    secret = Caller(world, BUYER).headers["Authorization"].split()[1]
    stranger = Visitor(world)
    for name in ("access_token", "token", "api_key", "Authorization", "bearer"):
        assert stranger.get(f"/api/v1/me?{name}={secret}").status_code == 401
    assert stranger.submit(f"/sign-in?email={quote(BUYER)}&password=demo", {}, form="/sign-in").status_code == 200
    assert stranger.get("/account").status_code == 302


def test_no_form_puts_a_secret_into_an_address(world):
    for email in (BUYER, AGENT):
        visitor = Visitor(world, email)
        for path in ("/account", "/account/password", "/account/codes", "/proof"):
            for form in re.findall(r"<form.*?</form>", text(visitor.get(path)), re.S):
                secret = re.search(r'type="password"|name="(?:code|csrf_token|proof-\w+)"', form)
                assert not secret or 'method="post"' in form.split(">")[0], form[:200]


def test_what_is_encoded_twice_is_read_once(world):
    agent = Caller(world, AGENT)
    for words in ("%3Cscript%3E", "%253Cscript", "&lt;b&gt;", "&amp;lt;", "\\u003cb\\u003e", "a+b%20c", "%2e%2e%2f"):
        made = agent.post("/titles", {"kind": "film", "original_title": words, "original_language": "en"})
        assert made.json["original_title"] == words
        page = text(Visitor(world, AGENT).get(f"/titles/{made.json['id']}"))
        shown = words.replace("&", "&amp;")
        assert shown in page and "<script>" not in page.replace(shown, "")
    assert Visitor(world, AGENT).get("/titles/%2531").status_code == 404


def test_a_question_asked_twice_means_one_thing_and_never_another_place(world):
    agent, page = Caller(world, AGENT), Visitor(world, AGENT)
    assert agent.get("/titles?page=1&page=2").status_code in (200, 422)
    for path in ("/titles?kind=film&kind=series", "/titles?page_size=1&page_size=100"):
        assert agent.get(path).status_code in (200, 422)
    typed = {"kind": "film", "original_language": "en", "csrf_token": page.token("/account")}
    asked = page.client.post("/slate?original_title=FromTheAddress", data=typed)
    assert asked.status_code == 422 and "FromTheAddress" not in text(page.get("/slate"))


def test_no_field_is_taken_that_was_not_asked_for(world):
    """Every call that takes a body, as everybody: a field more is named, whatever else is said of the body."""
    calls, callers = Calls(world), [Caller(world, email) for email in (AGENT, BUYER, "rights@harbour.test")]
    names, seen = ("organisation_id", "is_admin", "role_of_mine", "id__"), 0
    for method, path, schema in calls.bodies():
        address = re.sub(r"\{[^}]*\}", "1", path).removeprefix("/api/v1")
        body = {name: 1 for name in names if name not in calls.schema(schema).get("properties", {})}
        for caller in callers:
            answer = caller.call(method, address, body, If_Match="*")
            assert answer.status_code in (403, 404, 409, 422), (method, path, answer.status_code)
            if answer.status_code == 422 and "errors" in answer.json and set(body) & set(answer.json["errors"]):
                assert all("Unknown field." in str(answer.json["errors"][name]) for name in body), answer.json
                seen += 1
                break
    assert seen > 0.7 * len(list(calls.bodies())), seen
    assert body_with(("a",), 1) == {"a": 1}


SEEN = ("UPDATE session", "UPDATE api_token")  # that it was used is noted after the answer


def test_to_read_changes_nothing(world):
    """No page and no answer writes because it is asked for with GET: another site can have a browser do that."""
    with world.app_context():
        engine, written = db.engine, []

    def hear(_connection, _cursor, statement, *_):
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) and not statement.startswith(SEEN):
            written.append(statement)
    someone = [Visitor(world, email) for email in (BUYER, AGENT, "rights@harbour.test")] + [Visitor(world)]
    caller = Caller(world, AGENT)
    event.listen(engine, "before_cursor_execute", hear)
    try:
        for path in addresses(world):
            for visitor in someone:
                visitor.get(path).close()
            caller.client.get(path, headers=caller.headers).close()
            assert written == [], path
    finally:
        event.remove(engine, "before_cursor_execute", hear)
