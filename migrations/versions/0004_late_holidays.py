"""Late holidays withdraw what was not sent.

What: `escalation.withdrawn_at`; the final state `withdrawn` of messages; the table `redating`, one row for each announcement
that dates clocks anew, with how far it has come.
Why: promise 3: a holiday announced late moves every open deadline, in one recorded act that can be taken up after a
crash; what was escalated too early and told nobody is withdrawn, what was told is never un-sent.
Lock cost: a moment's exclusive lock on escalation and message; the new checks of message are validated under a lock that
lets reads and writes through, in a transaction of their own.
Reversible: yes; withdrawn messages become expired ones.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BEFORE = ("pending", "sending", "unknown", "accepted", "delivered", "failed", "expired", "held")
FINAL_BEFORE = ("delivered", "failed", "expired", "held")


def upgrade() -> None:
    op.add_column("escalation", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "redating",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("calendar_version", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pass_begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_through_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("examined", sa.Integer(), server_default="0", nullable=False),
        sa.Column("later", sa.Integer(), server_default="0", nullable=False),
        sa.Column("earlier", sa.Integer(), server_default="0", nullable=False),
        sa.Column("kept", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("withdrawn_escalations", sa.Integer(), server_default="0", nullable=False),
        sa.Column("withdrawn_messages", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_version"], ["calendar_edition.id"], name=op.f("fk__redating__calendar_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__redating")),
        sa.UniqueConstraint("calendar_version", name=op.f("uq__redating__calendar_version")),
    )
    _allow((*BEFORE, "withdrawn"), (*FINAL_BEFORE, "withdrawn"))


def downgrade() -> None:
    op.execute("UPDATE message SET state = 'expired' WHERE state = 'withdrawn'")
    _allow(BEFORE, FINAL_BEFORE)
    op.drop_table("redating")
    op.drop_column("escalation", "withdrawn_at")


def _allow(states: tuple[str, ...], final: tuple[str, ...]) -> None:
    """Say anew which states a message may have; can be repeated after a cut."""
    conditions = {
        "ck__message__state_known": f"state IN ({_listed(states)})",
        "ck__message__final_has_instant": f"(state IN ({_listed(final)})) = (ended_at IS NOT NULL)",
    }
    with op.get_context().autocommit_block():
        for name, condition in conditions.items():
            op.execute(
                f"ALTER TABLE message DROP CONSTRAINT IF EXISTS {name}, "
                f"ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID"
            )
            op.execute(f"ALTER TABLE message VALIDATE CONSTRAINT {name}")


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
