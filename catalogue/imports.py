"""Titles and links from the rows of titles.jsonl and relations.csv, as the corpus and its like write them.

Good rows load, bad ones are named: file, line, field, why. The limits are those of the API and changes go
through the verbs of `titles` and `links`, so a file can bring in nothing a person could not. Loading rows
twice changes nothing.
"""
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import select, update
from sqlalchemy.orm import selectinload

from catalogue import changes, links, titles
from catalogue.models import Franchise, Kind, Link, LinkKind, NameKind, RightsClock, Status, Title
from core import clock, outbox
from core.database import db
from core.errors import Refusal

TITLES, RELATIONS = "titles.jsonl", "relations.csv"
BATCH = 500  # rows in one transaction
KINDS = {**{kind.value: kind for kind in Kind}, "ova": Kind.SPECIAL, "web_series": Kind.SERIES}
NAME_KINDS = {"main": NameKind.ORIGINAL, "translation": NameKind.TRANSLATED, "alias": NameKind.ALIAS,
              "alt": NameKind.ALIAS, "reading": NameKind.TRANSLITERATION}
LINK_KINDS = {**{kind.value: kind for kind in LinkKind}, "continuation_of": LinkKind.SEQUEL,
              "spinoff_of": LinkKind.SPIN_OFF}
PART_OF_WORK = "part_of_work"
RELATION_COLUMNS = ("from_id", "type", "to_id")

# The shape of a row, see `shaped`; the limits are those of the API.
TAG = re.compile(r"(?=.{2,20}$)[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"), "a language tag"
COUNTRY = re.compile(r"[A-Z]{2}"), "a country code of two letters"
CREDITS = [{"role": 100, "name": 300}, 2000]
ROW = {"id": 200, "kind": 40, "original_title": 500, "original_language": TAG,
       "titles": [{"lang": TAG, "value": 500, "type": 40}, 200], "year": range(1870, 2101),
       "countries": [COUNTRY, 50], "genres": [60, 50], "synopsis": 20_000, "synopsis_lang": TAG, "cast": [300, 2000],
       "crew": CREDITS, "companies": CREDITS, "runtime_min": range(100_001), "external_ids": {"*": 200},
       "episodes": [{"number": 40, "title": 500}, 5000]}
KIND_OF = {int: str, tuple: str, range: int, list: list, dict: dict}  # of a shape: what it is the shape of
IN_WORDS = {str: "text", int: "a whole number", float: "a fraction", bool: "true or false", list: "a list",
            dict: "an object"}
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
HOLLOW = re.compile(r"【\s*】|\[\s*\]|^[】\]\s]+")  # brackets for a part that nobody wrote, or that was cut off


def nothing(rows=1):
    """Whom to tell how far it is, where nobody watches."""


@dataclass(frozen=True)
class Remark:
    """One thing to say of one row. An error did not load, a notice neither, by rule; a warning did."""
    kind: str
    file: str
    line: int
    field: str
    why: str

    def __str__(self):
        return f"{self.file}:{self.line} {self.field}: {self.why}"


@dataclass
class Report:
    """What an import did."""
    rows: int = 0
    counts: Counter = field(default_factory=Counter)
    remarks: list[Remark] = field(default_factory=list)

    def say(self, kind, file, line, where, why):
        self.remarks.append(Remark(kind, file, line, where, printable(why)))

    def refuse(self, file, line, where, why):
        """Say that a row did not load."""
        self.say("error", file, line, where, why + (" Not loaded." if why.endswith((".", "?")) else "; not loaded."))

    def of(self, kind) -> list[Remark]:
        return [remark for remark in self.remarks if remark.kind == kind]


class Bad(Exception):
    """A row that cannot be loaded: which field, and why."""

    def __init__(self, where, why):
        super().__init__(why)
        self.where, self.why = where, why


def printable(text) -> str:
    """What a file says, fit for a terminal: it can neither move the cursor nor begin a line."""
    return "".join(char if char.isprintable() else "�" for char in text)


def batches(rows):
    """Lists of BATCH rows."""
    rows = iter(rows)
    return iter(lambda: list(islice(rows, BATCH)), [])


# ------------------------------------------------------------------ reading fields

def shaped(value, shape, where):
    """A value of a row if it has the shape, its texts trimmed; None where it is missing. Raises Bad.

    A shape is a number of characters, (a pattern, what it means), a range, [the shape of each, how many at
    most], or an object of names and shapes, of which "*" is any name.
    """
    kind = KIND_OF[type(shape)]
    if value is None:
        return None
    if type(value) is not kind:
        raise Bad(where, f"is {IN_WORDS[type(value)]}, not {IN_WORDS[kind]}")
    if kind is dict and "*" in shape:
        return {said(shaped(name, 40, where), where): shaped(each, shape["*"], where) for name, each in value.items()}
    if kind is dict:
        return {name: shaped(value.get(name), part, f"{where}.{name}") for name, part in shape.items()}
    if kind is list:
        if len(value) > shape[1]:
            raise Bad(where, f"has {len(value):,} entries, {shape[1]:,} at most")
        return [said(shaped(each, shape[0], where), where) for each in value]
    if kind is int:
        if value not in shape:
            raise Bad(where, f"{value!r:.40} is not from {shape[0]} to {shape[-1]}")
        return value
    most, pattern = (shape, None) if isinstance(shape, int) else (500, shape)
    value = value.strip()
    if UNPRINTABLE.search(value):
        raise Bad(where, "holds characters that cannot be shown")
    if len(value) > most:
        raise Bad(where, f"has {len(value):,} characters, {most:,} at most")
    if value and pattern and not pattern[0].fullmatch(value):
        raise Bad(where, f"{value!r:.60} is not {pattern[1]}")
    return value or None


