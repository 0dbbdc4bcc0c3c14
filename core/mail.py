"""Mail: one contract, two ways out, an SMTP server and a folder of .eml files. The only module that sends mail.

A letter is one person's. Nothing that people write can become a header of its own, an address of somebody else's or
markup: what stands in a header is one line, and the text of a letter is escaped where it is HTML.
"""
import os
import re
import smtplib
import ssl
import unicodedata
from abc import ABC, abstractmethod
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr, parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

SECONDS = 20  # that a server may take for each answer
HERE = {"localhost", "127.0.0.1", "::1"}  # needs no TLS: nobody stands between
LONGEST_SUBJECT = 200
LINES = compat32.clone(linesep="\r\n")
ADDRESS = re.compile(r"""[^\s@<>,;:"()\[\]\\\x00-\x1f\x7f-\U0010ffff]{1,64}@[A-Za-z0-9.-]{1,250}""")
TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # characters that turn the reading


class Away(Exception):
    """The mail server does not take mail just now, from anybody. The text says what it said."""


class Refused(Exception):
    """This letter will never be taken. The text says why."""


@dataclass(frozen=True)
class Letter:
    """`key` names the letter and stays the same however often it is sent; `thread` is what it is about."""
    key: str
    thread: str
    name: str
    address: str
    subject: str
    text: str
    html: str
    at: datetime


def one_line(words: str) -> str:
    """Words as a header holds them: one line, without what cannot be seen or turns the reading."""
    seen = "".join(" " if char.isspace() or unicodedata.category(char) in ("Zl", "Zp") else char for char in words
                   if char.isspace() or not (unicodedata.category(char) in ("Cc", "Cs")
                                             or unicodedata.bidirectional(char) in TURNS))
    return " ".join(seen.split())


def _words(words: str) -> Header:
    """What looks like an encoded word is encoded, too, so that it stays what was written."""
    return Header(words, "us-ascii" if words.isascii() and "=?" not in words else "utf-8")


def _person(name: str, address: str) -> Header:
    if name.isascii() and "=?" not in name:
        return Header(formataddr((name, address)))
    header = Header(name, "utf-8")
    header.append(f"<{address}>", "us-ascii")
    return header


class Mailer(ABC):
    """A way out. `sender` is "Name <address>" or an address alone; `host` ends the ids of letters."""

    def __init__(self, sender: str, host: str):
        name, self.sender = parseaddr(sender)
        self.sender_name, self.host = one_line(name), host

    def message(self, letter: Letter) -> MIMEMultipart:
        """The letter as RFC 5322 has it, its words encoded by RFC 2047. Raises Refused where its address is none."""
        if not ADDRESS.fullmatch(letter.address):
            raise Refused(f"{letter.address!r} is no address that mail can go to.")
        message = MIMEMultipart("alternative")
        message["From"] = _person(self.sender_name, self.sender)
        message["To"] = _person(one_line(letter.name), letter.address)
        message["Subject"] = _words(one_line(letter.subject)[:LONGEST_SUBJECT].rstrip())
        message["Date"] = format_datetime(letter.at)
        message["Message-ID"] = f"<{letter.key}@{self.host}>"
        message["References"] = f"<{letter.thread}@{self.host}>"
        message["Auto-Submitted"] = "auto-generated"
        message.attach(MIMEText(letter.text, "plain", "utf-8"))
        message.attach(MIMEText(letter.html, "html", "utf-8"))
        return message

    @abstractmethod
    def send(self, letter: Letter) -> None:
        """Hand a letter over. Raises Away or Refused; anything else may be tried again."""

    @abstractmethod
    def lacks(self) -> str | None:
        """Why no letter could be sent just now, in a sentence; None where one could."""


class Folder(Mailer):
    """A file for each letter, named by its key: sent twice, it is one file."""

    def __init__(self, folder, sender, host):
        super().__init__(sender, host)
        self.folder = Path(folder)

    def __str__(self):
        return f"as files into {self.folder}"

    def send(self, letter):
        data = self.message(letter).as_bytes(policy=LINES)
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f".{letter.key}"
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.folder / f"{letter.key}.eml")

    def lacks(self):
        there = next(each for each in (self.folder, *self.folder.parents) if each.exists())
        return None if os.access(there, os.W_OK) else f"Letters cannot be written into {self.folder}."


class Smtp(Mailer):
    """smtps://USER:PASSWORD@HOST:465 speaks TLS from the first byte; smtp:// takes STARTTLS. Without either no password
    is sent, and no letter to another machine: links that open accounts stand in them. The certificate is checked."""

    def __init__(self, url, sender, host):
        super().__init__(sender, host)
        self.url = urlsplit(url)
        self.port = self.url.port or (465 if self.url.scheme == "smtps" else 587 if self.url.username else 25)

    def __str__(self):
        return f"by {self.url.scheme}://{self.url.hostname}:{self.port}"

    def send(self, letter):
        data = self.message(letter).as_bytes(policy=LINES)
        with self._server() as server:
            try:
                server.sendmail(self.sender, [letter.address], data)
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as problem:
                code, said = (next(iter(problem.recipients.values())) if hasattr(problem, "recipients")
                              else (problem.smtp_code, problem.smtp_error))
                words = f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
                if 500 <= code < 600 and not isinstance(problem, smtplib.SMTPSenderRefused):
                    raise Refused(words) from None
                raise Away(words) from None
            except (smtplib.SMTPServerDisconnected, OSError) as problem:
                raise Away(str(problem)) from None

    @contextmanager
    def _server(self):
        """A connection that is ready to send. Raises Away."""
        secure = self.url.scheme == "smtps"
        try:
            server = (smtplib.SMTP_SSL(self.url.hostname, self.port, timeout=SECONDS,
                                       context=ssl.create_default_context()) if secure
                      else smtplib.SMTP(self.url.hostname, self.port, timeout=SECONDS))
        except (smtplib.SMTPException, OSError) as problem:
            raise Away(str(problem)) from None
        with closing(server):
            try:
                server.ehlo()
                if not secure and server.has_extn("starttls"):
                    server.starttls(context=ssl.create_default_context())
                    server.ehlo()
                    secure = True
                if not secure and (self.url.username or self.url.hostname not in HERE):
                    raise Away("The server offers no TLS; a password is not sent without it, and nothing at all to "
                               "another machine.")
                if self.url.username:
                    server.login(unquote(self.url.username), unquote(self.url.password or ""))
            except (smtplib.SMTPException, OSError) as problem:
                raise Away(str(problem)) from None
            yield server
            with suppress(smtplib.SMTPException, OSError):  # what it took it has taken
                server.quit()

    def lacks(self):
        try:
            with self._server() as server:
                server.noop()
        except (Away, smtplib.SMTPException, OSError) as problem:
            return f"No mail can be sent {self}: {problem}"
        return None


def open_mailer(settings: dict) -> Mailer:
    """The way out that the settings name: an SMTP server, or else the folder."""
    host = urlsplit(settings["SITE"]).hostname
    if settings["MAIL_URL"]:
        return Smtp(settings["MAIL_URL"], settings["MAIL_FROM"], host)
    return Folder(settings["MAIL_FOLDER"], settings["MAIL_FROM"], host)
