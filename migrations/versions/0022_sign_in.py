"""Sessions, second factors and passkeys; letters about one's account, and changes of address."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0022'
down_revision = '0021'


def upgrade():
    op.add_column('person', sa.Column('tf_primary_method', sa.String(length=20), nullable=True))
    op.add_column('person', sa.Column('tf_totp_secret', sa.String(length=255), nullable=True))
    op.add_column('person', sa.Column('totp_counter', sa.Integer(), nullable=True))
    op.add_column('person', sa.Column('mf_recovery_codes', sa.JSON(none_as_null=True), nullable=True))
    op.add_column('person', sa.Column('fs_webauthn_user_handle', sa.String(length=64), nullable=True))
    op.create_index(op.f('ix_person_fs_webauthn_user_handle'), 'person', ['fs_webauthn_user_handle'], unique=True)

    op.create_table(
        'session',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('seen_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('program', sa.String(length=60), nullable=False),
        sa.Column('address', sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_session_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_session')),
        sa.UniqueConstraint('digest', name=op.f('uq_session_digest')))
    op.create_index(op.f('ix_session_person_id'), 'session', ['person_id'])

    op.create_table(
        'passkey',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=64), nullable=False),
        sa.Column('credential_id', sa.LargeBinary(length=1024), nullable=False),
        sa.Column('public_key', sa.LargeBinary(length=1024), nullable=False),
        sa.Column('sign_count', sa.BigInteger(), nullable=False),
        sa.Column('transports', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('extensions', sa.String(length=255), nullable=True),
        sa.Column('usage', sa.String(length=9), nullable=False),
        sa.Column('device_type', sa.String(length=20), nullable=False),
        sa.Column('backup_state', sa.Boolean(), nullable=False),
        sa.Column('lastuse_datetime', UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_passkey_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_passkey')),
        sa.UniqueConstraint('credential_id', name=op.f('uq_passkey_credential_id')),
        sa.UniqueConstraint('person_id', 'name', name=op.f('uq_passkey_person_id_name')))

    op.create_table(
        'address_change',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=32), nullable=False),
        sa.Column('address', sa.String(length=255), nullable=False),
        sa.Column('asked_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('old_at', UtcDateTime(timezone=True), nullable=True),
        sa.Column('new_at', UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_address_change_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_address_change')),
        sa.UniqueConstraint('key', name=op.f('uq_address_change_key')),
        sa.UniqueConstraint('person_id', name=op.f('uq_address_change_person_id')))

    op.create_table(
        'mailing',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=True),
        sa.Column('kind', sa.String(length=20), nullable=False),
        sa.Column('address', sa.String(length=255), nullable=False),
        sa.Column('key', sa.String(length=32), nullable=True),
        sa.Column('at', UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_mailing_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_mailing')))


def downgrade():
    op.drop_table('mailing')
    op.drop_table('address_change')
    op.drop_table('passkey')
    op.drop_table('session')
    op.drop_index(op.f('ix_person_fs_webauthn_user_handle'), 'person')
    for column in ('fs_webauthn_user_handle', 'mf_recovery_codes', 'totp_counter', 'tf_totp_secret',
                   'tf_primary_method'):
        op.drop_column('person', column)
