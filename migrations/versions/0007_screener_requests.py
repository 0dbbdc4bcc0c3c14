"""Requests for screeners."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0007'
down_revision = '0006'


def upgrade():
    op.create_table(
        'screener_request',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('title_id', sa.Integer(), nullable=False),
        sa.Column('seller_id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('note', sa.Text(), nullable=True),
        sa.Column('asked_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('answered_at', UtcDateTime(timezone=True), nullable=True),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.Column('grant_id', sa.Integer(), nullable=True),
        sa.Column('reply', sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_screener_request_title_id')),
        sa.ForeignKeyConstraint(['seller_id'], ['organisation.id'], name=op.f('fk_screener_request_seller_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'],
                                name=op.f('fk_screener_request_organisation_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_screener_request_person_id')),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_screener_request_by_id')),
        sa.ForeignKeyConstraint(['grant_id'], ['asset_grant.id'], name=op.f('fk_screener_request_grant_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_screener_request')))
    for name, columns, unique, where in (
            ('open', ['title_id', 'organisation_id'], True, 'answered_at IS NULL'),
            ('waiting', ['seller_id'], False, 'answered_at IS NULL'),
            ('organisation_id', ['organisation_id'], False, None)):
        op.create_index(f'ix_screener_request_{name}', 'screener_request', columns, unique=unique,
                        sqlite_where=where and sa.text(where), postgresql_where=where and sa.text(where))


def downgrade():
    op.drop_table('screener_request')
