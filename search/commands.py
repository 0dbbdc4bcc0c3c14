"""flask import: files in, index caught up at the end."""
import sys
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from accounts import people
from catalogue import imports as title_files
from catalogue.imports import Report, Unusable
from core.database import db
from licensing import imports as rights_files
from search import worker

FILES = ("titles.jsonl", "relations.csv", "availability.csv")
SHOWN = 10  # remarks of one kind on the screen; the report file has them all


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--seller", help="Whose titles these are: an organisation's name or id.")
@click.option("--mandate", is_flag=True, help="Give the seller the world, exclusively, on every imported title.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@with_appcontext
def import_(path, seller, mandate, dry_run):
    """Load titles, links and licences from a folder or a file, as the corpus writes them."""
    files = _files(path)
    owner = _seller(seller)
    names = ", ".join(each.name for each in files)
    click.echo(f"{'Would import' if dry_run else 'Importing'} for {owner.name}: {names}")
    owner_id, report, began = owner.id, Report(), time.monotonic()
    commit = db.session.flush if dry_run else db.session.commit
    try:
        _load(files, owner_id, mandate, report, commit)
    except Unusable as problem:
        db.session.rollback()
        raise click.ClickException(str(problem)) from None
    if dry_run:
        db.session.rollback()
    elapsed = time.monotonic() - began
    indexed = 0 if dry_run else worker.catch_up(current_app.extensions["index"])
    _print(report, elapsed, indexed, dry_run)
    if report.of("error"):
        sys.exit(1)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = [path / name for name in FILES if (path / name).is_file()]
        if not found:
            raise click.UsageError(f"{path} holds none of {', '.join(FILES)}.")
        return found
    if not path.is_file():
        raise click.UsageError(f"There is nothing at {path}.")
    if path.name not in FILES:
        raise click.UsageError(f"{path.name} is none of {', '.join(FILES)}; the name says what a file holds.")
    return [path]


def _seller(words):
    sellers = people.organisations("seller")
    if not sellers:
        raise click.UsageError("There is no seller yet. Load the demo world first: flask seed")
    if words is None:
        return min(sellers, key=lambda each: each.id)
    found = people.organisation_named(words)
    if found is None or not found.sells:
        raise click.UsageError(f"There is no seller {words!r}. There are: {', '.join(each.name for each in sellers)}.")
    return found


def _load(files, owner_id, mandate, report, commit):
    by_name = {each.name: each for each in files}
    with _progress() as progress:
        if file := by_name.get("titles.jsonl"):
            with _bar(progress, "titles", title_files.count_lines(file)) as tick:
                title_files.load_titles(file, owner_id, report, commit, tick)
        if file := by_name.get("relations.csv"):
            with _bar(progress, "links", title_files.count_lines(file) - 1) as tick:
                title_files.load_relations(file, owner_id, report, commit, tick)
        if mandate:
            with _bar(progress, "mandates", report.counts["titles created"]) as tick:
                rights_files.load_mandates(owner_id, report, commit, tick)
        if file := by_name.get("availability.csv"):
            with _bar(progress, "licences", title_files.count_lines(file) - 1) as tick:
                rights_files.load_availability(file, owner_id, report, commit, tick)


def _progress():
    console = Console(stderr=True)
    if not console.is_terminal:
        return nullcontext()
    return Progress(TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn(),
                    TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=console)


@contextmanager
def _bar(progress, words, total):
    if progress is None:
        yield lambda: None
        return
    task, began, done = progress.add_task(words, total=total, rate=""), time.monotonic(), 0

    def tick():
        nonlocal done
        done += 1
        if done % 50 == 0:
            progress.update(task, advance=50, rate=f"{done / (time.monotonic() - began):,.0f}/s")

    yield tick
    progress.update(task, completed=total)


def _print(report, elapsed, indexed, dry_run):
    rows = sum(report.counts.values()) + len(report.of("error")) + len(report.of("notice"))
    for kind, words in (("error", "rows were not loaded"), ("notice", "rows are left out by rule"),
                        ("warning", "remarks on rows that did load")):
        remarks = report.of(kind)
        if remarks:
            click.echo(f"\n{len(remarks):,} {words}:")
            for remark in remarks[:SHOWN]:
                click.echo(f"  {remark}")
            if len(remarks) > SHOWN:
                click.echo(f"  … and {len(remarks) - SHOWN:,} more.")
    if report.remarks:
        file = Path(current_app.config["INSTANCE"]) / "import-report.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{remark}\n" for remark in report.remarks), encoding="utf-8")
        click.echo(f"\nEvery remark, named by file and line: {file}")
    click.echo()
    for name, count in report.counts.items():
        click.echo(f"{count:>8,} {name}")
    click.echo(f"{rows:,} rows in {elapsed:.1f} s, {rows / max(elapsed, 0.001):,.0f} rows a second."
               + (f" {indexed:,} changes indexed." if not dry_run else " Nothing was changed: this was a dry run."))
