"""Slate does not start in production with what would be dangerous there; it says what, and how to mend it."""
import subprocess
import sys

import flask_migrate
import pytest

import config
import seed
import wsgi
from core.database import db
from tests.test_architecture import ROOT

GOOD = {"SLATE_ENV": "production", "SECRET_KEY": "4kq8Vd0dTq5oZk2Qm1c9Xw7Lr3Nf6Hb8Js0Pt2Yu4Ge", "SLATE_SITE":
        "https://slate.films.example", "DATABASE_URL": "postgresql+psycopg://slate@db/slate?sslmode=verify-full",
        "S3_BUCKET": "media.films.example"}


def test_what_is_well_set_is_taken():
    assert config.read(GOOD)["PRODUCTION"] is True
    assert config.read({**GOOD, "S3_BUCKET": "", "MEDIA_FOLDER": "/srv/media"})["S3_BUCKET"] == ""
    assert config.read({})["PRODUCTION"] is False, "development needs no setting at all"


@pytest.mark.parametrize("wrong, named, mended", [
    ({"SECRET_KEY": ""}, "SECRET_KEY is missing", "secrets.token_urlsafe(48)"),
    ({"SECRET_KEY": "development"}, "SECRET_KEY has 11 characters; 32", "secrets.token_urlsafe(48)"),
    ({"SECRET_KEY": "abcabcabcabcabcabcabcabcabcabcabcabc"}, "only 3 different characters", "token_urlsafe"),
    ({"SECRET_KEY": "0123456789abcdefgh" * 3}, "repeats itself", "token_urlsafe"),
    ({"SECRET_KEY": "please-CHANGE-me-before-you-go-live-77"}, "words that are guessed", "token_urlsafe"),
    ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG is on", "Unset it"),
    ({"FLASK_DEBUG": "true"}, "FLASK_DEBUG is on", "Unset it"),
    ({"DATABASE_URL": ""}, "DATABASE_URL is not set", "postgresql+psycopg://"),
    ({"SLATE_SITE": "http://slate.films.example"}, "SLATE_SITE is http://", "https://slate.example.com"),
    ({"SLATE_SITE": "https://localhost"}, "SLATE_SITE is https://localhost", "https://slate.example.com"),
    ({"S3_BUCKET": ""}, "where pictures and films are kept", "Set S3_BUCKET"),
    ({"S3_BUCKET": "my-bucket"}, "S3_BUCKET is 'my-bucket'", "a bucket of your own"),
    ({"S3_ACCESS_KEY": "minioadmin"}, "S3_ACCESS_KEY is the one a store is delivered with", "a key of your own"),
    ({"SLATE_ENV": "prod"}, "SLATE_ENV is 'prod'", "development or production"),
    ({"PROXIES": "yes"}, "PROXIES is 'yes'", "a number from 0"),
    ({"LIMITS_TIMES": "0"}, "LIMITS_TIMES is '0'", "a number from 1"),
    ({"LIMITS_STORE": "localhost"}, "LIMITS_STORE is no address", "redis://"),
    ({"LIMITS_STORE": "redis://counts.films.example"}, "LIMITS_STORE leads to another machine in the clear", "rediss://"),
    ({"S3_ENDPOINT": "http://store.films.example"}, "S3_ENDPOINT leads to another machine in the clear", "https://"),
    ({"S3_PUBLIC_ENDPOINT": "http://store.films.example"}, "S3_PUBLIC_ENDPOINT leads to another", "https://"),
    ({"DATABASE_URL": "postgresql+psycopg://slate@db/slate"}, "DATABASE_URL leads to another machine", "verify-full"),
    ({"DATABASE_URL": "postgresql+psycopg://slate@db/slate?sslmode=require"}, "without proof", "verify-full"),
    ({"DATABASE_URL": "postgresql+psycopg://slate:postgres@localhost/slate"}, "a password that is guessed", "another")])
def test_what_is_dangerous_is_refused_by_name_with_the_way_to_mend_it(wrong, named, mended):
    with pytest.raises(config.BadSettings) as refused:
        config.read({**GOOD, **wrong})
    assert named in str(refused.value) and mended in str(refused.value)


@pytest.mark.parametrize("here", [
    {"DATABASE_URL": "postgresql+psycopg:///slate?host=/run/postgresql"}, {"DATABASE_URL": "sqlite:////srv/slate.db"},
    {"DATABASE_URL": "postgresql+psycopg://slate@localhost/slate"}, {"S3_ENDPOINT": "http://127.0.0.1:7480"},
    {"S3_ENDPOINT": "https://store.films.example"}, {"LIMITS_STORE": "redis://localhost:6379"}])
def test_what_stays_on_the_machine_or_is_encrypted_is_taken(here):
    assert config.read({**GOOD, **here})["PRODUCTION"]


def test_everything_there_is_to_mend_is_said_at_once():
    with pytest.raises(config.BadSettings) as refused:
        config.read({"SLATE_ENV": "production", "FLASK_DEBUG": "1"})
    for name in ("SECRET_KEY", "FLASK_DEBUG", "DATABASE_URL", "SLATE_SITE", "S3_BUCKET"):
        assert name in str(refused.value)


def test_a_secret_made_as_we_say_is_taken():
    for _ in range(5):
        said = subprocess.run([sys.executable, *config.FRESH.split(" ", 2)[1:2], config.FRESH.split('"')[1]],
                              capture_output=True, text=True, check=True).stdout.strip()
        assert config.read({**GOOD, "SECRET_KEY": said})["SECRET_KEY"] == said


def test_the_command_line_ends_with_the_sentence_and_no_traceback():
    ended = subprocess.run([sys.executable, "-m", "flask", "--app", "wsgi", "check"], cwd=ROOT, capture_output=True,
                           text=True, env={"PATH": "", "SLATE_ENV": "production"})
    assert ended.returncode and "SECRET_KEY is missing" in ended.stderr and "Traceback" not in ended.stderr


@pytest.fixture
def production(world):
    return {**config.read(GOOD), "SQLALCHEMY_DATABASE_URI": world.config["SQLALCHEMY_DATABASE_URI"], "S3_BUCKET": "",
            "INSTANCE": world.config["INSTANCE"], **{name: world.config[name] for name in (
                "INDEX_FOLDER", "MEDIA_FOLDER", "MAIL_FOLDER")}}


def test_it_does_not_start_where_the_demo_people_could_sign_in(production):
    with pytest.raises(SystemExit, match=r"agent@harbour\.test.*Set DATABASE_URL"):
        wsgi.create_app(production)


def test_it_starts_on_an_empty_database_and_refuses_one_that_does_not_answer(production, tmp_path):
    empty = f"sqlite:///{tmp_path / 'empty.db'}"
    app = wsgi.create_app({**production, "SQLALCHEMY_DATABASE_URI": empty})
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
    seed.refuse(app)
    with app.app_context():
        db.engine.dispose()
    with pytest.raises(SystemExit, match="does not answer.*Look at DATABASE_URL"):
        wsgi.create_app({**production, "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}"})
