"""Mail: what people write stays words, whatever it is; a letter goes out by a real SMTP server or into a folder."""
import email
import email.policy
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime
from email.header import decode_header, make_header

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from hypothesis import given, settings
from hypothesis import strategies as st

import config
from core import mail
from core.mail import Away, Folder, Letter, Refused, Smtp, one_line
from tests.servers import free_port

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def letter(**said):
    return Letter(**{"key": "notice-7-1", "thread": "offers-3", "name": "Mei Lin", "address": "mei@harbour.test",
                     "subject": "Nordlys countered", "text": "− Switzerland\n", "html": "<p>− Switzerland</p>",
                     "at": NOON, **said})


def folder(path):
    return Folder(path, "Slate <slate@slate.test>", "slate.test")


def read(data):
    return email.message_from_bytes(data, policy=email.policy.default)


def sent(path, **said):
    folder(path).send(letter(**said))
    [file] = path.glob("*.eml")
    return read(file.read_bytes())


# ------------------------------------------------------------------ what a letter is

def test_a_letter_has_text_and_html_a_stable_id_and_the_thread_it_belongs_to(tmp_path):
    found = sent(tmp_path)
    assert found["Message-ID"] == "<notice-7-1@slate.test>" and found["References"] == "<offers-3@slate.test>"
    assert (found["To"], found["From"]) == ("Mei Lin <mei@harbour.test>", "Slate <slate@slate.test>")
    assert found["Date"].datetime == NOON and found["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]
    assert found.get_body(("plain",)).get_content().strip() == "− Switzerland"
    assert "− Switzerland" in found.get_body(("html",)).get_content()


@pytest.mark.parametrize("subject", ["潮信 II：回流", "겨울의 온도", "雪線の駅 " * 20, "Größe, “Überblick”",
                                     "=?utf-8?q?x?=", "a" * 190, "שלום ועולם"])
def test_a_subject_in_any_script_comes_back_as_it_was(tmp_path, subject):
    found = sent(tmp_path, subject=subject, name=subject)
    [file] = tmp_path.glob("*.eml")
    head = file.read_bytes().partition(b"\r\n\r\n")[0]
    raw = " ".join(email.message_from_bytes(head)["To"].split())  # unfolded
    assert found["Subject"] == subject.strip()
    assert str(make_header(decode_header(raw))).replace('"', "") == f"{subject.strip()} <mei@harbour.test>"
    assert head.isascii() and max(map(len, head.split(b"\r\n"))) <= 998


HOSTILE = ["Deal\r\nBcc: all@rival.test", "Deal\nContent-Type: text/html\n\n<b>", "x\u2028Bcc: y@z.test",
           "a\x00b", "\u202egnp.exe", "\r\n.\r\nMAIL FROM:<x@y.test>", '"Boss" <boss@rival.test>', "a, b@c.test",
           "x\x0b\x0c\x85Bcc: y"]


@pytest.mark.parametrize("words", HOSTILE)
def test_nothing_that_people_write_becomes_a_header_or_another_address(tmp_path, words):
    found = sent(tmp_path, subject=words, name=words, text=f"{words}\n")
    assert set(found.keys()) == {"To", "From", "Subject", "Date", "Message-ID", "References", "Auto-Submitted",
                                 "MIME-Version", "Content-Type"}
    assert [each.addr_spec for each in found["To"].addresses] == ["mei@harbour.test"]
    assert found["Subject"] == one_line(words) and "\u202e" not in found["Subject"]


@given(st.text(max_size=250), st.text(max_size=120))
@settings(max_examples=150, deadline=None)
def test_any_words_at_all_come_back_as_one_line(subject, name):
    mailer = folder("/nowhere")
    found = read(mailer.message(letter(subject=subject, name=name)).as_bytes())
    assert found["Subject"] == one_line(subject)[:mail.LONGEST_SUBJECT].rstrip()
    assert [each.addr_spec for each in found["To"].addresses] == ["mei@harbour.test"]
    assert found["Bcc"] is None and len(found.keys()) == 9


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c", "a@b.test\r\nBcc: x@y.test", "a b@c.test",
                                     "a@b.test, c@d.test", "mëi@b.test"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(Refused, match="no address"):
        folder("/nowhere").message(letter(address=address))


def test_a_letter_that_is_sent_twice_is_one_file_and_never_half_of_one(tmp_path):
    box = folder(tmp_path / "mail")
    assert box.lacks() is None and not (tmp_path / "mail").exists()
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / ".notice-7-1").write_bytes(b"half of")
    box.send(letter())
    box.send(letter())
    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["notice-7-1.eml"]


# ------------------------------------------------------------------ a server

class Box:
    """What a server took, and what it says to each recipient."""

    def __init__(self):
        self.letters, self.answer, self.users = [], "250 OK", []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server, session, envelope):
        self.letters.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl is not None))
        return "250 Taken"

    def let_in(self, server, session, envelope, mechanism, data):
        self.users.append((data.login, data.password))
        right = data.password == b"s:e/c@ret"
        return AuthResult(success=right, handled=right)  # what is wrong is answered by the server itself


