"""Room for reminders and the coordinator.

What: nothing yet.
Why: several parts are built at once, each with its own number.
Lock cost: none.
Reversible: yes.
"""

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
