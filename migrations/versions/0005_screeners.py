"""Grants of screeners, and who watched what."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0005'
down_revision = '0004'


def upgrade():
    op.create_table(
        'asset_grant',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('asset_id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=True),
        sa.Column('person_id', sa.Integer(), nullable=True),
        sa.Column('by_id', sa.Integer(), nullable=False),
        sa.Column('starts_on', sa.Date(), nullable=False),
        sa.Column('ends_on', sa.Date(), nullable=False),
        sa.Column('max_views', sa.Integer(), nullable=True),
        sa.Column('views', sa.Integer(), nullable=False),
        sa.Column('download', sa.Boolean(), nullable=False),
        sa.Column('created_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('ended_at', UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_asset_grant_asset_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_asset_grant_organisation_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_asset_grant_person_id')),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_asset_grant_by_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_asset_grant')))
    op.create_table(
        'play',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('asset_id', sa.Integer(), nullable=False),
        sa.Column('grant_id', sa.Integer(), nullable=True),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('started_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('told_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('seconds', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_play_asset_id')),
        sa.ForeignKeyConstraint(['grant_id'], ['asset_grant.id'], name=op.f('fk_play_grant_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_play_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_play')))
    for table, column in (('asset_grant', 'asset_id'), ('asset_grant', 'organisation_id'), ('asset_grant', 'person_id'),
                          ('play', 'asset_id'), ('play', 'grant_id'), ('play', 'person_id')):
        op.create_index(op.f(f'ix_{table}_{column}'), table, [column])


def downgrade():
    op.drop_table('play')
    op.drop_table('asset_grant')
