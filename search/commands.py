"""flask import: files in, index caught up at the end. Reads files into rows; what they say goes to the domain."""
import csv
import json
import sys
import time
from contextlib import contextmanager
from functools import partial
from itertools import chain, count
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.text import Text
from sqlalchemy.exc import DBAPIError

from accounts import people
from catalogue import imports as title_rows
from catalogue.imports import RELATIONS, TITLES, Report, printable
from core import outbox
from core.database import db
from core.errors import Refusal
from licensing import imports as rights_rows
from licensing.imports import AVAILABILITY
from search import worker

COLUMNS = {TITLES: (), RELATIONS: title_rows.RELATION_COLUMNS, AVAILABILITY: rights_rows.COLUMNS}
NAMES = ", ".join(COLUMNS)
LONGEST_LINE = 4_000_000  # bytes; a longer one is no record
MOST_LINES = 100  # of one record of CSV; a quote that is open for longer was left open
SHOWN = {"error": 30, "notice": 3, "warning": 3}  # remarks of a field on the screen; the report's file has them all


@click.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--seller", help="Whose titles these are: an organisation's name or id.")
@click.option("--mandate", is_flag=True, help="Give the seller the world, exclusively, on every imported title.")
@click.option("--dry-run", is_flag=True,
              help="Say what would happen, and change nothing. SQLite takes no other writer meanwhile.")
@with_appcontext
def import_(path, seller, mandate, dry_run):
    """Load titles, links and licences from a folder or a file, as the corpus writes them."""
    files, report, began = _files(path), Report(), time.monotonic()
    try:
        owner_id, owner_name = _seller(seller)
        for file in files.values():
            check(file)
        worker.make_ready(current_app.extensions["index"])
        click.echo(f"{', '.join(files)} for {owner_name}")
        with _progress() as progress:
            _load(files, owner_id, mandate, report, partial(_settle, dry_run), progress)
            elapsed = time.monotonic() - began
            if dry_run:
                db.session.rollback()
            else:
                with _bar(progress, "index", None) as tick:
                    indexed = worker.catch_up(current_app.extensions["index"])
                    tick(indexed)
    except Unusable as problem:
        raise click.ClickException(f"{problem} Nothing was imported.") from None
    except (OSError, DBAPIError, Refusal) as problem:
        db.session.rollback()
        said = printable(" ".join(str(getattr(problem, "orig", problem)).split()))
        raise click.ClickException(f"{said}\n" + (
            "Nothing was changed." if dry_run else "What was loaded until then stays; mend this, and run the same "
                                                   "command again.")) from None
    _print(report)
    click.echo(f"{report.rows:,} rows in {elapsed:.1f} s, {report.rows / max(elapsed, 0.001):,.0f} rows a second. "
               + ("Nothing was changed: this was a dry run." if dry_run else f"{indexed:,} changes indexed."))
    if not dry_run and (left := outbox.waiting("title")):
        raise click.ClickException(f"{left:,} changes could not be indexed; see: flask outbox")
    if report.of("error"):
        sys.exit(1)


def _files(path: Path) -> dict[str, Path]:
    if path.is_dir():
        found = {name: path / name for name in COLUMNS if (path / name).is_file()}
        if not found:
            raise click.UsageError(f"{path} holds none of {NAMES}.")
        return found
    if path.name not in COLUMNS:
        raise click.UsageError(f"{path.name} is none of {NAMES}; the name says what a file holds.")
    return {path.name: path}


def _seller(words) -> tuple[int, str]:
    """(id, name) of the seller that was named; of the first, where none was."""
    sellers = people.organisations("seller")
    if not sellers:
        raise click.UsageError("There is no seller yet. Load the demo world first: flask seed")
    found = sorted(sellers, key=lambda each: each.id) if words is None else [
        each for each in sellers if words == str(each.id) or words.casefold() == each.name.casefold()]
    if not found:
        raise click.UsageError(f"There is no seller {words!r}. There are: {', '.join(each.name for each in sellers)}.")
    return found[0].id, found[0].name


def _settle(dry_run):
    """What ends a batch. Nothing of it is needed again, and every lock looks through all that the session holds."""
    db.session.flush() if dry_run else db.session.commit()
    db.session.expunge_all()


def _load(files, owner_id, mandate, report, commit, progress):
    title_ids, licences = set(), []
    if file := files.get(TITLES):
        with _bar(progress, "titles", _count_lines(file)) as tick:
            title_ids |= title_rows.load_titles(rows_of(file, report), owner_id, report, commit, tick)
    if file := files.get(RELATIONS):
        with _bar(progress, "links", _count_lines(file) - 1) as tick:
            title_rows.load_relations(rows_of(file, report), owner_id, report, commit, tick)
    if file := files.get(AVAILABILITY):
        licences = rights_rows.read_availability(rows_of(file, report), owner_id, report)
    if mandate:
        title_ids |= {each.title_id for each in licences}
        with _bar(progress, "mandates", len(title_ids)) as tick:
            rights_rows.load_mandates(title_ids, report, commit, tick)
    if licences:
        with _bar(progress, "licences", len(licences)) as tick:
            rights_rows.load_licences(licences, owner_id, report, commit, tick)


# ------------------------------------------------------------------ reading files

class Unusable(Exception):
    """The file is not what it says; nothing of it was read."""


