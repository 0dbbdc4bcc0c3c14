"""The served OpenAPI document against the application that serves it: no answer is a failure of ours, or another than
the document says; nobody is let in without a token; what the document takes is taken, and nothing else.

All checks of schemathesis are made, of every call. Three need to know what came before it and who else there is: they
bite in a `Walk`, from the making of a record to its end. Every call goes to the real application on the demo world, as
people of three kinds. `CASES=1000000` sets how many, `SEED=7` which; what failed is shown as a call to repeat.
"""
import ast
import itertools
import math
import os
import random
import re
import traceback
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.generation.meta import CaseMetadata, GenerationInfo, PhaseInfo, StatefulPhaseData, TestPhase
from schemathesis.openapi.checks import EnsureResourceAvailability, ObjectLevelAuthorizationViolation, UseAfterFree
from schemathesis.wfc.escalation import EscalatingAuthProvider

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
    "max_response_time": 10,  # seconds: on a busy machine, so what is found is no slow answer but one without a bound
}
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
        {"checks": CHECKS, "generation": {"with-security-parameters": False}}))


def faulty(fault):
    """Where a call ended that should have been answered, and how to repeat it."""
    ours = [each for each in traceback.extract_tb(fault.__traceback__) if "site-packages" not in each.filename]
    return "\n".join([*traceback.format_list(ours[-4:]), repr(fault), *getattr(fault, "__notes__", ())])


def try_out(app, most, number):
    """Send about so many cases to one world. What was wrong, each fault once: the call and what was said of it."""
    schema, die = document(app), random.Random(number)
    headers = {email: Caller(app, email).headers for email in PEOPLE}
    operations = sorted((each.ok() for each in schema.get_all_operations()),
                        key=lambda each: (-ORDER.index(each.method.upper()), each.path), reverse=True)
    answers, faults, left = {}, {}, most
    for done, operation in enumerate(operations):
        for case in cases(schema, operation, math.ceil(left / (len(operations) - done)), number):
            left -= 1
            settle(case, die)
            email, = die.choices(list(PEOPLE), PEOPLE.values())
            try:
                answer = case.call(headers=headers[email])
            except Exception as fault:  # the application is run for tests: what it stumbles over is thrown at us
                faults.setdefault((operation.label, 500, str(fault)[:80]), f"As {email}: {faulty(fault)}")
                continue
            answers.setdefault(operation.label, []).append(answer.status_code)
            try:
                case.validate_response(answer, headers=headers[email],
                                       additional_checks=[nobody_gets_in, shape_is_taken])
            except BaseExceptionGroup as fault:
                kind = (operation.label, answer.status_code, *sorted(type(each).__name__ for each in fault.exceptions))
                faults.setdefault(kind, f"As {email}: {fault}")
    return answers, faults


@both_when_long
def test_every_answer_is_one_that_the_document_names(fresh, backend):
    left = CASES if backend == "sqlite" else CASES // 4  # there each world is a database made anew
    for turn in itertools.count(SEED):
        if left <= 0:
            break
        answers, faults = try_out(fresh(seeded=True), min(ROUND, left), turn)
        assert not faults, f"SEED={turn}:\n" + "\n".join(faults.values())
        left -= sum(map(len, answers.values()))


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


OFFER = {"seller": "1", "currency": "USD", "lines": [{**a_line(), "title_id": "1", "price": 1}]}
PAPER = {"filename": "terms.pdf", "content_type": "application/pdf", "size": 9}
SELLER, BUYER, RIVAL = "rights@harbour.test", "buyer@nordlys.test", "buyer@sakura.test"
MADE = {  # by what is made: who makes one, where and of what
    "/titles/{title_id}": (SELLER, "/titles", {"kind": "film", "original_title": "Walked", "status": "draft"}),
    "/assets/{asset_id}": (SELLER, "/titles/{title_id}/assets", {**PAPER, "kind": "document"}),
    "/holds/{hold_id}": (SELLER, "/titles/{title_id}/holds", {
        **a_line(), "organisation": "3", "expires_at": "2999-01-01T00:00:00Z"}),
    "/offers/{offer_id}": (BUYER, "/offers", OFFER),
    "/attachments/{attachment_id}": (BUYER, "/offers/{offer_id}/attachments", PAPER),
    "/basket/{line_id}": (BUYER, "/basket", {**a_line(), "title_id": "1"}),
}
LATER = ("/memo", "/memo.json", "/memo.pdf", "/materials")  # what an offer has from a step of its life on
ELSEWHERE = {  # what more can be deleted: where it is tried
    "/assets/{asset_id}/grants/{grant_id}": "tests/media/test_grants.py",  # of a screener that is ready
    "/members/{membership_id}": "tests/accounts/test_acting.py", "/tokens/{token_id}": "tests/accounts/test_tokens.py",
    "/invitations/{invitation_id}": "tests/accounts/test_invitations.py",
    "/organisations/{organisation_id}/suspension": "tests/accounts/test_acting.py",
    "/editions/{edition_id}/participants/{organisation_id}": "tests/test_visibility.py",
    "/webhooks/{webhook_id}": "tests/accounts/test_webhooks.py"}


