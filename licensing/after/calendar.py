"""A calendar file of all-day events (RFC 5545): escaped, folded, and without anything of the hour it was made. Pure."""
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

FOLD = 75  # octets of a line at most
ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


class Event(NamedTuple):
    """Some days, both ends included; without an end it is the day on which something begins. `stamp` is when it came
    to be as it is."""
    uid: str
    starts_on: date
    ends_on: date | None
    summary: str
    description: str
    stamp: datetime


def text(name: str, events: list[Event]) -> str:
    """The whole file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Slate//Windows//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
             f"X-WR-CALNAME:{_escaped(name)}", *(line for each in events for line in _event(each)), "END:VCALENDAR"]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _event(event):
    end = event.ends_on if event.ends_on is not None else event.starts_on
    stamp = f"{event.stamp.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return ["BEGIN:VEVENT", f"UID:{event.uid}", f"DTSTAMP:{stamp}", f"LAST-MODIFIED:{stamp}",
            f"DTSTART;VALUE=DATE:{_day(event.starts_on)}", f"DTEND;VALUE=DATE:{_day(end + timedelta(days=1))}",
            f"SUMMARY:{_escaped(event.summary)}", f"DESCRIPTION:{_escaped(event.description)}", "TRANSP:TRANSPARENT",
            "END:VEVENT"]


def _day(value: date) -> str:
    return f"{value.year:04}{value.month:02}{value.day:02}"


def _escaped(said: str) -> str:
    """Text as a value; characters that no calendar may hold are left out."""
    return "".join(each for each in said if each == "\n" or each >= " " and each != "\x7f").translate(ESCAPES)


def _folded(line: str) -> str:
    """Lines of 75 octets at most, each after the first begun with a space; no character is torn apart."""
    parts, size = [""], 0
    for each in line:
        octets = len(each.encode())
        if size + octets > FOLD:
            parts.append(" ")
            size = 1
        parts[-1] += each
        size += octets
    return "\r\n".join(parts)
