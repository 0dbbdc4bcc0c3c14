"""Titles and links from files: titles.jsonl and relations.csv, as the corpus and its like write them.

Good rows load, bad ones are named: file, line, field, why. Everything goes through the verbs of `titles`
and `links`, so a file can bring in nothing a person could not. Running a file twice changes nothing.
"""
import csv
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from catalogue import links, titles
from catalogue.models import Franchise, Kind, Link, LinkKind, NameKind, Status, Title
from core.database import db
from core.errors import Refusal

BATCH = 500
LONGEST_LINE = 4_000_000  # characters; a longer one is not a title
KINDS = {**{kind.value: kind for kind in Kind}, "ova": Kind.SPECIAL, "web_series": Kind.SERIES}
NAME_KINDS = {"main": NameKind.ORIGINAL, "translation": NameKind.TRANSLATED, "alias": NameKind.ALIAS,
              "alt": NameKind.ALIAS, "reading": NameKind.TRANSLITERATION}
LINK_KINDS = {**{kind.value: kind for kind in LinkKind}, "continuation_of": LinkKind.SEQUEL,
              "spinoff_of": LinkKind.SPIN_OFF}
RELATION_COLUMNS = ("from_id", "type", "to_id")
TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Remark:
    """One thing to say of one row. `grave` rows did not load; the others did, or are left out by rule."""
    file: str
    line: int
    field: str
    why: str
    kind: str  # error, notice or warning

    def __str__(self):
        return f"{self.kind}: {self.file}:{self.line} {self.field}: {self.why}"


@dataclass
class Report:
    """What an import did."""
    counts: Counter = field(default_factory=Counter)
    remarks: list[Remark] = field(default_factory=list)

    def say(self, kind, file, line, where, why):
        self.remarks.append(Remark(Path(file).name, line, where, why, kind))

    def of(self, kind) -> list[Remark]:
        return [remark for remark in self.remarks if remark.kind == kind]


class Unusable(Exception):
    """The file is not what it says; nothing of it was read."""


# ------------------------------------------------------------------ reading files

def rows_of(path: Path, report: Report, columns=()):
    """(line number, row) for each row that can be read; the others are named in the report.

    .jsonl gives one object a line, .csv one dict a row. Raises Unusable for a file that is neither.
    """
    try:
        file = path.open("rb")
    except OSError as problem:
        raise Unusable(f"{path}: cannot be opened ({problem.strerror}).") from None
    with file:
        if b"\0" in file.read(8192):
            raise Unusable(f"{path.name}: is binary, not text; a {path.suffix} file was expected.")
        file.seek(0)
        yield from (_jsonl if path.suffix == ".jsonl" else _csv)(path, file, report, columns)


def _decoded(path, file, report):
    number = 0
    while raw := file.readline(LONGEST_LINE):
        number += 1
        if len(raw) == LONGEST_LINE:
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            report.say("error", path, number, "line", "is far too long for one record; not loaded.")
            continue
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as problem:
            report.say("error", path, number, "line", f"is not UTF-8 at byte {problem.start + 1}; not loaded.")


def _jsonl(path, file, report, _columns):
    for number, text in _decoded(path, file, report):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            report.say("error", path, number, "line", "is not JSON; not loaded.")
            continue
        if not isinstance(row, dict):
            report.say("error", path, number, "line", "is not a JSON object; not loaded.")
            continue
        yield number, row


def _csv(path, file, report, columns):
    lines = (text for _, text in _decoded(path, file, report))
    reader = csv.DictReader(lines)
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise Unusable(f"{path.name}: lacks the column {', '.join(missing)}; it has "
                       f"{', '.join(reader.fieldnames or ['none'])[:200]}.")
    try:
        for row in reader:
            yield reader.line_num, {name: value or "" for name, value in row.items() if isinstance(value, str | None)}
    except csv.Error as problem:
        report.say("error", path, reader.line_num, "line", f"is not CSV ({problem}); the rest is not read.")


def count_lines(path: Path) -> int:
    """For the progress bar."""
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


# ------------------------------------------------------------------ titles

class _Bad(Exception):
    def __init__(self, where, why):
        super().__init__(why)
        self.where, self.why = where, why


