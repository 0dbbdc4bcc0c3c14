"""The database handle, what every table shares, and how a transaction begins.

PostgreSQL runs at READ COMMITTED. SQLite runs in WAL with one writer at a time: a transaction that may
write begins with BEGIN IMMEDIATE, because the driver's own deferred transactions lost updates when we
measured them; a request that only reads begins plainly and is never kept waiting.
"""
import json
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC
from functools import cache
from pathlib import Path

from flask import current_app, has_request_context, request
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, MetaData, TypeDecorator, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase

BUSY_SECONDS = 20
_reading = ContextVar("reading", default=False)


class Model(DeclarativeBase):
    metadata = MetaData(naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s"})


class UtcDateTime(TypeDecorator):
    """An instant: aware in Python, UTC in the database on both engines."""
    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no zone; take instants from core.clock.")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value, dialect):
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


db = SQLAlchemy(model_class=Model)
migrate = Migrate(render_as_batch=True)


@contextmanager
def reading():
    """Promise that the transactions begun inside only read, so SQLite's one writer is not held up."""
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


def only_reads(view):
    """Mark a view that answers a POST without writing: it need not wait for who writes."""
    view.only_reads = True
    return view


def scalars_at_once(statement, said: dict) -> list:
    """The first column of a statement's rows, in the session's transaction. For what each search asks: on SQLite the
    driver itself is asked, for SQLAlchemy's way to it takes ten times as long. The statement is made once, and kept."""
    link = db.session.connection()
    if link.dialect.name != "sqlite":
        return list(link.execute(statement, said).scalars())
    return [first for first, in link.connection.driver_connection.execute(_written(statement), said)]


@cache
def _written(statement):
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="named")))


def _only_reads():
    return _reading.get() or (has_request_context() and (
        request.method in ("GET", "HEAD", "OPTIONS")
        or getattr(current_app.view_functions.get(request.endpoint), "only_reads", False)))


@event.listens_for(Engine, "connect")
def _set_up_sqlite(connection, _record):
    if type(connection).__module__.startswith("sqlite3"):
        connection.isolation_level = None  # transactions begin where _begin says, not where the driver thinks
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL",
                       f"busy_timeout={BUSY_SECONDS * 1000}"):
            connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection):
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN" if _only_reads() else "BEGIN IMMEDIATE")


@event.listens_for(Engine, "handle_error")
def _say_no_values(context):
    """An error names its rule, and not the row that breaks it: PostgreSQL writes that out, and errors stand in logs."""
    for error in filter(None, (context.original_exception, context.sqlalchemy_exception)):
        error.args = tuple(each.partition("\nDETAIL:")[0] if isinstance(each, str) else each for each in error.args)


RETRIED = {"40P01", "40001"}  # PostgreSQL: deadlock detected, serialisation failure


def may_be_retried(error: Exception) -> bool:
    """Whether the same transaction, begun again, may well succeed."""
    if not isinstance(error, DBAPIError):
        return False
    return getattr(error.orig, "sqlstate", None) in RETRIED or "database is locked" in str(error.orig)


def init_app(app):
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", {
        "json_serializer": lambda value: json.dumps(value, ensure_ascii=False),
        "hide_parameters": True,  # what people wrote stands in no log
        "query_cache_size": 2_000,  # there are more than the usual 500, and to compile one anew takes a millisecond
        "execution_options": {"instance": app.config["INSTANCE"]}})  # for those who keep copies beside the database
    db.init_app(app)
    migrate.init_app(app, db, directory=str(Path(__file__).parent.parent / "migrations"))
