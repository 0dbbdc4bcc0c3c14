"""Challenges that passkeys answered, each of them once."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0024'
down_revision = '0023'


def upgrade():
    op.create_table(
        'challenge',
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('answered_at', UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('digest', name=op.f('pk_challenge')))
    op.create_index(op.f('ix_challenge_answered_at'), 'challenge', ['answered_at'])


def downgrade():
    op.drop_table('challenge')
