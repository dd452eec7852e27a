"""Published editions of open data.

What: a table of what was published for a month, edition by edition, that can only be added to.
Why: a file that others have downloaded stays as it was; what is hidden in it is hidden in every later edition, which the one
    after it has to know.
Lock cost: none; the table is new.
Reversible: yes; what was published is then no longer to be had here.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "open_data_edition",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck__open_data_edition__number_positive")),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("ck__open_data_edition__month_is_a_first")),
        sa.PrimaryKeyConstraint("month", "number", name=op.f("pk__open_data_edition")),
    )
    op.execute(
        "CREATE TRIGGER open_data_edition_append_only BEFORE UPDATE OR DELETE ON open_data_edition "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER open_data_edition_no_truncate BEFORE TRUNCATE ON open_data_edition "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER open_data_edition_no_truncate ON open_data_edition")
    op.execute("DROP TRIGGER open_data_edition_append_only ON open_data_edition")
    op.drop_table("open_data_edition")
