"""Requests to addresses that people name: the only module that makes them.

A name is resolved once, every address it has must be a public one, and the connection goes to the very address that was
looked at: whoever answers differently the next time (DNS rebinding) is not asked a next time. Redirects are not
followed, no proxy of the environment is used, and whoever answers slowly or at length is left.
"""
import http.client
import io
import ipaddress
import re
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

CONNECT_SECONDS, ALL_SECONDS = 5, 10  # to connect, and for everything from the look-up to the last byte read
MOST_READ = 16 << 10  # bytes of an answer, with its headers
MOST_TEXT = 2_000     # bytes of its body
LONGEST_URL = 500
VISIBLE = re.compile(r"[!-~]+")  # ASCII that can be seen
# What `is_global` of an older Python takes for public, and what leads to an IPv4 address by another name.
NOT_OUTSIDE = [ipaddress.ip_network(each) for each in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/3", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
UNICAST = ipaddress.ip_network("2000::/3")  # of IPv6: without mapped, translated, local and multicast addresses


class Refused(Exception):
    """This address is not called, now or later. The text says why, for whoever named it."""


class Failed(Exception):
    """No answer came this time. The text says what happened."""


@dataclass(frozen=True)
class Answer:
    """What was answered: the status and the beginning of the text."""
    status: int
    text: str


def public(address: str) -> bool:
    """Whether an IP address is one that anybody on the Internet has, and no other address in disguise."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (ip.is_global and not ip.is_multicast and (ip.version == 4 or ip in UNICAST)
            and not any(ip in network for network in NOT_OUTSIDE if network.version == ip.version))


class Outbound:
    """`local` is for development: any address, any port and http, too. `ports` are those that may be named."""

    def __init__(self, *, local: bool = False, ports=(443,), resolve=socket.getaddrinfo):
        self.local, self.ports, self._resolve = local, frozenset(ports), resolve

    def check(self, url: str) -> SplitResult:
        """The parts of an address that may be called, as far as it can be told without looking it up. Raises
        Refused."""
        if len(url) > LONGEST_URL or not VISIBLE.fullmatch(url) or "\\" in url:
            raise Refused(f"An address has {LONGEST_URL} characters at most, all of ASCII and none a space; write "
                          "other letters of a name as xn--….")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, _port(parts)
        except ValueError:
            raise Refused("This is no address. Write one such as https://hooks.example.com/slate.") from None
        if parts.scheme != "https" and not (self.local and parts.scheme == "http"):
            raise Refused("Only https:// addresses are called.")
        if not host:
            raise Refused("The address names no host. Write one such as https://hooks.example.com/slate.")
        if "@" in parts.netloc:
            raise Refused("An address has no user and no password in it: whoever reads it could use them.")
        if "#" in url:
            raise Refused("Leave out what stands after the #: it is never sent.")
        if port not in self.ports and not self.local:
            raise Refused(f"Only port {', '.join(map(str, sorted(self.ports)))} is called.")
        if _is_address(host) and not (self.local or public(host)):
            raise Refused("This address is not a public one.")
        return parts

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send a body, and return what is answered, whatever the status. Raises Refused or Failed."""
        until = time.monotonic() + ALL_SECONDS
        parts = self.check(url)
        places = self._places(parts.hostname, _port(parts))
        try:
            with self._connected(places, until) as plain:
                if parts.scheme == "http":
                    return _exchange(plain, parts, body, headers, until)
                plain.settimeout(_left(until))
                context = ssl.create_default_context()
                with context.wrap_socket(plain, server_hostname=parts.hostname) as secure:
                    return _exchange(secure, parts, body, headers, until)
        except TimeoutError:
            raise Failed(f"There was no answer within {ALL_SECONDS} seconds.") from None
        except ssl.SSLCertVerificationError as problem:
            raise Failed(f"Its certificate is not good: {problem.verify_message}") from None
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise Failed(f"It could not be reached: {problem or type(problem).__name__}") from None

    def _places(self, host, port) -> list[tuple]:
        """(family, address to connect to) of each place a name leads to: all are public, or none is called."""
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        except (OSError, UnicodeError) as problem:
            raise Failed(f"The name {host} leads nowhere: {problem}") from None
        places = [(family, where) for family, _, _, _, where in found
                  if family in (socket.AF_INET, socket.AF_INET6)]
        if not places:
            raise Failed(f"The name {host} leads nowhere.")
        if not self.local and not all(public(where[0]) for _, where in places):
            raise Refused(f"The name {host} leads to an address that is not a public one.")
        return places

    def _connected(self, places, until) -> socket.socket:
        """A connection to the first of these places that takes one."""
        connecting, problem = min(until, time.monotonic() + CONNECT_SECONDS), None
        for family, where in places:
            line = socket.socket(family, socket.SOCK_STREAM)
            try:
                line.settimeout(_left(connecting))
                line.connect(where)
                return line
            except OSError as each:
                line.close()
                problem = each
        raise problem


def _port(parts) -> int:
    usual = 443 if parts.scheme == "https" else 80
    return usual if parts.port is None else parts.port


def _is_address(host) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _left(until) -> float:
    """Seconds that are left. Raises TimeoutError."""
    if (left := until - time.monotonic()) <= 0:
        raise TimeoutError
    return left


def _exchange(line, parts, body, headers, until) -> Answer:
    asking = http.client.HTTPConnection(parts.hostname)
    asking.sock, asking.auto_open = _Line(line, until), 0
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    asking.request("POST", target, body=body, headers={
        "Host": parts.netloc, "Accept-Encoding": "identity", "Connection": "close", **headers})
    response = asking.getresponse()
    try:
        text = response.read(MOST_TEXT)
    except (OSError, http.client.HTTPException):  # the status was said, and that is what counts
        text = b""
    return Answer(response.status, text.decode(errors="replace"))


class _Line:
    """A connection as http.client uses it, which ends at one moment whatever the other side does."""

    def __init__(self, line, until):
        self._line, self._until = line, until

    def sendall(self, data):
        rest = memoryview(data)
        while rest:
            self._line.settimeout(_left(self._until))
            rest = rest[self._line.send(rest):]

    def makefile(self, _mode):
        return io.BufferedReader(_Bytes(self._line, self._until))

    def close(self):
        """It is closed by who opened it."""


class _Bytes(io.RawIOBase):
    """What comes in: so much, and until then."""

    def __init__(self, line, until):
        self._line, self._until, self._most = line, until, MOST_READ

    def readable(self):
        return True

    def readinto(self, buffer):
        self._line.settimeout(_left(self._until))
        read = self._line.recv_into(buffer, min(len(buffer), self._most)) if self._most else 0
        self._most -= read
        return read
