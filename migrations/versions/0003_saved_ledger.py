"""Which files of the ledger this database knows; a missing value in JSON is NULL, so that it can be asked for."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0003'
down_revision = '0002'
MISSING = (("line", "tba"), ("line", "leaves"), ("offer_line", "tba"), ("hold", "tba"), ("holdback", "tba"))


def upgrade():
    op.create_table(
        'saved_ledger',
        sa.Column('token', sa.String(length=32), nullable=False),
        sa.Column('server', sa.String(length=40), nullable=False),
        sa.Column('saved_at', UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('token', name=op.f('pk_saved_ledger')))
    for table, column in MISSING:
        op.execute(f"UPDATE {table} SET {column} = NULL WHERE CAST({column} AS TEXT) = 'null'")


def downgrade():
    op.drop_table('saved_ledger')
