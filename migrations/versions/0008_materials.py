"""The materials of signed deals, and the history of each."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0008'
down_revision = '0007'


def upgrade():
    op.create_table(
        'material',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('offer_id', sa.Integer(), nullable=False),
        sa.Column('title_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=20), nullable=False),
        sa.Column('language', sa.String(length=20), nullable=True),
        sa.Column('due_on', sa.Date(), nullable=True),
        sa.Column('qc_days', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('answer_by', sa.Date(), nullable=True),
        sa.Column('asset_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_material_offer_id')),
        sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_material_title_id')),
        sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_material_asset_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_material')))
    op.create_index('ix_material_state_answer_by', 'material', ['state', 'answer_by'])
    op.create_table(
        'material_step',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('material_id', sa.Integer(), nullable=False),
        sa.Column('action', sa.String(length=20), nullable=False),
        sa.Column('side', sa.String(length=6), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=True),
        sa.Column('to_state', sa.String(length=10), nullable=False),
        sa.Column('asset_id', sa.Integer(), nullable=True),
        sa.Column('note', sa.Text(), nullable=True),
        sa.Column('at', UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['material_id'], ['material.id'], name=op.f('fk_material_step_material_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_material_step_person_id')),
        sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_material_step_asset_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_material_step')))
    for table, column in (('material', 'offer_id'), ('material', 'title_id'), ('material', 'asset_id'),
                          ('material_step', 'material_id')):
        op.create_index(op.f(f'ix_{table}_{column}'), table, [column])


def downgrade():
    op.drop_table('material_step')
    op.drop_table('material')
