"""The served OpenAPI document against the application that serves it: no answer is a failure of ours, or another than
the document says; nobody is let in without a token; what the document takes is taken, and nothing else.

All checks of schemathesis are made. Three of them compare calls: what a call made is read, deleted and read again, and
read by people of other organisations. Every call goes to the real application on the demo world, as people of three
kinds. `CASES=1000000` sets how many, `SEED=7` which; what failed is shown as a call to repeat.
"""
import ast
import itertools
import math
import os
import random
import re
import traceback
from contextlib import suppress
from types import SimpleNamespace

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.wfc.auth import Header
from schemathesis.wfc.escalation import EscalatingAuthProvider
from schemathesis.wfc.providers import FixedHeaderAuthProvider

from core import errors
from tests.conftest import Caller, a_line, both_when_long
from tests.scale import at
from tests.test_architecture import MODULES

PEOPLE = {"rights@harbour.test": 10, "buyer@nordlys.test": 8, "operator@market.test": 1, None: 1}  # of twenty calls
ORDER = ("POST", "PUT", "PATCH", "GET", "DELETE")  # so that there is something to read
CASES = int(os.environ.get("CASES", at(ci=600, long=20_000)))
SEED = int(os.environ.get("SEED", 1))
QUIETLY = settings(database=None, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
ROUND = 5_000  # cases in one world, before it has grown so much that lists take long

CHECKS = {
    # a stale If-Match is a refusal as good as any
    "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428]},
    # 422 is allowed here and looked at by `shape_is_taken`: no schema says which codes, ids and dates go together
    "positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 412, 422]},
    "missing_required_header": {"expected-statuses": [401, 403, 404, 422, 428]},
    # seconds: no call takes one alone, but two cores may be shared; what waits for a lock takes 30 and is found
    "max_response_time": 20,
}
NOT_YET = [{"include-path-regex": "/offers/{offer_id}/memo",  # an offer that was just made has none, only a deal has
            "checks": {"ensure_resource_availability": {"enabled": False}}}]
LINE = {"territories": (["HK", "TW"], ["World", "-US"], ["DE", "AT"], ["CA-QC"]),
        "media": (["svod"], ["television", "est"], ["all"], ["airline", "ship"]),
        "languages": (["*"], ["fr:dub"], ["en"]),
        "starts_on": ("2027-01-01", "2028-03-01"), "ends_on": ("2028-12-31", "2030-06-30")}
ID = tuple(str(each) for most in (3, 8, 24) for each in range(1, most + 1))  # low ones more often
IDS = ("title_id", "parent_id", "person", "licence_id", "asset_id", "film_id", "id")
WORDS = {"languages": (["en"], ["zh-Hant", "fr"]), "currency": ("USD", "EUR"), "price": ("40000", 1250.5, None),
         "price_of_all": ("99.99", None), "amount": ("100", 7), "countries": (["HK", "JP"],), "language": ("en", "yue"),
         "pricing": (None,), "payment": (None,), "identifiers": ({}, {"imdb": "tt0133093"}), "If-Match": ("*", '"1"'),
         "content_type": ("image/png", "video/mp4"), "choices": ({"offers": {"bell": True, "mail": False}},),
         "seller": "12", "buyer": "345", "organisation": "3456", **dict.fromkeys(IDS, ID)}
SHAPE = ("Not a valid", "Missing data", "Unknown field", "Longer than", "Shorter than", "Length must", "Must be",
         "Field may", "Contains characters", "There is nothing with this id", "Not a language tag", "Name between")
EITHER_OR = {"starts_on", "ends_on"}  # a day, or a date to be announced


def at_home(said, die):
    """What was generated, with words of this world in most of its places: what is made up altogether gets no further
    than the first look-up."""
    if isinstance(said, list):
        return [at_home(each, die) for each in said]
    if isinstance(said, float) and said.is_integer():
        return int(said)  # JSON Schema takes 1.0 for an integer; we do not
    if not isinstance(said, dict):
        return said
    line = "territories" in said and {"exclusive", "hard", "match"} & said.keys()
    if line:
        said = {**{name: None for name in LINE if name != "languages"}, **said}
        said = {name: each for name, each in said.items() if not name.endswith("_tba") or die.random() < .2}
    offer = {"currency", "lines"} <= said.keys()
    words = WORDS | LINE if line else WORDS
    said = {name: die.choice(words[name]) if name in words and die.random() < .9 else at_home(each, die)
            for name, each in (({"seller": None, "buyer": None} if offer else {}) | said).items()}
    return {**said, die.choice(("seller", "buyer")): None} if offer else said


ENDS = {("DELETE", "/members/{membership_id}"), ("DELETE", "/tokens/{token_id}"),  # with who calls
        ("PUT", "/organisations/{organisation_id}/suspension")}


def settle(case, die):
    """Let a case be about a record that is there, and mean something in this world if it is to be taken."""
    if not case.meta.is_negative_at(ParameterLocation.PATH):
        case.path_parameters = {name: die.choice(ID) if die.random() < .9 else value
                                for name, value in case.path_parameters.items()}
    if (case.method.upper(), case.path.removeprefix("/api/v1")) in ENDS:
        case.path_parameters = dict.fromkeys(case.path_parameters, "999999999")
    if case.meta.generation.mode.is_positive:
        case.query, case.headers = at_home(dict(case.query), die), at_home(dict(case.headers), die)
        if isinstance(case.body, dict):
            case.body = at_home(case.body, die)
        if "Idempotency-Key" in case.headers and die.random() < .8:
            case.headers["Idempotency-Key"] = str(die.random())


def nobody_gets_in(_, answer, case):
    """Without a token every call that leads somewhere is 401, whatever else is wrong with it."""
    known = "Authorization" in answer.request.headers
    asks_for_methods = answer.request.method == "OPTIONS" and answer.status_code == 200
    assert (answer.status_code == 401) != known or asks_for_methods or answer.status_code in (404, 405)


def sentences(errors, field=""):
    """(field, sentence) of everything in the `errors` of a problem document."""
    for name, each in errors.items():
        if isinstance(each, dict):
            yield from sentences(each, name)
        else:
            yield from ((name, sentence) for sentence in each)


def shape_is_taken(_, answer, case):
    """What the document calls well formed is not refused for its form."""
    if case.meta.generation.mode.is_positive and answer.status_code == 422:
        refused = [(field, said) for field, said in sentences(answer.json()["errors"])
                   if said.startswith(SHAPE) and field not in EITHER_OR]
        assert not refused, f"The document takes it, we do not: {refused}"


def cases(schema, operation, most, number):
    """So many cases of an operation: some that must be taken, some that must not, and some at the edges of both."""
    few = math.ceil(most / 4)
    edges = list(itertools.islice(schema.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode),
        generation_config=schema.config.generation_for(operation=operation, phase="coverage")), 10 * few))
    edges = random.Random(number).sample(edges, min(few, len(edges)))
    yield from edges
    wrong = math.ceil((most - len(edges)) / 3)
    for mode, count in ((GenerationMode.POSITIVE, most - len(edges) - wrong), (GenerationMode.NEGATIVE, wrong)):
        yield from generated(operation.as_strategy(generation_mode=mode), count, number)


