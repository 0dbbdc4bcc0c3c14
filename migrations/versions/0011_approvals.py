"""Policies of approval, approvals bound to terms, warnings passed over, and holders who are asked first."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0011'
down_revision = '0010'


def upgrade():
    op.create_table(
        'approval_policy',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('exclusive', sa.Boolean(), nullable=False),
        sa.Column('below_floor', sa.Boolean(), nullable=False),
        sa.Column('years', sa.Integer(), nullable=True),
        sa.Column('warning', sa.Boolean(), nullable=False),
        sa.Column('encumbrance', sa.Boolean(), nullable=False),
        sa.Column('amount', sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column('currency', sa.String(length=3), nullable=True),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('set_at', UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'],
                                name=op.f('fk_approval_policy_organisation_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_approval_policy_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_approval_policy')))
    op.create_table(
        'approval',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('offer_id', sa.Integer(), nullable=False),
        sa.Column('step_id', sa.Integer(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('terms_sha256', sa.String(length=64), nullable=True),
        sa.Column('reasons', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_approval_offer_id')),
        sa.ForeignKeyConstraint(['step_id'], ['offer_step.id'], name=op.f('fk_approval_step_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_approval')),
        sa.UniqueConstraint('step_id', name=op.f('uq_approval_step_id')))
    op.create_table(
        'override',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('offer_id', sa.Integer(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('warning', sa.String(length=120), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('at', UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_override_offer_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_override_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_override')),
        sa.UniqueConstraint('offer_id', 'version', 'warning', name=op.f('uq_override_offer_id_version_warning')))
    op.create_table(
        'refusal',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('option_id', sa.Integer(), nullable=False),
        sa.Column('link_id', sa.Integer(), nullable=False),
        sa.Column('title_id', sa.Integer(), nullable=False),
        sa.Column('seller_id', sa.Integer(), nullable=False),
        sa.Column('holder_id', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('asked_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('answer_by', sa.Date(), nullable=False),
        sa.Column('answered_at', UtcDateTime(timezone=True), nullable=True),
        sa.Column('person_id', sa.Integer(), nullable=True),
        sa.Column('note', sa.Text(), nullable=True),
        sa.Column('offer_id', sa.Integer(), nullable=True),
        *(sa.ForeignKeyConstraint([column], [f'{table}.id'], name=op.f(f'fk_refusal_{column}'), ondelete=ondelete)
          for column, table, ondelete in (
              ('option_id', 'option', None), ('link_id', 'title_link', None), ('title_id', 'title', None),
              ('seller_id', 'organisation', None), ('holder_id', 'organisation', None),
              ('person_id', 'person', None), ('offer_id', 'offer', 'SET NULL'))),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_refusal')),
        sa.UniqueConstraint('option_id', 'link_id', name=op.f('uq_refusal_option_id_link_id')))
    op.create_index('ix_refusal_state_answer_by', 'refusal', ['state', 'answer_by'])
    for table, column in (('approval_policy', 'organisation_id'), ('approval', 'offer_id'), ('refusal', 'title_id'),
                          ('refusal', 'seller_id'), ('refusal', 'holder_id'), ('refusal', 'offer_id')):
        op.create_index(op.f(f'ix_{table}_{column}'), table, [column])
    # What was approved before approvals were bound to terms stays approved.
    op.execute("INSERT INTO approval (offer_id, step_id, version, reasons) "
               "SELECT offer_id, id, version, '[]' FROM offer_step WHERE action IN ('approve', 'pass')")


def downgrade():
    for table in ('refusal', 'override', 'approval', 'approval_policy'):
        op.drop_table(table)
