"""Whether a store keeps the contract where it really stands: `flask doctor` asks, and says what it lacks."""
import http.client
import io
import secrets
import threading
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from core import clock
from core.storage.contract import Form, Store, Taken, Unavailable

DATA = bytes(range(256)) * 16
SECONDS = 60
SKEW = timedelta(minutes=1)
AT_ONCE_SECONDS = 0.5


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


def ask(method: str, url: str, body=None, headers=None) -> Answer:
    """One request over a connection of its own. A server may refuse a body before it has read it all: 400 is
    answered for one that hangs up. Raises OSError where nobody answers."""
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    link = kind(where.hostname, where.port, timeout=20)
    try:
        link.connect()
        with suppress(BrokenPipeError, ConnectionResetError):
            link.request(method, f"{where.path}?{where.query}", body, headers or {})
        answer = link.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected, http.client.ResponseNotReady):
        return Answer(400, {}, b"the server hung up")
    finally:
        link.close()


def post(form: Form, data: bytes) -> Answer:
    """Send a file by a signed form, as a browser does."""
    edge = uuid.uuid4().hex
    body = b"".join(f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                    for name, value in form.fields.items())
    body += (f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="blob"\r\n'
             "Content-Type: application/octet-stream\r\n\r\n").encode() + data + f"\r\n--{edge}--\r\n".encode()
    return ask("POST", form.url, body, {"Content-Type": f"multipart/form-data; boundary={edge}"})


def lacks(store: Store, site: str) -> list[str]:
    """What the store lacks, in sentences; empty where it is fit. `site` is the address people open Slate at.

    Writes objects of its own and removes them. What is reached by signed addresses is asked of an S3 store alone:
    those of a folder are served by the application, which need not be running.
    """
    key = f"probe/{secrets.token_hex(16)}"
    try:
        found = [*_keeps(store, key)]
        if not found and store.origin:
            for examine in (_reads, _form, _refuses_spoilt_bytes, _lets_browsers_in, _is_set_up, _clock):
                found += examine(store, key, site)
        return found
    except Unavailable as problem:
        return [f"The store does not answer as it should, {problem}. Look at the S3_ settings and at the bucket."]
    except OSError as problem:
        return [f"The store cannot be reached at {store.origin or 'its folder'}: {problem}. Look at S3_PUBLIC_ENDPOINT."
                if store.origin else f"The folder of the store cannot be written: {problem}."]
    finally:
        with suppress(Unavailable, OSError):
            store.delete(key)
            store.delete(f"{key}/post")


def answers_at_once(store: Store) -> bool:
    """Whether the store answers within half a second: for who asks often, and must not be kept waiting by it."""
    said = []
    asking = threading.Thread(target=lambda: said.append(store.answers()), daemon=True)
    asking.start()
    asking.join(AT_ONCE_SECONDS)
    return said == [True]


def _keeps(store, key):
    store.put(key, io.BytesIO(DATA), "image/png", fresh=True)
    if b"".join(store.read(key)) != DATA:
        yield "What was written is not what is read back."
    if b"".join(store.read(key, 100, 200)) != DATA[100:200]:
        yield "A range of an object is not what was asked for: films could not be wound."
    if store.head(key).type != "image/png":
        yield "The store forgets the types of objects."
    try:
        store.put(key, io.BytesIO(b""), "image/png", fresh=True)
        yield "It writes over an object that was to be written only if it was not there (If-None-Match)."
    except Taken:
        pass


def _reads(store, key, _):
    url = store.signed_get(key, SECONDS)
    answer = ask("GET", url, headers={"Range": "bytes=100-199"})
    if (answer.status, answer.body) != (206, DATA[100:200]):
        yield f"A signed address with a range answers {answer.status} instead of the range."
    if ask("GET", url.partition("?")[0]).status == 200:
        yield "Objects can be read without a signature: the bucket is public. Close it."
    if ask("GET", url[:-1] + ("0" if url[-1] != "0" else "1")).status == 200:
        yield "A signed address that was tampered with is served: the store does not check signatures."


def _form(store, key, _):
    form = store.signed_post(f"{key}/post", "image/png", SECONDS, least=len(DATA), most=len(DATA))
    if (answer := post(form, DATA)).status not in (200, 204):
        yield f"A signed form (POST policy) is answered {answer.status}: small uploads would fail."
    if post(form, DATA + b"!").status in (200, 204):
        yield "A signed form takes more bytes than it was signed for."
    other = Form(form.url, form.fields | {"key": f"{key}/other"})
    if post(other, DATA).status in (200, 204):
        store.delete(f"{key}/other")
        yield "A signed form takes another key than it was signed for."


def _refuses_spoilt_bytes(store, key, _):
    if store.takes_spoilt(key):
        yield "Bytes that do not match their checksum are accepted (Content-MD5)."


def _lets_browsers_in(store, key, site):
    upload_id = store.begin(key, "image/png")
    try:
        for method, url in (("PUT", store.signed_part(key, upload_id, 1, 1, SECONDS)),
                            ("POST", store.signed_post(key, "image/png", SECONDS).url),
                            ("GET", store.signed_get(key, SECONDS))):
            answer = ask("OPTIONS", url, headers={"Origin": site, "Access-Control-Request-Method": method,
                                                  "Access-Control-Request-Headers": "content-type"})
            if answer.headers.get("access-control-allow-origin") not in (site, "*"):
                fails = "films with subtitles" if method == "GET" else "uploads"
                yield (f"Browsers at {site} may not {method} to the store (CORS): {fails} would fail. "
                       "Run: flask media prepare")
    finally:
        store.abort(key, upload_id)


def _is_set_up(store, _, site):
    missing = []
    store.prepare([site], missing.append, dry_run=True)
    if missing:
        yield f"The bucket is not set up as it should be: {' '.join(missing)} Run: flask media prepare"


def _clock(store, key, _):
    told = ask("GET", store.signed_get(key, SECONDS)).headers.get("date")
    if told and abs(parsedate_to_datetime(told) - clock.now()) > SKEW:
        yield f"The store's clock says {told}, ours {clock.now():%d %b %Y %H:%M:%S} UTC: signatures would not hold."
