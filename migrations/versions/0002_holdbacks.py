"""Holdbacks, holds, options, events; runs, dates to be announced and the leaves of a licence."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0002'
down_revision = '0001'


def upgrade():
    op.create_table('hold',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('holder_id', sa.Integer(), nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('expires_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('territories_key', sa.String(length=40), nullable=False),
    sa.Column('media_key', sa.String(length=40), nullable=False),
    sa.Column('languages_key', sa.String(length=40), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('exclusive', sa.Boolean(), nullable=False),
    sa.Column('written', sa.JSON(), nullable=False),
    sa.Column('hereafter', sa.Boolean(), nullable=False),
    sa.Column('future', sa.Boolean(), nullable=False),
    sa.Column('runs', sa.Integer(), nullable=True),
    sa.Column('tba', sa.JSON(), nullable=True),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.Column('counts_from', UtcDateTime(timezone=True), nullable=False),
    sa.Column('counts_until', UtcDateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['holder_id'], ['organisation.id'], name=op.f('fk_hold_holder_id')),
    sa.ForeignKeyConstraint(['languages_key'], ['term_set.key'], name=op.f('fk_hold_languages_key')),
    sa.ForeignKeyConstraint(['media_key'], ['term_set.key'], name=op.f('fk_hold_media_key')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_hold_organisation_id')),
    sa.ForeignKeyConstraint(['territories_key'], ['term_set.key'], name=op.f('fk_hold_territories_key')),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_hold_title_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hold'))
    )
    with op.batch_alter_table('hold', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_hold_title_id'), ['title_id'], unique=False)

    op.create_table('holdback',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('licence_id', sa.Integer(), nullable=True),
    sa.Column('territories_key', sa.String(length=40), nullable=False),
    sa.Column('media_key', sa.String(length=40), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('tba', sa.JSON(), nullable=True),
    sa.Column('written', sa.JSON(), nullable=False),
    sa.Column('hard', sa.Boolean(), nullable=False),
    sa.Column('binds', sa.String(length=8), nullable=False),
    sa.Column('counts_from', UtcDateTime(timezone=True), nullable=False),
    sa.Column('counts_until', UtcDateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.id'], name=op.f('fk_holdback_licence_id')),
    sa.ForeignKeyConstraint(['media_key'], ['term_set.key'], name=op.f('fk_holdback_media_key')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_holdback_organisation_id')),
    sa.ForeignKeyConstraint(['territories_key'], ['term_set.key'], name=op.f('fk_holdback_territories_key')),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_holdback_title_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_holdback'))
    )
    with op.batch_alter_table('holdback', schema=None) as batch_op:
        batch_op.create_index('ix_holdback_counting', ['title_id', 'counts_until'], unique=False)
        batch_op.create_index(batch_op.f('ix_holdback_title_id'), ['title_id'], unique=False)

    op.create_table('option',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('holder_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('territories_key', sa.String(length=40), nullable=False),
    sa.Column('media_key', sa.String(length=40), nullable=False),
    sa.Column('written', sa.JSON(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.Column('counts_from', UtcDateTime(timezone=True), nullable=False),
    sa.Column('counts_until', UtcDateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['holder_id'], ['organisation.id'], name=op.f('fk_option_holder_id')),
    sa.ForeignKeyConstraint(['media_key'], ['term_set.key'], name=op.f('fk_option_media_key')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_option_organisation_id')),
    sa.ForeignKeyConstraint(['territories_key'], ['term_set.key'], name=op.f('fk_option_territories_key')),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_option_title_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_option'))
    )
    with op.batch_alter_table('option', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_option_title_id'), ['title_id'], unique=False)

    op.create_table('title_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.Column('event', sa.String(length=60), nullable=False),
    sa.Column('happens_on', sa.Date(), nullable=False),
    sa.Column('recorded_at', UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_title_event_title_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_title_event'))
    )
    with op.batch_alter_table('title_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_title_event_title_id'), ['title_id'], unique=False)

    with op.batch_alter_table('line', schema=None) as batch_op:
        batch_op.add_column(sa.Column('leaves', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('runs', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('tba', sa.JSON(), nullable=True))

    with op.batch_alter_table('offer_line', schema=None) as batch_op:
        batch_op.add_column(sa.Column('runs', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('tba', sa.JSON(), nullable=True))

    with op.batch_alter_table('title', schema=None) as batch_op:
        batch_op.add_column(sa.Column('succeeds_id', sa.Integer(), nullable=True))

    with op.batch_alter_table('title_link', schema=None) as batch_op:
        batch_op.add_column(sa.Column('created_at', UtcDateTime(timezone=True), nullable=False,
                                      server_default='2026-11-25 00:00:00'))



def downgrade():
    with op.batch_alter_table('title_link', schema=None) as batch_op:
        batch_op.drop_column('created_at')

    with op.batch_alter_table('title', schema=None) as batch_op:
        batch_op.drop_column('succeeds_id')

    with op.batch_alter_table('offer_line', schema=None) as batch_op:
        batch_op.drop_column('tba')
        batch_op.drop_column('runs')

    with op.batch_alter_table('line', schema=None) as batch_op:
        batch_op.drop_column('tba')
        batch_op.drop_column('runs')
        batch_op.drop_column('leaves')

    with op.batch_alter_table('title_event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_title_event_title_id'))

    op.drop_table('title_event')
    with op.batch_alter_table('option', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_option_title_id'))

    op.drop_table('option')
    with op.batch_alter_table('holdback', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_holdback_title_id'))
        batch_op.drop_index('ix_holdback_counting')

    op.drop_table('holdback')
    with op.batch_alter_table('hold', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_hold_title_id'))

    op.drop_table('hold')
