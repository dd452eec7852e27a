"""Room for open data.

What: nothing yet.
Why: several parts are built at once, each with its own number.
Lock cost: none.
Reversible: yes.
"""

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