def generated(strategy, most, number):
    found = []
    if most > 0:
        @seed(number)
        @settings(QUIETLY, max_examples=most)
        @given(strategy)
        def take(case):
            found.append(case)
        with suppress(Unsatisfiable):  # nothing is wrong where nothing is asked
            take()
    return found


def document(app):
    return schemathesis.openapi.from_wsgi("/api/openapi.json", app, config=schemathesis.Config.from_dict(
        {"checks": CHECKS, "operations": NOT_YET, "generation": {"with-security-parameters": False}}))


def faulty(fault):
    """Where a call ended that should have been answered, and how to repeat it."""
    ours = [each for each in traceback.extract_tb(fault.__traceback__) if "site-packages" not in each.filename]
    return "\n".join([*traceback.format_list(ours[-4:]), repr(fault), *getattr(fault, "__notes__", ())])


def made_id(said):
    """The id of what an answer says was made; files come with where to send them."""
    return (said.get("asset") or said.get("attachment") or said).get("id")


class Calls:
    """Calls to one application, with all checks made. `answers`: the statuses of each operation. `faults`: what was
    wrong, each fault once: the call and what was said of it."""

    def __init__(self, app, people=tuple(PEOPLE)):
        self.answers, self.faults = {}, {}
        self.schema, self.followed = document(app), document(app)
        self.headers = {email: Caller(app, email).headers for email in people}

    def send(self, case, email, recorder=None, parent=None, **sent):
        """The answer; None when there was none."""
        recorder = recorder or ScenarioRecorder(label="", config=self.schema.config.output)
        recorder.record_case(parent_id=parent and parent.id, case=case, transition=None, is_transition_applied=True)
        try:
            answer = case.call(**sent)
        except Exception as fault:  # the application is run for tests: what it stumbles over is thrown at us
            self.faults.setdefault((case.operation.label, 500, str(fault)[:80]), f"As {email}: {faulty(fault)}")
            return None
        recorder.record_response(case_id=case.id, response=answer)
        try:
            case.validate_response(answer, additional_checks=[nobody_gets_in, shape_is_taken], recorder=recorder,
                                   **sent)
        except BaseExceptionGroup as fault:
            kind = (case.operation.label, answer.status_code, *sorted(type(each).__name__ for each in fault.exceptions))
            self.faults.setdefault(kind, f"As {email}: {fault}")
        if parent is None:
            self.answers.setdefault(case.operation.label, []).append(answer.status_code)
            if case.method == "POST" and answer.status_code == 201 and isinstance(answer.json(), dict):
                self.follow(case, answer, email, recorder)
        return answer

    def follow(self, made, answer, email, recorder):
        """Read, delete and read again what was made. The checks ask the same as people of other organisations, but of
        what was published, for that is everyone's."""
        said = answer.json()
        name = made_id(said)
        at = re.compile(rf"/api/v1/{made.path.rsplit('/', 1)[1]}/{{(\w+)}}(/[^{{]+)?")
        others = [each for each in self.headers if each and each.split("@")[1] != email.split("@")[1]
                  and said.get("status") != "published"]
        tokens = [FixedHeaderAuthProvider([Header(*each) for each in self.headers[peer].items()])
                  for peer in (email, *others)]
        self.followed.auth.providers[:] = [
            EscalatingAuthProvider(tokens, [email, *others], peers=(email, *others), pinned=email)]
        made._auth_identity = email
        found = [(each.ok(), match[1]) for each in self.followed.get_all_operations()
                 if (match := at.fullmatch(each.ok().path))]
        reads, ends = ([each for each in found if each[0].method == method] for method in ("get", "delete"))
        for operation, parameter in [*reads, *ends, *reads]:
            for case in generated(operation.as_strategy(path_parameters={parameter: name}), 1, SEED):
                case.headers.pop("If-Match", None)
                self.send(case, email, recorder, made)


