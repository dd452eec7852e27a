"""Saved filters of the queue, and bulk acts with their items and approvals.

What: nothing yet.
Why: keeps the place in the chain.
Lock cost: none.
Reversible: yes.
"""

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