class Bearer:
    """Whom a call is sent as, for schemathesis."""

    def __init__(self, app, email):
        self.headers = Caller(app, email).headers

    def get(self, case, context):
        return self.headers

    def set(self, case, headers, context):
        case.headers.update(headers)


class Walk:
    """Calls that lead from one to the next. Of each, schemathesis is told what came before and who else there is, so
    that it can ask whether what was made is there, what was deleted is gone, and others read neither."""

    def __init__(self, app, *emails):
        self.schema, self.recorder = document(app), ScenarioRecorder(label="walk")
        self.people = EscalatingAuthProvider([Bearer(app, each) for each in emails], list(emails), peers=emails)
        self.schema.auth.providers.append(self.people)

    def case(self, method, path, email, **said):
        phase = PhaseInfo(TestPhase.STATEFUL, StatefulPhaseData(*[None] * 4))
        case = self.schema[f"/api/v1{path}"][method].Case(
            **said, _meta=CaseMetadata(GenerationInfo(0, GenerationMode.POSITIVE), {}, phase))
        person = self.people.provider_for(email)
        person.set(case, person.get(case, None), None)
        case._auth_identity, case._has_explicit_auth = email, True
        return case

    def take(self, case, after=None, answer=None):
        """The answer to the next call, or to one that was not sent."""
        self.recorder.record_case(case=case, parent_id=after and after.id)
        answer = answer or case.call()
        self.recorder.record_response(case_id=case.id, response=answer)
        case.validate_response(answer, recorder=self.recorder)
        return answer


def named(path):
    return re.findall(r"{(\w+)}", path)


def test_what_was_made_is_there_what_was_deleted_is_gone_and_neither_is_read_by_others(caller):
    said = caller().client.get("/api/openapi.json").json["paths"]
    calls = {method: [path.removeprefix("/api/v1") for path in said if method in said[path]]
             for method in ("get", "delete")}
    assert {*calls["delete"]} == {*MADE, *ELSEWHERE} - {"/titles/{title_id}"}
    walk, ids, making = Walk(caller().client.application, SELLER, BUYER, RIVAL), {}, {}

    def send(method, path, email, after=None, **more):
        case = walk.case(method, path, email, path_parameters={each: ids[each] for each in named(path)}, **more)
        return case, walk.take(case, after)

    def read(template, later=()):
        """What is answered at and below an address: status by path."""
        below = [path for path in calls["get"] if path.startswith(template) and named(path) == named(template)
                 and not path.endswith(later)]
        return {path: send("GET", path, MADE[template][0], making[template])[1].status_code for path in below}

    for template, (email, where, body) in MADE.items():
        making[template], answer = send("POST", where, email, body=body, media_type="application/json")
        assert answer.status_code == 201, answer.text
        made = answer.json()
        ids[named(template)[0]] = (made.get("asset") or made.get("attachment") or made)["id"]
        assert read(template, LATER).get(template, 200) == 200, template
    for template, (email, *_) in reversed(MADE.items()):
        if template in calls["delete"]:
            making[template], answer = send("DELETE", template, email, making[template])
            assert answer.status_code == 204, template
            assert set(read(template).values()) <= {404, 422}, template  # what is asked is read before it is looked for
            assert send("DELETE", template, email, making[template])[1].status_code in (404, 409), template
    by_others = {each.value.path.removeprefix("/api/v1") for each in walk.recorder.cases.values()
                 if each.value.auth_identity == RIVAL}
    assert {"/titles/{title_id}", "/offers/{offer_id}", "/assets/{asset_id}"} <= by_others, "others were tried"


def test_a_walk_tells_what_is_missing_what_is_left_and_what_others_read(caller):
    walk = Walk(caller().client.application, SELLER, "agent@harbour.test")  # of one house, as if they were of two

    def make(template, **ids):
        _, where, body = MADE[template]
        case = walk.case("POST", where, SELLER, path_parameters=ids, body=body, media_type="application/json")
        return case, walk.take(case).json()

    def fault(path, after, **ids):
        with pytest.raises(BaseExceptionGroup) as found:
            walk.take(walk.case("GET", path, SELLER, path_parameters=ids), after)
        return [type(each) for each in found.value.exceptions]
    making, made = make("/titles/{title_id}")
    assert fault("/titles/{title_id}", making, title_id="999") == [EnsureResourceAvailability]
    making, made = make("/assets/{asset_id}", title_id=made["id"])
    asset = made["asset"]["id"]
    assert fault("/assets/{asset_id}", making, asset_id=asset) == [ObjectLevelAuthorizationViolation]
    _, made = make("/assets/{asset_id}", title_id="1")
    other = walk.case("DELETE", "/assets/{asset_id}", SELLER, path_parameters={"asset_id": made["asset"]["id"]})
    deleting = walk.case("DELETE", "/assets/{asset_id}", SELLER, path_parameters={"asset_id": asset})
    walk.take(deleting, making, answer=walk.take(other))  # so it was answered, but another is gone
    assert UseAfterFree in fault("/assets/{asset_id}", deleting, asset_id=asset)

