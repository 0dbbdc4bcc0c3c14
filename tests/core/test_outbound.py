"""Requests to addresses that people name: none leads inside, whatever a name, a redirect or a slow server does."""
import socket
import time

import pytest

from core import outbound
from core.outbound import Failed, Outbound, Refused
from tests.receivers import Dripping, Receiver, certificates

PUBLIC = "93.184.215.14"


def leading_to(*addresses):
    """A resolver that answers these."""
    def resolve(host, port, **_):
        return [(socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
                for each in addresses]
    return resolve


@pytest.fixture
def connecting(monkeypatch):
    """Every address that is connected to; none but this machine's is reached."""
    tried, connect = [], socket.socket.connect

    def record(line, where):
        tried.append(where[0])
        if where[0] not in ("127.0.0.1", "::1"):
            raise OSError("out of reach")
        connect(line, where)
    monkeypatch.setattr(socket.socket, "connect", record)
    return tried


@pytest.mark.parametrize("address", [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%lo",
    "fec0::1", "ff02::1", "ff0e::1", "not an address"])
def test_an_address_that_is_not_a_public_one_is_never_connected_to(address, connecting):
    assert not outbound.public(address)
    for addresses in ([address], [PUBLIC, address], [address, PUBLIC]):
        with pytest.raises(Refused):
            Outbound(resolve=leading_to(*addresses)).post("https://hooks.example.com/", b"{}", {})
    assert connecting == []


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::5"])
def test_a_public_address_is_connected_to(address, connecting):
    assert outbound.public(address)
    with pytest.raises(Failed, match="out of reach"):
        Outbound(resolve=leading_to(address)).post("https://hooks.example.com/", b"{}", {})
    assert connecting == [address]


def test_a_name_that_answers_differently_the_second_time_is_not_asked_twice(monkeypatch, connecting):
    """DNS rebinding: first a public address, to be checked; then our own, to be called."""
    asked, real = [], socket.getaddrinfo

    def rebinding(host, port, *args, **kwargs):
        if host != "rebinding.example.com":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        return leading_to(PUBLIC if len(asked) == 1 else "127.0.0.1")(host, port)
    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with Receiver() as inside:
        careful = Outbound(ports=[inside.port], resolve=socket.getaddrinfo)
        with pytest.raises(Failed):
            careful.post(f"https://rebinding.example.com:{inside.port}/", b"{}", {})
        assert asked == ["rebinding.example.com"] and connecting == [PUBLIC]
        socket.create_connection(("rebinding.example.com", inside.port), 2).close()  # so whoever asks again is inside
    assert connecting == [PUBLIC, "127.0.0.1"] and inside.got == []


@pytest.mark.parametrize("url, why", [
    ("http://hooks.example.com/", "Only https"), ("ftp://hooks.example.com/", "Only https"),
    ("file:///etc/passwd", "Only https"), ("gopher://hooks.example.com/", "Only https"), ("//x.example/", "Only https"),
    ("https://", "names no host"), ("https:///x", "names no host"),
    ("https://user:word@hooks.example.com/", "password"), ("https://@hooks.example.com/", "password"),
    ("https://hooks.example.com:8443/", "port 443"),
    ("https://hooks.example.com:0/", "port 443"), ("https://hooks.example.com:99999/", "no address"),
    ("https://[::1/", "no address"), ("https://hooks.example.com/#there", "#"), ("https://127.0.0.1/", "public"),
    ("https://[::1]/", "public"), ("https://[::ffff:10.0.0.1]/", "public"), ("https://169.254.169.254/meta", "public"),
    ("https://hooks.example.com/\r\nHost: inside", "ASCII"), ("https://hooks.example.com/ x", "ASCII"),
    ("https://hooks.example.com\\@inside/", "ASCII"), ("https://höhle.example/", "xn--"), ("", "ASCII"),
    (f"https://hooks.example.com/{'x' * 500}", "500 characters")])
def test_an_address_is_refused_before_it_is_looked_up(url, why, connecting):
    def never(*_, **__):
        raise AssertionError("looked up")
    with pytest.raises(Refused, match=why):
        Outbound(resolve=never).post(url, b"{}", {})
    assert connecting == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "0"])
def test_an_address_in_another_spelling_is_looked_at_as_what_it_leads_to(host, connecting):
    with pytest.raises((Refused, Failed), match="not a public one|leads nowhere"):
        Outbound().post(f"https://{host}/", b"{}", {})
    assert connecting == []


def test_a_redirect_is_an_answer_and_leads_nowhere(monkeypatch):
    with Receiver() as inside, Receiver((307, "", {"Location": inside.url})) as outside:
        monkeypatch.setenv("http_proxy", inside.url)  # no proxy of the environment either
        monkeypatch.setenv("ALL_PROXY", inside.url)
        answer = Outbound(local=True).post(outside.url, b'{"a":1}', {"Content-Type": "application/json"})
    assert answer.status == 307 and inside.got == []
    path, headers, body = outside.got[0]
    assert path == "/take?x=1" and body == '{"a":1}' and headers["Host"] == f"127.0.0.1:{outside.port}"


def test_the_certificate_is_checked_for_the_name_and_the_name_is_said(tmp_path, monkeypatch):
    trusted, chain = certificates(tmp_path, "hooks.example.com")
    with Receiver(tls=chain) as receiver:
        out = Outbound(local=True, resolve=leading_to("127.0.0.1"))
        with pytest.raises(Failed, match="certificate is not good: .*(issuer|self-signed)"):
            out.post(f"https://hooks.example.com:{receiver.port}/x", b"{}", {})
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert out.post(f"https://hooks.example.com:{receiver.port}/x", b"{}", {}).status == 204
        assert receiver.names[-1] == "hooks.example.com"
        assert receiver.got[0][1]["Host"] == f"hooks.example.com:{receiver.port}"
        with pytest.raises(Failed, match="certificate is not good"):
            out.post(f"https://other.example.com:{receiver.port}/x", b"{}", {})
    assert len(receiver.got) == 1


@pytest.mark.parametrize("text", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 100 Continue\r\n\r\n" * 50],
                         ids=["not a word", "headers without end", "always to be continued"])
def test_who_answers_a_byte_at_a_time_is_left(text, monkeypatch):
    monkeypatch.setattr(outbound, "ALL_SECONDS", 0.5)
    with Dripping(text) as slow:
        began = time.monotonic()
        with pytest.raises(Failed, match="no answer within"):
            Outbound(local=True).post(slow.url, b"{}", {})
        assert 0.4 < time.monotonic() - began < 8


def test_of_a_long_answer_little_is_read():
    with Receiver((200, "x" * 5_000_000, {})) as chatty:
        answer = Outbound(local=True).post(chatty.url, b"{}", {})
    assert answer.status == 200 and len(answer.text) == outbound.MOST_TEXT
    with Dripping(b"HTTP/1.1 200 OK\r\nX: ", pause=0) as endless:
        began = time.monotonic()
        Outbound(local=True).post(endless.url, b"{}", {})
        assert time.monotonic() - began < outbound.ALL_SECONDS / 2, "it was left for its length"


def test_what_is_no_http_or_not_there_fails_with_words():
    with Dripping(b"SSH-2.0-OpenSSH\r\n", pause=0) as other, pytest.raises(Failed):
        Outbound(local=True).post(other.url, b"{}", {})
    with pytest.raises(Failed, match="could not be reached"):
        Outbound(local=True).post(other.url, b"{}", {})
    with pytest.raises(Failed, match="leads nowhere"):
        Outbound().post("https://nowhere.invalid/", b"{}", {})
