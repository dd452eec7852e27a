"""Closings of months: the returns of country, ministries, districts and programmes, frozen.

What: tables return_closing, closed_stay, closed_return; triggers that refuse every change of what was frozen.
Why: what a month's return of a ministry, a district, a programme or the country said stays as it was, as that of an office does;
  the stays behind them are kept once for all of them.
Lock cost: none; the tables are new.
Reversible: yes; what was frozen is lost. Months that were prepared before the upgrade are closed by the next tick.
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLES = ("return_closing", "closed_stay", "closed_return")


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE return_closing (
            month date NOT NULL CONSTRAINT pk__return_closing PRIMARY KEY
                CONSTRAINT ck__return_closing__month_is_first_day CHECK (extract(day FROM month) = 1),
            closed_at timestamptz NOT NULL,
            hash bytea NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE closed_stay (
            month date NOT NULL,
            case_id bigint NOT NULL,
            no smallint NOT NULL,
            office_id bigint NOT NULL,
            from_office_id bigint,
            to_office_id bigint,
            against_office_id bigint,
            programme_id bigint,
            district_id bigint,
            side text NOT NULL,
            channel text NOT NULL,
            shade smallint NOT NULL,
            began_on date NOT NULL,
            began_how text NOT NULL,
            ended_on date,
            ended_how text,
            overdue_on date,
            extended_on date,
            rated_on date,
            stars smallint,
            days integer,
            is_paused boolean NOT NULL,
            is_late boolean NOT NULL,
            is_upheld boolean,
            CONSTRAINT pk__closed_stay PRIMARY KEY (month, case_id, no)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE closed_return (
            month date NOT NULL CONSTRAINT fk__closed_return__month REFERENCES return_closing (month),
            kind text NOT NULL CONSTRAINT ck__closed_return__kind_known
                CHECK (kind IN ('country', 'ministry', 'district', 'programme')),
            unit_id bigint NOT NULL,
            figures jsonb NOT NULL,
            not_submitted bigint[] NOT NULL,
            hash bytea NOT NULL,
            CONSTRAINT pk__closed_return PRIMARY KEY (month, kind, unit_id)
        )
        """
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.execute("DROP TABLE closed_return, closed_stay, return_closing")
