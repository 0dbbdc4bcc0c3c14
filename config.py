"""Every setting, in one place: the only reader of the environment.

A setting has a default that suits `make run` in a folder of its own. In production the defaults that
would be dangerous are refused, each with the way to mend it.
"""
import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parent
DEVELOPMENT, PRODUCTION = "development", "production"
MOST_READING_SECONDS = 300  # what is taken back ends within five minutes
WEAK_SECRETS = {"", "dev", "development", "secret", "changeme", "password"}


class BadSettings(SystemExit):
    """The environment is not fit to start with; the text says what to set."""


def _whole(name, words, most) -> int:
    if not (words.isascii() and words.isdigit() and 1 <= int(words) <= most):
        raise BadSettings(f"{name} is {words!r}; set it to a number from 1 to {most}.")
    return int(words)


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
    factors = environ.get("FACTOR_SECRET") or secret
    if production and len(factors) < 32:
        raise BadSettings("FACTOR_SECRET is weak. Set it to 32 characters or more, or leave it out to use SECRET_KEY.")
    mail = environ.get("MAIL_URL", "")
    if mail and (urlsplit(mail).scheme not in ("smtp", "smtps") or not urlsplit(mail).hostname):
        raise BadSettings("MAIL_URL is no address of a mail server. Set it to one such as "
                          "smtps://user:password@mail.example.com:465, or leave it empty to keep mail as files.")
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
        "FACTOR_SECRET": factors,
        "SESSION_IDLE": timedelta(hours=_whole("SESSION_IDLE_HOURS", environ.get("SESSION_IDLE_HOURS", "8"), 168)),
        "SESSION_WHOLE": timedelta(days=_whole("SESSION_DAYS", environ.get("SESSION_DAYS", "7"), 90)),
        "PROOF_WITHIN": timedelta(minutes=_whole("PROOF_MINUTES", environ.get("PROOF_MINUTES", "15"), 720)),
        "LINK_WITHIN": timedelta(minutes=_whole("LINK_MINUTES", environ.get("LINK_MINUTES", "60"), 1440)),
        "MAIL_URL": mail,
        "MAIL_FOLDER": environ.get("MAIL_FOLDER", str(instance / "mail")),
        "MAIL_FROM": environ.get("MAIL_FROM", f"Slate <slate@{urlsplit(site).hostname}>"),
        "SITE": site,
        "ZONE": ZoneInfo(environ.get("SLATE_ZONE", "UTC")),
        "MAX_CONTENT_LENGTH": 2 * 1024 * 1024,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": production,
    }
