"""Deal memos and their signatures, long forms, amendments, and alerts before rights end."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0012'
down_revision = '0011'


def upgrade():
    op.create_table(
        'memo',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('offer_id', sa.Integer(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('document', sa.Text(), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=False),
        sa.Column('issued_at', UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_memo_offer_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_memo')),
        sa.UniqueConstraint('offer_id', name=op.f('uq_memo_offer_id')))
    op.create_table(
        'memo_signature',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('memo_id', sa.Integer(), nullable=False),
        sa.Column('side', sa.String(length=6), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=200), nullable=False),
        sa.Column('organisation', sa.String(length=200), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=False),
        sa.Column('at', UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['memo_id'], ['memo.id'], name=op.f('fk_memo_signature_memo_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_memo_signature_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_memo_signature')),
        sa.UniqueConstraint('memo_id', 'side', name=op.f('uq_memo_signature_memo_id_side')))
    op.create_table(
        'long_form_step',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('offer_id', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('happened_on', sa.Date(), nullable=False),
        sa.Column('note', sa.Text(), nullable=True),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('at', UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_long_form_step_offer_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_long_form_step_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_long_form_step')))
    op.create_index(op.f('ix_long_form_step_offer_id'), 'long_form_step', ['offer_id'])
    op.create_table(
        'alert',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('subject_id', sa.Integer(), nullable=False),
        sa.Column('link_id', sa.Integer(), nullable=False),
        sa.Column('ends_on', sa.Date(), nullable=False),
        sa.Column('days', sa.Integer(), nullable=False),
        sa.Column('made_on', sa.Date(), nullable=False),
        sa.Column('told_at', UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_alert_organisation_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_alert')),
        sa.UniqueConstraint('organisation_id', 'kind', 'subject_id', 'link_id', 'ends_on', 'days',
                            name=op.f('uq_alert_organisation_id_kind_subject_id_link_id_ends_on_days')))
    op.create_index('ix_alert_untold', 'alert', ['told_at', 'id'])
    op.create_table(
        'alert_day',
        sa.Column('kind', sa.String(length=10), nullable=False),
        sa.Column('day', sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint('kind', name=op.f('pk_alert_day')))
    op.create_index('ix_line_ends_on', 'line', ['ends_on'])
    for table, column in (('offer', 'root_id'), ('licence', 'amendment_id')):
        op.add_column(table, sa.Column(column, sa.Integer(), sa.ForeignKey('offer.id', name=f'fk_{table}_{column}'),
                                       nullable=True), inline_references=True)
    op.create_index(op.f('ix_offer_root_id'), 'offer', ['root_id'])
    op.add_column('offer_step', sa.Column('first_day_gone', sa.Date(), nullable=True))


def downgrade():
    op.drop_index('ix_line_ends_on', 'line')
    op.drop_index(op.f('ix_offer_root_id'), 'offer')
    # SQLite makes these tables anew, which others refer to, and looks away meanwhile outside of a transaction alone
    sqlite = op.get_bind().dialect.name == 'sqlite'
    for words in ('COMMIT', 'PRAGMA foreign_keys=OFF', 'BEGIN IMMEDIATE') if sqlite else ():
        op.get_bind().exec_driver_sql(words)
    for table, column in (('offer_step', 'first_day_gone'), ('offer', 'root_id'), ('licence', 'amendment_id')):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
    for words in ('COMMIT', 'PRAGMA foreign_keys=ON', 'BEGIN IMMEDIATE') if sqlite else ():
        op.get_bind().exec_driver_sql(words)
    for name in ('alert_day', 'alert', 'long_form_step', 'memo_signature', 'memo'):
        op.drop_table(name)
