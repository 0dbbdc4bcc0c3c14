"""What a file really is, by its first bytes, and which files an asset of each kind may be. Pure."""
import unicodedata

from media.models import Kind

HEAD = 4096  # bytes that are looked at
MB, GB = 1 << 20, 1 << 30

SIGNS = (  # (type, where, bytes): the first that fits; sources: the formats' own specifications
    ("image/png", 0, b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", 0, b"\xff\xd8\xff"),
    ("video/quicktime", 4, b"ftypqt  "),
    ("audio/mp4", 4, b"ftypM4A "),
    ("video/mp4", 4, b"ftyp"),
    ("application/mxf", 0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02"),
    ("application/pdf", 0, b"%PDF-"),
    ("application/zip", 0, b"PK\x03\x04"),
    ("audio/flac", 0, b"fLaC"),
    ("text/vtt", 0, b"WEBVTT"),
    ("text/vtt", 0, b"\xef\xbb\xbfWEBVTT"),
)
WAVES = (b"RIFF", b"RF64", b"BW64")  # the last two above 4 GB (EBU Tech 3306, ITU-R BS.2088)
NOT_FILMS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")  # brands of the same container

PICTURE = {"image/jpeg", "image/png", "image/webp"}
PLAYABLE = {"video/mp4", "video/webm"}  # by browsers as they are: nothing is transcoded
ALLOWED = {  # kind → (types, bytes at most)
    Kind.POSTER: (PICTURE, 64 * MB),
    Kind.STILL: (PICTURE, 64 * MB),
    Kind.TRAILER: (PLAYABLE, 20 * GB),
    Kind.SCREENER: (PLAYABLE, 100 * GB),
    Kind.MASTER: (PLAYABLE | {"video/quicktime", "application/mxf"}, 600 * GB),
    Kind.SUBTITLE: ({"text/vtt"}, 2 * MB),
    Kind.DOCUMENT: ({"application/pdf"}, 64 * MB),
    Kind.AUDIO: ({"audio/wav", "audio/flac", "audio/mp4", "application/mxf"}, 100 * GB),
    Kind.ART: ({"image/jpeg", "image/png", "application/pdf", "application/zip"}, 20 * GB),
}


def of(head: bytes) -> str | None:
    """The type of a file that begins with these bytes; None for what is none of ours."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:4] in WAVES and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[:4] == b"\x1a\x45\xdf\xa3":  # EBML: Matroska and WebM differ by the name in their header
        return "video/webm" if b"webm" in head[:64] else None
    if head[4:8] == b"ftyp" and head[8:12] in NOT_FILMS:
        return None
    return next((name for name, where, sign in SIGNS if head[where:where + len(sign)] == sign), None)


def plain_name(said: str) -> str:
    """A file's name as people read it: the last part of a path, without what cannot be seen or turns the reading.

    Formatting characters go (marks of direction make `gnp.exe` of `exe.png`), as do control characters; of a name of
    dots nothing is left.
    """
    last = said.replace("\\", "/").rpartition("/")[2]
    seen = "".join(" " if char.isspace() else char for char in last
                   if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    return " ".join(seen.split()).lstrip(". ")
