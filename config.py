"""Every setting, in one place: the only reader of the environment.

A setting has a default that suits `make run` in a folder of its own. In production the defaults that
would be dangerous are refused, each with the way to mend it.
"""
import os
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parent
DEVELOPMENT, PRODUCTION = "development", "production"
MOST_READING_SECONDS = 300  # what is taken back ends within five minutes
WEAK_SECRETS = {"", "dev", "development", "secret", "changeme", "password"}


class BadSettings(SystemExit):
    """The environment is not fit to start with; the text says what to set."""


def read(environ=os.environ):
    """The settings as Flask wants them. Raises BadSettings where they are unsafe."""
    stage = environ.get("SLATE_ENV", DEVELOPMENT)
    if stage not in (DEVELOPMENT, PRODUCTION):
        raise BadSettings(f"SLATE_ENV is {stage!r}; set it to {DEVELOPMENT} or {PRODUCTION}.")
    production = stage == PRODUCTION
    secret = environ.get("SECRET_KEY", "" if production else "development")
    if production and (secret.lower() in WEAK_SECRETS or len(secret) < 32):
        raise BadSettings("SECRET_KEY is missing or weak. Set it to 32 characters or more, for example the "
                          'output of: python -c "import secrets; print(secrets.token_urlsafe(48))"')
    seconds = environ.get("READING_SECONDS", str(MOST_READING_SECONDS))
    if not (seconds.isascii() and seconds.isdigit() and 1 <= int(seconds) <= MOST_READING_SECONDS):
        raise BadSettings(f"READING_SECONDS is {seconds!r}; set it to a number from 1 to {MOST_READING_SECONDS}.")
    mail = environ.get("MAIL_URL", "")
    if mail and (urlsplit(mail).scheme not in ("smtp", "smtps") or not urlsplit(mail).hostname):
        raise BadSettings("MAIL_URL is no address of a mail server. Set it to one such as "
                          "smtps://user:password@mail.example.com:465, or leave it empty to keep mail as files.")
    local = environ.get("WEBHOOK_LOCAL", "")
    if local and production:
        raise BadSettings("WEBHOOK_LOCAL lets webhooks into the network that Slate stands in, and is for development "
                          "alone. Unset it.")
    ports = environ.get("WEBHOOK_PORTS", "443").split(",")
    if not all(each.isascii() and each.isdigit() and 0 < int(each) < 65536 for each in ports):
        raise BadSettings("WEBHOOK_PORTS is no list of ports. Set it to one such as 443,8443.")
    site = environ.get("SLATE_SITE", "http://localhost:5000").rstrip("/")
    instance = Path(environ.get("SLATE_INSTANCE", ROOT / "instance")).absolute()
    return {
        "PRODUCTION": production,
        "SECRET_KEY": secret,
        "INSTANCE": str(instance),
        "SQLALCHEMY_DATABASE_URI": environ.get("DATABASE_URL", f"sqlite:///{instance / 'slate.db'}"),
        "INDEX_FOLDER": environ.get("INDEX_FOLDER", str(instance / "index")),
        "MEDIA_FOLDER": environ.get("MEDIA_FOLDER", str(instance / "media")),
        "S3_BUCKET": environ.get("S3_BUCKET", ""),
        "S3_ENDPOINT": environ.get("S3_ENDPOINT") or None,
        "S3_PUBLIC_ENDPOINT": environ.get("S3_PUBLIC_ENDPOINT") or None,
        "S3_REGION": environ.get("S3_REGION") or None,
        "S3_ACCESS_KEY": environ.get("S3_ACCESS_KEY") or None,
        "S3_SECRET_KEY": environ.get("S3_SECRET_KEY") or None,
        "READING_SECONDS": int(seconds),
        "MAIL_URL": mail,
        "MAIL_FOLDER": environ.get("MAIL_FOLDER", str(instance / "mail")),
        "MAIL_FROM": environ.get("MAIL_FROM", f"Slate <slate@{urlsplit(site).hostname}>"),
        "WEBHOOK_LOCAL": bool(local),
        "WEBHOOK_PORTS": [int(each) for each in ports],
        "SITE": site,
        "ZONE": ZoneInfo(environ.get("SLATE_ZONE", "UTC")),
        "MAX_CONTENT_LENGTH": 2 * 1024 * 1024,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": production,
    }
