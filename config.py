"""Every setting, in one place: the only reader of the environment.

A setting has a default that suits `make run` in a folder of its own. In production the defaults that
would be dangerous are refused, each with the way to mend it.
"""
import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parent
DEVELOPMENT, PRODUCTION = "development", "production"
MOST_READING_SECONDS = 300  # what is taken back ends within five minutes
LEAST_SECRET, LEAST_VARIETY = 32, 12  # characters, and different ones among them
KNOWN_WORDS = ("change", "password", "secret", "example", "default", "development", "insecure", "replace-me")
KNOWN_BUCKETS = {"slate", "slate-media", "slate-example", "bucket", "my-bucket", "mybucket", "your-bucket", "example",
                 "example-bucket", "media", "test", "demo", "default"}
KNOWN_KEYS = {"minioadmin", "minio", "admin", "test", "accesskey", "access_key", "0555b35654ad1656d804"}
KNOWN_PASSWORDS = {"postgres", "password", "slate", "admin", "root", "secret", "changeme", "change-me", "test", "demo"}
HERE = {None, "", "localhost", "127.0.0.1", "::1"}  # needs no TLS: nobody stands between
MOST_PROXIES, MOST_TIMES = 9, 1_000_000
FRESH = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'


class BadSettings(SystemExit):
    """The environment is not fit to start with; the text says what to set."""


def read(environ=os.environ):
    """The settings as Flask wants them. Raises BadSettings where they are unsafe, with everything there is to mend."""
    stage = environ.get("SLATE_ENV", DEVELOPMENT)
    if stage not in (DEVELOPMENT, PRODUCTION):
        raise BadSettings(f"SLATE_ENV is {stage!r}; set it to {DEVELOPMENT} or {PRODUCTION}.")
    production = stage == PRODUCTION
    secret = environ.get("SECRET_KEY", "" if production else "development")
    seconds = _whole("READING_SECONDS", environ.get("READING_SECONDS", str(MOST_READING_SECONDS)), 1,
                     MOST_READING_SECONDS)
    proxies = _whole("PROXIES", environ.get("PROXIES", "0"), 0, MOST_PROXIES)
    times = _whole("LIMITS_TIMES", environ.get("LIMITS_TIMES", "1"), 1, MOST_TIMES)
    counts = environ.get("LIMITS_STORE", "")
    if counts and urlsplit(counts).scheme not in ("redis", "rediss"):
        raise BadSettings("LIMITS_STORE is no address of a Redis server. Set it to one such as redis://localhost:6379, "
                          "or leave it empty to count in each process by itself.")
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
    hosts = [each.strip() for each in environ.get("TRUSTED_HOSTS", "").split(",") if each.strip()]
    if production and (problems := [*_unsafe(environ, secret, site)]):
        raise BadSettings("Slate does not start in production like this:\n" + "\n".join(
            f"  {each}" for each in problems))
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
        "READING_SECONDS": seconds,
        "FACTOR_SECRET": environ.get("FACTOR_SECRET") or secret,
        "SESSION_IDLE": timedelta(hours=_whole("SESSION_IDLE_HOURS", environ.get("SESSION_IDLE_HOURS", "8"), 1, 168)),
        "SESSION_WHOLE": timedelta(days=_whole("SESSION_DAYS", environ.get("SESSION_DAYS", "7"), 1, 90)),
        "PROOF_WITHIN": timedelta(minutes=_whole("PROOF_MINUTES", environ.get("PROOF_MINUTES", "15"), 1, 720)),
        "LINK_WITHIN": timedelta(minutes=_whole("LINK_MINUTES", environ.get("LINK_MINUTES", "60"), 1, 1440)),
        "MAIL_URL": mail,
        "MAIL_FOLDER": environ.get("MAIL_FOLDER", str(instance / "mail")),
        "MAIL_FROM": environ.get("MAIL_FROM", f"Slate <slate@{urlsplit(site).hostname}>"),
        "WEBHOOK_LOCAL": bool(local),
        "WEBHOOK_PORTS": [int(each) for each in ports],
        "SITE": site,
        "ZONE": ZoneInfo(environ.get("SLATE_ZONE", "UTC")),
        "LIMITS_STORE": counts or "process://",
        "LIMITS_TIMES": times,
        "PROXIES": proxies,
        "TRUSTED_HOSTS": hosts or ([urlsplit(site).hostname] if production else None),
        "MAX_CONTENT_LENGTH": 2 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 1024 * 1024,  # of fields; a file is kept on disk and counted by its own view
        "MAX_FORM_PARTS": 1_000,
        **_cookies(production),
    }