def check(path: Path):
    """Raises Unusable where a file cannot be what its name says, before anything is loaded."""
    report = Report()
    if next(rows_of(path, report), None) is None and path.suffix == ".jsonl":
        raise Unusable(f"{path.name} is not what its name says: line {report.remarks[0].line} {report.remarks[0].why}"
                       if report.remarks else f"{path.name} is empty.")


def rows_of(path: Path, report: Report):
    """(line number, row) for each row that can be read; the others are named in the report.

    .jsonl gives one object a line, .csv one dict a row. Raises Unusable for CSV without its columns.
    """
    with path.open("rb") as file:
        lines = _lines(file)
        for number, row, why in _objects(lines) if path.suffix == ".jsonl" else _table(lines, path.name):
            report.rows += 1
            if why:
                report.refuse(path.name, number, "line", why)
            else:
                yield number, row


def _lines(file):
    """(number, text, None) for each line; (number, None, why) for one that is no text."""
    for number in count(1):
        raw = file.readline(LONGEST_LINE)
        if not raw:
            return
        if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, None, "is far too long for one record"
            continue
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8"), None
        except UnicodeDecodeError as problem:
            yield number, None, f"is not UTF-8 at byte {problem.start + 1}"


def _objects(lines):
    """(number, object, why not) for each line of JSON that is not blank."""
    for number, text, why in lines:
        row = None
        if text and not text.strip():
            continue
        if text:
            try:
                row = json.loads(text)
                why = None if isinstance(row, dict) else "is not a JSON object"
            except (ValueError, RecursionError):
                why = "is not JSON"
        yield number, row, why


def _table(lines, name):
    """(number, dict, why not) for each record of CSV after the first, which names the fields."""
    records = _records(lines)
    header = [each.strip() for each in next(records, (1, None, None))[1] or ()]
    if missing := [each for each in COLUMNS[name] if each not in header]:
        raise Unusable(printable(f"{name} is not what its name says: it lacks the column {', '.join(missing)}; "
                                 f"its first line names {', '.join(header)[:200] or 'none'}."))
    for number, fields, why in records:
        if not why and len(fields) != len(header):
            why = f"has {len(fields)} fields, the first line names {len(header)}"
        yield number, None if why else dict(zip(header, fields, strict=True)), why


def _records(lines):
    """(number, fields, why not) for each record of CSV (RFC 4180) that is not blank.

    A record runs on while a quote is open. Where one was left open, its first line alone is lost and what
    follows is read afresh.
    """
    while line := next(lines, None):
        number, text, why = line
        fields, more = None, []
        while fields is None and not why:
            try:
                fields = next(csv.reader([text], strict=True), [])
            except csv.Error as problem:
                is_open = "end of data" in str(problem)
                following = next(lines, None) if is_open and len(more) < MOST_LINES else None
                if following and following[1]:
                    text += following[1]
                else:
                    why = f"is not CSV ({'a quote is left open' if is_open or more else problem})"
                more += [following] if following else []
        if why:
            lines = chain(more, lines)
        if fields or why:
            yield number, fields, why


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


# ------------------------------------------------------------------ the screen

class _Figures(ProgressColumn):
    """How much is done, how fast, and how long it still takes; at the end, how long it took."""

    def render(self, task):
        elapsed, left = task.finished_time or task.elapsed or 0, task.total and task.total - task.completed
        rate = task.completed / elapsed if elapsed else 0
        done = f"{task.completed:>6,.0f} of {task.total:>6,.0f} {rate:>6,.0f}/s" if task.total else ""
        took = f"{_minutes(elapsed)}" if left == 0 else f"{_minutes(left / rate)} left" if left and rate else ""
        return Text(f"{done:25} {took}", style="progress.remaining")


def _minutes(seconds):
    return f"{int(seconds) // 60:>3}:{int(seconds) % 60:02}"


def _progress():
    """Bars on standard error where somebody watches, and nothing elsewhere."""
    console = Console(stderr=True)
    return Progress(TextColumn("{task.description:9}"), BarColumn(30), _Figures(), console=console,
                    disable=not console.is_interactive)


@contextmanager
def _bar(progress, words, total):
    """A bar for one part. Gives what to call for each row that is done."""
    task = progress.add_task(words, total=total)
    yield partial(progress.advance, task)
    done = progress.tasks[task].completed
    progress.update(task, total=done, completed=done)


def _print(report):
    report.remarks.sort(key=lambda each: (NAMES.index(each.file), each.line))
    for kind, words in (("error", "rows were not loaded"), ("notice", "rows are left out by rule"),
                        ("warning", "remarks on rows that did load")):
        remarks = report.of(kind)
        if remarks:
            click.echo(f"\n{len(remarks):,} {words}:")
        for where in dict.fromkeys((each.file, each.field) for each in remarks):
            here = [each for each in remarks if (each.file, each.field) == where]
            for remark in here[:SHOWN[kind]]:
                click.echo(f"  {remark}")
            if len(here) > SHOWN[kind]:
                click.echo(f"  … and {len(here) - SHOWN[kind]:,} more of {where[0]}, {where[1]}.")
    file = Path(current_app.config["INSTANCE"]) / "import-report.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{remark.kind}: {remark}\n" for remark in report.remarks), encoding="utf-8")
    if report.remarks:
        click.echo(f"\nEvery remark, named by file and line: {file}")
    click.echo()
    for name, number in report.counts.items():
        if number:
            click.echo(f"{number:>8,} {name}")
