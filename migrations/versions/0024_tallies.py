"""Tallies: what the figures of the reports are read from.

What: tables tally_due (cases to be counted again), case_count (what each was last counted as), tally and tally_now (sums by
  office, district, programme …), tally_rebuild (a wish to make them anew); triggers on cases that append to tally_due; indexes
  for the lists behind figures, for appeals in the history, for whom a grievance accuses. The index on filed_at goes: nothing
  asks by it, for figures count by the day of receipt. The one on level gives way to one in the order of the lists of late cases.
Why: the figures of ten million cases at once, true to the last act. Summing up is a tick's work, so that filing pays for one
  short row without a key.
Lock cost: cases a moment (SHARE ROW EXCLUSIVE, for the triggers); the indexes on cases, case_event and accused are built while
  everybody works, some minutes for ten million cases, and again should that be interrupted. Where there are cases, `flask setup`
  or `flask tallies rebuild` must make the tallies once after the upgrade; it stops nobody.
Reversible: yes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

ENDED = "ended_at IS NOT NULL"
INDEXES = (
    ("ix__cases__office_received", "cases", ["office_id", "received_on", "id"], None),
    ("ix__cases__district_received", "cases", ["district_id", "received_on", "id"], None),
    ("ix__cases__office_ended", "cases", ["office_id", "ended_at", "id"], ENDED),
    ("ix__cases__district_ended", "cases", ["district_id", "ended_at", "id"], ENDED),
    ("ix__cases__late", "cases", ["office_id", "desk", "due_at", "id"], "is_open AND level > 0"),
    ("ix__case_event__appeals", "case_event", ["case_id", "seq"], "kind IN ('appealed', 'contested')"),
    ("ix__accused__officer_id", "accused", ["officer_id"], "officer_id IS NOT NULL"),
    ("ix__accused__post_id", "accused", ["post_id"], "post_id IS NOT NULL"),
    ("ix__accused__office_id", "accused", ["office_id"], "office_id IS NOT NULL"),
)
KEY = "spine smallint NOT NULL, dimension smallint NOT NULL, shade smallint NOT NULL"
COUNTERS = (
    *(
        "received",
        "in_time",
        "extended",
        "late",
        "declined",
        "withdrawn",
        "appealed",
        "appeals_upheld",
        "appeals_rejected",
    ),
    *("stars_1", "stars_2", "stars_3", "stars_4", "stars_5"),
)


def upgrade() -> None:
    # What comes and goes quickly is swept up soon; rows that change often find room where they are.
    op.execute(
        "CREATE TABLE IF NOT EXISTS tally_due (case_id bigint NOT NULL) "
        "WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)"
    )
    op.execute(
        """
        CREATE TABLE IF NOT EXISTS case_count (
            case_id bigint NOT NULL CONSTRAINT pk__case_count PRIMARY KEY,
            office_id integer NOT NULL,
            programme_id integer NOT NULL,
            category_id integer NOT NULL,
            district_id integer NOT NULL,
            received_on date NOT NULL,
            received_month date NOT NULL,
            ended_on date,
            ended_month date,
            days_taken integer,
            due_on date NOT NULL,
            appealed_on date,
            appeal_decided_on date,
            rated_on date,
            shade smallint NOT NULL,
            channel smallint NOT NULL,
            sex smallint NOT NULL,
            age_group smallint NOT NULL,
            disability smallint NOT NULL,
            area smallint NOT NULL,
            state smallint NOT NULL,
            level smallint NOT NULL,
            appeal_result smallint NOT NULL,
            stars smallint NOT NULL,
            is_part boolean NOT NULL,
            is_paused boolean NOT NULL,
            is_not_informed boolean NOT NULL
        )
        """
    )
    op.execute(
        f"""
        CREATE TABLE IF NOT EXISTS tally (
            {KEY},
            month date NOT NULL,
            spine_id integer NOT NULL,
            value integer NOT NULL,
            {", ".join(f"{name} integer NOT NULL" for name in COUNTERS)},
            received_at integer[] NOT NULL,
            received_n integer[] NOT NULL,
            days_at integer[] NOT NULL,
            days_n integer[] NOT NULL,
            CONSTRAINT pk__tally PRIMARY KEY (spine, dimension, shade, month, spine_id, value)
        ) WITH (fillfactor = 70)
        """
    )
    op.execute(
        f"""
        CREATE TABLE IF NOT EXISTS tally_now (
            {KEY},
            spine_id integer NOT NULL,
            value integer NOT NULL,
            what smallint NOT NULL,
            due_at integer[] NOT NULL,
            due_n integer[] NOT NULL,
            CONSTRAINT pk__tally_now PRIMARY KEY (spine, dimension, shade, spine_id, value, what)
        ) WITH (fillfactor = 50)
        """
    )
    op.execute(
        "CREATE TABLE IF NOT EXISTS tally_rebuild "
        "(id smallint NOT NULL CONSTRAINT pk__tally_rebuild PRIMARY KEY, why text NOT NULL)"
    )
    op.execute(
        """
        CREATE OR REPLACE FUNCTION tally_cases_again() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO tally_due (case_id) SELECT id FROM changed;
            RETURN NULL;
        END $$
        """
    )
    for name, event in (
        ("tally_new_cases", "INSERT"),
        ("tally_changed_cases", "UPDATE"),
        ("tally_gone_cases", "DELETE"),
    ):
        op.execute(
            f"CREATE OR REPLACE TRIGGER {name} AFTER {event} ON cases "
            f"REFERENCING {'OLD' if event == 'DELETE' else 'NEW'} TABLE AS changed "
            "FOR EACH STATEMENT EXECUTE FUNCTION tally_cases_again()"
        )
    op.execute(
        "INSERT INTO tally_rebuild (id, why) SELECT 1, 'cases of before revision 0024' WHERE EXISTS (SELECT FROM cases) "
        "ON CONFLICT DO NOTHING"
    )
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix__cases__filed_at")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix__cases__escalated")
        for name, table, columns, condition in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # half an index, where a run was interrupted
            op.create_index(
                name,
                table,
                columns,
                postgresql_where=sa.text(condition) if condition else None,
                postgresql_include=["level"] if name == "ix__cases__late" else None,
                postgresql_concurrently=True,
            )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("ix__cases__filed_at", "cases", ["filed_at"], postgresql_concurrently=True, if_not_exists=True)
        op.create_index(
            "ix__cases__escalated",
            "cases",
            ["level", "office_id"],
            postgresql_where=sa.text("is_open AND level > 0"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )
    for name, *_ in reversed(INDEXES):
        op.execute(f"DROP INDEX {name}")
    for name in ("tally_gone_cases", "tally_changed_cases", "tally_new_cases"):
        op.execute(f"DROP TRIGGER {name} ON cases")
    op.execute("DROP FUNCTION tally_cases_again()")
    for table in ("tally_rebuild", "tally_now", "tally", "case_count", "tally_due"):
        op.drop_table(table)
