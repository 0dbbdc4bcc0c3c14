"""Saved searches with their news, and briefs of buyers."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0009'
down_revision = '0008'


def upgrade():
    op.create_table(
        'saved_search',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=100), nullable=False),
        sa.Column('asked', sa.JSON(), nullable=False),
        sa.Column('tells', sa.Boolean(), nullable=False),
        sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('checked_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('place', sa.BigInteger(), nullable=False),
        sa.Column('known', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_saved_search_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_search')))
    op.create_index(op.f('ix_saved_search_person_id'), 'saved_search', ['person_id'])
    op.create_index(op.f('ix_saved_search_checked_at'), 'saved_search', ['checked_at'])
    op.create_table(
        'saved_search_news',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('search_id', sa.Integer(), nullable=False),
        sa.Column('title_id', sa.Integer(), nullable=False),
        sa.Column('found_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('seen_at', UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['search_id'], ['saved_search.id'], name=op.f('fk_saved_search_news_search_id')),
        sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_saved_search_news_title_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_search_news')))
    op.create_index(op.f('ix_saved_search_news_search_id'), 'saved_search_news', ['search_id'])
    op.create_table(
        'brief',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('buyer_id', sa.Integer(), nullable=True),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('asked', sa.JSON(), nullable=False),
        sa.Column('left_out', sa.JSON(), nullable=False),
        sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('token', sa.String(length=64), nullable=True),
        sa.Column('open_until', sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_brief_organisation_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_brief_person_id')),
        sa.ForeignKeyConstraint(['buyer_id'], ['organisation.id'], name=op.f('fk_brief_buyer_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_brief')),
        sa.UniqueConstraint('token', name=op.f('uq_brief_token')))
    op.create_index(op.f('ix_brief_organisation_id'), 'brief', ['organisation_id'])


def downgrade():
    op.drop_table('brief')
    op.drop_table('saved_search_news')
    op.drop_table('saved_search')
