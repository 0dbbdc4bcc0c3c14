"""Servers on this machine that are called, as the programs of others would be. For tests."""
import datetime
import ipaddress
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Receiver:
    """Takes what is posted; answers each with the next of `answers` (status, text, headers), then with 204."""

    def __init__(self, *answers, tls=None):
        self.answers, self.got, self.names = list(answers), [], []
        receiver = self

        class Take(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers.items()), body.decode()))
                status, text, headers = receiver.answers.pop(0) if receiver.answers else (204, "", {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # a caller that leaves, or a handshake that fails, is what tests are about
                pass
        self.server = Server(("127.0.0.1", 0), Take)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            context.sni_callback = lambda _line, name, _context: self.names.append(name)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/take?x=1"


class Dripping:
    """Takes a connection, and answers one byte of `text` after the other, each after `pause` seconds, without end."""

    def __init__(self, text=b"HTTP/1.1 200 OK\r\nX: ", pause=0.05):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.taken, self._over = self.socket.getsockname()[1], 0, threading.Event()
        self._text, self._pause = text, pause
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.socket.close()
        for each in self._threads:
            each.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def _accept(self):
        self.socket.settimeout(0.1)
        while not self._over.is_set():
            try:
                line, _ = self.socket.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.taken += 1
            self._threads.append(threading.Thread(target=self._drip, args=[line], daemon=True))
            self._threads[-1].start()

    def _drip(self, line):
        with line:
            place = 0
            while not self._over.wait(self._pause):
                try:
                    line.sendall(self._text[place:place + 1] or b"x")
                except OSError:
                    return
                place += 1


def certificates(folder, name):
    """(certificate of an authority, chain and key of a server that it vouches for) as files, for a name."""
    def signed(subject, issuer, key, by, *extensions):
        now = datetime.datetime.now(datetime.UTC)
        made = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
                .not_valid_after(now + datetime.timedelta(days=2)))
        for extension, critical in extensions:
            made = made.add_extension(extension, critical)
        return made.sign(by, hashes.SHA256())

    def called(words):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])
    root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    authority = signed(called("An authority"), called("An authority"), root, root,
                       (x509.BasicConstraints(True, None), True), (usage, True),
                       (x509.SubjectKeyIdentifier.from_public_key(root.public_key()), False))
    server = signed(called(name), called("An authority"), own, root,
                    (x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("::1"))]),
                     False), (x509.BasicConstraints(False, None), True),
                    (x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), False))
    trusted, chain = folder / "authority.pem", folder / "server.pem"
    trusted.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    chain.write_bytes(server.public_bytes(serialization.Encoding.PEM) + own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return trusted, chain
