"""The desk's drafts.

What: column draft.officer_id, with an index on it.
Why: what an officer at a desk has begun and put aside is found again by the officer, not by a browser that may have been
  closed; drafts of the public form go on belonging to nobody.
Lock cost: a moment on draft for a column without a value, and on officer for the foreign key; draft holds three days of
  half-filled forms, so the check of the key and the index (in a transaction, with writers waiting) take a moment too.
Reversible: yes; what officers have put aside then belongs to nobody and goes after 72 hours.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("draft", sa.Column("officer_id", sa.BigInteger()))
    op.execute(
        "ALTER TABLE draft ADD CONSTRAINT fk__draft__officer_id FOREIGN KEY (officer_id) REFERENCES officer (id) NOT VALID"
    )
    op.execute("ALTER TABLE draft VALIDATE CONSTRAINT fk__draft__officer_id")
    op.create_index(
        "ix__draft__of_officer",
        "draft",
        ["officer_id", "updated_at"],
        postgresql_where=sa.text("officer_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix__draft__of_officer", "draft")
    op.drop_column("draft", "officer_id")
