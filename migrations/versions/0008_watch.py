"""Clocks set aside, channels stopped, and what is kept how long.

What: columns on deadline for one that an operator has set aside, and on message for the instant its text was forgotten; the
  tables sending_stop and ledger_mark; indexes for what the watch asks at every moment.
Why: one failing row must not hide the next one; a restored copy must not send anything twice; texts end after 30 days.
Lock cost: the columns a moment each (no default, no rewrite); the indexes none that stops anybody (CONCURRENTLY, and each
  after the other, so that a system under load keeps working for the minutes they take).
Reversible: yes; what was set aside, stopped or forgotten is then no longer known to be so.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix__deadline__running", "deadline", ["due_at"], "state = 'running'"),
    ("ix__deadline__set_aside", "deadline", ["case_id"], "set_aside_at IS NOT NULL"),
    ("ix__message__accepted", "message", ["created_at"], "state = 'accepted'"),
    ("ix__message__held", "message", ["id"], "state = 'held'"),
    ("ix__message__to_forget", "message", ["ended_at"], "ended_at IS NOT NULL AND forgotten_at IS NULL"),
    ("ix__receipt__of_no_message", "receipt", ["received_at"], "message_id IS NULL"),
)


def upgrade() -> None:
    op.add_column("deadline", sa.Column("set_aside_at", sa.DateTime(timezone=True)))
    op.add_column("deadline", sa.Column("set_aside_why", sa.Text()))
    op.execute(
        "ALTER TABLE deadline ADD CONSTRAINT ck__deadline__set_aside_has_reason "
        "CHECK ((set_aside_at IS NULL) = (set_aside_why IS NULL)) NOT VALID"
    )
    op.execute("ALTER TABLE deadline VALIDATE CONSTRAINT ck__deadline__set_aside_has_reason")
    op.add_column("message", sa.Column("forgotten_at", sa.DateTime(timezone=True)))
    op.create_table(
        "sending_stop",
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck__sending_stop__channel_known")),
        sa.CheckConstraint("why IN ('operator', 'restored')", name=op.f("ck__sending_stop__why_known")),
    )
    op.create_table(
        "ledger_mark",
        sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("system_identifier", sa.BigInteger(), nullable=False),
        sa.Column("database_oid", sa.BigInteger(), nullable=False),
        sa.Column("timeline", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck__ledger_mark__one_row")),
    )
    with op.get_context().autocommit_block():
        for name, table, columns, where in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # half an index, where a run was interrupted
            op.create_index(name, table, columns, postgresql_where=sa.text(where), postgresql_concurrently=True)


def downgrade() -> None:
    for name, table, _columns, _where in INDEXES:
        op.drop_index(name, table)
    op.drop_table("ledger_mark")
    op.drop_table("sending_stop")
    op.drop_column("message", "forgotten_at")
    op.drop_constraint("ck__deadline__set_aside_has_reason", "deadline")
    op.drop_column("deadline", "set_aside_why")
    op.drop_column("deadline", "set_aside_at")
