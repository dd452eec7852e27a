"""The changes of status that merging, taking up and sending back need.

What: the trigger on cases also lets a merged duplicate be closed and set apart again, and an answer be sent back.
Why: reliability promise 8: illegal transitions are refused by the database too; the table of legal ones has grown.
Lock cost: none; a function is replaced.
Reversible: yes.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# A copy on purpose: a revision says what was true when it was written. A test compares it with TRANSITIONS.
BEFORE = (
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
    "acknowledged>filed",
    "in_progress>filed",
    "waiting>filed",
    "resolved>filed",
    "closed>filed",
    "declined>filed",
)
ALLOWED = (
    *BEFORE,
    "acknowledged>closed",
    "closed>acknowledged",
    "closed>withdrawn",
    "filed>closed",
    "in_progress>closed",
    "resolved>in_progress",
    "waiting>closed",
)


MERGED_ONLY = """            IF (OLD.is_open AND NEW.status = 'closed' AND NEW.outcome IS DISTINCT FROM 'merged')
                OR (OLD.status || '>' || NEW.status IN ('closed>acknowledged', 'closed>withdrawn')
                    AND OLD.outcome IS DISTINCT FROM 'merged') THEN
                RAISE EXCEPTION 'only a merged case goes from % to %', OLD.status, NEW.status
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
"""


def upgrade() -> None:
    op.execute(_function(ALLOWED, MERGED_ONLY))


def downgrade() -> None:
    op.execute(_function(BEFORE))


def _function(allowed: tuple[str, ...], merged_only: str = "") -> str:
    pairs = ", ".join(f"'{pair}'" for pair in allowed)
    return f"""
        CREATE OR REPLACE FUNCTION refuse_illegal_transition() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.status || '>' || NEW.status NOT IN ({pairs}) THEN
                RAISE EXCEPTION 'a case cannot go from % to %', OLD.status, NEW.status
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
{merged_only}            RETURN NEW;
        END $$
        """
