"""One table decides who may do what, and no route is outside it."""
from itertools import product

import pytest

from accounts import permissions
from accounts.permissions import ACTIONS, FITTING, OPEN, TABLE, Relation, Role, Viewer, allows, relations


def viewer(*roles, trades=("seller", "buyer", "operator")):
    return Viewer(1, "Somebody", "a@b.test", 1, "House", frozenset(roles), frozenset(trades))


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


def test_what_sellers_do_is_done_by_who_sells_and_so_of_buyers_and_operators():
    """Also where somebody still has a role that their organisation has no use for."""
    for trade, roles in FITTING.items():
        for role, action in product(Role, sorted(ACTIONS - OPEN)):
            alone = relations(viewer(role, trades=[trade]), action)
            assert alone == (relations(viewer(role), action) if role in roles else frozenset()), (trade, role, action)
    assert not allows(viewer(Role.AGENT, trades=["buyer"]), "title.create")
    assert not allows(viewer(Role.BUYER, trades=["seller"]), "basket.keep")
    assert not viewer(Role.RIGHTS_MANAGER, trades=["buyer"]).approves
    both = viewer(Role.AGENT, Role.BUYER, trades=["seller", "buyer"])
    assert allows(both, "title.create") and allows(both, "basket.keep")


def test_an_action_that_is_not_in_the_table_is_a_mistake():
    with pytest.raises(KeyError):
        relations(viewer(Role.AGENT), "title.burn")
