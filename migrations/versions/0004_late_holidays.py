"""Late holidays withdraw what was not sent.

What: nothing yet.
Why: the number is taken, so that revisions written side by side form one chain.
Lock cost: none.
Reversible: yes.
"""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing."""


def downgrade() -> None:
    """Change nothing back."""
