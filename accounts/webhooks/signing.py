"""Signatures as Standard Webhooks has them (https://www.standardwebhooks.com), and how their secrets are kept."""
import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PREFIX = "whsec_"
SECRET_BYTES = 32


class Unreadable(Exception):
    """A secret was kept under another SECRET_KEY."""


class Seal:
    """Keeps secrets that must be known again: who reads the database alone reads none of them."""

    def __init__(self, key: str):
        derived = HKDF(SHA256(), 32, salt=None, info=b"slate webhooks").derive(key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def close(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises Unreadable."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unreadable("The secret of this endpoint was kept under another SECRET_KEY, and cannot be read any "
                             "more. Make a new one.") from None


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, key: str, timestamp: int, body: str) -> str:
    """HMAC-SHA256 over "id.timestamp.body", as "v1,base64"."""
    said = hmac.new(base64.b64decode(secret.removeprefix(PREFIX)), f"{key}.{timestamp}.{body}".encode(), hashlib.sha256)
    return "v1," + base64.b64encode(said.digest()).decode()


def headers(secrets_: list[str], key: str, timestamp: int, body: str) -> dict[str, str]:
    """The three headers of one attempt: one signature for each secret that counts, the newest first."""
    return {"webhook-id": key, "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signature(each, key, timestamp, body) for each in secrets_)}
