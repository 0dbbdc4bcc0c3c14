"""An answer as text: decoded, unpacked and unescaped, so that a word is found however it is written."""
import base64
import html
import io
import json
import re
import zlib
from contextlib import suppress
from email import policy
from email.parser import BytesParser
from urllib.parse import unquote_plus

from openpyxl import load_workbook
from pypdfium2 import PdfDocument

PACKED = re.compile(r"[A-Za-z0-9+/_-]{16,}")
ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
TAG = re.compile(r"<[^>]*>")
RANDOM = re.compile(r'name="csrf_token" value="[^"]*"|nonce="[^"]*"|nonce-[\w=-]*|session=[^;]*')  # any word, by chance


def of(response) -> str:
    """Status, headers and body of an answer of the test client."""
    head = "\n".join(f"{name}: {value}" for name, value in response.headers)
    return f"{response.status}\n{unpacked(head)}\n{body(response.get_data(), response.mimetype)}"


def body(data: bytes, mimetype: str) -> str:
    if mimetype == "application/pdf":
        return "\n".join(page.get_textpage().get_text_bounded() for page in PdfDocument(data))
    if mimetype and mimetype.endswith("sheet"):
        book = load_workbook(io.BytesIO(data))
        cells = [str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
        return "\n".join([*book.sheetnames, *cells, repr(vars(book.properties))])
    text = data.decode("utf-8", "replace")
    if mimetype and "json" in mimetype:
        return f"{text}\n{_json(text)}"
    if mimetype == "text/calendar":
        text = re.sub(r"\r?\n[ \t]", "", text)
    return unpacked(text)


def letter(data: bytes) -> tuple[str, str]:
    """(to whom, all it says) of a letter."""
    message = BytesParser(policy=policy.default).parsebytes(data)
    parts = [unpacked(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"]
    return message["To"].addresses[0].addr_spec, "\n".join([*(f"{k}: {v}" for k, v in message.items()), *parts])


def _json(text) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return ""


def unpacked(text: str) -> str:
    """The text, and what it says when entities, escapes, percent signs and base64 are undone and tags left out."""
    packed, text = PACKED.findall(text), RANDOM.sub("", text)
    plain = ESCAPED.sub(lambda found: chr(int(found[1], 16)), html.unescape(text) if "&" in text else text)
    plain = unquote_plus(plain) if "%" in plain or "+" in plain else plain
    parts = [text, TAG.sub("", plain)] + ([plain] if plain != text else [])
    return "\n".join(parts + [said for each in packed if (said := _base64(each))])


def _base64(word) -> str:
    try:
        data = base64.urlsafe_b64decode(word.replace("+", "-").replace("/", "_") + "=" * (-len(word) % 4))
    except ValueError:
        return ""
    with suppress(zlib.error):
        data = zlib.decompress(data)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return ""
