"""Facts of payments and corrections; payment providers; the beneficiary registry.

What: tables claim and beneficiary; office.provider_kind, and the kind `provider` of an office.
Why: whether the ministry, the payment provider or the identity side has to act shows in which months, how much and by whom;
  the provider's desk is an office that can be referred to; a registry says who is enrolled and what was sent.
Lock cost: a moment on cases for the foreign key of an empty table; office (some hundred rows) is read through once.
Reversible: yes; the facts of cases and the registry are lost. Providers stay as offices of a kind that the older program does
  not know and the old condition, checked for new rows only, does not allow anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

CHECKS = (
    ("kind_known", "kind IN ('ministry', 'cell', 'district', 'provider')"),
    ("provider_kind_known", "provider_kind IN ('wallet', 'agent_bank', 'bank', 'post_office')"),
    ("only_providers_pay", "kind = 'provider' OR provider_kind IS NULL"),
)


def upgrade() -> None:
    op.add_column("office", sa.Column("provider_kind", sa.Text()))
    op.execute("ALTER TABLE office DROP CONSTRAINT ck__office__kind_known")
    for name, condition in CHECKS:
        op.execute(f"ALTER TABLE office ADD CONSTRAINT ck__office__{name} CHECK ({condition}) NOT VALID")
        op.execute(f"ALTER TABLE office VALIDATE CONSTRAINT ck__office__{name}")
    op.create_table(
        "claim",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period_from", sa.Date()),
        sa.Column("period_to", sa.Date()),
        sa.Column("taka_expected", sa.Integer()),
        sa.Column("taka_received", sa.Integer()),
        sa.Column("provider_kind", sa.Text()),
        sa.Column("provider_id", sa.BigInteger()),
        sa.Column("correct_what", sa.Text()),
        sa.Column("sealed", sa.LargeBinary()),
        sa.CheckConstraint("kind IN ('payment', 'correction')", name=op.f("ck__claim__kind_known")),
        sa.CheckConstraint("period_to >= period_from", name=op.f("ck__claim__period_in_order")),
        sa.CheckConstraint("taka_expected >= 0 AND taka_received >= 0", name=op.f("ck__claim__amounts_not_negative")),
        sa.CheckConstraint(
            "provider_kind IN ('wallet', 'agent_bank', 'bank', 'post_office', 'by_hand', 'unknown')",
            name=op.f("ck__claim__provider_kind_known"),
        ),
        sa.CheckConstraint(
            "correct_what IN ('name', 'nid', 'phone', 'account', 'birth_date', 'address', 'other')",
            name=op.f("ck__claim__correct_what_known"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk__claim__case_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["office.id"], name=op.f("fk__claim__provider_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk__claim")),
    )
    op.create_table(
        "beneficiary",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("id_index", sa.LargeBinary(), nullable=False),
        sa.Column("nid_index", sa.LargeBinary()),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__beneficiary")),
        sa.UniqueConstraint("id_index", name=op.f("uq__beneficiary__id_index")),
    )
    op.create_index("ix__beneficiary__nid_index", "beneficiary", ["nid_index"])


def downgrade() -> None:
    op.drop_table("beneficiary")
    op.drop_table("claim")
    op.execute("ALTER TABLE office DROP CONSTRAINT ck__office__only_providers_pay")
    op.drop_column("office", "provider_kind")  # its own condition goes with it
    op.execute("ALTER TABLE office DROP CONSTRAINT ck__office__kind_known")
    op.execute(
        "ALTER TABLE office ADD CONSTRAINT ck__office__kind_known "
        "CHECK (kind IN ('ministry', 'cell', 'district')) NOT VALID"
    )
    op.execute(
        """
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM office WHERE kind = 'provider') THEN
                ALTER TABLE office VALIDATE CONSTRAINT ck__office__kind_known;
            END IF;
        END $$
        """
    )
