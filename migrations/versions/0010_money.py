"""Kinds of price, plans of payment, instalments and what was paid of them."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0010'
down_revision = '0009'


def upgrade():
    op.add_column('offer_line', sa.Column('pricing', sa.JSON(none_as_null=True), nullable=True))
    op.add_column('offer_version', sa.Column('payment', sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        'instalment',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('offer_id', sa.Integer(), nullable=False),
        sa.Column('seller_id', sa.Integer(), nullable=False),
        sa.Column('buyer_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('trigger', sa.String(length=10), nullable=False),
        sa.Column('days', sa.Integer(), nullable=False),
        sa.Column('currency', sa.String(length=3), nullable=False),
        sa.Column('amount', sa.BigInteger(), nullable=False),
        sa.Column('outstanding', sa.BigInteger(), nullable=False),
        sa.Column('reached_on', sa.Date(), nullable=True),
        sa.Column('due_on', sa.Date(), nullable=True),
        sa.Column('cancelled_on', sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_instalment_offer_id')),
        sa.ForeignKeyConstraint(['seller_id'], ['organisation.id'], name=op.f('fk_instalment_seller_id')),
        sa.ForeignKeyConstraint(['buyer_id'], ['organisation.id'], name=op.f('fk_instalment_buyer_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_instalment')),
        sa.UniqueConstraint('offer_id', 'number', name=op.f('uq_instalment_offer_id_number')))
    still_open = sa.text('outstanding > 0 AND cancelled_on IS NULL')
    for side in ('seller', 'buyer'):
        op.create_index(f'ix_instalment_{side}_id_due_on', 'instalment', [f'{side}_id', 'due_on'])
        op.create_index(f'ix_instalment_open_{side}', 'instalment', [f'{side}_id', 'due_on'],
                        sqlite_where=still_open, postgresql_where=still_open)
    op.create_table(
        'payment',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('instalment_id', sa.Integer(), nullable=False),
        sa.Column('paid_on', sa.Date(), nullable=False),
        sa.Column('amount', sa.BigInteger(), nullable=False),
        sa.Column('withheld', sa.BigInteger(), nullable=False),
        sa.Column('reference', sa.String(length=200), nullable=True),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('undone_at', UtcDateTime(timezone=True), nullable=True),
        sa.Column('undone_by_id', sa.Integer(), nullable=True),
        sa.Column('undone_note', sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(['instalment_id'], ['instalment.id'], name=op.f('fk_payment_instalment_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_payment_person_id')),
        sa.ForeignKeyConstraint(['undone_by_id'], ['person.id'], name=op.f('fk_payment_undone_by_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_payment')))
    op.create_index(op.f('ix_payment_instalment_id'), 'payment', ['instalment_id'])


def downgrade():
    op.drop_table('payment')
    op.drop_table('instalment')
    op.drop_column('offer_version', 'payment')
    op.drop_column('offer_line', 'pricing')