def try_out(app, most, number):
    """Send about so many cases to one world: `Calls`."""
    calls, die, left = Calls(app), random.Random(number), most
    operations = sorted((each.ok() for each in calls.schema.get_all_operations()),
                        key=lambda each: (-ORDER.index(each.method.upper()), each.path), reverse=True)
    for done, operation in enumerate(operations):
        for case in cases(calls.schema, operation, math.ceil(left / (len(operations) - done)), number):
            left -= 1
            settle(case, die)
            email, = die.choices(list(PEOPLE), PEOPLE.values())
            calls.send(case, email, headers=calls.headers[email])
    return calls


@both_when_long
def test_every_answer_is_one_that_the_document_names(fresh, backend):
    left = CASES if backend == "sqlite" else CASES // 4  # there each world is a database made anew
    for turn in itertools.count(SEED):
        if left <= 0:
            break
        calls = try_out(fresh(seeded=True), min(ROUND, left), turn)
        assert not calls.faults, f"SEED={turn}:\n" + "\n".join(calls.faults.values())
        left -= sum(map(len, calls.answers.values()))


def test_a_document_says_of_every_call_what_may_become_of_it(caller):
    said = caller().client.get("/api/openapi.json").json
    for path, calls in said["paths"].items():
        for method, call in calls.items():
            if method != "parameters":
                assert {"401", "403", "429", "503"} <= call["responses"].keys(), (method, path)
                assert ("404" in call["responses"]) >= ("{" in path), (method, path)
    revise = said["paths"]["/api/v1/titles/{title_id}"]["patch"]
    assert {"200", "404", "409", "412", "413", "415", "422", "428"} <= revise["responses"].keys()
    assert {"If-Match", "Idempotency-Key"} <= {each["name"] for each in revise["parameters"]}
    discard = said["paths"]["/api/v1/offers/{offer_id}"]["delete"]
    assert [(each["required"], "428" in call["responses"]) for call in (revise, discard)
            for each in call["parameters"] if each["name"] == "If-Match"] == [(True, True), (False, False)]
    assert said["components"]["responses"]["412"]["content"].keys() == {"application/problem+json"}


