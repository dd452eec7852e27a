"""Merged, linked and collective cases.

What: nothing yet.
Why: keeps the place in the chain.
Lock cost: none.
Reversible: yes.
"""

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
