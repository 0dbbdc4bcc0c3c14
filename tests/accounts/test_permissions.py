"""One table decides who may do what, and no route is outside it."""
import re
from itertools import product

import pytest

from accounts import permissions
from accounts.permissions import ACTIONS, OPEN, TABLE, Relation, Role, Viewer, allows, relations
from tests.conftest import Caller

PEOPLE = ("agent@harbour.test", "rights@harbour.test", "buyer@sakura.test", "operator@market.test", None)


def viewer(*roles):
    return Viewer(1, "Somebody", "a@b.test", 1, "House", frozenset(roles), frozenset({"seller"}))


def test_every_route_declares_its_rule(app):
    undeclared = [rule.endpoint for rule in app.url_map.iter_rules()
                  if getattr(app.view_functions[rule.endpoint], "permit", None) not in ACTIONS]
    assert undeclared == []


def test_every_action_of_the_table_is_asked_for_somewhere(app):
    import pathlib
    root = pathlib.Path(permissions.__file__).parent.parent
    source = "".join(path.read_text() for package in ("accounts", "catalogue", "media", "licensing", "search")
                     for path in (root / package).rglob("*.py") if path.name != "permissions.py")
    assert [action for action in ACTIONS if f'"{action}"' not in source] == []


def test_the_table_answers_for_the_whole_product_of_role_action_and_relation():
    for role, action, relation in product(Role, sorted(ACTIONS), Relation):
        expected = any(name == action and (roles is None or role in roles) and relation in each
                       for name, roles, each in TABLE)
        assert allows(viewer(role), action, relation) == expected
    for action in ACTIONS - OPEN:
        assert relations(viewer(), action) == frozenset(), "a member without a role may do nothing"


def test_an_action_that_is_not_in_the_table_is_a_mistake():
    with pytest.raises(KeyError):
        relations(viewer(Role.AGENT), "title.burn")


@pytest.mark.parametrize("email", PEOPLE)
def test_no_route_answers_more_than_the_table_allows(world, email):
    """Every route of the url map, called with nothing: who may not is refused, and nothing fails."""
    caller = Caller(world, email)
    page = world.test_client()
    with world.app_context():
        from accounts import people
        who = people.viewer(people.find(email).id) if email else None
    for rule in world.url_map.iter_rules():
        if rule.endpoint in ("static", "security.static"):
            continue
        path = re.sub(r"<id:(?:token|membership)_id>", "999999999", rule.rule)  # not one's own, which would end it
        path = re.sub(r"<[^>]+>", "1", path)
        action = world.view_functions[rule.endpoint].permit
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            api = path.startswith("/api/v1")
            client, headers = (caller.client, caller.headers) if api else (page, {})
            response = client.open(path, method=method, headers=headers, json={} if api and method != "GET" else None)
            assert response.status_code < 500 or path == "/readyz", (rule, response.data[:300])
            if action in OPEN:
                continue
            if api and email is None:
                assert response.status_code == 401, rule
            elif api and not relations(who, action):
                assert response.status_code == 403, (rule, response.status_code)
            elif not api:
                assert response.status_code in (302, 400), (rule, "a stranger is sent to sign in")
