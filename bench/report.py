"""What is printed: a header that says what was measured on what, one table a subject; progress goes to stderr."""
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
FEWEST_FOR_P95 = 20
TOLD_EVERY_SECONDS = 2
_began = time.monotonic()


@dataclass
class Table:
    """Rows are dicts of cells by column; a column that some rows lack is empty there. Notes stand below."""
    name: str
    rows: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def header(titles: int, lines: int) -> str:
    """Commit, day, machine and size of the data, in two lines."""
    commit = _git("rev-parse", "--short", "HEAD") or "no commit"
    dirty = " dirty" if _git("status", "--porcelain") else ""
    return (f"Slate {commit}{dirty}, {datetime.now():%Y-%m-%d %H:%M}, Python {platform.python_version()}, "
            f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n{titles:,} titles, {lines:,} lines of rights")


def _git(*words):
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def show(tables):
    """Print tables, their columns aligned: the first to the left, figures to the right."""
    for table in tables:
        columns = list(dict.fromkeys(name for row in table.rows for name in row))
        cells = [columns, *([str(row.get(name, "")) for name in columns] for row in table.rows)]
        widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
        print(f"\n{table.name}")
        for line in cells:
            first, *others = (cell.rjust(width) if place else cell.ljust(width)
                              for place, (cell, width) in enumerate(zip(line, widths, strict=True)))
            print("  ".join(["  " + first, *others]).rstrip())
        for note in table.notes:
            print(f"  {note}")
    sys.stdout.flush()


# ------------------------------------------------------------------ cells

def spread(seconds, prefix: str = "") -> dict:
    """The columns median and p95 of some durations; too few have no p95."""
    p95 = statistics.quantiles(seconds, n=20)[-1] if len(seconds) >= FEWEST_FOR_P95 else None
    return {f"{prefix}median": duration(statistics.median(seconds)), f"{prefix}p95": duration(p95) if p95 else "–"}


def duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def rate(count: int, seconds: float) -> str:
    return f"{count / seconds:,.0f}/s" if count > 10 * seconds else f"{count / seconds:.1f}/s"


def ratio(one: float, other: float) -> str:
    """How many times `other` is `one`."""
    return f"{one / other:,.0f}x" if one >= 10 * other else f"{one / other:.2f}x"


# ------------------------------------------------------------------ progress

def say(words: str):
    """A line on stderr, with the seconds since the start."""
    print(f"{time.monotonic() - _began:5.0f} s  {words}", file=sys.stderr, flush=True)


def progress(words: str, total: int):
    """A function to call after each of `total` steps; on a terminal it tells now and then how far they are."""
    say(words)
    done, told = 0, time.monotonic()

    def tick():
        nonlocal done, told
        done += 1
        if time.monotonic() - told > TOLD_EVERY_SECONDS and sys.stderr.isatty():
            told = time.monotonic()
            sys.stderr.write(f"{told - _began:5.0f} s  {words}: {done:,} of {total:,}\033[K\r")
            sys.stderr.flush()
    return tick


def steps(words: str, items):
    """The items, with progress."""
    items = list(items)
    tick = progress(words, len(items))
    for item in items:
        yield item
        tick()
