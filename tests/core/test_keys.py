"""The same request under the same key is answered as before, but a secret is shown once."""
import pytest
from sqlalchemy import select

from core.database import db
from core.http.keys import IdempotencyKey
from tests.conftest import Caller

AGENT, BUYER = "agent@harbour.test", "buyer@nordlys.test"
SECRET = {"url", "upload", "token", "secret", "password", "codes"}  # what a secret is called in our answers
OPENS = ("signature", "X-Amz-", "slate_")  # and what one looks like


def kept(world):
    with world.app_context():
        return db.session.scalars(select(IdempotencyKey.body)).all()


def published(agent):
    return next(each["id"] for each in agent.get("/titles?own=true").json if each["status"] == "published")


def test_an_address_to_send_a_file_to_is_shown_once_and_kept_nowhere(world):
    agent = Caller(world, AGENT)
    path, body = f"/titles/{published(agent)}/assets", {"kind": "still", "filename": "a.png", "size": 10,
                                                       "content_type": "image/png"}
    first, again = (agent.post(path, body, Idempotency_Key="one") for _ in range(2))
    assert first.status_code == again.status_code == 201 and again.headers["Idempotent-Replay"] == "true"
    assert first.json["upload"]["url"] and any(each in str(first.json["upload"]) for each in OPENS)
    assert again.json == {**first.json, "upload": None}, "what was made is told, and nothing that opens it"
    assert not any(each in body for body in kept(world) for each in OPENS)
    fresh = agent.post(f"/assets/{again.json['asset']['id']}/parts", {"numbers": [1]})
    assert fresh.status_code in (200, 409), "who lost the first answer goes on from the record"


def hidden(spec, schema, depth=0) -> set:
    """The fields of a schema that are called like a secret, or hold one that is."""
    while "$ref" in schema or "items" in schema:
        schema = schema.get("items") or spec["components"]["schemas"][schema["$ref"].split("/")[-1]]
    own = {"url"} if "events" in schema.get("properties", {}) else set()  # where a webhook leads, as its owner wrote
    return set() if depth > 4 else {name for name, said in schema.get("properties", {}).items() if name not in own
                                    and (name in SECRET or hidden(spec, said, depth + 1))}


@pytest.fixture
def routes(world):
    """(endpoint, view, the fields of its answers that hold a secret) of each route of the API but GET"""
    spec, found = world.extensions["slate-api"].spec.to_dict(), []
    for rule in world.url_map.iter_rules():
        for method in rule.methods & {"POST", "PUT", "PATCH", "DELETE"} if rule.rule.startswith("/api/v1") else ():
            answers = spec["paths"][rule.rule.replace("<id:", "{").replace(">", "}")][method.lower()]["responses"]
            schemas = [content["schema"] for status, answer in answers.items() if status.startswith("2")
                       for content in answer.get("content", {}).values()]
            found.append((rule.endpoint, world.view_functions[rule.endpoint],
                          set().union(*(hidden(spec, each) for each in schemas))))
    return found


def test_every_answer_with_a_secret_in_it_says_so(routes):
    assert len(routes) > 40 and sum(1 for _, _, said in routes if said) >= 4
    for endpoint, view, said in routes:
        if not getattr(view, "only_reads", False):
            assert said <= getattr(view, "shows_once", frozenset()), f"{endpoint} would keep {said}"
