"""Room for stays and monthly returns.

What: nothing yet.
Why: several parts are built at once, each with its own number.
Lock cost: none.
Reversible: yes.
"""

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
