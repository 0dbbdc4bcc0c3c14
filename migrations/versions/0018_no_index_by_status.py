"""Nearly every title is published: an index by it led SQLite through all of them, where twenty ids were asked for."""
from alembic import op


revision = '0018'
down_revision = '0017'


def upgrade():
    op.drop_index('ix_title_status_organisation', 'title')


def downgrade():
    op.create_index('ix_title_status_organisation', 'title', ['status', 'organisation_id'])
