"""How long it takes to lay the ledger from a database: the rows of a world, written to Slate's own tables."""
import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import flask_migrate

from accounts import people
from bench.world import application
from core.database import db
from licensing.book import Book
from licensing.models import TermSet
from licensing.rights import languages, media, territories
from licensing.rights.columns import HOLDBACK
from licensing.rights.dates import FOREVER

NOW = "2026-01-01 00:00:00.000000"
AXES = (("territories", territories), ("media", media), ("languages", languages))


def laid_from_database(world, folder: Path):
    """(a function that lays a ledger from a SQLite database with the rows of `world`, MB of that database)."""
    app = application(f"sqlite:///{folder / 'slate.db'}", folder)
    with app.app_context():
        flask_migrate.upgrade()
        house = people.found("House", ["seller"]).id
        db.session.commit()
        db.session.remove()
        db.engine.dispose()  # no journal can be had while another connection is open
    with closing(sqlite3.connect(folder / "slate.db", isolation_level=None)) as link:
        link.execute("PRAGMA journal_mode = OFF")
        link.execute("PRAGMA synchronous = OFF")
        link.execute("BEGIN")
        _write(link, world, house)
        link.execute("COMMIT")

    def lay():
        with app.app_context():
            return Book().ask(db.engine, lambda ledger: ledger)
    return lay, (folder / "slate.db").stat().st_size / 1e6


def _write(link, world, house):
    """One mandate and one licence for each title, and all its lines in them."""
    keys = []
    for (axis, module), masks in zip(AXES, world.sets, strict=True):
        codes = [module.codes(mask) for mask in masks]
        keys.append([TermSet.key_of(axis, each) for each in codes])
        link.executemany("INSERT OR IGNORE INTO term_set VALUES (?, ?)",
                         zip(keys[-1], map(json.dumps, codes), strict=True))
    titles = range(1, int(world.titles[-1]) + 1)
    link.executemany(
        "INSERT INTO title (id, organisation_id, kind, status, original_title, root_id, countries, genres, languages,"
        " tags, identifiers, episodes, revision, created_at, updated_at)"
        f" VALUES (?1, {house}, 'film', 'published', 'T', ?1, '[]', '[]', '[]', '[]', '{{}}', '[]', 0, '{NOW}',"
        f" '{NOW}')", zip(titles))
    link.executemany("INSERT INTO mandate (id, organisation_id, title_id, floors, recorded_at)"
                     f" VALUES (?1, {house}, ?1, '[]', '{NOW}')", zip(titles))
    link.executemany("INSERT INTO licence (id, organisation_id, licensee_name, recorded_at)"
                     f" VALUES (?1, {house}, 'Somebody', '{NOW}')", zip(titles))
    for titles, _, kinds, where, what, tongues, starts, ends, exclusive in world.pieces():
        rows = list(zip(titles, kinds, map(keys[0].__getitem__, where), map(keys[1].__getitem__, what),
                        map(keys[2].__getitem__, tongues), map(_first, starts), map(_last, ends), exclusive,
                        strict=True))
        link.executemany(
            "INSERT INTO line (title_id, mandate_id, licence_id, territories_key, media_key, languages_key, starts_on,"
            " ends_on, exclusive, written, hereafter, future, counts_from, recorded_at) VALUES"
            f" (?1, iif(?2, NULL, ?1), iif(?2, ?1, NULL), ?3, ?4, ?5, ?6, ?7, ?8, '{{}}', 0, 0, '{NOW}', '{NOW}')",
            (row for row in rows if row[1] != HOLDBACK))
        link.executemany(
            "INSERT INTO holdback (title_id, organisation_id, territories_key, media_key, starts_on, ends_on, written,"
            f" hard, binds, counts_from, recorded_at) VALUES (?, {house}, ?, ?, ?, ?, '{{}}', 1, 'licensor', '{NOW}',"
            f" '{NOW}')", ((row[0], *row[2:4], *row[5:7]) for row in rows if row[1] == HOLDBACK))


def _first(day):
    return date.fromordinal(day).isoformat()


def _last(day):
    return None if day == FOREVER else date.fromordinal(day - 1).isoformat()