def _cookies(production) -> dict:
    """Of this host alone, never for scripts; in production the browser itself holds us to it by the name."""
    prefix = "__Host-" if production else ""
    return {"SESSION_COOKIE_NAME": f"{prefix}session", "REMEMBER_COOKIE_NAME": f"{prefix}remember",
            **{f"{kind}_COOKIE_{what}": value for kind in ("SESSION", "REMEMBER")
               for what, value in {"HTTPONLY": True, "SAMESITE": "Lax", "SECURE": production, "PATH": "/",
                                   "DOMAIN": None}.items()}}


def _whole(name, said, least, most) -> int:
    if not (said.isascii() and said.isdigit() and least <= int(said) <= most):
        raise BadSettings(f"{name} is {said!r}; set it to a number from {least} to {most}.")
    return int(said)


def _unsafe(environ, secret, site):
    """What must not be so in production, each with the way to mend it."""
    if why := _weak(secret):
        yield f"SECRET_KEY {why}. Set it to the output of: {FRESH}"
    if environ.get("FACTOR_SECRET") and (why := _weak(environ["FACTOR_SECRET"])):
        yield f"FACTOR_SECRET {why}. Set it to the output of: {FRESH}, or unset it to use SECRET_KEY."
    if environ.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no"):
        yield "FLASK_DEBUG is on: whoever meets an error could run programs here. Unset it, and start without --debug."
    if not environ.get("DATABASE_URL"):
        yield ("DATABASE_URL is not set. Set it to postgresql+psycopg://user:password@host/name, or name a file of "
               "your own: sqlite:////srv/slate/slate.db")
    address = urlsplit(site)
    if address.scheme != "https" or address.hostname in (None, "localhost", "127.0.0.1", "::1"):
        yield (f"SLATE_SITE is {site}: sign-in needs https. Set it to the address people open, such as "
               "https://slate.example.com")
    bucket = environ.get("S3_BUCKET", "")
    if not bucket and not environ.get("MEDIA_FOLDER"):
        yield ("Nothing says where pictures and films are kept. Set S3_BUCKET to a bucket of your own, or MEDIA_FOLDER "
               "to a folder that is backed up.")
    if bucket.lower() in KNOWN_BUCKETS:
        yield (f"S3_BUCKET is {bucket!r}, a name out of examples that others may own. Set it to a bucket of your own, "
               "such as media.slate.yourcompany.com, and run: flask media prepare")
    for name in ("S3_ACCESS_KEY", "S3_SECRET_KEY"):
        if (environ.get(name) or "").lower() in KNOWN_KEYS:
            yield f"{name} is the one a store is delivered with. Make a key of your own there, and set it."
    database = urlsplit(environ.get("DATABASE_URL", ""))
    if (database.password or "").lower() in KNOWN_PASSWORDS:
        yield "DATABASE_URL has a password that is guessed. Give that user of the database another one, and set it."
    if database.scheme.startswith("postgresql") and database.hostname not in HERE and parse_qs(database.query).get(
            "sslmode") != ["verify-full"]:
        yield ("DATABASE_URL leads to another machine without proof that it is the right one, or in the clear. "
               "End it with ?sslmode=verify-full, and &sslrootcert=… for a certificate of your own.")
    for name, safe in (("S3_ENDPOINT", "https"), ("S3_PUBLIC_ENDPOINT", "https"), ("LIMITS_STORE", "rediss")):
        wire = urlsplit(environ.get(name, ""))
        if wire.scheme not in ("", safe) and wire.hostname not in HERE:
            yield f"{name} leads to another machine in the clear. Set it to an address that begins with {safe}://."


def _weak(secret) -> str | None:
    """What is wrong with a secret, as the end of a sentence."""
    if not secret:
        return "is missing"
    if len(secret) < LEAST_SECRET:
        return f"has {len(secret)} characters; {LEAST_SECRET} is the least"
    if len(set(secret)) < LEAST_VARIETY:
        return f"has only {len(set(secret))} different characters"
    if any(secret in (secret[:size] * len(secret))[:len(secret)] for size in range(1, len(secret) // 2 + 1)):
        return "repeats itself"
    if found := next((word for word in KNOWN_WORDS if word in secret.lower()), None):
        return f"is made of words that are guessed, such as {found!r}"
    return None
