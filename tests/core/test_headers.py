"""What every answer tells the browser, which hosts are answered, and what the cookies are."""
import re

import pytest

import config
import wsgi
from tests.conftest import Caller, settings
from tests.core.test_settings import GOOD
from tests.test_pages import Visitor

BUYER = "buyer@sakura.test"


@pytest.fixture(scope="module")
def production(tmp_path_factory):
    """An application as in production, behind one proxy, over an empty database."""
    place = tmp_path_factory.mktemp("production")
    said = config.read({**GOOD, "PROXIES": "1"})
    app = wsgi.create_app({**said, **settings(f"sqlite:///{place / 'slate.db'}", place), "S3_BUCKET": ""})
    yield app
    app.extensions["index"].close()


def policy(answer):
    return dict((part.strip().split(" ", 1) + [""])[:2] for part in
                answer.headers["Content-Security-Policy"].split(";"))


def test_every_answer_says_what_the_browser_may_do(world):
    buyer, page = Caller(world, BUYER), Visitor(world, BUYER)
    for answer in (page.get("/"), page.get("/no/such/page"), buyer.get("/me"), buyer.get("/titles/999999"),
                   page.get("/licences.csv"), page.get("/healthz"), page.get("/static/slate.css"),
                   world.test_client().get("/account")):
        said = policy(answer)
        assert said["default-src"] == "'none'" and said["script-src"] == said["style-src"]
        assert is_page(answer) == (said["script-src"] != "'none'")
        assert said["frame-ancestors"] == said["base-uri"] == said["object-src"] == "'none'"
        assert said["require-trusted-types-for"] == "'script'" and said["trusted-types"] == "worker"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY" and "camera=()" in answer.headers["Permissions-Policy"]
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        answer.close()
        assert "Strict-Transport-Security" not in answer.headers, "nobody is held to https on a machine of one's own"


def is_page(answer):
    return answer.mimetype == "text/html" and answer.status_code != 302


def test_scripts_and_styles_of_a_page_are_known_by_a_word_that_is_never_used_again(world):
    nonces = set()
    for path in ("/", "/", "/titles/1/media", "/no/such/page"):
        answer = Visitor(world, "agent@harbour.test").get(path)
        said, tags = policy(answer), re.findall(r"<(?:script|link rel=\"stylesheet\")[^>]*>", answer.get_data(True))
        nonce = re.fullmatch("'nonce-([\\w-]{22})'", said["script-src"])[1]
        assert len(tags) > 1 and all(f' nonce="{nonce}"' in tag for tag in tags), tags
        nonces.add(nonce)
    assert len(nonces) == 4


def test_nothing_but_static_files_is_kept_by_a_browser_or_a_proxy(world):
    for email in (BUYER, "agent@harbour.test"):
        visitor = Visitor(world, email)
        for rule in world.url_map.iter_rules():
            if "GET" in rule.methods and not rule.arguments and rule.endpoint not in ("static", "security.static"):
                assert visitor.get(rule.rule).headers["Cache-Control"] == "no-store", rule


def over_https(app, host="slate.films.example", path="/sign-in", **headers):
    return app.test_client().get(path, base_url=f"http://{host}", headers={"X-Forwarded-Proto": "https", **headers})


def test_in_production_https_is_asked_for_and_cookies_belong_to_this_host_alone(production):
    answer = over_https(production)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert cookie.startswith("__Host-") and "Domain" not in cookie
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert production.config["REMEMBER_COOKIE_NAME"].startswith("__Host-")
    assert production.config["REMEMBER_COOKIE_SECURE"] and production.config["REMEMBER_COOKIE_HTTPONLY"]


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/me", "/static/slate.css", "/stored/a?signature=x", "/no/such"])
def test_in_production_nothing_is_answered_in_the_clear_and_nobody_is_led_on(production, path):
    """A redirect would hide from a program that it sends its token in the clear."""
    answer = over_https(production, path=path, **{"X-Forwarded-Proto": "http", "Authorization": "Bearer x"})
    assert answer.status_code == 403 and "Location" not in answer.headers and b"https alone" in answer.data
    assert "Set-Cookie" not in answer.headers
    assert over_https(production, path="/healthz", **{"X-Forwarded-Proto": "http"}).status_code == 200


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/me", "/healthz"])
def test_in_production_only_the_hosts_that_were_named_are_answered(production, path):
    assert over_https(production, path=path).status_code in (200, 401)
    for answer in (over_https(production, "evil.example", path),
                   over_https(production, path=path, **{"X-Forwarded-Host": "evil.example"})):
        assert answer.status_code == 400 and b"evil.example" not in answer.data


def test_hosts_are_those_of_the_site_or_those_that_are_named():
    assert config.read(GOOD)["TRUSTED_HOSTS"] == ["slate.films.example"]
    assert config.read({**GOOD, "TRUSTED_HOSTS": "a.example, 10.0.0.7"})["TRUSTED_HOSTS"] == ["a.example", "10.0.0.7"]
    assert config.read({})["TRUSTED_HOSTS"] is None


def test_who_asks_is_read_from_the_proxy_only_where_there_is_one(production, world):
    def seen(app):
        addresses = []
        app.before_request_funcs.setdefault(None, []).insert(0, lambda: addresses.append(_address()))
        try:
            app.test_client().get("/healthz", base_url="https://slate.films.example", headers={
                "X-Forwarded-For": "203.0.113.9, 198.51.100.4"})
        finally:
            app.before_request_funcs[None].pop(0)
        return addresses
    assert seen(production) == ["198.51.100.4"], "what the proxy adds, not what was sent to it"
    assert seen(world) == ["127.0.0.1"]


def _address():
    from flask import request
    return request.remote_addr


def test_what_is_too_large_is_refused_before_it_is_read(world):
    agent, page = Caller(world, "agent@harbour.test"), Visitor(world, "agent@harbour.test")
    big = {"kind": "film", "original_title": "x" * 10_000_000}
    assert agent.post("/titles", big).status_code == 413
    assert page.client.post("/slate", data={"original_title": "x" * 2_500_000}).status_code == 413
    assert page.client.post("/slate", data={**{f"f{n}": "x" for n in range(1_100)}, "csrf_token": "x", "file": (
        __import__("io").BytesIO(b"x"), "x")}, content_type="multipart/form-data").status_code == 413
