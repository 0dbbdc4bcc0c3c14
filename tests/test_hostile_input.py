"""Hostile input in every field that a person or a program can fill, generated from what the application offers:
refused by the name of the field, or taken and shown harmless; never a failure of ours."""
import csv
import gc
import io
import json
import re
import time
from collections import defaultdict
from html.parser import HTMLParser
from urllib.parse import quote, urlsplit

import pytest
from werkzeug.exceptions import HTTPException

from tests.conftest import Caller, a_line
from tests.scale import LONG, at
from tests.test_architecture import ROOT
from tests.test_pages import Visitor

SCRIPT = "<script>alert('x7')</script><img src=x onerror=alert('x7')>\"'><b>{{ 7 * 7 }}"
UNFIT = ("a\x00b", "a\x1bb", "a\u202eb", "a\u2066b", "a\ufffeb")  # refused by name wherever they stand
TAKEN = (SCRIPT, "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\ufeffa", "a\u200fb", "\u0301" * 50,
         "x" * 100_000, "%00", "../../etc/passwd", "'; DROP TABLE title; --", "9" * 40, "-1", "1e400")  # where it fits
ODD = (None, True, -1, 10 ** 20, 1e308, [], {}, [[]], {"a": {"b": []}})  # of no shape that was asked for


def some(values, turn, apart):
    """All of them at the full numbers; else every so many, beginning with another one each turn."""
    return values if LONG else values[turn % apart::apart]


MANAGER, BUYER, AGENT, OPERATOR = (
    "rights@harbour.test", "buyer@nordlys.test", "agent@harbour.test", "operator@market.test")


# ------------------------------------------------------------------ the API: every field of every schema

class Calls:
    """What the OpenAPI document says may be sent, and where in a body each field stands."""

    def __init__(self, app):
        self.spec = app.extensions["slate-api"].spec.to_dict()

    def schema(self, said):
        while "$ref" in said or "allOf" in said:
            name = said.get("$ref", "").split("/")[-1]
            said = self.spec["components"]["schemas"][name] if name else said["allOf"][0]
        return said

    def bodies(self):
        """(method, path, schema) of each call that takes a body."""
        for path, calls in self.spec["paths"].items():
            for method, call in calls.items():
                if "requestBody" in call:
                    yield method.upper(), path, call["requestBody"]["content"]["application/json"]["schema"]

    def questions(self):
        """(path, names) of each call that takes a question in its address."""
        for path, calls in self.spec["paths"].items():
            call = calls.get("get", {})
            if names := [each["name"] for each in call.get("parameters", ()) if each.get("in") == "query"]:
                yield path, names

    def fields(self, schema, depth=0):
        """The way to each leaf: names, and 0 for the first of a list."""
        schema = self.schema(schema)
        if depth > 6:
            return
        for name, said in schema.get("properties", {}).items():
            if not said.get("readOnly"):
                yield from ((name, *rest) for rest in self.fields(said, depth + 1))
        if "items" in schema:
            yield from ((0, *rest) for rest in self.fields(schema["items"], depth + 1))
        if isinstance(schema.get("additionalProperties"), dict):
            yield from (("en", *rest) for rest in self.fields(schema["additionalProperties"], depth + 1))
        if not {"properties", "items", "additionalProperties"} & schema.keys():
            yield ()


def body_with(way, value):
    for step in reversed(way):
        value = [value] if step == 0 else {step: value}
    return value


def named(errors, way) -> bool:
    """Whether a sentence stands where the field stood, and nothing is said of others."""
    for step in way:
        if not isinstance(errors, dict) or str(step) not in errors:
            return False
        errors = errors[str(step)]
    return bool(errors) and all(isinstance(each, str) for each in errors)


def who_may(callers, method, path):
    """The first of them who is not told that their role does not allow it."""
    return next(each for each in callers if send(each, method, path, {}).status_code != 403)


@pytest.fixture
def calls(world):
    return Calls(world)


