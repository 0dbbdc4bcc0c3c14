"""Who did what: a table that only grows. The database itself refuses every change but the chaining of a row, once."""
import sqlalchemy as sa
from alembic import op

from core.database import UtcDateTime


revision = '0014'
down_revision = '0013'

SAID = ('id', 'at', 'organisation_id', 'person_id', 'who', 'origin', 'action', 'subject', 'subject_id', 'before', 'after')
REFUSED = 'the audit only grows'


def upgrade():
    op.create_table(
        'audit',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('at', UtcDateTime(timezone=True), nullable=False),
        sa.Column('organisation_id', sa.Integer(), nullable=True),
        sa.Column('person_id', sa.Integer(), nullable=True),
        sa.Column('who', sa.String(length=500), nullable=True),
        sa.Column('origin', sa.String(length=60), nullable=False),
        sa.Column('action', sa.String(length=60), nullable=False),
        sa.Column('subject', sa.String(length=40), nullable=False),
        sa.Column('subject_id', sa.Integer(), nullable=True),
        sa.Column('before', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('after', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('place', sa.Integer(), nullable=True),
        sa.Column('hash', sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_audit')),
        sa.UniqueConstraint('place', name=op.f('uq_audit_place')))
    op.create_index('ix_audit_organisation_id_id', 'audit', ['organisation_id', 'id'])
    op.create_index('ix_audit_unchained', 'audit', ['id'], sqlite_where=sa.text('hash IS NULL'),
                    postgresql_where=sa.text('hash IS NULL'))
    if op.get_bind().dialect.name == 'postgresql':
        _postgresql()
    else:
        _sqlite()


def _postgresql():
    op.execute(f"""
        CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' AND NEW.hash IS NULL AND NEW.place IS NULL THEN
                RETURN NEW;
            END IF;
            IF TG_OP = 'UPDATE' THEN
                IF OLD.hash IS NULL AND NEW.hash IS NOT NULL AND NEW.place IS NOT NULL
                   AND to_jsonb(NEW) - 'hash' - 'place' = to_jsonb(OLD) - 'hash' - 'place' THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION '{REFUSED}';
        END $$""")
    op.execute("""CREATE TRIGGER audit_rows BEFORE INSERT OR UPDATE OR DELETE ON audit
                  FOR EACH ROW EXECUTE FUNCTION audit_only_grows()""")
    op.execute("""CREATE TRIGGER audit_whole BEFORE TRUNCATE ON audit
                  FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()""")


def _sqlite():
    same = ' AND '.join(f'NEW."{name}" IS OLD."{name}"' for name in SAID)
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    op.execute(f'CREATE TRIGGER audit_deleted BEFORE DELETE ON audit {refuse}')
    op.execute(f'CREATE TRIGGER audit_updated BEFORE UPDATE ON audit WHEN NOT (OLD.hash IS NULL AND NEW.hash IS NOT NULL '
               f'AND NEW.place IS NOT NULL AND {same}) {refuse}')
    op.execute(f'CREATE TRIGGER audit_inserted BEFORE INSERT ON audit WHEN NEW.hash IS NOT NULL OR NEW.place IS NOT NULL '
               f'OR EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) {refuse}')


def downgrade():
    op.drop_table('audit')
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP FUNCTION audit_only_grows()')
