"""Alembic's entry: the application's own database, in one transaction."""
from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db


def run():
    with db.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=db.metadata, render_as_batch=True,
                          include_object=lambda _object, name, *_: name != "licence_guard")
        with context.begin_transaction():
            context.run_migrations()


run()
