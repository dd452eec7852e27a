"""More clocks, extensions, and policies by tier and priority.

What: nothing yet.
Why: the number is taken, so that revisions written side by side form one chain.
Lock cost: none.
Reversible: yes.
"""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing."""


def downgrade() -> None:
    """Change nothing back."""
