"""Applications, invitations, suspended organisations; tokens of a membership, scoped and ending; and what was kept by
person alone is kept by person and organisation."""
import json
from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0019'
down_revision = '0018'

SCOPES = ["account", "catalogue", "deals", "materials", "read", "signing"]  # what a token without scopes could do
FIRST = "(SELECT min(id) FROM membership WHERE person_id = {})"
FIRST_HOUSE = f"(SELECT organisation_id FROM membership WHERE id = {FIRST})"


def upgrade():
    op.add_column('organisation', sa.Column('suspended_at', UtcDateTime(timezone=True), nullable=True))
    op.create_table(
        'invitation',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=False),
        sa.Column('email', sa.String(length=255), nullable=False),
        sa.Column('name', sa.String(length=200), nullable=False),
        sa.Column('roles', sa.JSON(), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('expires_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=True),
        sa.Column('letters', sa.Integer(), nullable=False),
        sa.Column('refused', sa.String(length=500), nullable=True),
        sa.Column('accepted_at', UtcDateTime(timezone=True), nullable=True),
        sa.Column('revoked_at', UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_invitation_organisation_id')),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_invitation_by_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation')),
        sa.UniqueConstraint('digest', name=op.f('uq_invitation_digest')))
    op.create_index(op.f('ix_invitation_organisation_id'), 'invitation', ['organisation_id'])
    op.create_table(
        'application',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(length=20), nullable=False),
        sa.Column('organisation_name', sa.String(length=200), nullable=False),
        sa.Column('country', sa.String(length=2), nullable=False),
        sa.Column('trades', sa.JSON(), nullable=False),
        sa.Column('name', sa.String(length=200), nullable=False),
        sa.Column('email', sa.String(length=255), nullable=False),
        sa.Column('about', sa.Text(), nullable=False),
        sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=True),
        sa.Column('decided_at', UtcDateTime(timezone=True), nullable=True),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.Column('reason', sa.Text(), nullable=True),
        sa.Column('organisation_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_application_by_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_application_organisation_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_application')),
        sa.UniqueConstraint('digest', name=op.f('uq_application_digest')))
    op.create_index(op.f('ix_application_email'), 'application', ['email'])
    op.create_index('ix_application_state_made_at', 'application', ['state', 'made_at'])
    _tokens_of_memberships()

    # what belonged to a person belongs to them in the organisation they acted for until now, the first
    _keys('organisation_id')
    op.execute(f"INSERT INTO idempotency_key SELECT person_id, {FIRST_HOUSE.format('old.person_id')}, key, fingerprint,"
               " made_at, status, headers, body FROM old_key AS old WHERE person_id IN"
               " (SELECT person_id FROM membership)")
    op.drop_table('old_key')
    op.add_column('saved_search', sa.Column('organisation_id', sa.Integer(), nullable=False, server_default='0'))
    op.execute("UPDATE saved_search SET organisation_id ="
               f" coalesce({FIRST_HOUSE.format('saved_search.person_id')}, 0)")  # 0: of who belongs nowhere
    op.add_column('asset_grant', sa.Column('acting_for_id', sa.Integer(), nullable=True))
    op.execute(f"UPDATE asset_grant SET acting_for_id = {FIRST_HOUSE.format('asset_grant.person_id')}"
               " WHERE person_id IS NOT NULL")


def _tokens_of_memberships():
    op.rename_table('api_token', 'old_token')
    op.drop_index('ix_api_token_person_id', 'old_token')
    _drop_names('old_token', 'pk_api_token', 'uq_api_token_digest')
    op.create_table(
        'api_token',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('membership_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=100), nullable=False),
        sa.Column('scopes', sa.JSON(), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('expires_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('last_used_on', sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(['membership_id'], ['membership.id'], name=op.f('fk_api_token_membership_id'),
                                ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
        sa.UniqueConstraint('digest', name=op.f('uq_api_token_digest')))
    op.create_index(op.f('ix_api_token_membership_id'), 'api_token', ['membership_id'])
    connection = op.get_bind()
    old = sa.table('old_token', sa.column('id'), sa.column('person_id'), sa.column('digest'),
                   sa.column('made_at', UtcDateTime(timezone=True)))
    first = dict(connection.execute(sa.text("SELECT person_id, min(id) FROM membership GROUP BY person_id")).all())
    new = sa.table('api_token', *(sa.column(name) for name in ('id', 'membership_id', 'name', 'digest')),
                   sa.column('scopes', sa.JSON()), sa.column('made_at', UtcDateTime(timezone=True)),
                   sa.column('expires_at', UtcDateTime(timezone=True)))
    if rows := [{'id': row.id, 'membership_id': first[row.person_id], 'name': 'Made before tokens had names',
                 'scopes': SCOPES, 'digest': row.digest, 'made_at': row.made_at,
                 'expires_at': row.made_at + timedelta(days=365)}
                for row in connection.execute(sa.select(old)) if row.person_id in first]:
        connection.execute(new.insert(), rows)
    op.drop_table('old_token')
    _go_on('api_token')


def _keys(*more):
    """A new table of kept answers, by person, key and `more`; the one that was is `old_key`."""
    op.rename_table('idempotency_key', 'old_key')
    op.drop_index('ix_idempotency_key_made_at', 'old_key')
    _drop_names('old_key', 'pk_idempotency_key')
    op.create_table(
        'idempotency_key',
        sa.Column('person_id', sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in more),
        sa.Column('key', sa.String(), nullable=False),
        sa.Column('fingerprint', sa.String(), nullable=False),
        sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('status', sa.Integer(), nullable=True),
        sa.Column('headers', sa.String(), nullable=True),
        sa.Column('body', sa.String(), nullable=True),
        sa.PrimaryKeyConstraint('person_id', *more, 'key', name=op.f('pk_idempotency_key')))
    op.create_index(op.f('ix_idempotency_key_made_at'), 'idempotency_key', ['made_at'])


def _drop_names(table, *constraints):
    """PostgreSQL knows the names of constraints in the whole schema; SQLite only within a table."""
    if op.get_bind().dialect.name == 'postgresql':
        for each in constraints:
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {each} CASCADE")


def _go_on(table):
    """Let the ids of a table that was filled with ids go on after the last."""
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"
                   f" (SELECT coalesce(max(id), 0) + 1 FROM {table}), false)")


def downgrade():
    op.drop_column('saved_search', 'organisation_id')
    op.drop_column('asset_grant', 'acting_for_id')
    _keys()
    op.execute("INSERT INTO idempotency_key SELECT person_id, key, min(fingerprint), min(made_at), min(status),"
               " min(headers), min(body) FROM old_key GROUP BY person_id, key HAVING count(*) = 1")
    op.drop_table('old_key')
    op.rename_table('api_token', 'old_token')
    op.drop_index('ix_api_token_membership_id', 'old_token')
    _drop_names('old_token', 'pk_api_token', 'uq_api_token_digest')
    op.create_table(
        'api_token',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_api_token_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
        sa.UniqueConstraint('digest', name=op.f('uq_api_token_digest')))
    op.create_index(op.f('ix_api_token_person_id'), 'api_token', ['person_id'])
    # a token that could do less than its person is no token any more
    op.execute(sa.text("INSERT INTO api_token SELECT old.id, person_id, digest, made_at FROM old_token AS old"
                       " JOIN membership ON membership.id = membership_id WHERE CAST(scopes AS VARCHAR(200)) = :all")
               .bindparams(all=json.dumps(SCOPES)))
    op.drop_table('old_token')
    _go_on('api_token')
    op.drop_table('application')
    op.drop_table('invitation')
    op.drop_column('organisation', 'suspended_at')
