"""Files that belong to a case.

What: nothing yet.
Why: keeps the place in the chain.
Lock cost: none.
Reversible: yes.
"""

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
