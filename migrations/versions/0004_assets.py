"""Pictures, films and papers of a title, and the sizes made of pictures."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0004'
down_revision = '0003'


def upgrade():
    op.create_table(
        'asset',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('title_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('reason', sa.Text(), nullable=True),
        sa.Column('key', sa.String(length=32), nullable=False),
        sa.Column('upload_id', sa.String(length=200), nullable=True),
        sa.Column('filename', sa.String(length=200), nullable=False),
        sa.Column('type', sa.String(length=60), nullable=False),
        sa.Column('size', sa.BigInteger(), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=True),
        sa.Column('language', sa.String(length=20), nullable=True),
        sa.Column('alt', sa.String(length=500), nullable=True),
        sa.Column('focal_x', sa.Integer(), nullable=False),
        sa.Column('focal_y', sa.Integer(), nullable=False),
        sa.Column('created_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('changed_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('swept_at', UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_asset_person_id')),
        sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_asset_title_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_asset')),
        sa.UniqueConstraint('key', name=op.f('uq_asset_key')))
    op.create_index(op.f('ix_asset_state'), 'asset', ['state'])
    op.create_index('ix_asset_title_id_kind_state', 'asset', ['title_id', 'kind', 'state'])
    op.create_table(
        'rendition',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('asset_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=20), nullable=False),
        sa.Column('width', sa.Integer(), nullable=False),
        sa.Column('height', sa.Integer(), nullable=False),
        sa.Column('size', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_rendition_asset_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_rendition')))
    op.create_index(op.f('ix_rendition_asset_id'), 'rendition', ['asset_id'])


def downgrade():
    op.drop_table('rendition')
    op.drop_table('asset')
