"""Referrals that are accepted or returned, sub-cases and directions.

What: nothing yet.
Why: keeps the place in the chain.
Lock cost: none.
Reversible: yes.
"""

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