def test_what_a_refusal_carries_stands_in_the_document(caller):
    carried = {(keyword.arg, module) for module, source in MODULES.items() for node in ast.walk(ast.parse(source))
               if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
               and getattr(node.exc.func, "id", "") in vars(errors) for keyword in node.exc.keywords}
    said = caller().client.get("/api/openapi.json").json["components"]["schemas"]["Problem"]["properties"]
    for_pages = {("way", "accounts/security/proof.py")}  # in which field of a form the sentence stands
    assert len(carried) > 4 and {each for each in carried - for_pages if each[0] not in said} == set()


def test_true_and_false_are_said_as_such(caller):
    """What stands for them elsewhere is refused: nobody may take "no" for a yes."""
    for said in ("no", "true", 1, 0):
        refused = caller("buyer@sakura.test").post("/titles/1/avails", a_line(exclusive=said))
        assert refused.status_code == 422 and set(refused.json["errors"]) == {"exclusive"}, said


def test_a_holdback_names_a_licence_that_is_there(caller):
    line = {"territories": ["HK"], "media": ["svod"], "starts_on": "2027-01-01", "ends_on": "2028-12-31", "hard": True}
    for binds in ("licensor", "licensee"):
        refused = caller("rights@harbour.test").post(
            "/titles/1/holdbacks", {**line, "binds": binds, "licence_id": "999"})
        assert refused.status_code == 422 and set(refused.json["errors"]) == {"licence_id"}


SELLER, AGENT = "rights@harbour.test", "agent@harbour.test"
OFFER = {"seller": "1", "currency": "USD", "lines": [{**a_line(), "title_id": "1", "price": 1}]}
PAPER = {"filename": "terms.pdf", "content_type": "application/pdf", "size": 9}
MADE = {  # by what can be deleted: who makes one, where and of what
    "/assets/{asset_id}": (SELLER, "/titles/{title_id}/assets", {**PAPER, "kind": "document"}),
    "/attachments/{attachment_id}": ("buyer@nordlys.test", "/offers/{offer_id}/attachments", PAPER),
    "/basket/{line_id}": ("buyer@nordlys.test", "/basket", {**a_line(), "title_id": "1"}),
    "/holds/{hold_id}": (SELLER, "/titles/{title_id}/holds", {
        **a_line(), "organisation": "3", "expires_at": "2999-01-01T00:00:00Z"}),
    "/offers/{offer_id}": ("buyer@nordlys.test", "/offers", OFFER),
    "/webhooks/{webhook_id}": ("admin@harbour.test", "/webhooks", {
        "url": "https://hooks.harbour.example/in", "events": ["offer.step"]}),
}
ELSEWHERE = {  # what more can be deleted: where it is tried
    "/assets/{asset_id}/grants/{grant_id}": "tests/media/test_grants.py",  # of a screener that is ready
    "/members/{membership_id}": "tests/accounts/test_acting.py", "/tokens/{token_id}": "tests/accounts/test_tokens.py",
    "/invitations/{invitation_id}": "tests/accounts/test_invitations.py",
    "/organisations/{organisation_id}/suspension": "tests/accounts/test_acting.py",
    "/editions/{edition_id}/participants/{organisation_id}": "tests/test_visibility.py"}


