"""Whether a file is WebVTT that a player can show. Pure; the grammar is that of the W3C's WebVTT.

Checked is what decides when words stand on the screen: encoding, signature, timings. The words themselves are not
interpreted: a browser shows them and runs nothing of them.
"""
import re

MOST_CUES = 20_000
TIME = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
TIMING = re.compile(rf"{TIME}[ \t]+-->[ \t]+{TIME}(?:[ \t].*)?")
NO_CUES = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?")  # the first line of a block that is none


class Unfit(Exception):
    """The text is a sentence for who sent the file."""


def check(data: bytes):
    """Raises Unfit where these bytes are not WebVTT, or nothing in them can be shown."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Unfit(f"Byte {problem.start:,} of the subtitles is not UTF-8. Save them as UTF-8.") from None
    if "\0" in text:
        raise Unfit("The subtitles hold a character that is none (U+0000).")
    lines = re.split(r"\r\n|\n|\r", text)
    if not re.fullmatch(r"WEBVTT(?:[ \t].*)?", lines[0]):
        raise Unfit("The first line of subtitles is WEBVTT, and nothing else but a remark after a space.")
    begun, count = 0.0, 0
    for number, block in _blocks(lines):
        if NO_CUES.fullmatch(block[0]):
            continue
        place = next((place for place, line in enumerate(block[:2]) if "-->" in line), None)
        if place is None:
            raise Unfit(f"Line {number}: here should stand when the words begin and end, as 00:01.000 --> 00:02.500.")
        begun = _timing(block[place], number + place, begun)
        count += 1
    if not count:
        raise Unfit("There are no words in these subtitles.")
    if count > MOST_CUES:
        raise Unfit(f"These subtitles have {count:,} cues; {MOST_CUES:,} are the most.")


def _blocks(lines):
    """(number of its first line, lines) of what stands between empty lines, after the head."""
    block, head = [], True
    for number, line in enumerate([*lines, ""], 1):
        if line:
            block.append(line)
        elif block:
            if not head:
                yield number - len(block), block
            block, head = [], False


def _timing(line, number, before) -> float:
    """When the cue of this line begins, in seconds."""
    found = TIMING.fullmatch(line.strip(" \t"))
    if found is None:
        raise Unfit(f"Line {number}: “{line[:60]}” is no timing. Write it as 00:01.000 --> 00:02.500.")
    begins, ends = (int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(thousandths) / 1000
                    for hours, minutes, seconds, thousandths in (found.groups()[:4], found.groups()[4:]))
    if ends <= begins:
        raise Unfit(f"Line {number}: the words end before they begin.")
    if begins < before:
        raise Unfit(f"Line {number}: the words begin before those above them. Sort them by time.")
    return begins
