"""Mail: one contract, two ways out, an SMTP server and a folder of .eml files. The only module that sends mail.

A letter is one person's. Nothing that people write can become a header of its own, an address of somebody else's or
markup: what stands in a header is one line, and the text of a letter is escaped where it is HTML.
"""
import os
import smtplib
import ssl
import unicodedata
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

SECONDS = 20  # that a server may take for each answer
LONGEST_SUBJECT = 200
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


class Mailer(ABC):
    """A way out. `sender` is "Name <address>" or an address alone; `host` ends the ids of letters."""

    def __init__(self, sender: str, host: str):
        name, _, address = sender.rpartition("<")
        self.sender = Address(one_line(name).strip('"'), addr_spec=address.rstrip("> "))
        self.host = host

    def message(self, letter: Letter) -> EmailMessage:
        """The letter as RFC 5322 has it. Raises Refused where its address is none."""
        message = EmailMessage(policy=policy.SMTP)
        try:
            message["To"] = Address(one_line(letter.name), addr_spec=letter.address)
        except ValueError as problem:
            raise Refused(f"{letter.address!r} is no address: {problem}") from None
        message["From"] = self.sender
        message["Subject"] = one_line(letter.subject)[:LONGEST_SUBJECT]
        message["Date"] = letter.at
        message["Message-ID"] = f"<{letter.key}@{self.host}>"
        message["References"] = f"<{letter.thread}@{self.host}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text, cte="quoted-printable")
        message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
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
        data = self.message(letter).as_bytes()
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
    """smtps://USER:PASSWORD@HOST:465 speaks TLS from the first byte; smtp:// takes STARTTLS where it is offered, and
    sends no password without it. The server's certificate is checked."""

    def __init__(self, url, sender, host):
        super().__init__(sender, host)
        self.url = urlsplit(url)
        self.port = self.url.port or (465 if self.url.scheme == "smtps" else 587 if self.url.username else 25)

    def __str__(self):
        return f"by {self.url.scheme}://{self.url.hostname}:{self.port}"

    def send(self, letter):
        message = self.message(letter)
        with self._server() as server:
            try:
                server.send_message(message)
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as problem:
                code, said = (next(iter(problem.recipients.values())) if hasattr(problem, "recipients")
                              else (problem.smtp_code, problem.smtp_error))
                words = f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
                if 500 <= code < 600 and not isinstance(problem, smtplib.SMTPSenderRefused):
                    raise Refused(words) from None
                raise Away(words) from None
            except smtplib.SMTPNotSupportedError as problem:  # an address beyond ASCII, on a server that takes none
                raise Refused(str(problem)) from None
            except (smtplib.SMTPServerDisconnected, OSError) as problem:
                raise Away(str(problem)) from None

    def _server(self):
        try:
            if self.url.scheme == "smtps":
                server = smtplib.SMTP_SSL(self.url.hostname, self.port, timeout=SECONDS,
                                          context=ssl.create_default_context())
            else:
                server = smtplib.SMTP(self.url.hostname, self.port, timeout=SECONDS)
            server.ehlo()
            if self.url.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
            if self.url.username:
                if not isinstance(server.sock, ssl.SSLSocket):
                    raise Away("The server offers no TLS, and a password is not sent without it.")
                server.login(unquote(self.url.username), unquote(self.url.password or ""))
            return server
        except (smtplib.SMTPException, OSError) as problem:
            raise Away(str(problem)) from None

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
