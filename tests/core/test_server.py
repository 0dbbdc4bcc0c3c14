"""The server that production runs, asked over a bare connection; and how Slate itself speaks TLS."""
import re
import socket
import ssl
import subprocess
import sys
import time

import pytest

from tests.core.test_settings import GOOD
from tests.servers import free_port
from tests.test_absent import OURS
from tests.test_architecture import ROOT

HOST = "slate.films.example"
HEAD = f"Host: {HOST}\r\nX-Forwarded-Proto: https\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """gunicorn, as `flask serve` starts it, over an empty database, as in production."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    environment = {**GOOD, "PATH": "/usr/bin:/bin", "S3_BUCKET": "", "MEDIA_FOLDER": str(folder / "media"),
                   "DATABASE_URL": f"sqlite:///{folder / 'slate.db'}", "SLATE_INSTANCE": str(folder), "PROXIES": "1"}
    subprocess.run([sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"], cwd=ROOT, env=environment,
                   check=True, capture_output=True)
    running = subprocess.Popen([sys.executable, "-m", "gunicorn", "wsgi:create_app()", "--bind", f"127.0.0.1:{port}"],
                               cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not up(port):
        time.sleep(0.1)
    yield port
    running.terminate()
    running.wait(20)


def up(port) -> bool:
    try:
        return "HTTP/1.1 200" in said(port, "GET /healthz HTTP/1.1\r\n", HEAD, "Connection: close\r\n\r\n")
    except OSError:
        return False


def said(port, *parts: str) -> str:
    """What is answered to these bytes, until the server is silent for a moment or hangs up."""
    with socket.create_connection(("127.0.0.1", port), 10) as link:
        link.sendall("".join(parts).encode("latin-1"))
        link.settimeout(2)
        answer = b""
        try:
            while piece := link.recv(65_536):
                answer += piece
        except TimeoutError:
            pass
    return answer.decode("latin-1")


def test_it_answers_over_https_and_names_no_version(server):
    answer = said(server, "GET /sign-in HTTP/1.1\r\n", HEAD, "Connection: close\r\n\r\n")
    assert answer.startswith("HTTP/1.1 200") and "max-age=31536000" in answer
    assert not re.search(r"(?im)^(?:server|x-powered-by):.*\d\.\d|werkzeug|python/", answer.split("\r\n\r\n")[0])


SMUGGLED = "GET /healthz HTTP/1.1\r\n" + HEAD + "\r\n"


@pytest.mark.parametrize("head, body", [
    ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + SMUGGLED),
    ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n" + SMUGGLED),
    ("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" + SMUGGLED),
    ("Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + SMUGGLED),
    ("Transfer-Encoding: identity, chunked, identity\r\n", "0\r\n\r\n" + SMUGGLED),
    ("Content-Length: 0\r\nContent-Length: 44\r\n", SMUGGLED), ("Content-Length: +0\r\n", SMUGGLED),
    ("Content-Length: 0, 0\r\n", SMUGGLED), ("Transfer-Encoding: chunked\r\n", "0x0\r\n\r\n" + SMUGGLED),
    ("Bad Name: x\r\nContent-Length: 0\r\n", SMUGGLED), ("X: a\0b\r\nContent-Length: 0\r\n", SMUGGLED)],
    ids=["length and chunks", "chunks and length", "another coding", "a space before the colon", "codings twice",
         "two lengths", "a length with a sign", "a list of lengths", "a chunk in another spelling",
         "a name with a space", "a zero byte"])
def test_where_a_request_ends_is_never_in_doubt(server, head, body):
    """What two servers might read as one request or as two is refused, and the second is never answered."""
    answer = said(server, "POST /sign-in HTTP/1.1\r\n", HEAD, head, "\r\n", body)
    assert answer.count("HTTP/1.1 200") == 0 and re.match(r"HTTP/1\.1 (?:4|5)\d\d|$", answer), answer[:300]
    assert '"status": "ok"' not in answer


def test_the_second_request_of_an_honest_pair_is_answered(server):
    """So that the test above can tell."""
    answer = said(server, "GET /healthz HTTP/1.1\r\n", HEAD, "\r\n", SMUGGLED)
    assert answer.count("HTTP/1.1 200") == 2


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "DEBUG"])
def test_it_repeats_no_request(server, method):
    answer = said(server, f"{method} / HTTP/1.1\r\n", HEAD, "X-Probe: zq7probe\r\nConnection: close\r\n\r\n")
    assert not answer.startswith("HTTP/1.1 2") and "zq7probe" not in answer


@pytest.mark.parametrize("path", ["/.git/config", "/static/", "/static/../config.py", "/..%2f..%2fetc/passwd",
                                  "//etc/passwd"])
def test_it_lists_and_serves_no_folder(server, path):
    answer = said(server, f"GET {path} HTTP/1.1\r\n", HEAD, "Connection: close\r\n\r\n")
    assert re.match(r"HTTP/1\.1 (?:302|308|4\d\d)", answer) and "SECRET_KEY" not in answer and "root:" not in answer


def test_slate_speaks_tls_of_this_time_and_looks_at_certificates():
    """Every context is the library's own default, and that is what it should be."""
    used = {name for source in OURS.values() for name in re.findall(r"\bssl\.(\w+)", source)}
    assert "create_default_context" in used <= {"create_default_context", "SSLCertVerificationError", "SSLError"}
    assert not [name for name, source in OURS.items() if re.search(
        r"SSLContext\(|set_ciphers|minimum_version|PROTOCOL_|verify_mode", source)]
    context = ssl.create_default_context()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.maximum_version == ssl.TLSVersion.MAXIMUM_SUPPORTED
    assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
    names = [each["name"] for each in context.get_ciphers()]
    assert names[0].startswith("TLS_AES") and not [name for name in names if re.search(
        r"RC4|3DES|DES-|NULL|EXP|MD5|ADH|AECDH|anon|IDEA|SEED", name)]


def test_nobody_is_known_by_a_certificate_of_theirs():
    words = r"SSL_CLIENT|X-Client-Cert|X-Forwarded-Client-Cert|X-SSL|getpeercert"
    assert [name for name, source in OURS.items() if re.search(words, source, re.I)] == []