def send(caller, method, path, body):
    """As JSON, to the letter: halves of surrogates and endless numbers are sent as they would be."""
    text = body if isinstance(body, bytes) else json.dumps(body).replace('"1e400"', "1e400").encode()
    return caller.client.open(re.sub(r"\{\w+\}", "1", path), method=method, data=text, headers={
        **caller.headers, "Content-Type": "application/json", "If-Match": "*"})


def test_text_that_cannot_be_shown_is_refused_by_its_name_in_every_field_of_every_schema(world, calls):
    callers, tried = [Caller(world, each) for each in (MANAGER, BUYER, OPERATOR)], 0
    for method, path, schema in calls.bodies():
        caller = who_may(callers, method, path)
        for way in calls.fields(schema):
            for value in [*UNFIT, "\ud800"][tried % 2::2]:
                answer = send(caller, method, path, body_with(way, value))
                assert answer.status_code in (404, 422), (method, path, way, value, answer.data)
                if answer.status_code == 422:
                    assert named(answer.json["errors"], way), (method, path, way, value, answer.json)
                    tried += 1
    assert tried > 250


NO_BODY = (b"\xff\xfe{}", b'{"a": "\xff"}', b"[" * 1_000 + b"]" * 1_000, b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
           b"[" * 100_000, b'{"a": 1e400}', b'{"a": NaN}', b'{"a": ' + b"9" * 5_000 + b"}", b"null", b'"x"',
           b'{"a": "\\ud800"}', b'{"\\u0000": 1}')


def test_whatever_is_sent_in_a_field_no_answer_is_a_failure_of_ours(world, calls):
    callers, turn = [Caller(world, each) for each in (AGENT, MANAGER, BUYER, OPERATOR)], 0
    for method, path, schema in calls.bodies():
        caller = who_may(callers, method, path)
        for way in calls.fields(schema):
            turn += 1
            for value in some([*TAKEN, *ODD], turn, 9):
                answer = send(caller, method, path, body_with(way, value))
                assert answer.status_code < 500, (method, path, way, value, answer.data[:300])
        for whole in some(NO_BODY, turn, 3):
            answer = send(caller, method, path, whole)
            assert answer.status_code in (404, 422), (method, path, whole[:40], answer.data[:300])


class Watched(io.BytesIO):
    """A body of which is noted how much was read."""
    taken = 0

    def read(self, size=-1):
        found = super().read(size)
        self.taken += len(found)
        return found


def test_no_call_reads_anything_of_a_body_that_is_too_large(world, calls):
    caller, large, tried = Caller(world, AGENT), bytes(10_000_000), 0
    for method, path, _ in calls.bodies():
        body = Watched(large)
        answer = caller.client.open(re.sub(r"\{\w+\}", "1", path), method=method, input_stream=body,
                                    content_type="application/json",
                                    headers={**caller.headers, "If-Match": "*"})
        assert answer.status_code in (403, 404, 413) and body.taken == 0, (method, path, answer.status_code, body.taken)
        tried += answer.status_code == 413
    assert tried > 30


