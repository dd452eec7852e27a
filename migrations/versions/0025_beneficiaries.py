"""Room for beneficiary numbers.

What: nothing yet.
Why: several parts are built at once, each with its own number.
Lock cost: none.
Reversible: yes.
"""

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
