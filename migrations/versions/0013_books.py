"""Books of sellers: the files, and their rows."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0013'
down_revision = '0012'


def upgrade():
    op.create_table(
        'books_upload',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('filename', sa.String(length=200), nullable=False),
        sa.Column('holds', sa.String(length=10), nullable=True),
        sa.Column('encoding', sa.String(length=20), nullable=False),
        sa.Column('content', sa.LargeBinary(), nullable=True),
        sa.Column('state', sa.String(length=12), nullable=False),
        sa.Column('mode', sa.String(length=4), nullable=True),
        sa.Column('note', sa.Text(), nullable=True),
        sa.Column('sheets', sa.JSON(), nullable=False),
        sa.Column('total', sa.Integer(), nullable=False),
        sa.Column('done', sa.Integer(), nullable=False),
        sa.Column('reached', sa.Integer(), nullable=False),
        sa.Column('sent_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('loaded_at', UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'],
                                name=op.f('fk_books_upload_organisation_id')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_books_upload_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_books_upload')))
    for column in ('organisation_id', 'state'):
        op.create_index(op.f(f'ix_books_upload_{column}'), 'books_upload', [column])
    op.create_table(
        'books_row',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('upload_id', sa.Integer(), nullable=False),
        sa.Column('sheet', sa.Integer(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('cells', sa.JSON(), nullable=False),
        sa.Column('status', sa.String(length=8), nullable=True),
        sa.Column('effect', sa.String(length=8), nullable=True),
        sa.Column('remarks', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(['upload_id'], ['books_upload.id'], name=op.f('fk_books_row_upload_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_books_row')))
    op.create_index('ix_books_row_upload_id_status', 'books_row', ['upload_id', 'status'])


def downgrade():
    op.drop_table('books_row')
    op.drop_table('books_upload')
