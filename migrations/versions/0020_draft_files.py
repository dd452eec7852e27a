"""Files handed in with a form that is not filed yet.

What: the table draft_file; the column draft.file_count.
Why: a file is checked, cleaned and stored when it is handed in, on its own, and becomes an attachment in the statement that
  files the form. The count in the row of the draft, which every post reads anyway, spares a form without files any question.
Lock cost: a moment on draft, for a column with a constant default; no table is rewritten.
Reversible: yes; files of forms that are not filed are forgotten, and `flask attachments reconcile` counts what is left of them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "draft_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("stored_name", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary()),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("taken_out", postgresql.JSONB(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('stored', 'quarantined')", name=op.f("ck__draft_file__state_known")),
        sa.CheckConstraint("size > 0", name=op.f("ck__draft_file__has_content")),
        sa.CheckConstraint("length(sha256) = 32", name=op.f("ck__draft_file__hash_whole")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__draft_file")),
        sa.UniqueConstraint("token_hash", "sha256", name=op.f("uq__draft_file__token_hash_sha256")),
        sa.UniqueConstraint("stored_name", name=op.f("uq__draft_file__stored_name")),
    )
    op.create_index("ix__draft_file__added_at", "draft_file", ["added_at"])
    op.add_column("draft", sa.Column("file_count", sa.SmallInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("draft", "file_count")
    op.drop_table("draft_file")
