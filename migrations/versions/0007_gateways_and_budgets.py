"""More than one gateway, and a daily budget.

What: nothing yet.
Why: the number is taken, so that revisions written side by side form one chain.
Lock cost: none.
Reversible: yes.
"""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing."""


def downgrade() -> None:
    """Change nothing back."""
