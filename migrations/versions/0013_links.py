"""Merged, linked and collective cases.

What: which cases are answered together (case_link); complainants who have joined in (role 'member'), and whom of them a message
did not reach; since when a clock has taken over the start of another (deadline.begun_at); withdrawing a merged case.
Why: duplicates and many alike complaints get one answer without losing their numbers, their people or their dates.
Lock cost: a moment each on cases, complainant, contact_task and deadline for columns that are empty and conditions that are
checked afterwards, with everybody working. Each step can be repeated, should the last one be interrupted.
Reversible: while nobody has joined in and nothing is merged (such rows would break the conditions of before).
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ROLES = "'complainant', 'representative'"


def upgrade() -> None:
    op.create_table(
        "case_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("linked_by_id", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why_ended", sa.Text(), nullable=True),
        sa.Column("ended_by_id", sa.BigInteger(), nullable=True),
        sa.Column("clock_state", sa.Text(), nullable=True),
        sa.Column("clock_next_level", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('merged', 'linked')", name=op.f("ck__case_link__kind_known")),
        sa.CheckConstraint(
            "why_ended IN ('unmerged', 'unlinked', 'contested', 'appealed', 'withdrawn', 'lead_ended', 'replaced')",
            name=op.f("ck__case_link__end_known"),
        ),
        sa.CheckConstraint("case_id <> lead_id", name=op.f("ck__case_link__not_itself")),
        sa.CheckConstraint("(ended_at IS NULL) = (why_ended IS NULL)", name=op.f("ck__case_link__ended_says_why")),
        sa.CheckConstraint(
            "(kind = 'merged') = (clock_state IS NOT NULL)", name=op.f("ck__case_link__merged_knows_clock")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk__case_link__case_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["cases.id"], name=op.f("fk__case_link__lead_id")),
        sa.ForeignKeyConstraint(["linked_by_id"], ["officer.id"], name=op.f("fk__case_link__linked_by_id")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["officer.id"], name=op.f("fk__case_link__ended_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__case_link")),
        if_not_exists=True,
    )
    live = sa.text("ended_at IS NULL")
    op.create_index(
        "uq__case_link__live", "case_link", ["case_id"], unique=True, postgresql_where=live, if_not_exists=True
    )
    op.create_index(
        "ix__case_link__followers", "case_link", ["lead_id", "case_id"], postgresql_where=live, if_not_exists=True
    )
    op.execute("ALTER TABLE deadline ADD COLUMN IF NOT EXISTS begun_at timestamptz")
    op.execute("ALTER TABLE contact_task ADD COLUMN IF NOT EXISTS complainant_id bigint")
    op.execute("ALTER TABLE contact_task DROP CONSTRAINT IF EXISTS fk__contact_task__complainant_id")
    op.execute(
        "ALTER TABLE contact_task ADD CONSTRAINT fk__contact_task__complainant_id FOREIGN KEY (complainant_id) "
        "REFERENCES complainant (id) NOT VALID"
    )
    _roles(f"{ROLES}, 'member'")
    # The locks above end here: to read through a table takes long, and nobody is to wait for it.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE contact_task VALIDATE CONSTRAINT fk__contact_task__complainant_id")
        op.execute("ALTER TABLE complainant VALIDATE CONSTRAINT ck__complainant__role_known")


def downgrade() -> None:
    _roles(ROLES)
    op.execute("ALTER TABLE complainant VALIDATE CONSTRAINT ck__complainant__role_known")
    op.execute("ALTER TABLE contact_task DROP COLUMN complainant_id")
    op.execute("ALTER TABLE deadline DROP COLUMN begun_at")
    op.drop_table("case_link")


def _roles(known: str) -> None:
    op.execute("ALTER TABLE complainant DROP CONSTRAINT IF EXISTS ck__complainant__role_known")
    op.execute(
        f"ALTER TABLE complainant ADD CONSTRAINT ck__complainant__role_known CHECK (role IN ({known})) NOT VALID"
    )
