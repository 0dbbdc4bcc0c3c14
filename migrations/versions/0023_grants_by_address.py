"""A screener is granted to an address, whether or not somebody has it."""
import sqlalchemy as sa
from alembic import op


revision = '0023'
down_revision = '0022'


def upgrade():
    op.add_column('asset_grant', sa.Column('email', sa.String(length=255), nullable=True))
    op.create_index(op.f('ix_asset_grant_email'), 'asset_grant', ['email'])


def downgrade():
    op.execute("DELETE FROM play WHERE grant_id IN (SELECT id FROM asset_grant WHERE email IS NOT NULL)")
    op.execute("UPDATE screener_request SET grant_id = NULL"
               " WHERE grant_id IN (SELECT id FROM asset_grant WHERE email IS NOT NULL)")
    op.execute("DELETE FROM asset_grant WHERE email IS NOT NULL")
    op.drop_index(op.f('ix_asset_grant_email'), 'asset_grant')
    op.drop_column('asset_grant', 'email')
