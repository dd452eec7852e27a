"""Files that belong to a case.

What: the table attachment.
Why: officers attach letters, photos and recordings; the row ties the stored file to its case and to the event that holds
  its hash, so there is never a file of nobody, nor one that was changed unseen.
Lock cost: a moment on cases, case_event and officer for the foreign keys of an empty table.
Reversible: yes; the files stay in their folder, and nothing knows any more whose they were.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("stored_name", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary()),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_for_complainant", sa.Boolean(), nullable=False),
        sa.Column("taken_out", postgresql.JSONB(), nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("officer_id", sa.BigInteger()),
        sa.Column("scanned_at", sa.DateTime(timezone=True)),
        sa.Column("finding", sa.Text()),
        sa.CheckConstraint(
            "state IN ('stored', 'quarantined', 'infected', 'missing')", name=op.f("ck__attachment__state_known")
        ),
        sa.CheckConstraint("size > 0", name=op.f("ck__attachment__has_content")),
        sa.CheckConstraint("length(sha256) = 32", name=op.f("ck__attachment__hash_whole")),
        sa.CheckConstraint(
            "(state = 'infected') = (finding IS NOT NULL)", name=op.f("ck__attachment__infected_says_with_what")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk__attachment__case_id")),
        sa.ForeignKeyConstraint(
            ["case_id", "seq"], ["case_event.case_id", "case_event.seq"], name=op.f("fk__attachment__case_id_seq")
        ),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk__attachment__officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__attachment")),
        sa.UniqueConstraint("case_id", "sha256", name=op.f("uq__attachment__case_id_sha256")),
        sa.UniqueConstraint("stored_name", name=op.f("uq__attachment__stored_name")),
    )
    op.create_index(
        "ix__attachment__to_scan",
        "attachment",
        ["id"],
        postgresql_where=sa.text("scanned_at IS NULL AND state <> 'missing'"),
    )


def downgrade() -> None:
    op.drop_table("attachment")
