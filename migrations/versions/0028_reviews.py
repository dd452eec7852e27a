"""Room for reviews and alarms.

What: nothing yet.
Why: several parts are built at once, each with its own number.
Lock cost: none.
Reversible: yes.
"""

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