@contextmanager
def server(box, tls=None, implicit=False, **more):
    class Running(Controller):
        def factory(self):
            return SMTP(self.handler, tls_context=None if implicit else tls, enable_SMTPUTF8=True, **more)

    running = Running(box, hostname="localhost", port=free_port(), **({"ssl_context": tls} if implicit else {}))
    running.start()
    try:
        yield running.port
    finally:
        running.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate, key) of localhost."""
    place = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", place / "key", "-out", place / "certificate"],
                   check=True, capture_output=True)
    return place / "certificate", place / "key"


@pytest.fixture
def tls(certificate):
    import ssl
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


def smtp(url):
    return Smtp(url, "Slate <slate@slate.test>", "slate.test")


def test_a_server_is_handed_the_letter_with_its_id():
    box = Box()
    with server(box) as port:
        mailer = smtp(f"smtp://localhost:{port}")
        assert mailer.lacks() is None
        mailer.send(letter(subject="潮信"))
    [(sender, to, data, secure)] = box.letters
    assert (sender, to, secure) == ("slate@slate.test", ["mei@harbour.test"], False)
    assert read(data)["Subject"] == "潮信" and read(data)["Message-ID"] == "<notice-7-1@slate.test>"


def test_lines_that_begin_with_a_dot_end_nothing():
    box = Box()
    with server(box) as port:
        smtp(f"smtp://localhost:{port}").send(letter(text="one\n.\nMAIL FROM:<x@y.test>\n..two\n"))
    [(_, _, data, _)] = box.letters
    assert read(data).get_body(("plain",)).get_content().splitlines() == ["one", ".", "MAIL FROM:<x@y.test>", "..two"]


@pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "TLS from the first byte"])
def test_a_password_goes_over_tls_alone_to_a_server_with_its_own_name(tls, certificate, monkeypatch, implicit):
    box = Box()
    scheme, who = "smtps" if implicit else "smtp", "user:s%3Ae%2Fc%40ret@"
    with server(box, tls, implicit, authenticator=box.let_in, auth_require_tls=not implicit) as port:
        with pytest.raises(Away, match="certificate"):
            smtp(f"{scheme}://{who}localhost:{port}").send(letter())  # signed by nobody we know
        assert box.users == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        smtp(f"{scheme}://{who}localhost:{port}").send(letter())
        with pytest.raises(Away, match="certificate"):
            smtp(f"{scheme}://{who}127.0.0.1:{port}").send(letter())
        with pytest.raises(Away):
            smtp(f"{scheme}://user:wrong@localhost:{port}").send(letter())
        assert "No mail can be sent" in smtp(f"{scheme}://user:wrong@localhost:{port}").lacks()
    assert box.users[0] == (b"user", b"s:e/c@ret") and len(box.letters) == 1
    with server(box) as port, pytest.raises(Away, match="not sent without it"):
        smtp(f"smtp://{who}localhost:{port}").send(letter())


def test_no_letter_goes_to_another_machine_in_the_clear(monkeypatch):
    box = Box()
    monkeypatch.setattr("core.mail.HERE", set())
    with server(box) as port, pytest.raises(Away, match="nothing at all to another machine"):
        smtp(f"smtp://localhost:{port}").send(letter())
    assert box.letters == []


@pytest.mark.parametrize("answer, refusal", [("550 No such person", Refused), ("451 Later", Away)])
def test_a_letter_that_is_never_taken_is_told_from_a_server_that_is_busy(answer, refusal):
    box = Box()
    box.answer = answer
    with server(box) as port, pytest.raises(refusal, match=answer[:3]):
        smtp(f"smtp://localhost:{port}").send(letter())


def test_a_server_that_is_not_there_is_away():
    port = free_port()
    with pytest.raises(Away):
        smtp(f"smtp://localhost:{port}").send(letter())
    assert f"smtp://localhost:{port}" in smtp(f"smtp://user:secret@localhost:{port}").lacks()
    assert "secret" not in smtp(f"smtp://user:secret@localhost:{port}").lacks()


def test_the_settings_name_the_way_out(tmp_path):
    said = config.read({"SLATE_INSTANCE": str(tmp_path), "SLATE_SITE": "https://slate.example.com/"})
    box = mail.open_mailer(said)
    assert str(box) == f"as files into {tmp_path / 'mail'}" and box.sender == "slate@slate.example.com"
    said = config.read({"MAIL_URL": "smtps://u:p@mail.example.com", "MAIL_FROM": '"Häuser, Inc." <h@example.com>'})
    box = mail.open_mailer(said)
    assert str(box) == "by smtps://mail.example.com:465"
    assert (box.sender_name, box.sender) == ("Häuser, Inc.", "h@example.com")
    for wrong in ("mail.example.com", "http://mail.example.com", "smtp://"):
        with pytest.raises(config.BadSettings, match="MAIL_URL"):
            config.read({"MAIL_URL": wrong})