def test_what_was_made_is_there_and_what_was_deleted_is_gone(world):
    """Wherever the document lets something be deleted: so the checks that compare calls have something to compare."""
    calls = Calls(world, (*PEOPLE, "admin@harbour.test"))
    known = {(each.ok().method, each.ok().path.removeprefix("/api/v1")) for each in calls.schema.get_all_operations()}
    assert {path for method, path in known if method == "delete"} == {*MADE, *ELSEWHERE}
    ids = {"title_id": "6", "offer_id": Caller(world, "buyer@nordlys.test").post("/offers", OFFER).json["id"]}
    for template, (email, where, body) in MADE.items():
        recorder = ScenarioRecorder(label=template, config=calls.schema.config.output)
        make, = generated(calls.schema.find_operation_by_label(f"POST /api/v1{where}").as_strategy(
            path_parameters={name: ids[name] for name in re.findall(r"{(\w+)}", where)}, body=body), 1, SEED)
        answer = calls.send(make, email, recorder, headers=calls.headers[email])
        assert answer.status_code == 201, template
        address = f"/api/v1{template[:template.rindex('{')]}{made_id(answer.json())}"
        assert world.test_client().delete(address, headers=calls.headers[email]).status_code in (404, 409), template
        walk = [(each.method, each.path.removeprefix("/api/v1"), each.auth_identity, recorder.find_response(
            case_id=each.id).status_code) for each in recorder.find_all_cases() if each.auth_identity]
        end = walk.index(("DELETE", template, email, 204))
        below = [path for method, path in known if method == "get" and f"{path}/".startswith(f"{template}/")]
        assert [path for _, path, *_ in walk[end + 1:]] == [
            path for method, path, who, _ in walk[1:end] if who == email] and len(walk[end + 1:]) == len(below), walk
        assert {status for *_, status in walk[end + 1:]} <= {404, 422}, walk  # what is asked is read before looked for
        if template in below:
            assert ("GET", template, email, 200) in walk, walk
            others = {status for method, path, who, status in walk if path == template and who != email}
            assert others and others <= {403, 404}, walk
    assert not calls.faults, "\n".join(calls.faults.values())


def test_the_checks_that_compare_calls_find_what_is_missing_what_is_left_and_what_others_read(world, monkeypatch):
    """A world in which nothing is as it should be: a colleague counts as a rival, a discarded paper stays, another than
    the one that was made is asked for."""
    calls = Calls(world, (SELLER, AGENT))
    calls.headers["agent@rival.test"] = calls.headers.pop(AGENT)
    monkeypatch.setitem(world.view_functions, "assets.delete_asset", lambda asset_id: ("", 204))
    make, = generated(calls.schema.find_operation_by_label("POST /api/v1/titles/{title_id}/assets").as_strategy(
        path_parameters={"title_id": "6"}, body=MADE["/assets/{asset_id}"][2]), 1, SEED)
    calls.send(make, SELLER, headers=calls.headers[SELLER])
    title, = generated(calls.schema.find_operation_by_label("POST /api/v1/titles").as_strategy(
        body={"kind": "film", "original_title": "Walked"}), 1, SEED)
    recorder = ScenarioRecorder(label="", config=calls.schema.config.output)
    calls.send(title, SELLER, recorder, headers=calls.headers[SELLER])
    calls.follow(title, SimpleNamespace(json=lambda: {"id": "999"}), SELLER, recorder)
    assert {"UseAfterFree", "ObjectLevelAuthorizationViolation", "EnsureResourceAvailability"} <= {
        name for _, _, *names in calls.faults for name in names}
