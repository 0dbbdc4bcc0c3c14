"""The served OpenAPI document against the application that serves it: no answer is a failure of ours or another than the
document says, nobody is let in without a token, and what the document takes is taken.

Every call goes to the real application on the demo world, as people of three kinds in turn. `CASES=1000000` sets how
many, `SEED=7` which; what failed is shown as a call to repeat.
"""
import itertools
import math
import os
import random

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation

from tests.conftest import Caller, both
from tests.scale import at

PEOPLE = ("rights@harbour.test", "buyer@nordlys.test", "operator@market.test")
CASES = int(os.environ.get("CASES", at(ci=1_000, long=20_000)))
SEED = int(os.environ.get("SEED", 1))
ROUND = 5_000  # cases in one world, before it has grown so much that lists take long

CHECKS = {
    # a stale If-Match is a refusal as good as any
    "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428]},
    # 422 is allowed here and looked at by `shape_is_taken`: no schema says which codes, ids and dates go together
    "positive_data_acceptance": {"expected-statuses": ["2xx", 403, 404, 409, 412, 422]},
    "missing_required_header": {"expected-statuses": [401, 403, 404, 422, 428]},
}
NOT_CHECKED = {
    "max_response_time": "bench/ measures how long answers take, on a quiet machine",
}
LINE = {"territories": (["HK", "TW"], ["World", "-US"], ["DE", "AT"], ["CA-QC"]), "languages": (["*"], ["fr:dub"], ["en"]),
        "media": (["svod"], ["television", "est"], ["all"], ["airline", "ship"]),
        "starts_on": ("2027-01-01", "2028-03-01"), "ends_on": ("2028-12-31", "2030-06-30")}
ID = tuple(map(str, range(1, 25)))
WORDS = {**LINE, "languages": (["en"], ["zh-Hant", "fr"]), "currency": ("USD", "EUR"), "price": ("40000", 1250.5, None),
         "price_of_all": ("99.99", None), "amount": ("100", 7), "countries": (["HK", "JP"],), "language": ("en", "yue"),
         "pricing": (None,), "payment": (None,), "identifiers": ({}, {"imdb": "tt0133093"}), "content_type": (
             "image/png", "video/mp4"), "choices": ({"offers": {"bell": True, "mail": False}},), "If-Match": ("*", '"1"'),
         **dict.fromkeys(("title_id", "parent_id", "organisation", "seller", "buyer", "person", "licence_id", "asset_id",
                          "film_id", "id"), ID)}
SHAPE = ("Not a valid", "Missing data", "Unknown field", "Longer than", "Shorter than", "Length must", "Must be", "Field may",
         "Contains characters", "There is nothing with this id", "Not a language tag", "Name between", "Invalid")
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
    words = WORDS | LINE if line else WORDS
    return {name: die.choice(words[name]) if name in words and die.random() < .9 else at_home(each, die)
            for name, each in said.items()}


def settle(case, die):
    """Let a case that is meant to be taken mean something in this world, and any case a record that is there."""
    if not case.meta.is_negative_at(ParameterLocation.PATH):
        case.path_parameters = {name: die.choice(ID) if die.random() < .9 else value
                                for name, value in case.path_parameters.items()}
    if case.meta.generation.mode.is_positive:
        case.query, case.headers = at_home(dict(case.query), die), at_home(dict(case.headers), die)
        if isinstance(case.body, dict):
            case.body = at_home(case.body, die)
        if "Idempotency-Key" in case.headers and die.random() < .8:
            case.headers["Idempotency-Key"] = str(die.random())


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
    edges = list(itertools.islice(schema.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode),
        generation_config=schema.config.generation_for(operation=operation, phase="coverage")), 400))
    random.Random(number).shuffle(edges)
    edges = edges[:math.ceil(most / 4)]
    yield from edges
    wrong = math.ceil((most - len(edges)) / 3)
    for mode, count in ((GenerationMode.POSITIVE, most - len(edges) - wrong), (GenerationMode.NEGATIVE, wrong)):
        yield from generated(operation.as_strategy(generation_mode=mode), count, number)


def generated(strategy, most, number):
    found = []
    if most > 0:
        @seed(number)
        @settings(max_examples=most, database=None, phases=[Phase.generate], deadline=None,
                  suppress_health_check=list(HealthCheck))
        @given(strategy)
        def take(case):
            found.append(case)
        take()
    return found


def document(app):
    return schemathesis.openapi.from_wsgi("/api/openapi.json", app, config=schemathesis.Config.from_dict(
        {"checks": CHECKS}))


def try_out(app, email, most, number):
    """Send so many cases as one person. What was wrong, each fault once: the call and what was said of it."""
    schema, die = document(app), random.Random(number)
    headers = Caller(app, email).headers
    operations = [each.ok() for each in schema.get_all_operations()]
    sent, faults, codes = 0, {}, {}
    for operation in operations:
        for case in cases(schema, operation, math.ceil(most / len(operations)), number):
            settle(case, die)
            answer, sent = case.call(headers=headers), sent + 1
            codes.setdefault(operation.label, []).append(answer.status_code)
            try:
                case.validate_response(answer, headers=headers, additional_checks=[shape_is_taken])
            except BaseExceptionGroup as fault:
                kind = (operation.label, answer.status_code, *sorted(type(each).__name__ for each in fault.exceptions))
                faults.setdefault(kind, str(fault))
    return sent, faults, codes


@pytest.mark.parametrize("email", PEOPLE)
def test_every_answer_is_one_that_the_document_names(fresh, email):
    share, sent = math.ceil(CASES / len(PEOPLE)), 0
    for turn in itertools.count():
        if sent >= share:
            break
        some, faults, codes = try_out(fresh(seeded=True), email, min(ROUND, share - sent), SEED + turn)
        sent += some
        assert not faults, f"As {email}, SEED={SEED + turn}:\n" + "\n".join(faults.values())
