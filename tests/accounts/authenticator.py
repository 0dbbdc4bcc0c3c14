"""A passkey without a browser: what it signs, it signs as a browser would pass it on."""
import base64
import hashlib
import json
import re
import secrets
from html import unescape

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from accounts.models import Passkey
from core import clock
from core.database import db
from tests.accounts.entry import person

HERE, ORIGIN = "localhost", "http://localhost"
PRESENT_AND_VERIFIED = 0x05


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Authenticator:
    """Holds one key of one person, of which Slate knows; it does not count, as those of phones do not."""

    def __init__(self, app, email, usage):
        self.key, self.id = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16)
        point = self.key.public_key().public_numbers()
        known = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}  # COSE: EC2, ES256, P-256
        with app.app_context():
            db.session.add(Passkey(person=person(email), name=f"A key {self.id.hex()}", credential_id=self.id,
                                   public_key=cbor2.dumps(known), sign_count=0, usage=usage,
                                   device_type="single_device", backup_state=False, lastuse_datetime=clock.now()))
            db.session.commit()

    def answer(self, page: str) -> str:
        """What the browser sends to what this page asks of it."""
        challenge = re.search(r'"challenge": "([^"]+)"', unescape(page))[1]
        said = json.dumps({"type": "webauthn.get", "challenge": challenge, "origin": ORIGIN}).encode()
        data = hashlib.sha256(HERE.encode()).digest() + bytes([PRESENT_AND_VERIFIED]) + bytes(4)
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return json.dumps({"id": _url_safe(self.id), "rawId": _url_safe(self.id), "type": "public-key", "response": {
            "clientDataJSON": _url_safe(said), "authenticatorData": _url_safe(data),
            "signature": _url_safe(signature)}})
