"""More than one gateway, and a daily budget.

What: which gateway a message and an attempt belong to and how many SMS they cost; the gateway of a delivery report that came
before its message was known; a row for each day's spending; two partial indexes for matching reports.
Why: a message whose answer was lost must stay with the gateway that may have it, and no day may cost more than its budget.
Lock cost: a moment for each column (nullable, no rewrite); the indexes none that stops anybody (CONCURRENTLY).
Reversible: yes; what was counted is lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INDEXES = (
    (
        "ix__message__at_provider",
        "message",
        ["gateway", "provider_reference"],
        "channel = 'sms' AND provider_reference IS NOT NULL",
    ),
    ("ix__receipt__early", "receipt", ["gateway", "reference"], "message_id IS NULL AND gateway IS NOT NULL"),
)


def upgrade() -> None:
    op.create_table(
        "sms_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("segments", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ordinary", sa.Integer(), server_default="0", nullable=False),
        sa.Column("turned_away_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk__sms_day")),
    )
    for table in ("message", "attempt"):
        op.add_column(table, sa.Column("gateway", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("segments", sa.SmallInteger(), nullable=True))
    op.add_column("receipt", sa.Column("gateway", sa.Text(), nullable=True))
    # The one gateway there could be until now is called so where no gateways file gives it another name.
    op.execute(
        "UPDATE message SET gateway = 'default' WHERE channel = 'sms' AND state IN ('sending', 'unknown', 'accepted')"
    )
    with op.get_context().autocommit_block():
        for name, table, columns, where in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # half an index, where a run was interrupted
            op.create_index(name, table, columns, postgresql_where=sa.text(where), postgresql_concurrently=True)


def downgrade() -> None:
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table)
    op.drop_column("receipt", "gateway")
    for table in ("attempt", "message"):
        op.drop_column(table, "segments")
        op.drop_column(table, "gateway")
    op.drop_table("sms_day")