MOST_SECONDS = 4  # of the processor, for the largest of what is taken
LARGEST = at(ci=500_000, long=2_000_000)  # bytes of a body
LARGE = {
    "numbers": b'{"a": [' + b"1," * (LARGEST // 2 - 10) + b"1]}",
    "lists": b'{"a": [' + b"[]," * (LARGEST // 3 - 10) + b"[]]}",
    "names": b'{"a":1' + b"".join(b',"%d":1' % each for each in range(LARGEST // 12)) + b"}",
    "a deep part of each": b"[" + b",".join([b"[" * 19 + b"]" * 19] * (LARGEST // 40)) + b"]",
    "escapes": b'{"synopsis": {"en": "' + b"\\u0041" * (LARGEST // 6 - 10) + b'"}}',
    "marks that are refused": b'{"a": ["' + b'\\u0000","' * (LARGEST // 9 - 10) + b'"]}',
    "one long name": b'{"' + b"x" * (LARGEST - 20) + b'": 1}',
    "digits": b'{"year": ' + b"9" * (LARGEST - 20) + b"}",
    "a number with a long tail": b'{"year": 1.' + b"9" * (LARGEST - 20) + b"}",
}


@pytest.fixture
def alone():
    """What other tests left behind is not looked through by the collector meanwhile."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("alone")
def test_a_body_as_large_as_it_may_be_is_answered_in_time(world):
    agent = Caller(world, AGENT)
    for what, body in LARGE.items():
        began = time.process_time()
        answer = send(agent, "POST", "/api/v1/titles", body)
        seconds = time.process_time() - began
        assert answer.status_code == 422 and seconds < MOST_SECONDS, (what, answer.status_code, seconds)
        assert len(answer.data) < 100_000, f"{what}: a refusal says what is wrong, and not a hundred thousand times"


def test_a_question_of_a_hundred_thousand_characters_is_answered_in_time(world, calls):
    seller = Caller(world, MANAGER)
    for place, (path, names) in enumerate(calls.questions()):
        path = re.sub(r"\{\w+\}", "1", path)
        for value in some(("x" * 100_000, "HK," * 33_000, "(" * 100_000, "%5B" * 33_000, "2027-01-01 " * 9_000,
                           "a-" * 50_000), place, 2):
            began = time.process_time()
            answer = seller.client.get(f"{path}?" + "&".join(f"{name}={value}" for name in names),
                                       headers=seller.headers)
            seconds = time.process_time() - began
            assert answer.status_code < 500 and seconds < MOST_SECONDS, (path, value[:20], answer.status_code, seconds)
    began = time.process_time()
    answer = seller.client.get("/api/v1/search?" + "territories=HK&" * 70_000, headers=seller.headers)
    assert answer.status_code < 500 and time.process_time() - began < MOST_SECONDS


def test_questions_in_an_address_are_refused_by_name_or_answered(world, calls):
    seller = Caller(world, MANAGER)
    for path, names in calls.questions():
        path = re.sub(r"\{\w+\}", "1", path)
        for place, name in enumerate(names):
            for value in UNFIT[place % 4::4]:
                answer = seller.client.get(f"{path}?{name}={quote(value)}", headers=seller.headers)
                assert answer.status_code == 422 and name in answer.json["errors"], (path, name, value)
            for value in some([*(quote(each[:2_000]) for each in TAKEN), "%ff%fe"], place, 6):
                answer = seller.client.get(f"{path}?{name}={value}", headers=seller.headers)
                assert answer.status_code < 500, (path, name, value, answer.data[:300])


def test_no_part_of_a_path_is_taken_for_what_it_is_not(world):
    visitor = Visitor(world, AGENT)
    values = ("%00", "a%00b", "%e2%80%ae", "%ff", "..%2f..%2fetc", "9" * 30, "-1", "x" * 5_000)
    for turn, rule in enumerate(world.url_map.iter_rules()):
        if rule.arguments and "GET" in rule.methods:
            for value in some(values, turn, 4):
                with visitor.get(re.sub(r"<[^>]+>", value, rule.rule)) as answer:
                    assert answer.status_code in (302, 403, 404), (rule, value, answer.status_code)


# ------------------------------------------------------------------ pages: every field of every form

class Forms(HTMLParser):
    """The links and the forms of a page, with what stands in their fields."""

    def __init__(self, page):
        super().__init__()
        self.links, self.forms, self._form, self._select = [], [], None, None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "a" and said.get("href"):
            self.links.append(said["href"])
        if tag == "form":
            self._form = {"method": said.get("method", "get").lower(), "action": said.get("action"), "fields": []}
            self.forms.append(self._form)
        if self._form is None or not said.get("name") and tag != "option":
            return
        if tag in ("input", "button", "textarea") and said.get("type") != "file":
            self._form["fields"].append((said["name"], said.get("value", "")))
        if tag == "select":
            self._select = said["name"]
        if tag == "option" and self._select and said.get("value"):
            self._form["fields"].append((self._select, said["value"]))
            self._select = None  # the first will do

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = None


class Walk:
    """One person's way along every link: the pages they can come to, two of each kind, and the forms on them."""

    def __init__(self, world, email):
        self.world, self.visitor = world, Visitor(world, email)
        self.adapter = world.url_map.bind("localhost")
        self.paths, self.forms, found = ["/"], {}, defaultdict(int)
        for path in self.paths:
            answer = self.visitor.get(path)
            if answer.mimetype != "text/html" or answer.status_code != 200:
                continue
            page = Forms(answer.get_data(as_text=True))
            for form in page.forms:
                if form["method"] == "post":
                    action = form["action"] or path
                    self.forms.setdefault(self.endpoint(action, "POST"), (action, path, form["fields"]))
            for link in page.links:
                endpoint = link.startswith("/") and self.endpoint(link, "GET")
                if endpoint and link not in self.paths and found[endpoint] < at(ci=1, long=12):
                    found[endpoint] += 1
                    self.paths.append(link)

    def endpoint(self, path, method):
        try:
            return self.adapter.match(urlsplit(path).path, method=method)[0]
        except HTTPException:
            return None

    def submit(self, action, fields, token):
        body = "&".join(f"{quote(name)}={quote(value)}" for name, value in [*fields, ("csrf_token", token)])
        return self.visitor.client.post(action, data=body, content_type="application/x-www-form-urlencoded")


def in_templates() -> dict[str, set]:
    """Endpoint → the names of fields in the forms of our templates that lead to it."""
    found = defaultdict(set)
    for path in (ROOT / "templates").rglob("*.html"):
        for form in re.findall(r"<form\b.*?</form>", path.read_text(encoding="utf-8"), re.DOTALL):
            for endpoint in re.findall(r"url_for\('\.?([\w.]+)'", form.split(">")[0] + form[:300]):
                found[endpoint.split(".")[-1]] |= set(re.findall(r'name="([\w-]+)"', form))
    return found


@pytest.fixture
def walks(world):
    return [Walk(world, email) for email in (MANAGER, BUYER)]


def test_every_form_has_its_token_and_refuses_by_name_what_cannot_be_shown_and_the_rest_is_shown_harmless(world, walks):
    names, written = {}, in_templates()
    for walk in walks:
        for endpoint, (_, _, fields) in walk.forms.items():
            assert any(name == "csrf_token" and value for name, value in fields), f"{endpoint} has no token"
            names.setdefault(endpoint, set()).update(name for name, _ in fields)
    walked, tried, token = len(names), 0, walks[0].visitor.token()
    for rule in world.url_map.iter_rules():
        if "POST" in rule.methods and not rule.rule.startswith(("/api/", "/stored")):
            fields = names.get(rule.endpoint, set()) | written[rule.endpoint.split(".")[-1]] | {"anything"}
            for name in sorted(fields - {"csrf_token"}):
                value, tried = UNFIT[tried % len(UNFIT)], tried + 1
                answer = walks[0].submit(re.sub(r"<[^>]+>", "1", rule.rule), [(name, value)], token)
                assert answer.status_code == 422, (rule, name, value, answer.status_code)
                assert f"<b>{name.replace('_', ' ')}</b>" in answer.get_data(as_text=True), (rule, name)
    assert tried > 200 and walked > 20
    shown_harmless(walks)


def shown_harmless(walks):
    """Send markup and formulas in every field, as far as it is taken; then read every page again."""
    done = set()
    for walk in walks:
        token = walk.visitor.token()
        for endpoint, (action, _, fields) in sorted(walk.forms.items()):
            for name in {name for name, _ in fields} - {"csrf_token"}:
                if (endpoint, name) in done or endpoint in ("accounts_pages.sign_out", "security.logout"):
                    continue
                done.add((endpoint, name))
                rest = [(each, value) for each, value in fields if each not in (name, "csrf_token")]
                with walk.submit(action, [*rest, (name, SCRIPT if len(done) % 4 else "=1+1")], token) as answer:
                    assert answer.status_code < 500, (endpoint, name)
                    harmless(answer)
    for walk in walks:
        for path in walk.paths:
            with walk.visitor.get(path) as answer:
                assert answer.status_code < 500, path
                harmless(answer)


def harmless(answer):
    """No markup of theirs in a page; no cell that a spreadsheet would work out in a table."""
    if answer.mimetype == "text/html":
        page = answer.get_data(as_text=True)
        assert "<script>alert" not in page and "<img src=x" not in page, page[max(0, page.find("x7") - 200):][:400]
    if answer.mimetype == "text/csv":
        for row in csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))):
            assert not [cell for cell in row if cell[:1] and cell[0] in "=+-@\t\r"], row


def test_what_is_taken_and_kept_is_shown_harmless_to_its_owner_and_to_others(world):
    seller, buyer, formula = Caller(world, MANAGER), Caller(world, BUYER), "=HYPERLINK(\"http://evil.example\")"
    line = a_line("World", "all", starts_on="2026-01-01", ends_on="2035-12-31", exclusive=False)
    title = seller.post("/titles", {
        "kind": "film", "status": "published", "original_title": SCRIPT, "original_language": "he",
        "genres": [SCRIPT[:60]], "tags": [SCRIPT[:60]], "external_id": formula,
        "synopsis": {"en": SCRIPT * 3, "he": "\u200f" + SCRIPT},
        "titles": [{"language": "en", "value": formula, "kind": "translated"}],
        "credits": [{"role": SCRIPT[:100], "name": formula}, {"role": "director", "name": SCRIPT}]}).json["id"]
    assert seller.post(f"/titles/{title}/mandates", {
        **line, "contract": formula, "licensor": SCRIPT}).status_code == 201
    assert seller.post(f"/titles/{title}/licences", {
        **line, "licensee": formula, "contract": SCRIPT, "territories": ["HK"]}).status_code == 201
    me = seller.get("/me").json["organisations"][0]["id"]
    offer = buyer.post("/offers", {"seller": me, "currency": "USD", "valid_until": "2099-01-31", "lines": [
        {**line, "title_id": title, "territories": ["JP"], "price": 100}]}).json["id"]
    assert buyer.post(f"/offers/{offer}/notes", {"text": SCRIPT}).status_code == 201
    sent = buyer.post(f"/offers/{offer}/steps", {"action": "submit", "version": 1, "note": SCRIPT})
    assert sent.status_code == 201, sent.data
    saw = 0
    for email in (MANAGER, BUYER):
        visitor = Visitor(world, email)
        for path in (f"/titles/{title}", f"/titles/{title}/rights", f"/titles/{title}/media",
                     f"/titles/{title}/franchise", f"/titles/{title}/grants", "/slate", "/offers",
                     f"/offers/{offer}", "/licences", "/licences.csv",
                     f"/titles/{title}/rights.csv?territories=JP&media=svod&starts_on=2027-01-01&ends_on=2027-12-31",
                     "/notices", "/audit", "/audit.csv", "/money", "/money.csv", f"/?q={quote(SCRIPT)}", "/approvals",
                     f"/searches?q={quote(SCRIPT)}", "/licences.ics", "/briefs"):
            with visitor.get(path) as answer:
                assert answer.status_code in (200, 403, 404), (path, answer.status_code)
                harmless(answer)
                saw += any(each in answer.get_data(as_text=True) for each in ("&lt;script&gt;", "'=HYPERLINK"))
    assert saw > 8, "it was really shown"


def test_the_harmless_check_bites():
    class Page:
        mimetype = "text/html"

        def get_data(self, as_text):
            return f"<p>{SCRIPT}</p>"
    with pytest.raises(AssertionError):
        harmless(Page())
