"""The first tables: people, titles, rights, offers; on PostgreSQL the guard against selling twice."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0001'
down_revision = None


GUARD = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TABLE licence_guard (
    line_id bigint PRIMARY KEY REFERENCES line (id) ON DELETE CASCADE,
    licence_id bigint NOT NULL,
    root_id bigint NOT NULL,
    leaves int8multirange NOT NULL CHECK (NOT isempty(leaves)),
    territories int4multirange NOT NULL CHECK (NOT isempty(territories)),
    media int4multirange NOT NULL CHECK (NOT isempty(media)),
    languages int4multirange NOT NULL CHECK (NOT isempty(languages)),
    days daterange NOT NULL CHECK (NOT isempty(days)),
    solo int8range NOT NULL CHECK (NOT isempty(solo)),
    CONSTRAINT never_sold_twice EXCLUDE USING gist (
        root_id WITH =, licence_id WITH <>, leaves WITH &&, territories WITH &&, media WITH &&,
        languages WITH &&, days WITH &&, solo WITH &&)
)
"""


def upgrade():

    op.create_table('idempotency_key',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('fingerprint', sa.String(), nullable=False),
    sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('headers', sa.String(), nullable=True),
    sa.Column('body', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('person_id', 'key', name=op.f('pk_idempotency_key'))
    )
    with op.batch_alter_table('idempotency_key', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_idempotency_key_made_at'), ['made_at'], unique=False)

    op.create_table('organisation',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=True),
    sa.Column('trades', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organisation')),
    sa.UniqueConstraint('name', name=op.f('uq_organisation_name'))
    )
    op.create_table('outbox',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('topic', sa.String(length=40), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=False),
    sa.Column('put_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('not_before', UtcDateTime(timezone=True), nullable=False),
    sa.Column('error', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outbox_topic'), ['topic'], unique=False)

    op.create_table('person',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(length=255), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('password', sa.String(length=255), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('fs_uniquifier', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person')),
    sa.UniqueConstraint('email', name=op.f('uq_person_email')),
    sa.UniqueConstraint('fs_uniquifier', name=op.f('uq_person_fs_uniquifier'))
    )
    op.create_table('term_set',
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('codes', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_term_set'))
    )
    op.create_table('api_token',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('made_at', UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_api_token_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('digest', name=op.f('uq_api_token_digest'))
    )
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_token_person_id'), ['person_id'], unique=False)

    op.create_table('franchise',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('external_id', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_franchise_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_franchise')),
    sa.UniqueConstraint('organisation_id', 'external_id', name=op.f('uq_franchise_organisation_id_external_id'))
    )
    op.create_table('membership',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_membership_organisation_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_membership_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_membership')),
    sa.UniqueConstraint('person_id', 'organisation_id', name=op.f('uq_membership_person_id_organisation_id'))
    )
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_membership_organisation_id'), ['organisation_id'], unique=False)

    op.create_table('offer',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('buyer_id', sa.Integer(), nullable=False),
    sa.Column('seller_id', sa.Integer(), nullable=False),
    sa.Column('started_by', sa.String(length=6), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('created_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('updated_at', UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['buyer_id'], ['organisation.id'], name=op.f('fk_offer_buyer_id')),
    sa.ForeignKeyConstraint(['seller_id'], ['organisation.id'], name=op.f('fk_offer_seller_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_offer'))
    )
    with op.batch_alter_table('offer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_offer_buyer_id'), ['buyer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_offer_seller_id'), ['seller_id'], unique=False)

    op.create_table('licence',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('licensee_id', sa.Integer(), nullable=True),
    sa.Column('licensee_name', sa.String(length=200), nullable=False),
    sa.Column('contract', sa.String(length=200), nullable=True),
    sa.Column('offer_id', sa.Integer(), nullable=True),
    sa.Column('external_id', sa.String(length=200), nullable=True),
    sa.Column('recorded_at', UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['licensee_id'], ['organisation.id'], name=op.f('fk_licence_licensee_id')),
    sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_licence_offer_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_licence_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_licence')),
    sa.UniqueConstraint('organisation_id', 'external_id', name=op.f('uq_licence_organisation_id_external_id'))
    )
    with op.batch_alter_table('licence', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_licence_licensee_id'), ['licensee_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_licence_offer_id'), ['offer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_licence_organisation_id'), ['organisation_id'], unique=False)

    op.create_table('offer_step',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('offer_id', sa.Integer(), nullable=False),
    sa.Column('action', sa.String(length=20), nullable=False),
    sa.Column('side', sa.String(length=6), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('from_state', sa.String(length=20), nullable=False),
    sa.Column('to_state', sa.String(length=20), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('at', UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_offer_step_offer_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_offer_step_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_offer_step'))
    )
    with op.batch_alter_table('offer_step', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_offer_step_offer_id'), ['offer_id'], unique=False)

    op.create_table('offer_version',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('offer_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('side', sa.String(length=6), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('created_at', UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['offer_id'], ['offer.id'], name=op.f('fk_offer_version_offer_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_offer_version_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_offer_version')),
    sa.UniqueConstraint('offer_id', 'number', name=op.f('uq_offer_version_offer_id_number'))
    )
    op.create_table('title',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('status', sa.String(length=10), nullable=False),
    sa.Column('original_title', sa.String(length=500), nullable=False),
    sa.Column('original_language', sa.String(length=20), nullable=True),
    sa.Column('year', sa.Integer(), nullable=True),
    sa.Column('runtime_minutes', sa.Integer(), nullable=True),
    sa.Column('number', sa.Integer(), nullable=True),
    sa.Column('parent_id', sa.Integer(), nullable=True),
    sa.Column('root_id', sa.Integer(), nullable=True),
    sa.Column('franchise_id', sa.Integer(), nullable=True),
    sa.Column('external_id', sa.String(length=200), nullable=True),
    sa.Column('countries', sa.JSON(), nullable=False),
    sa.Column('genres', sa.JSON(), nullable=False),
    sa.Column('languages', sa.JSON(), nullable=False),
    sa.Column('tags', sa.JSON(), nullable=False),
    sa.Column('identifiers', sa.JSON(), nullable=False),
    sa.Column('episodes', sa.JSON(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('created_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('updated_at', UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['franchise_id'], ['franchise.id'], name=op.f('fk_title_franchise_id')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_title_organisation_id')),
    sa.ForeignKeyConstraint(['parent_id'], ['title.id'], name=op.f('fk_title_parent_id')),
    sa.ForeignKeyConstraint(['root_id'], ['title.id'], name=op.f('fk_title_root_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_title')),
    sa.UniqueConstraint('organisation_id', 'external_id', name=op.f('uq_title_organisation_id_external_id'))
    )
    with op.batch_alter_table('title', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_title_franchise_id'), ['franchise_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_title_parent_id'), ['parent_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_title_root_id'), ['root_id'], unique=False)
        batch_op.create_index('ix_title_status_organisation', ['status', 'organisation_id'], unique=False)

    op.create_table('change',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.Column('xid', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_change_title_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_change'))
    )
    with op.batch_alter_table('change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_change_xid'), ['xid'], unique=False)

    op.create_table('mandate',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('organisation_id', sa.Integer(), nullable=False),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.Column('contract', sa.String(length=200), nullable=True),
    sa.Column('licensor', sa.String(length=200), nullable=True),
    sa.Column('floors', sa.JSON(), nullable=False),
    sa.Column('external_id', sa.String(length=200), nullable=True),
    sa.Column('recorded_at', UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_mandate_organisation_id')),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_mandate_title_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mandate')),
    sa.UniqueConstraint('title_id', 'external_id', name=op.f('uq_mandate_title_id_external_id'))
    )
    with op.batch_alter_table('mandate', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mandate_organisation_id'), ['organisation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_mandate_title_id'), ['title_id'], unique=False)

    op.create_table('offer_line',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('price', sa.Numeric(precision=18, scale=4), nullable=True),
    sa.Column('territories_key', sa.String(length=40), nullable=False),
    sa.Column('media_key', sa.String(length=40), nullable=False),
    sa.Column('languages_key', sa.String(length=40), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('exclusive', sa.Boolean(), nullable=False),
    sa.Column('written', sa.JSON(), nullable=False),
    sa.Column('hereafter', sa.Boolean(), nullable=False),
    sa.Column('future', sa.Boolean(), nullable=False),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['languages_key'], ['term_set.key'], name=op.f('fk_offer_line_languages_key')),
    sa.ForeignKeyConstraint(['media_key'], ['term_set.key'], name=op.f('fk_offer_line_media_key')),
    sa.ForeignKeyConstraint(['territories_key'], ['term_set.key'], name=op.f('fk_offer_line_territories_key')),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_offer_line_title_id')),
    sa.ForeignKeyConstraint(['version_id'], ['offer_version.id'], name=op.f('fk_offer_line_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_offer_line'))
    )
    with op.batch_alter_table('offer_line', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_offer_line_title_id'), ['title_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_offer_line_version_id'), ['version_id'], unique=False)

    op.create_table('rights_clock',
    sa.Column('root_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['root_id'], ['title.id'], name=op.f('fk_rights_clock_root_id')),
    sa.PrimaryKeyConstraint('root_id', name=op.f('pk_rights_clock'))
    )
    op.create_table('title_credit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('role', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_title_credit_title_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_title_credit'))
    )
    with op.batch_alter_table('title_credit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_title_credit_title_id'), ['title_id'], unique=False)

    op.create_table('title_link',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('target_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['target_id'], ['title.id'], name=op.f('fk_title_link_target_id')),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_title_link_title_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_title_link')),
    sa.UniqueConstraint('title_id', 'kind', 'target_id', name=op.f('uq_title_link_title_id_kind_target_id'))
    )
    with op.batch_alter_table('title_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_title_link_target_id'), ['target_id'], unique=False)

    op.create_table('title_name',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('language', sa.String(length=20), nullable=True),
    sa.Column('value', sa.String(length=500), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_title_name_title_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_title_name'))
    )
    with op.batch_alter_table('title_name', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_title_name_title_id'), ['title_id'], unique=False)

    op.create_table('title_synopsis',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.Column('language', sa.String(length=20), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_title_synopsis_title_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_title_synopsis'))
    )
    with op.batch_alter_table('title_synopsis', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_title_synopsis_title_id'), ['title_id'], unique=False)

    op.create_table('line',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('mandate_id', sa.Integer(), nullable=True),
    sa.Column('licence_id', sa.Integer(), nullable=True),
    sa.Column('counts_from', UtcDateTime(timezone=True), nullable=False),
    sa.Column('counts_until', UtcDateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', UtcDateTime(timezone=True), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('territories_key', sa.String(length=40), nullable=False),
    sa.Column('media_key', sa.String(length=40), nullable=False),
    sa.Column('languages_key', sa.String(length=40), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('exclusive', sa.Boolean(), nullable=False),
    sa.Column('written', sa.JSON(), nullable=False),
    sa.Column('hereafter', sa.Boolean(), nullable=False),
    sa.Column('future', sa.Boolean(), nullable=False),
    sa.Column('title_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('(mandate_id IS NULL) <> (licence_id IS NULL)', name=op.f('ck_line_one_owner')),
    sa.ForeignKeyConstraint(['languages_key'], ['term_set.key'], name=op.f('fk_line_languages_key')),
    sa.ForeignKeyConstraint(['licence_id'], ['licence.id'], name=op.f('fk_line_licence_id')),
    sa.ForeignKeyConstraint(['mandate_id'], ['mandate.id'], name=op.f('fk_line_mandate_id')),
    sa.ForeignKeyConstraint(['media_key'], ['term_set.key'], name=op.f('fk_line_media_key')),
    sa.ForeignKeyConstraint(['territories_key'], ['term_set.key'], name=op.f('fk_line_territories_key')),
    sa.ForeignKeyConstraint(['title_id'], ['title.id'], name=op.f('fk_line_title_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_line'))
    )
    with op.batch_alter_table('line', schema=None) as batch_op:
        batch_op.create_index('ix_line_counting', ['title_id', 'counts_until'], unique=False)
        batch_op.create_index(batch_op.f('ix_line_licence_id'), ['licence_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_line_mandate_id'), ['mandate_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_line_title_id'), ['title_id'], unique=False)



    if op.get_bind().dialect.name == "postgresql":
        for statement in GUARD.split(";"):
            op.execute(statement)


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TABLE licence_guard")

    with op.batch_alter_table('line', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_line_title_id'))
        batch_op.drop_index(batch_op.f('ix_line_mandate_id'))
        batch_op.drop_index(batch_op.f('ix_line_licence_id'))
        batch_op.drop_index('ix_line_counting')

    op.drop_table('line')
    with op.batch_alter_table('title_synopsis', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_title_synopsis_title_id'))

    op.drop_table('title_synopsis')
    with op.batch_alter_table('title_name', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_title_name_title_id'))

    op.drop_table('title_name')
    with op.batch_alter_table('title_link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_title_link_target_id'))

    op.drop_table('title_link')
    with op.batch_alter_table('title_credit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_title_credit_title_id'))

    op.drop_table('title_credit')
    op.drop_table('rights_clock')
    with op.batch_alter_table('offer_line', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_offer_line_version_id'))
        batch_op.drop_index(batch_op.f('ix_offer_line_title_id'))

    op.drop_table('offer_line')
    with op.batch_alter_table('mandate', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_mandate_title_id'))
        batch_op.drop_index(batch_op.f('ix_mandate_organisation_id'))

    op.drop_table('mandate')
    with op.batch_alter_table('change', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_change_xid'))

    op.drop_table('change')
    with op.batch_alter_table('title', schema=None) as batch_op:
        batch_op.drop_index('ix_title_status_organisation')
        batch_op.drop_index(batch_op.f('ix_title_root_id'))
        batch_op.drop_index(batch_op.f('ix_title_parent_id'))
        batch_op.drop_index(batch_op.f('ix_title_franchise_id'))

    op.drop_table('title')
    op.drop_table('offer_version')
    with op.batch_alter_table('offer_step', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_offer_step_offer_id'))

    op.drop_table('offer_step')
    with op.batch_alter_table('licence', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_licence_organisation_id'))
        batch_op.drop_index(batch_op.f('ix_licence_offer_id'))
        batch_op.drop_index(batch_op.f('ix_licence_licensee_id'))

    op.drop_table('licence')
    with op.batch_alter_table('offer', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_offer_seller_id'))
        batch_op.drop_index(batch_op.f('ix_offer_buyer_id'))

    op.drop_table('offer')
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_membership_organisation_id'))

    op.drop_table('membership')
    op.drop_table('franchise')
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_api_token_person_id'))

    op.drop_table('api_token')
    op.drop_table('term_set')
    op.drop_table('person')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outbox_topic'))

    op.drop_table('outbox')
    op.drop_table('organisation')
    with op.batch_alter_table('idempotency_key', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_idempotency_key_made_at'))

    op.drop_table('idempotency_key')

