"""Webhooks and what they were told."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0021'
down_revision = '0020'


def upgrade():
    op.create_table(
        'webhook',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('url', sa.String(length=500), nullable=False),
        sa.Column('events', sa.JSON(), nullable=False),
        sa.Column('active', sa.Boolean(), nullable=False),
        sa.Column('secret', sa.String(length=300), nullable=False),
        sa.Column('former_secret', sa.String(length=300), nullable=True),
        sa.Column('former_until', UtcDateTime(timezone=True), nullable=True),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('revision', sa.Integer(), nullable=False),
        sa.Column('failures', sa.Integer(), nullable=False),
        sa.Column('failing_since', UtcDateTime(timezone=True), nullable=True),
        sa.Column('not_before', UtcDateTime(timezone=True), nullable=True),
        sa.Column('why_off', sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_webhook_organisation_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_webhook_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook')))
    op.create_index(op.f('ix_webhook_organisation_id'), 'webhook', ['organisation_id'])
    op.create_table(
        'webhook_delivery',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('webhook_id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=40), nullable=False),
        sa.Column('event', sa.String(length=40), nullable=False),
        sa.Column('body', sa.Text(), nullable=False),
        sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('not_before', UtcDateTime(timezone=True), nullable=False),
        sa.Column('tried_at', UtcDateTime(timezone=True), nullable=True),
        sa.Column('status', sa.Integer(), nullable=True),
        sa.Column('answer', sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(['webhook_id'], ['webhook.id'], name=op.f('fk_webhook_delivery_webhook_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_delivery')),
        sa.UniqueConstraint('key', name=op.f('uq_webhook_delivery_key')))
    op.create_index(op.f('ix_webhook_delivery_made_at'), 'webhook_delivery', ['made_at'])
    op.create_index('ix_webhook_delivery_webhook_id_id', 'webhook_delivery', ['webhook_id', 'id'])
    op.create_index('ix_webhook_delivery_waiting', 'webhook_delivery', ['webhook_id', 'not_before'],
                    sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))


def downgrade():
    op.drop_table('webhook_delivery')
    op.drop_table('webhook')