def load_titles(path: Path, organisation_id: int, report: Report, commit, tick=lambda: None):
    """Load or revise the titles of a file; `commit` ends each batch, `tick` follows each row."""
    batch, seen = [], {}
    for number, row in rows_of(path, report):
        tick()
        try:
            data = _title(row, path, number, report)
            if data["external_id"] in seen:
                raise _Bad("id", f"{data['external_id']} stands in line {seen[data['external_id']]} already")
            seen[data["external_id"]] = number
            batch.append((number, data))
        except _Bad as problem:
            report.say("error", path, number, problem.where, f"{problem.why}; not loaded.")
        if len(batch) >= BATCH:
            _store(batch, path, organisation_id, report)
            commit()
            batch = []
    _store(batch, path, organisation_id, report)
    commit()


def _store(batch, path, organisation_id, report):
    known = {title.external_id: title for title in db.session.scalars(
        select(Title).where(Title.organisation_id == organisation_id,
                            Title.external_id.in_([data["external_id"] for _, data in batch]))
        .options(selectinload(Title.names), selectinload(Title.synopses), selectinload(Title.credits)))}
    for number, data in batch:
        title = known.get(data["external_id"])
        try:
            with db.session.begin_nested():
                if title is None:
                    titles.create(organisation_id, status=Status.PUBLISHED.value, **data)
                    report.counts["titles created"] += 1
                elif _differs(title, data):
                    titles.revise(title, **data)
                    report.counts["titles revised"] += 1
                else:
                    report.counts["titles unchanged"] += 1
        except Refusal as problem:
            report.say("error", path, number, "row", f"{problem.detail} Not loaded.")


def _differs(title: Title, data) -> bool:
    said = {**data, "titles": None, "synopsis": None, "credits": None}
    if any(getattr(title, name) != value for name, value in said.items() if name in titles.PLAIN and value is not None):
        return True
    names = [(name.language, name.value) for name in title.names][1:]
    wanted = list(dict.fromkeys((each["language"], each["value"]) for each in data["titles"]
                                if each["value"] != title.original_title or each["kind"] != NameKind.ORIGINAL))
    first = (title.original_language, title.original_title)
    return (names != [each for each in wanted if each != first] or title.synopsis != data["synopsis"]
            or [(each.role, each.name) for each in title.credits] != [
                (each["role"], each["name"]) for each in data["credits"]])


def _title(row, path, number, report) -> dict:
    """A row as `titles.create` takes it. Raises _Bad where the row cannot be a title."""
    external_id = _text(row, "id", required=True, most=200)
    kind = row.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise _Bad("kind", f"{str(kind)[:40]!r} is none of {', '.join(KINDS)}")
    year = row.get("year")
    if year is None:
        report.say("warning", path, number, "year", "is missing; the title is loaded without it.")
    elif not isinstance(year, int) or isinstance(year, bool) or not 1870 <= year <= 2100:
        raise _Bad("year", f"{str(year)[:40]!r} is no year")
    language = _text(row, "original_language")
    if language and not TAG.fullmatch(language):
        raise _Bad("original_language", f"{language[:40]!r} is no language tag")
    return {
        "external_id": external_id, "kind": KINDS[kind].value, "year": year,
        "tags": [kind] if KINDS[kind].value != kind else [],
        "original_title": _text(row, "original_title", required=True), "original_language": language,
        "titles": _names(row), "synopsis": _synopsis(row, language), "credits": _credits(row, path, number, report),
        "countries": [each for each in _list(row, "countries") if isinstance(each, str) and len(each) == 2],
        "genres": [each for each in _list(row, "genres") if isinstance(each, str)],
        "runtime_minutes": row["runtime_min"] if isinstance(row.get("runtime_min"), int) else None,
        "identifiers": {str(name)[:40]: str(value)[:200] for name, value in _dict(row, "external_ids").items()},
        "episodes": [{"number": None if each.get("number") is None else str(each["number"]),
                      "name": str(each.get("title") or "")} for each in _list(row, "episodes")
                     if isinstance(each, dict)],
    }


def _text(row, name, required=False, most=500):
    value = row.get(name)
    if value is None or value == "":
        if required:
            raise _Bad(name, "is missing")
        return None
    if not isinstance(value, str):
        raise _Bad(name, f"is {type(value).__name__}, not text")
    if UNPRINTABLE.search(value):
        raise _Bad(name, "holds characters that cannot be shown")
    if len(value) > most:
        raise _Bad(name, f"has {len(value)} characters, {most} at most")
    return value.strip()


