"""Every version of an offer says until when the offer is valid, so that a change of it is read as one."""
import sqlalchemy as sa
from alembic import op


revision = '0017'
down_revision = '0016'


def upgrade():
    op.add_column('offer_version', sa.Column('valid_until', sa.Date(), nullable=True))
    op.execute("UPDATE offer_version SET valid_until = (SELECT valid_until FROM offer WHERE offer.id = offer_id)")


def downgrade():
    op.drop_column('offer_version', 'valid_until')  # in place: lines and approvals refer to the table
