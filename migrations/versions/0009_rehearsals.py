"""Rehearsals of proposed policies and calendars.

What: nothing yet.
Why: the number is taken, so that revisions written side by side form one chain.
Lock cost: none.
Reversible: yes.
"""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing."""


def downgrade() -> None:
    """Change nothing back."""
