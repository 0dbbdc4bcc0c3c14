"""Files for tests, made here: pictures, the smallest of films, and what pretends to be them."""
import hashlib
import io

from PIL import Image

FILM = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 8
PAPER = b"%PDF-1.4\n%%EOF\n"
SOUND = b"RIFF\x00\x04\x00\x00WAVEfmt " + bytes(range(256)) * 4
WORDS = "WEBVTT\n\n00:00.000 --> 00:01.000\n潮\n".encode()


def picture(format="PNG", size=(600, 900), **more) -> bytes:
    """A picture with a gradient, so that its parts can be told apart."""
    made = Image.linear_gradient("L").resize(size).convert("RGB")
    out = io.BytesIO()
    made.save(out, format, **more)
    return out.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
