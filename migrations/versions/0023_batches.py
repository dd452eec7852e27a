"""Registers of complaints handed in as a list.

What: the tables register_batch and register_row.
Why: an office hands in a district's register as a spreadsheet; its rows are kept sealed, filed one by one by a tick, and each
  remembers what became of it, so that a killed worker goes on where it stopped and no row is filed twice.
Lock cost: a moment on officer and office for the foreign keys of empty tables.
Reversible: yes; the cases stay, and nothing knows any more from which file they came: the keys of their submissions still keep
  the same row from making a second case.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "register_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("officer_id", sa.BigInteger(), nullable=False),
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("file_mac", sa.LargeBinary(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("facts_sealed", sa.LargeBinary()),
        sa.Column("plan_sealed", sa.LargeBinary()),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("secrets_forgotten_at", sa.DateTime(timezone=True)),
        sa.Column("forgotten_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "state IN ('new', 'running', 'done', 'discarded')", name=op.f("ck__register_batch__state_known")
        ),
        sa.CheckConstraint("row_count > 0", name=op.f("ck__register_batch__has_rows")),
        sa.CheckConstraint(
            "(state IN ('done', 'discarded')) = (finished_at IS NOT NULL)",
            name=op.f("ck__register_batch__finished_has_instant"),
        ),
        sa.CheckConstraint(
            "state IN ('new', 'discarded') OR confirmed_at IS NOT NULL",
            name=op.f("ck__register_batch__filing_was_confirmed"),
        ),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk__register_batch__officer_id")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk__register_batch__office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__register_batch")),
    )
    op.create_index("ix__register_batch__officer_id_id", "register_batch", ["officer_id", "id"])
    op.create_index(
        "ix__register_batch__running", "register_batch", ["id"], postgresql_where=sa.text("state = 'running'")
    )
    op.create_index(
        "ix__register_batch__to_forget", "register_batch", ["id"], postgresql_where=sa.text("forgotten_at IS NULL")
    )
    op.create_table(
        "register_row",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("sheet", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("token_sealed", sa.LargeBinary()),
        sa.Column("submission_key", sa.LargeBinary()),
        sa.Column("row_key", sa.LargeBinary()),
        sa.Column("problems", postgresql.JSONB()),
        sa.CheckConstraint("state IN ('waiting', 'filed', 'known', 'bad')", name=op.f("ck__register_row__state_known")),
        sa.CheckConstraint("(state = 'bad') = (problems IS NOT NULL)", name=op.f("ck__register_row__bad_says_why")),
        sa.CheckConstraint(
            "(state IN ('filed', 'known')) = (submission_key IS NOT NULL)", name=op.f("ck__register_row__filed_has_key")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["register_batch.id"], name=op.f("fk__register_row__batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__register_row")),
        sa.UniqueConstraint("batch_id", "sheet", "number", name=op.f("uq__register_row__batch_id_sheet_number")),
    )
    op.create_index(
        "ix__register_row__waiting", "register_row", ["batch_id", "id"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_index(
        "ix__register_row__row_key", "register_row", ["row_key"], postgresql_where=sa.text("row_key IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_table("register_row")
    op.drop_table("register_batch")
