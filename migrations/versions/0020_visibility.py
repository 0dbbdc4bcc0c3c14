"""Whom a title is shown to, and the markets it may be shown at."""
import sqlalchemy as sa
from alembic import op


revision = '0020'
down_revision = '0019'


def upgrade():
    op.create_table(
        'edition',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=100), nullable=False),
        sa.Column('year', sa.Integer(), nullable=False),
        sa.Column('starts_on', sa.Date(), nullable=False),
        sa.Column('ends_on', sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_edition_organisation_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_edition')),
        sa.UniqueConstraint('name', 'year', name=op.f('uq_edition_name_year')))
    op.create_index(op.f('ix_edition_organisation_id'), 'edition', ['organisation_id'])
    op.create_table(
        'participation',
        sa.Column('edition_id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['edition_id'], ['edition.id'], name=op.f('fk_participation_edition_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'],
                                name=op.f('fk_participation_organisation_id')),
        sa.PrimaryKeyConstraint('edition_id', 'organisation_id', name=op.f('pk_participation')))
    op.create_index(op.f('ix_participation_organisation_id'), 'participation', ['organisation_id'])
    op.create_table(
        'audience',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=40), nullable=False),
        sa.Column('edition_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['edition_id'], ['edition.id'], name=op.f('fk_audience_edition_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_audience')),
        sa.UniqueConstraint('key', name=op.f('uq_audience_key')))
    op.create_index(op.f('ix_audience_edition_id'), 'audience', ['edition_id'])
    op.create_table(
        'audience_organisation',
        sa.Column('audience_id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['audience_id'], ['audience.id'], name=op.f('fk_audience_organisation_audience_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'],
                                name=op.f('fk_audience_organisation_organisation_id')),
        sa.PrimaryKeyConstraint('audience_id', 'organisation_id', name=op.f('pk_audience_organisation')))
    op.create_index(op.f('ix_audience_organisation_organisation_id'), 'audience_organisation', ['organisation_id'])
    # As it is written here both databases take it; a new table in the place of one so often referred to they do not.
    op.execute("ALTER TABLE title ADD COLUMN audience_id INTEGER"
               " CONSTRAINT fk_title_audience_id REFERENCES audience (id)")


def downgrade():
    op.execute("UPDATE title SET status = 'withdrawn' WHERE audience_id IS NOT NULL AND status = 'published'")
    op.drop_column('title', 'audience_id')
    for table in ('audience_organisation', 'audience', 'participation', 'edition'):
        op.drop_table(table)
