"""The desk's drafts.

What: column draft.officer_id with an index on it, and an index on cases.filed_by_id.
Why: what an officer at a desk has begun and put aside is found again by the officer, not by a browser that may have been
  closed; drafts of the public form go on belonging to nobody. And a desk lists what it has filed in a day, which at a million
  cases must not be looked for among those of the whole country. What citizens file is in neither index.
Lock cost: a moment on draft for a column without a value, and on officer for the foreign key; draft holds three days of
  half-filled forms, so the check of the key and its index take a moment too. The index on cases is built CONCURRENTLY.
Reversible: yes; what officers have put aside then belongs to nobody and goes after 72 hours.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


FILED_BY = "ix__cases__filed_by"


def upgrade() -> None:
    # What stands before the index is committed before it is built: a run that was interrupted there begins here again.
    op.execute("ALTER TABLE draft ADD COLUMN IF NOT EXISTS officer_id bigint")
    op.execute("ALTER TABLE draft DROP CONSTRAINT IF EXISTS fk__draft__officer_id")
    op.execute(
        "ALTER TABLE draft ADD CONSTRAINT fk__draft__officer_id FOREIGN KEY (officer_id) REFERENCES officer (id) NOT VALID"
    )
    op.execute("ALTER TABLE draft VALIDATE CONSTRAINT fk__draft__officer_id")
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix__draft__of_officer ON draft (officer_id, updated_at) WHERE officer_id IS NOT NULL"
    )
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {FILED_BY}")  # half an index, where a run was interrupted
        op.create_index(
            FILED_BY,
            "cases",
            ["filed_by_id", "id"],
            postgresql_where=sa.text("filed_by_id IS NOT NULL"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index(FILED_BY, "cases")
    op.drop_index("ix__draft__of_officer", "draft")
    op.drop_column("draft", "officer_id")
