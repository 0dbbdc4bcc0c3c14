"""Files for tests, made here: pictures, the smallest of films, and what pretends to be them."""
import hashlib
import io
import subprocess
from pathlib import Path

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


def film(folder: Path, seconds=1, size="320x180", suffix="webm", rate=10, chapters=()) -> bytes:
    """A film with a clock in its picture and a tone, made by ffmpeg. `chapters` are names, of equal length."""
    target, said = folder / f"film.{suffix}", folder / "chapters"
    length = 1000 * seconds // max(1, len(chapters))
    said.write_text(";FFMETADATA1\ntitle=SECRET-PLACE\n" + "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={place * length}\nEND={(place + 1) * length}\ntitle={name}\n"
        for place, name in enumerate(chapters)), encoding="utf-8")
    how = {"webm": ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"],
           "mp4": ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]}[suffix]
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc=s={size}:r={rate}:d={seconds}", "-f",
                    "lavfi", "-i", f"sine=d={seconds}", "-i", said, "-map", "0", "-map", "1", "-map_metadata", "2",
                    "-pix_fmt", "yuv420p", *how, target], check=True)
    return target.read_bytes()
