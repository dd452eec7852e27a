"""History, audit trail and submissions can only be added to.

What: triggers that refuse update, delete and truncate on case_event, audit_entry, submission; case_text may only lose
    its body (erasure of personal data), never change it.
Why: reliability promise 13, a tamper-evident trail. The owner of the tables could drop the triggers: production connects
    with a role that cannot (docs/operations.md), and `flask audit verify` finds what was done all the same.
Lock cost: a short exclusive lock on each of four tables.
Reversible: yes.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("case_event", "audit_entry", "submission")


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION allow_only_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            -- The salt may go with the text: a short text could be guessed from its commitment and the salt.
            IF NEW.body IS NULL AND NEW.salt IN (OLD.salt, ''::bytea) AND (NEW.id, NEW.case_id, NEW.seq, NEW.field)
                IS NOT DISTINCT FROM (OLD.id, OLD.case_id, OLD.seq, OLD.field) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'case_text may only be erased' USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER case_text_erasure_only BEFORE UPDATE ON case_text "
        "FOR EACH ROW EXECUTE FUNCTION allow_only_erasure()"
    )
    op.execute(
        "CREATE TRIGGER case_text_append_only BEFORE DELETE ON case_text FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    for table in (*APPEND_ONLY, "case_text"):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    for table in (*APPEND_ONLY, "case_text"):
        op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute("DROP TRIGGER case_text_erasure_only ON case_text")
    op.execute("DROP FUNCTION allow_only_erasure()")
    op.execute("DROP FUNCTION refuse_change()")