def said(value, where):
    """The value, or Bad where it is missing."""
    if value is None:
        raise Bad(where, "is missing")
    return value


def chosen(value, where, choices):
    """What a word stands for, or Bad where it is none of the choices."""
    if said(value, where) not in choices:
        raise Bad(where, f"{value!r} is none of {', '.join(choices)}")
    return choices[value]


def once(seen, key, number, where, what):
    """Refuse what an earlier line of the same file said. `seen` maps keys to lines."""
    if (first := seen.setdefault(key, number)) != number:
        raise Bad(where, f"{what} stands in line {first} already")


# ------------------------------------------------------------------ titles

def load_titles(rows, organisation_id: int, report: Report, commit, tick=nothing) -> set[int]:
    """List or revise titles from (line number, row) pairs; `commit` ends each batch. Returns the titles' ids.

    A row revises what it names and leaves the rest of a title as it is, its status too.
    """
    ids = set()
    for batch in batches(_good(rows, report, tick)):
        ids |= _store(batch, organisation_id, report, tick)
        commit()
    return ids


def _good(rows, report, tick):
    """(line number, fields of a title) for each good row."""
    seen = {}
    for number, row in rows:
        try:
            data, warnings = _title(row)
            once(seen, data["external_id"], number, "id", data["external_id"])
        except Bad as problem:
            report.refuse(TITLES, number, problem.where, problem.why)
            tick()
            continue
        for where, why in warnings:
            report.say("warning", TITLES, number, where, why)
        yield number, data


def _store(batch, organisation_id, report, tick):
    known = {title.external_id: title for title in db.session.scalars(
        select(Title).where(Title.organisation_id == organisation_id,
                            Title.external_id.in_([data["external_id"] for _, data in batch]))
        .options(selectinload(Title.names), selectinload(Title.synopses), selectinload(Title.credits)))}
    fresh = [data for _, data in batch if data["external_id"] not in known]
    ids = _create(fresh, organisation_id) | {title.id for title in known.values()}
    report.counts["titles created"] += len(fresh)
    tick(len(fresh))
    for number, data in batch:
        if title := known.get(data["external_id"]):
            report.counts[_revise(title, data, number, report)] += 1
            tick()
    return ids


def _create(rows, organisation_id) -> set[int]:
    """What `titles.create` does for one title, for many in a few statements; a test holds the two equal."""
    made, now = [], clock.now()
    for data in rows:
        title = Title(organisation_id=organisation_id, status=Status.PUBLISHED.value, created_at=now, updated_at=now,
                      **{name: value for name, value in data.items() if name in titles.PLAIN})
        titles._write_parts(title, data.get("titles", ()), data.get("synopsis"), data.get("credits", ()))
        made.append(title)
    db.session.add_all(made)
    db.session.flush()
    ids = [title.id for title in made]
    if ids:
        table = Title.__table__
        db.session.execute(update(table).where(table.c.id.in_(ids)).values(root_id=table.c.id))
        db.session.execute(RightsClock.__table__.insert(), [{"root_id": each, "version": 0} for each in ids])
        changes.note(*ids, rights=False)
        changes.announce(changes.PUBLISHED, ids)
        outbox.put_all("title", ids)
    return set(ids)


def _revise(title, data, number, report) -> str:
    """Revise a title where a row says something else. Returns what was done, as the report counts it."""
    data["tags"] = list(dict.fromkeys([*title.tags, *data["tags"]]))  # those that people gave it stay
    if not _differs(title, data):
        return "titles unchanged"
    try:
        with db.session.begin_nested():
            titles.revise(title, **data)
    except Refusal as problem:
        report.refuse(TITLES, number, "row", problem.detail)
        return "titles refused"
    return "titles revised"


def _differs(title: Title, data) -> bool:
    parts = {"titles": [{"language": each.language, "value": each.value, "kind": each.kind}
                        for each in title.names[1:]],
             "synopsis": title.synopsis,
             "credits": [{"role": each.role, "name": each.name} for each in title.credits]}
    return any((parts[name] if name in parts else getattr(title, name)) != value for name, value in data.items())


