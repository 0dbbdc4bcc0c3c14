"""Makes clean pictures of a hostile file. Run as a program of its own, never imported: what breaks here breaks alone.

    python -I decoder.py TYPE FOLDER WIDTH… < file     one FOLDER/WIDTH.webp each; prints [[width, height, size], …]

It gives itself 200 MB and three quarters of a second, its own start included, before it looks at the file: a bomb
that is read within them is blank, and is written within a second in all. An honest picture may take longer to be
written. Nothing of the file but its pixels goes on: no metadata, no profile, no second frame. The only
importer of Pillow.
"""
import json
import resource
import signal
import sys
import time
import warnings
from pathlib import Path

from PIL import Image, ImageOps

MB = 1 << 20
MEMORY = 200 * MB
READING_SECONDS, ALL_SECONDS = 0.75, 10  # of the processor, in all
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
MOST_PIXELS = {"JPEG": 100_000_000, "PNG": 8_000_000, "WEBP": 8_000_000}  # what fits; JPEG is read small
MOST_SIDE, LEAST_SIDE = 16_000, 16
QUALITY = 82


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (ALL_SECONDS, ALL_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.setitimer(signal.ITIMER_PROF, READING_SECONDS - time.process_time())  # finer than RLIMIT_CPU; it kills


class Unfit(Exception):
    """The text is a sentence for who sent the picture."""


def read(file, format: str, widest: int):
    """The picture's pixels as RGB, upright, no wider or higher than needed for `widest`."""
    warnings.simplefilter("error")
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS[format]
    try:
        picture = Image.open(file, formats=[format])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unfit(f"A {format} has {MOST_PIXELS[format] // 1_000_000} million pixels at most.") from None
    if max(picture.size) > MOST_SIDE or min(picture.size) < LEAST_SIDE:
        raise Unfit(f"A picture has {LEAST_SIDE} to {MOST_SIDE} pixels a side; this has {picture.size[0]} × "
                    f"{picture.size[1]}.")
    deep = any("16" in str(tile[3]) for tile in picture.tile)
    if deep and picture.size[0] * picture.size[1] > MOST_PIXELS[format] // 2:
        raise Unfit(f"A {format} of 16 bits a colour has {MOST_PIXELS[format] // 2_000_000} million pixels at most.")
    picture.draft("RGB", (widest, widest))
    picture.load()
    if picture.mode == "P" or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    box = (widest, widest * 4) if picture.size[0] <= picture.size[1] else (widest * 4, widest)
    picture.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in ("RGBA", "LA", "PA"):
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture.convert("RGB"), mask=picture.getchannel("A"))
        return ground
    return picture.convert("RGB")


def write(picture, folder: Path, widths):
    """One WebP for each width, none wider than the picture is."""
    for width in sorted({min(each, picture.size[0]) for each in widths}):
        height = max(1, round(picture.size[1] * width / picture.size[0]))
        made = picture.resize((width, height), Image.Resampling.LANCZOS)
        made.info = {}
        target = folder / f"{width}.webp"
        made.save(target, "WEBP", quality=QUALITY, method=4)
        yield width, height, target.stat().st_size


def main(type, folder, *widths):
    limit()
    try:
        picture = read(sys.stdin.buffer, FORMATS[type], max(map(int, widths)))
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(list(write(picture, Path(folder), map(int, widths)))))
    except Unfit as problem:
        sys.exit(str(problem))
    except MemoryError:
        sys.exit("This picture needs more memory than any picture should.")
    except Exception:  # whatever the library says of a broken file, it is the file that is broken
        sys.exit(f"This is not a {FORMATS[type]} that can be read: it is broken, or another kind of file.")


if __name__ == "__main__":
    main(*sys.argv[1:])