def _list(row, name):
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _Bad(name, f"is {type(value).__name__}, not a list")
    return value


def _dict(row, name):
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _names(row):
    names = []
    for each in _list(row, "titles"):
        if not isinstance(each, dict) or not isinstance(each.get("value"), str) or not each["value"].strip():
            raise _Bad("titles", "holds a name without a value")
        value, tag = _text(each, "value"), each.get("lang")
        if tag is not None and (not isinstance(tag, str) or not TAG.fullmatch(tag)):
            raise _Bad("titles", f"{str(tag)[:40]!r} is no language tag")
        names.append({"language": tag, "value": value,
                      "kind": NAME_KINDS.get(each.get("type"), NameKind.ALIAS).value})
    return names


def _synopsis(row, language):
    text = _text(row, "synopsis", most=20_000)
    return {row.get("synopsis_lang") or language or "und": text} if text else {}


def _credits(row, path, number, report):
    found = [{"role": "cast", "name": name} for name in _list(row, "cast") if isinstance(name, str)]
    found += [each for name in ("crew", "companies") for each in _list(row, name) if isinstance(each, dict)]
    kept = []
    for each in found:
        role, name = each.get("role"), each.get("name")
        name = name.strip("【】[] \t") if isinstance(name, str) else ""
        if not isinstance(role, str) or not role.strip() or not name or UNPRINTABLE.search(role + name):
            report.say("warning", path, number, "credits", "a credit without a role or a name is left out.")
            continue
        role = role.strip().replace("distributor_or_publisher", "distributor").removeprefix("production:")
        kept.append({"role": role[:100], "name": name[:300]})
    return kept


# ------------------------------------------------------------------ links

def load_relations(path: Path, organisation_id: int, report: Report, commit, tick=lambda: None):
    """Load links, and join titles to the works they are part of."""
    known = dict(db.session.execute(select(Title.external_id, Title.id).where(
        Title.organisation_id == organisation_id, Title.external_id.is_not(None))).all())
    made = {(link.title_id, link.kind, link.target_id) for link in db.session.scalars(select(Link))}
    for number, row in rows_of(path, report, RELATION_COLUMNS):
        tick()
        try:
            _relate(row, organisation_id, known, made, report)
        except _Bad as problem:
            report.say("error", path, number, problem.where, f"{problem.why}; not loaded.")
        except Refusal as problem:
            report.say("error", path, number, "to_id", f"{problem.detail} Not loaded.")
        if number % BATCH == 0:
            commit()
    commit()


def _relate(row, organisation_id, known, made, report):
    if row["from_id"] not in known:
        raise _Bad("from_id", f"there is no title {row['from_id'][:100]!r}")
    title_id = known[row["from_id"]]
    if row["type"] == "part_of_work":
        report.counts["franchises joined" if _join(title_id, row["to_id"], organisation_id)
                      else "franchises unchanged"] += 1
        return
    if row["type"] not in LINK_KINDS:
        raise _Bad("type", f"{row['type'][:40]!r} is none of {', '.join(LINK_KINDS)}")
    if row["to_id"] not in known:
        raise _Bad("to_id", f"there is no title {row['to_id'][:100]!r}")
    kind, target_id = LINK_KINDS[row["type"]], known[row["to_id"]]
    if (title_id, kind.value, target_id) in made:
        report.counts["links unchanged"] += 1
        return
    links.create(db.session.get(Title, title_id), kind, db.session.get(Title, target_id))
    made.add((title_id, kind.value, target_id))
    report.counts["links created"] += 1


def _join(title_id, work, organisation_id) -> bool:
    """Put a title into the franchise of a work. Returns whether it was not there yet."""
    franchise = db.session.scalar(select(Franchise).where(Franchise.organisation_id == organisation_id,
                                                          Franchise.external_id == work))
    if franchise is None:
        franchise = Franchise(organisation_id=organisation_id, external_id=work[:200])
        db.session.add(franchise)
        db.session.flush()
    title = db.session.get(Title, title_id)
    if title.franchise_id == franchise.id:
        return False
    title.franchise_id = franchise.id
    db.session.flush()
    titles.touch(title)
    return True
