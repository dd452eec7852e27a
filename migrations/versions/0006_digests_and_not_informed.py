"""Digests, and complainants who could not be told.

What: what each digest gathers (digest_item); the tasks to call or write to somebody whom no message reached (contact_task)
and the mark for it on the case; up to which state a message was followed up; the officer's address that mail came back from.
Why: one message a day instead of one for each deadline; and nobody's time for an appeal runs before they know of the decision.
Lock cost: new columns are empty or have a constant default, so no table is written anew; the two partial indexes read
cases and message once, with writers waiting. Messages from before count as followed up ('past'): no task is made of them.
Reversible: yes; tasks and gathered items are lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TO_FOLLOW_UP = "ended_at IS NOT NULL AND followed_up IS DISTINCT FROM 'past' AND followed_up IS DISTINCT FROM state"


def upgrade() -> None:
    op.create_table(
        "digest_item",
        sa.Column("escalation_id", sa.BigInteger(), nullable=False),
        sa.Column("officer_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck__digest_item__channel_known")),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalation.id"], name=op.f("fk__digest_item__escalation_id")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk__digest_item__officer_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk__digest_item__message_id")),
        sa.PrimaryKeyConstraint("escalation_id", "officer_id", "channel", name=op.f("pk__digest_item")),
    )
    op.create_index(op.f("ix__digest_item__message_id"), "digest_item", ["message_id"])
    op.create_table(
        "contact_task",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("how", sa.Text(), nullable=True),
        sa.Column("contacted_on", sa.Date(), nullable=True),
        sa.Column("officer_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "how IN ('phone', 'letter', 'in_person', 'read', 'delivered', 'overtaken')",
            name=op.f("ck__contact_task__how_known"),
        ),
        sa.CheckConstraint("(closed_at IS NULL) = (how IS NULL)", name=op.f("ck__contact_task__closed_says_how")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk__contact_task__case_id")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk__contact_task__message_id")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk__contact_task__officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__contact_task")),
        sa.UniqueConstraint("message_id", name=op.f("uq__contact_task__message_id")),
    )
    op.create_index(op.f("ix__contact_task__case_id"), "contact_task", ["case_id"])
    op.add_column("cases", sa.Column("is_not_informed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        "ix__cases__not_informed",
        "cases",
        ["office_id", "desk", "due_at", "id"],
        postgresql_where=sa.text("is_not_informed"),
    )
    op.add_column("message", sa.Column("followed_up", sa.Text(), server_default="past", nullable=True))
    op.alter_column("message", "followed_up", server_default=None)
    op.create_index("ix__message__to_follow_up", "message", ["id"], postgresql_where=sa.text(TO_FOLLOW_UP))
    op.add_column("officer", sa.Column("email_bounced", sa.Text(), nullable=True))
    op.add_column("officer", sa.Column("email_bounced_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("officer", "email_bounced_at")
    op.drop_column("officer", "email_bounced")
    op.drop_index("ix__message__to_follow_up", table_name="message", postgresql_where=sa.text(TO_FOLLOW_UP))
    op.drop_column("message", "followed_up")
    op.drop_index("ix__cases__not_informed", table_name="cases", postgresql_where=sa.text("is_not_informed"))
    op.drop_column("cases", "is_not_informed")
    op.drop_index(op.f("ix__contact_task__case_id"), table_name="contact_task")
    op.drop_table("contact_task")
    op.drop_index(op.f("ix__digest_item__message_id"), table_name="digest_item")
    op.drop_table("digest_item")
