"""Prepared files.

What: the tables export_job and export_part.
Why: a list of a hundred thousand cases is made by a process of its own; its row says who asked, how far it is and whose turn it
  is, so that a killed process is replaced and one press makes one file. The file lies in the store, in pieces.
Lock cost: a moment on officer for the foreign key of an empty table.
Reversible: yes; what was prepared is forgotten; `attachments reconcile` then names the pieces as belonging to nothing.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('queued', 'running')")


def upgrade() -> None:
    op.create_table(
        "export_job",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("officer_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("query", postgresql.JSONB(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("row_count", sa.Integer()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claim", sa.Text()),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text()),
        sa.Column("as_of", sa.DateTime(timezone=True)),
        sa.Column("sight", postgresql.JSONB()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("sha256", sa.LargeBinary()),
        sa.CheckConstraint("format IN ('csv', 'xlsx', 'pdf')", name=op.f("ck__export_job__format_known")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'expired')",
            name=op.f("ck__export_job__state_known"),
        ),
        sa.CheckConstraint("language IN ('bn', 'en')", name=op.f("ck__export_job__language_known")),
        sa.CheckConstraint(
            "(state IN ('queued', 'running')) = (finished_at IS NULL)",
            name=op.f("ck__export_job__finished_has_instant"),
        ),
        sa.CheckConstraint(
            "(state = 'running') = (claim IS NOT NULL)", name=op.f("ck__export_job__running_is_claimed")
        ),
        sa.CheckConstraint(
            "(state = 'running') = (lease_until IS NOT NULL)", name=op.f("ck__export_job__running_has_lease")
        ),
        sa.CheckConstraint("(state = 'failed') = (error IS NOT NULL)", name=op.f("ck__export_job__failed_says_why")),
        sa.CheckConstraint(
            "state <> 'done' OR (sight IS NOT NULL AND as_of IS NOT NULL)",
            name=op.f("ck__export_job__done_says_for_whom"),
        ),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk__export_job__officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__export_job")),
    )
    op.create_index("ix__export_job__officer_id_id", "export_job", ["officer_id", "id"])
    op.create_index("ix__export_job__open", "export_job", ["id"], postgresql_where=OPEN)
    op.create_index(
        "uq__export_job__open",
        "export_job",
        ["officer_id", "kind", "format", "language", "query"],
        unique=True,
        postgresql_where=OPEN,
    )
    op.create_index(
        "ix__export_job__finished_at",
        "export_job",
        ["finished_at"],
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_table(
        "export_part",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("stored_name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["export_job.id"], name=op.f("fk__export_part__job_id")),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk__export_part")),
    )
    op.create_index("uq__export_part__stored_name", "export_part", ["stored_name"], unique=True)


def downgrade() -> None:
    op.drop_table("export_part")
    op.drop_table("export_job")
