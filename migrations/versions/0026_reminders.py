"""Reminders, what the complainant asked for, and acts on cases of many offices.

What: columns cases.asked_higher_at and cases.reminded_at; bulk_act.office_id and desk may be empty, for three more actions.
Why: a queue and a report mark the cases that rose at the complainant's word and those that a superior has reminded of, without
  reading their histories. And from a figure somebody reminds of, directs or takes up cases of many offices with one form.
Lock cost: a moment on cases for two columns without a value; what was asked before is filled in row by row, after one reading
  of case_event that locks nothing. bulk_act is small: its checks are made anew NOT VALID and validated.
Reversible: yes; the marks go, and with them the record of acts on cases of many offices. What they did stays in the histories.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ACTIONS = "'ASSIGN', 'REFER', 'RESOLVE', 'CLOSE'"
OF_REPORTS = "'REMIND', 'DIRECT', 'TAKE_UP'"


def upgrade() -> None:
    op.execute("ALTER TABLE bulk_act ALTER COLUMN office_id DROP NOT NULL, ALTER COLUMN desk DROP NOT NULL")
    _check("action_known", f"action IN ({ACTIONS}, {OF_REPORTS})")
    _check(
        "ending_is_approved",
        f"action IN ('ASSIGN', 'REFER', {OF_REPORTS}) OR state <> 'running' OR decided_by_id IS NOT NULL",
    )
    _check(
        "at_one_desk",
        f"(action IN ({OF_REPORTS})) = (office_id IS NULL) AND (office_id IS NULL) = (desk IS NULL) "
        "AND (office_id IS NOT NULL OR state <> 'waiting_for_approval')",
    )
    op.execute("ALTER TABLE cases ADD COLUMN IF NOT EXISTS asked_higher_at timestamptz")
    op.execute("ALTER TABLE cases ADD COLUMN IF NOT EXISTS reminded_at timestamptz")
    # The columns are committed before histories are read: a run that was interrupted there begins here again.
    with op.get_context().autocommit_block():
        # Only what still counts: under the clock that runs now. An event is one of the present clock by the clock's id and epoch.
        op.execute(
            """
            UPDATE cases SET asked_higher_at = asked.at FROM (
                SELECT e.case_id, max(e.at) AS at FROM case_event AS e
                JOIN cases AS c ON c.id = e.case_id AND c.is_open
                JOIN deadline AS d ON d.id = CAST(e.data ->> 'deadline_id' AS bigint) AND d.kind = c.main_clock
                    AND d.epoch = CAST(e.data ->> 'epoch' AS integer)
                WHERE e.kind = 'escalation_asked' AND d.epoch = (
                    SELECT max(m.epoch) FROM deadline AS m WHERE m.case_id = c.id AND m.kind = c.main_clock)
                GROUP BY e.case_id) AS asked
            WHERE cases.id = asked.case_id AND cases.asked_higher_at IS NULL
            """
        )


def downgrade() -> None:
    op.execute("DELETE FROM bulk_item WHERE bulk_act_id IN (SELECT id FROM bulk_act WHERE office_id IS NULL)")
    op.execute("DELETE FROM bulk_act WHERE office_id IS NULL")
    op.execute("ALTER TABLE bulk_act DROP CONSTRAINT ck__bulk_act__at_one_desk")
    _check("action_known", f"action IN ({ACTIONS})")
    _check("ending_is_approved", "action IN ('ASSIGN', 'REFER') OR state <> 'running' OR decided_by_id IS NOT NULL")
    op.execute("ALTER TABLE bulk_act ALTER COLUMN office_id SET NOT NULL, ALTER COLUMN desk SET NOT NULL")
    op.execute("ALTER TABLE cases DROP COLUMN reminded_at, DROP COLUMN asked_higher_at")


def _check(name: str, condition: str) -> None:
    """Put a check in the place of the one of this name."""
    whole = f"ck__bulk_act__{name}"
    op.execute(f"ALTER TABLE bulk_act DROP CONSTRAINT IF EXISTS {whole}")
    op.execute(f"ALTER TABLE bulk_act ADD CONSTRAINT {whole} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE bulk_act VALIDATE CONSTRAINT {whole}")
