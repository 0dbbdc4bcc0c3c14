"""Notices and what people chose of them; notes and papers of an offer's steps."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0015'
down_revision = '0014'


def upgrade():
    op.create_table(
        'notice',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=20), nullable=False),
        sa.Column('subject', sa.String(length=300), nullable=False),
        sa.Column('path', sa.String(length=200), nullable=False),
        sa.Column('body', sa.JSON(), nullable=False),
        sa.Column('bell', sa.Boolean(), nullable=False),
        sa.Column('at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('seen_at', UtcDateTime(timezone=True), nullable=True),
        sa.Column('mailed_at', UtcDateTime(timezone=True), nullable=True),
        sa.Column('refused', sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_notice_person_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_notice_organisation_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')))
    op.create_index('ix_notice_person_id_at', 'notice', ['person_id', 'at'])
    op.create_index('ix_notice_unseen', 'notice', ['person_id', 'path'], sqlite_where=sa.text('seen_at IS NULL'),
                    postgresql_where=sa.text('seen_at IS NULL'))
    op.create_table(
        'notice_choice',
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=20), nullable=False),
        sa.Column('bell', sa.Boolean(), nullable=False),
        sa.Column('mail', sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_notice_choice_person_id')),
        sa.PrimaryKeyConstraint('person_id', 'kind', name=op.f('pk_notice_choice')))
    op.create_table(
        'remark',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('offer_id', sa.Integer(), nullable=False),
        sa.Column('step_id', sa.Integer(), nullable=True),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('at', UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_remark_offer_id')),
        sa.ForeignKeyConstraint(['step_id'], ['offer_step.id'], name=op.f('fk_remark_step_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_remark_organisation_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_remark_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_remark')))
    op.create_index('ix_remark_offer_id_organisation_id', 'remark', ['offer_id', 'organisation_id'])
    op.create_table(
        'attachment',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('offer_id', sa.Integer(), nullable=False),
        sa.Column('step_id', sa.Integer(), nullable=True),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('asset_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_attachment_offer_id')),
        sa.ForeignKeyConstraint(['step_id'], ['offer_step.id'], name=op.f('fk_attachment_step_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_attachment_organisation_id')),
        sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_attachment_asset_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_attachment')),
        sa.UniqueConstraint('asset_id', name=op.f('uq_attachment_asset_id')))
    op.create_index(op.f('ix_attachment_offer_id'), 'attachment', ['offer_id'])
    op.create_index(op.f('ix_attachment_step_id'), 'attachment', ['step_id'])
    _let_assets_be_of_no_title(True)


def downgrade():
    _let_assets_be_of_no_title(False)
    op.drop_table('attachment')
    op.drop_table('remark')
    op.drop_table('notice_choice')
    op.drop_table('notice')


def _let_assets_be_of_no_title(nullable):
    """SQLite makes the table anew for it, which other tables refer to: so without looking at them meanwhile, which it
    takes outside of a transaction alone."""
    if op.get_bind().dialect.name == 'postgresql':
        op.alter_column('asset', 'title_id', existing_type=sa.Integer(), nullable=nullable)
        return
    connection = op.get_bind()
    for words in ('COMMIT', 'PRAGMA foreign_keys=OFF', 'BEGIN IMMEDIATE'):
        connection.exec_driver_sql(words)
    with op.batch_alter_table('asset') as batch_op:
        batch_op.alter_column('title_id', existing_type=sa.Integer(), nullable=nullable)
    if connection.exec_driver_sql('PRAGMA foreign_key_check').first():
        raise RuntimeError('The tables of assets could not be made anew.')
    for words in ('COMMIT', 'PRAGMA foreign_keys=ON', 'BEGIN IMMEDIATE'):
        connection.exec_driver_sql(words)
