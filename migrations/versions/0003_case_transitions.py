"""The status of a case changes only along the allowed paths.

What: a trigger on cases that refuses any change of status that grm/cases/states.py does not list.
Why: reliability promise 8: illegal transitions are refused by the database too, whatever code or hand makes them.
Lock cost: a short exclusive lock on cases.
Reversible: yes.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A copy on purpose: a revision says what was true when it was written. A test compares it with TRANSITIONS.
ALLOWED = (
    "filed>acknowledged",
    "filed>in_progress",
    "filed>waiting",
    "filed>resolved",
    "filed>declined",
    "filed>withdrawn",
    "acknowledged>in_progress",
    "acknowledged>waiting",
    "acknowledged>resolved",
    "acknowledged>declined",
    "acknowledged>withdrawn",
    "in_progress>waiting",
    "in_progress>acknowledged",
    "in_progress>resolved",
    "in_progress>declined",
    "in_progress>withdrawn",
    "waiting>in_progress",
    "waiting>acknowledged",
    "waiting>resolved",
    "waiting>declined",
    "waiting>withdrawn",
    "resolved>closed",
)


def upgrade() -> None:
    pairs = ", ".join(f"'{pair}'" for pair in ALLOWED)
    op.execute(
        f"""
        CREATE FUNCTION refuse_illegal_transition() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.status || '>' || NEW.status NOT IN ({pairs}) THEN
                RAISE EXCEPTION 'a case cannot go from % to %', OLD.status, NEW.status
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER cases_transitions BEFORE UPDATE OF status ON cases FOR EACH ROW "
        "WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION refuse_illegal_transition()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER cases_transitions ON cases")
    op.execute("DROP FUNCTION refuse_illegal_transition()")
