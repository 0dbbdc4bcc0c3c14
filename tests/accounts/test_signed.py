"""What is signed and not kept, cookies, links, states of forms: good by our key, for one purpose, for a while."""
import hashlib
import re
from datetime import timedelta

import pytest
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData, URLSafeTimedSerializer

from accounts import people
from accounts.addresses import Side
from accounts.security import factors, links
from core import clock
from core.database import db
from core.errors import NotFound
from tests.accounts.entry import BUYER
from tests.test_pages import Visitor

SERIALIZERS = ("reset_serializer", "change_email_serializer", "tf_setup_serializer", "wan_serializer")


def serializers(app):
    security = app.extensions["security"]
    return {name: getattr(security, name) for name in SERIALIZERS}


def test_what_is_signed_for_one_purpose_opens_nothing_else(world):
    with world.test_request_context():
        every = serializers(world)
        for name, mine in every.items():
            said = mine.dumps(["x", "old"])
            for other, theirs in every.items():
                if other == name:
                    assert theirs.loads(said) == ["x", "old"]
                else:
                    with pytest.raises(BadData):
                        theirs.loads(said)


def test_a_link_of_one_door_is_none_at_another(world):
    with world.test_request_context():
        recovery = links.recovery(people.find(BUYER)).rpartition("/")[2]
        address = links.address("k" * 20, Side.OLD if hasattr(Side, "OLD") else next(iter(Side))).rpartition("/")[2]
        with pytest.raises(NotFound):
            links.read_address(recovery)
    someone = Visitor(world)
    assert someone.get(f"/recovery/{address}").location.startswith("/recovery")
    assert someone.get(f"/account/address/{recovery}").status_code == 404
    assert someone.get(f"/invitations/{recovery}").status_code == 404


def another_letter(said):
    """The first of the signature: the last has bits that mean nothing."""
    body, _, signature = said.rpartition(".")
    return f"{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


@pytest.mark.parametrize("change", [
    another_letter, lambda said: said.rpartition(".")[0],
    lambda said: "e30." + ".".join(said.split(".")[-2:]), lambda said: said.rpartition(".")[0] + ".", lambda said: "",
    lambda said: "eyJhbGciOiJub25lIn0." + said.partition(".")[2]],
    ids=["another letter", "no signature", "no words", "an empty signature", "nothing", "a header that says none"])
def test_what_was_changed_is_refused(world, change):
    with world.test_request_context():
        for mine in serializers(world).values():
            with pytest.raises(BadData):
                mine.loads(change(mine.dumps(["x", "y"])))
    someone = Visitor(world, BUYER)
    someone.client.set_cookie("session", change(someone.client.get_cookie("session").value))
    assert someone.get("/account").status_code == 302


@pytest.mark.parametrize("key, digest", [("another installation's secret", hashlib.sha256), ("ours", hashlib.sha1),
                                         ("ours", hashlib.md5)])
def test_another_key_and_another_digest_are_refused(world, key, digest):
    secret = world.config["SECRET_KEY"] if key == "ours" else key
    with world.test_request_context():
        for mine in serializers(world).values():
            theirs = URLSafeTimedSerializer(secret, salt=mine.salt, signer_kwargs={"digest_method": digest})
            with pytest.raises(BadData):
                mine.loads(theirs.dumps(["x", "y"]))

    class Forger(SecureCookieSessionInterface):
        digest_method = staticmethod(digest)
    someone = Visitor(world, BUYER)
    ours = world.session_interface.get_signing_serializer(world)
    said = ours.loads(someone.client.get_cookie("session").value)
    kept, world.secret_key = world.secret_key, secret
    forged = Forger().get_signing_serializer(world).dumps(said)
    world.secret_key = kept
    thief = Visitor(world)
    thief.client.set_cookie("session", forged)
    assert thief.get("/account").status_code == 302
    thief.client.set_cookie("session", ours.dumps(said))
    assert thief.get("/account").status_code == 200, "signed as it should be it is taken"


def test_signatures_have_256_bits(world):
    with world.test_request_context():
        signed = [mine.dumps("x") for mine in serializers(world).values()]
        signed.append(world.session_interface.get_signing_serializer(world).dumps({"a": 1}))
    assert {len(each.rpartition(".")[2]) for each in signed} == {43}, "letters of base64"


def test_a_link_is_good_for_its_time_alone(world, monkeypatch):
    with world.test_request_context():
        link = links.address("k" * 20, next(iter(Side))).rpartition("/")[2]
        assert links.read_address(link)
        monkeypatch.setitem(world.config, "LINK_WITHIN", timedelta(seconds=-1))
        with pytest.raises(NotFound):
            links.read_address(link)


def test_what_must_not_be_guessed_has_128_bits(world):
    """Keys of sessions, tokens, secrets of webhooks and of apps, codes on paper, names of objects: as they are made."""
    from accounts import sessions, tokens
    from accounts.webhooks import signing
    with world.test_request_context():
        buyer = people.find(BUYER)
        drawn = {"session": lambda: sessions.begin(buyer.id, "", "", sessions.Limits(timedelta(1), timedelta(1))),
                 "token": lambda: tokens.issue_whole(buyer).removeprefix("slate_"), "webhook": signing.new_secret,
                 "recovery code": lambda: factors.new_recovery_codes(buyer)[0].replace("-", "")}
        bits = {"session": 6, "token": 6, "webhook": 6, "recovery code": 4}
        for name, draw in drawn.items():
            some = {draw() for _ in range(5)}
            assert len(some) == 5 and min(map(len, some)) * bits[name] >= 128, name
        key = factors.new_codes(buyer)["key"]
        assert len(re.sub(r"[\s-]", "", key)) * 5 >= 128
        db.session.rollback()
    assert clock.now()
