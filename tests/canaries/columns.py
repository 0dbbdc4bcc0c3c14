"""Which columns of the database hold a canary, and why the others need none."""
from sqlalchemy import select

from core.database import db


def holding(find) -> dict[str, set[str]]:
    """{table.column: its canaries} of every column of every table."""
    found = {}
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(select(table)).mappings():
            for column, value in row.items():
                found.setdefault(f"{table.name}.{column}", set()).update(find(text(value)))
    return found


def text(value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else "" if value is None else repr(value)


def ids() -> dict[str, set[int]]:
    """{table: its ids}."""
    return {table.name: set(db.session.scalars(select(table.c.id))) for table in db.metadata.sorted_tables
            if "id" in table.c}
