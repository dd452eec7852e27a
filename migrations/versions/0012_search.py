"""The words and names by which cases are found.

What: the extension pg_trgm; tables case_search (terms of a case, GIN), search_word (all words, GIN of trigrams) and search_due
  (cases to be indexed); triggers on cases and complainant that put a case there; all cases there are, the newest first.
Why: search by words, names and telephone within a second at a million cases. Indexing is a tick's work, so that filing
  pays for one short row only.
Lock cost: cases and complainant a moment each (SHARE ROW EXCLUSIVE, for the triggers). The list of old cases is written after
  that lock is gone: some ten seconds for ten million; each step can be repeated, should it be interrupted. pg_trgm is a trusted
  extension: the database's owner may create it.
Reversible: yes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# What a case is found by: a change of anything else must not cost a row.
COLUMNS = (
    "office_id",
    "filed_by_office_id",
    "programme_id",
    "category_id",
    "district_id",
    "upazila_id",
    "place",
    "details",
    "is_sensitive",
)


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "case_search",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("terms", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk__case_search"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk__case_search__case_id", ondelete="CASCADE"),
        if_not_exists=True,
    )
    op.create_index("ix__case_search__terms", "case_search", ["terms"], postgresql_using="gin", if_not_exists=True)
    op.create_table(
        "search_due",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk__search_due"),
        if_not_exists=True,
    )
    op.create_table(
        "search_word",
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("word", name="pk__search_word"),
        if_not_exists=True,
    )
    op.create_index(
        "ix__search_word__word",
        "search_word",
        ["word"],
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
        if_not_exists=True,
    )
    op.execute(
        """
        CREATE OR REPLACE FUNCTION search_case_again() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_TABLE_NAME = 'cases' THEN
                INSERT INTO search_due (case_id) VALUES (NEW.id);
            ELSE
                INSERT INTO search_due (case_id) VALUES (NEW.case_id);
            END IF;
            RETURN NULL;
        END $$
        """
    )
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in COLUMNS)
    op.execute(
        "CREATE OR REPLACE TRIGGER search_new_case AFTER INSERT ON cases "
        "FOR EACH ROW EXECUTE FUNCTION search_case_again()"
    )
    op.execute(
        f"CREATE OR REPLACE TRIGGER search_changed_case AFTER UPDATE OF {', '.join(COLUMNS)} ON cases FOR EACH ROW "
        f"WHEN ({changed}) EXECUTE FUNCTION search_case_again()"
    )
    op.execute(
        "CREATE OR REPLACE TRIGGER search_new_person AFTER INSERT OR UPDATE OF name_sealed, phone_index ON complainant "
        "FOR EACH ROW WHEN (NEW.name_sealed IS NOT NULL OR NEW.phone_index IS NOT NULL) EXECUTE FUNCTION search_case_again()"
    )
    with op.get_context().autocommit_block():
        op.execute("INSERT INTO search_due (case_id) SELECT id FROM cases ORDER BY id DESC")


def downgrade() -> None:
    op.execute("DROP TRIGGER search_new_person ON complainant")
    op.execute("DROP TRIGGER search_changed_case ON cases")
    op.execute("DROP TRIGGER search_new_case ON cases")
    op.execute("DROP FUNCTION search_case_again()")
    op.drop_table("search_word")
    op.drop_table("search_due")
    op.drop_table("case_search")
    op.execute("DROP EXTENSION pg_trgm")