def _title(row) -> tuple[dict, list]:
    """What a row says, as `titles.create` takes it, and (field, why) for each warning. Raises Bad."""
    row = {name: shaped(row.get(name), shape, name) for name, shape in ROW.items()}
    kind = chosen(row["kind"], "kind", KINDS).value
    warnings = [(name, f"is {'0' if row[name] == 0 else 'missing'}; the title is loaded without it.")
                for name in ("year", "runtime_min") if row[name] == 0 or name == "year" and row[name] is None]
    data = {
        "external_id": said(row["id"], "id"), "kind": kind, "tags": [row["kind"]] if row["kind"] != kind else [],
        "original_title": said(row["original_title"], "original_title"), "year": row["year"],
        "original_language": row["original_language"], "titles": _names(row), "countries": row["countries"],
        "genres": row["genres"], "runtime_minutes": row["runtime_min"] or None, "credits": _credits(row, warnings),
        "synopsis": row["synopsis"] and {row["synopsis_lang"] or row["original_language"] or "und": row["synopsis"]},
        "identifiers": row["external_ids"] and {name: each for name, each in row["external_ids"].items() if each},
        "episodes": row["episodes"] and [{"number": each["number"], "name": each["title"] or ""}
                                         for each in row["episodes"]]}
    return {name: value for name, value in data.items() if value is not None}, warnings


def _names(row):
    """Every name but the original title, each once in a language: what `titles` keeps after that one."""
    if row["titles"] is None:
        return None
    names, original = {}, (row["original_language"], row["original_title"])
    for each in row["titles"]:
        key = (each["lang"], said(each["value"], "titles.value"))
        kind = chosen(each["type"] or "translation", "titles.type", NAME_KINDS)
        if key != original and not (kind == NameKind.ORIGINAL and each["value"] == original[1]):
            names.setdefault(key, {"language": key[0], "value": key[1], "kind": kind.value})
    return list(names.values())


def _credits(row, warnings):
    """Cast, crew and companies. What is left of a credit that was cut in two is left out, with a warning."""
    if row["cast"] is row["crew"] is row["companies"] is None:
        return None
    kept, cast = [], [{"role": "cast", "name": name} for name in row["cast"] or ()]
    for part, found in (("cast", cast), ("crew", row["crew"]), ("companies", row["companies"])):
        for each in found or ():
            role, name = (each["role"] or "").lstrip("[【"), HOLLOW.sub("", each["name"] or "").strip()
            if not role or not any(char.isalnum() for char in name):
                warnings.append((part, f"{each['name']!r:.60} is left out, for it has no "
                                       f"{'role' if not role else 'name in it'}."))
                continue
            role = "distributor" if role == "distributor_or_publisher" else role.removeprefix("production:")
            kept.append({"role": role.lstrip("[【"), "name": name})
    return kept


# ------------------------------------------------------------------ links

def known(organisation_id: int) -> dict[str, int]:
    """External id → id of the titles an organisation lists."""
    return dict(db.session.execute(select(Title.external_id, Title.id).where(
        Title.organisation_id == organisation_id, Title.external_id.is_not(None))).all())


def load_relations(rows, organisation_id: int, report: Report, commit, tick=nothing):
    """Link titles from (line number, row) pairs, and join them to the works they are part of."""
    ids, seen = known(organisation_id), {}
    for batch in batches(rows):
        for number, row in batch:
            tick()
            try:
                report.counts[_relate(row, number, organisation_id, ids, seen)] += 1
            except Bad as problem:
                report.refuse(RELATIONS, number, problem.where, problem.why)
            except Refusal as problem:
                report.refuse(RELATIONS, number, "to_id", problem.detail)
        commit()


def _relate(row, number, organisation_id, ids, seen):
    """Make what one row says. Returns what was done, as the report counts it."""
    kind = chosen(shaped(row["type"], 40, "type"), "type", {**LINK_KINDS, PART_OF_WORK: None})
    title_id, target = titled(row, "from_id", ids), said(shaped(row["to_id"], 200, "to_id"), "to_id")
    if kind is None:
        once(seen, title_id, number, "from_id", f"the work that {row['from_id']} is part of")
        return "titles joined to a franchise" if _join(title_id, target, organisation_id) else "franchises unchanged"
    target_id = titled(row, "to_id", ids)
    once(seen, (title_id, kind, target_id), number, "from_id", f"that {row['from_id']} is {kind} {row['to_id']}")
    if db.session.scalar(select(Link.id).where(Link.title_id == title_id, Link.kind == kind.value,
                                               Link.target_id == target_id)):
        return "links unchanged"
    links.create(db.session.get(Title, title_id), kind, db.session.get(Title, target_id))
    return "links created"


def titled(row, where, ids) -> int:
    """The id of the title a row names in one of its fields."""
    external_id = said(shaped(row[where], 200, where), where)
    if external_id not in ids:
        raise Bad(where, f"there is no title {external_id!r:.100}")
    return ids[external_id]


def _join(title_id, work, organisation_id) -> bool:
    """Put a title into the franchise of a work. Returns whether it was not there yet."""
    franchise = db.session.scalar(select(Franchise).where(Franchise.organisation_id == organisation_id,
                                                          Franchise.external_id == work))
    if franchise is None:
        franchise = Franchise(organisation_id=organisation_id, external_id=work)
        db.session.add(franchise)
        db.session.flush()
    title = db.session.get(Title, title_id)
    if title.franchise_id == franchise.id:
        return False
    title.franchise_id = franchise.id
    db.session.flush()
    titles.touch(title)
    return True
