"""Baskets; holds that became offers; whose words an offer's current version is, and the indexes that count what waits."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0016'
down_revision = '0015'


def upgrade():
    op.create_table(
        'basket_line',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('title_id', sa.Integer(), nullable=False),
        sa.Column('said', sa.String(length=40), nullable=False),
        sa.Column('added_at', UtcDateTime(timezone=True), nullable=False),
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
        sa.Column('tba', sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_basket_line_person_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_basket_line_organisation_id')),
        sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_basket_line_title_id')),
        sa.ForeignKeyConstraint(['territories_key'], ['term_set.key'], name=op.f('fk_basket_line_territories_key')),
        sa.ForeignKeyConstraint(['media_key'], ['term_set.key'], name=op.f('fk_basket_line_media_key')),
        sa.ForeignKeyConstraint(['languages_key'], ['term_set.key'], name=op.f('fk_basket_line_languages_key')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_basket_line')),
        sa.UniqueConstraint('person_id', 'organisation_id', 'said', name=op.f('uq_basket_line_person_id_organisation_id_said')))
    op.create_index(op.f('ix_basket_line_title_id'), 'basket_line', ['title_id'])

    with op.batch_alter_table('hold') as batch:
        batch.add_column(sa.Column('offer_id', sa.Integer(), nullable=True))
        batch.create_foreign_key(batch.f('fk_hold_offer_id'), 'offer', ['offer_id'], ['id'], ondelete='SET NULL')
    op.create_index(op.f('ix_hold_offer_id'), 'hold', ['offer_id'])
    op.create_index('ix_hold_counts_until_expires_at', 'hold', ['counts_until', 'expires_at'])

    op.add_column('offer', sa.Column('author', sa.String(length=6), nullable=False, server_default=''))
    op.execute("UPDATE offer SET author = (SELECT side FROM offer_version"
               " WHERE offer_id = offer.id AND offer_version.number = offer.number)")
    for side in ('seller', 'buyer'):
        op.create_index(f'ix_offer_{side}_id_state_author', 'offer', [f'{side}_id', 'state', 'author'])
        op.create_index(f'ix_offer_{side}_id_updated_at', 'offer', [f'{side}_id', 'updated_at'])
        op.drop_index(op.f(f'ix_offer_{side}_id'), 'offer')  # each of the two begins with it
    op.create_index('ix_offer_state_valid_until', 'offer', ['state', 'valid_until'])


def downgrade():
    op.drop_index('ix_offer_state_valid_until', 'offer')
    for side in ('seller', 'buyer'):
        op.create_index(op.f(f'ix_offer_{side}_id'), 'offer', [f'{side}_id'])
        op.drop_index(f'ix_offer_{side}_id_updated_at', 'offer')
        op.drop_index(f'ix_offer_{side}_id_state_author', 'offer')
    op.drop_column('offer', 'author')
    op.drop_index('ix_hold_counts_until_expires_at', 'hold')
    op.drop_index(op.f('ix_hold_offer_id'), 'hold')
    with op.batch_alter_table('hold') as batch:
        batch.drop_constraint(batch.f('fk_hold_offer_id'), type_='foreignkey')
        batch.drop_column('offer_id')
    op.drop_table('basket_line')
