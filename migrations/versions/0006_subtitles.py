"""Subtitles belong to a film."""
import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'


def upgrade():
    with op.batch_alter_table('asset') as batch:
        batch.add_column(sa.Column('film_id', sa.Integer(), nullable=True))
        batch.add_column(sa.Column('track', sa.String(length=10), nullable=True))
        batch.create_foreign_key(batch.f('fk_asset_film_id'), 'asset', ['film_id'], ['id'])
        batch.create_index(batch.f('ix_asset_film_id'), ['film_id'])


def downgrade():
    with op.batch_alter_table('asset') as batch:
        batch.drop_index(batch.f('ix_asset_film_id'))
        batch.drop_constraint(batch.f('fk_asset_film_id'), type_='foreignkey')
        batch.drop_column('track')
        batch.drop_column('film_id')
