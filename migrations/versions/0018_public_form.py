"""The programme as the complainant calls it.

What: cases.programme_words.
Why: whoever does not find their programme in the list writes its name; where we do not know it either, the officer who looks for
the office must read it.
Lock cost: a moment: a column without a default.
Reversible: yes; the form as received keeps the words, sealed.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE cases ADD COLUMN IF NOT EXISTS programme_words text")


def downgrade() -> None:
    op.execute("ALTER TABLE cases DROP COLUMN IF EXISTS programme_words")
