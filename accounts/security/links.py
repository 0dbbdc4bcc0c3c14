"""What stands in letters, signed: made when a letter goes out, so that no table and no log holds it."""
import hashlib

from flask import current_app
from flask_security.recoverable import generate_reset_password_token
from itsdangerous import BadData, Signer

from accounts.addresses import Side
from accounts.models import Person
from core.errors import NotFound

Signer.default_digest_method = staticmethod(hashlib.sha256)  # for links and forms alike, where itsdangerous takes SHA-1


def of(mailing) -> str:
    """The path that belongs into a letter about an account."""
    if mailing.kind == "recovery":
        return recovery(mailing.person)
    return address(mailing.key, Side(mailing.kind.removeprefix("address_")))


def recovery(person: Person) -> str:
    """The path at which a person sets a new password, once, within LINK_WITHIN."""
    return f"/recovery/{generate_reset_password_token(person)}"


def address(key: str, side: Side) -> str:
    """The path at which a change of address is confirmed for one side."""
    return f"/account/address/{_serializer().dumps([key, side])}"


def read_address(token: str) -> tuple[str, Side]:
    """(key, side) of a change. Raises NotFound for what is forged or too old."""
    try:
        key, side = _serializer().loads(token, max_age=current_app.config["LINK_WITHIN"].total_seconds())
    except BadData:
        raise NotFound("This link is not valid any more. Ask for the change again on your account page.") from None
    return key, Side(side)


def _serializer():
    return current_app.extensions["security"].change_email_serializer
