"""The words and names by which cases are found.

What: nothing yet.
Why: keeps the place in the chain.
Lock cost: none.
Reversible: yes.
"""

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
