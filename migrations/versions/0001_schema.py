"""The first schema: directory, routing rules, calendar and deadlines, cases and history, escalations, messages.

What: creates all tables with their constraints and indexes.
Why: everything stands on it.
Lock cost: none, the tables are new.
Reversible: yes, by dropping them; with them goes all data.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alias",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("search_key", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__alias")),
        sa.UniqueConstraint("kind", "code", "search_key", name=op.f("uq__alias__kind_code_search_key")),
    )
    op.create_index(op.f("ix__alias__search_key"), "alias", ["search_key"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__audit_entry")),
        sa.UniqueConstraint("stream", "seq", name=op.f("uq__audit_entry__stream_seq")),
    )
    op.create_table(
        "audit_head",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk__audit_head")),
    )
    op.create_table(
        "calendar_edition",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("covered_until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__calendar_edition")),
    )
    op.create_table(
        "category",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_bn", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("description_bn", sa.Text(), nullable=False),
        sa.Column("sensitivity", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("sensitivity IN ('normal', 'sensitive')", name=op.f("ck__category__sensitivity_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__category")),
        sa.UniqueConstraint("slug", name=op.f("uq__category__slug")),
    )
    op.create_table(
        "draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__draft")),
        sa.UniqueConstraint("token_hash", name=op.f("uq__draft__token_hash")),
    )
    op.create_index(op.f("ix__draft__expires_at"), "draft", ["expires_at"], unique=False)
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk__heartbeat")),
    )
    op.create_table(
        "ladder_rung",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("deadline_kind", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("offset_working_days", sa.SmallInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("level BETWEEN 0 AND 3", name=op.f("ck__ladder_rung__level_in_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__ladder_rung")),
        sa.UniqueConstraint("deadline_kind", "level", name=op.f("uq__ladder_rung__deadline_kind_level")),
    )
    op.create_table(
        "ministry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_bn", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__ministry")),
        sa.UniqueConstraint("slug", name=op.f("uq__ministry__slug")),
    )
    op.create_table(
        "officer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("name_bn", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), server_default="bn", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("is_admin", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language IN ('bn', 'en')", name=op.f("ck__officer__language_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__officer")),
        sa.UniqueConstraint("username", name=op.f("uq__officer__username")),
    )
    op.create_table(
        "place",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_bn", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("tile_col", sa.Integer(), nullable=True),
        sa.Column("tile_row", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('division', 'district', 'upazila', 'city_corporation')",
            name=op.f("ck__place__kind_known"),
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["place.id"], name=op.f("fk__place__parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__place")),
        sa.UniqueConstraint("code", name=op.f("uq__place__code")),
    )
    op.create_index(op.f("ix__place__parent_id"), "place", ["parent_id"], unique=False)
    op.create_table(
        "reference_edition",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("edition", sa.BigInteger(), nullable=False),
        sa.Column("source_hash", sa.Text(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck__reference_edition__single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__reference_edition")),
    )
    op.create_table(
        "submission",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "channel IN ('web', 'assisted', 'paper', 'call_centre', 'letter', 'email', 'suo_motu')",
            name=op.f("ck__submission__channel_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__submission")),
        sa.UniqueConstraint("key", name=op.f("uq__submission__key")),
    )
    op.create_table(
        "sweep_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__sweep_run")),
    )
    op.create_index(op.f("ix__sweep_run__started_at"), "sweep_run", ["started_at"], unique=False)
    op.create_table(
        "throttle",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk__throttle")),
    )
    op.create_index(op.f("ix__throttle__window_ends_at"), "throttle", ["window_ends_at"], unique=False)
    op.create_table(
        "weekend_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__weekend_rule")),
        sa.UniqueConstraint("valid_from", name=op.f("uq__weekend_rule__valid_from")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_bn", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("is_estimated", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("added_in", sa.BigInteger(), nullable=False),
        sa.Column("removed_in", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('holiday', 'working')", name=op.f("ck__calendar_day__kind_known")),
        sa.ForeignKeyConstraint(["added_in"], ["calendar_edition.id"], name=op.f("fk__calendar_day__added_in")),
        sa.ForeignKeyConstraint(["removed_in"], ["calendar_edition.id"], name=op.f("fk__calendar_day__removed_in")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__calendar_day")),
    )
    op.create_index(
        "uq__calendar_day__day_in_force",
        "calendar_day",
        ["day"],
        unique=True,
        postgresql_where="removed_in IS NULL",
    )
    op.create_table(
        "cluster",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_bn", sa.Text(), nullable=False),
        sa.Column("coordinator_ministry_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["coordinator_ministry_id"], ["ministry.id"], name=op.f("fk__cluster__coordinator_ministry_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__cluster")),
        sa.UniqueConstraint("slug", name=op.f("uq__cluster__slug")),
    )
    op.create_table(
        "office",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_bn", sa.Text(), nullable=False),
        sa.Column("ministry_id", sa.BigInteger(), nullable=True),
        sa.Column("district_id", sa.BigInteger(), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('ministry', 'cell', 'district')", name=op.f("ck__office__kind_known")),
        sa.ForeignKeyConstraint(["district_id"], ["place.id"], name=op.f("fk__office__district_id")),
        sa.ForeignKeyConstraint(["ministry_id"], ["ministry.id"], name=op.f("fk__office__ministry_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["office.id"], name=op.f("fk__office__parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__office")),
        sa.UniqueConstraint("code", name=op.f("uq__office__code")),
    )
    op.create_table(
        "programme",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_bn", sa.Text(), nullable=False),
        sa.Column("ministry_id", sa.BigInteger(), nullable=False),
        sa.Column("lifecycle_stage", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["ministry_id"], ["ministry.id"], name=op.f("fk__programme__ministry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__programme")),
        sa.UniqueConstraint("slug", name=op.f("uq__programme__slug")),
    )
    op.create_table(
        "staff_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("officer_id", sa.BigInteger(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk__staff_session__officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__staff_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq__staff_session__token_hash")),
    )
    op.create_index(op.f("ix__staff_session__expires_at"), "staff_session", ["expires_at"], unique=False)
    op.create_index(op.f("ix__staff_session__officer_id"), "staff_session", ["officer_id"], unique=False)
    op.create_table(
        "cluster_ministry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("cluster_id", sa.BigInteger(), nullable=False),
        sa.Column("ministry_id", sa.BigInteger(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name=op.f("fk__cluster_ministry__cluster_id")),
        sa.ForeignKeyConstraint(["ministry_id"], ["ministry.id"], name=op.f("fk__cluster_ministry__ministry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__cluster_ministry")),
        sa.UniqueConstraint(
            "cluster_id",
            "ministry_id",
            "valid_from",
            name=op.f("uq__cluster_ministry__cluster_id_ministry_id_valid_from"),
        ),
    )
    op.create_table(
        "deadline_policy",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("limit", sa.SmallInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("office_id", sa.BigInteger(), nullable=True),
        sa.Column("programme", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("unit IN ('working_days', 'calendar_days')", name=op.f("ck__deadline_policy__unit_known")),
        sa.CheckConstraint('"limit" > 0', name=op.f("ck__deadline_policy__limit_positive")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk__deadline_policy__office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__deadline_policy")),
        sa.UniqueConstraint("code", name=op.f("uq__deadline_policy__code")),
    )
    op.create_table(
        "post",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_bn", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "role IN ('gro', 'appeal_officer', 'case_officer', 'head', 'cell_officer', "
            "'desk_officer', 'cluster_coordinator', 'viewer')",
            name=op.f("ck__post__role_known"),
        ),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk__post__office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__post")),
        sa.UniqueConstraint("office_id", "code", name=op.f("uq__post__office_id_code")),
    )
    op.create_table(
        "routing_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("sensitivity", sa.Text(), nullable=True),
        sa.Column("division", sa.Text(), nullable=True),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("desk IN ('gro', 'appeal', 'cell')", name=op.f("ck__routing_rule__desk_known")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk__routing_rule__office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__routing_rule")),
        sa.UniqueConstraint("code", name=op.f("uq__routing_rule__code")),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tracking_number", sa.Text(), nullable=False),
        sa.Column("secret_mac", sa.LargeBinary(), nullable=False),
        sa.Column("submission_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "is_open",
            sa.Boolean(),
            sa.Computed("status IN ('filed', 'acknowledged', 'in_progress', 'waiting')", persisted=True),
            nullable=False,
        ),
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("assignee_id", sa.BigInteger(), nullable=True),
        sa.Column("routing_rule_id", sa.BigInteger(), nullable=True),
        sa.Column("referral_count", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("programme_id", sa.BigInteger(), nullable=True),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("district_id", sa.BigInteger(), nullable=True),
        sa.Column("upazila_id", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("incident_on", sa.Date(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("is_sensitive", sa.Boolean(), nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("has_accused", sa.Boolean(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("preferred_channel", sa.Text(), nullable=False),
        sa.Column("filed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("filed_by_office_id", sa.BigInteger(), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_paused", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("history_length", sa.Integer(), nullable=False),
        sa.Column("history_head", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(status IN ('resolved', 'closed', 'declined', 'withdrawn')) = (ended_at IS NOT NULL)",
            name=op.f("ck__cases__ended_has_instant"),
        ),
        sa.CheckConstraint(
            "status = 'waiting' OR (waiting_until IS NULL AND NOT is_paused)",
            name=op.f("ck__cases__only_waiting_pauses"),
        ),
        sa.CheckConstraint(
            "NOT is_anonymous OR channel <> 'assisted' OR filed_by_id IS NOT NULL",
            name=op.f("ck__cases__assisted_has_filer"),
        ),
        sa.CheckConstraint(
            "channel IN ('web', 'assisted', 'paper', 'call_centre', 'letter', 'email', 'suo_motu')",
            name=op.f("ck__cases__channel_known"),
        ),
        sa.CheckConstraint("desk IN ('gro', 'appeal', 'cell')", name=op.f("ck__cases__desk_known")),
        sa.CheckConstraint(
            "status <> 'filed' OR assignee_id IS NULL OR acknowledged_at IS NULL",
            name=op.f("ck__cases__filed_not_acknowledged"),
        ),
        sa.CheckConstraint(
            "status IN ('filed', 'acknowledged', 'in_progress', 'waiting', 'resolved', 'closed', 'declined', 'withdrawn')",
            name=op.f("ck__cases__status_known"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('resolved', 'closed') OR outcome IS NOT NULL",
            name=op.f("ck__cases__resolved_has_outcome"),
        ),
        sa.CheckConstraint("tier IN ('gro', 'appeal', 'cell')", name=op.f("ck__cases__tier_known")),
        sa.CheckConstraint("level BETWEEN 0 AND 3", name=op.f("ck__cases__level_in_range")),
        sa.ForeignKeyConstraint(["assignee_id"], ["officer.id"], name=op.f("fk__cases__assignee_id")),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk__cases__category_id")),
        sa.ForeignKeyConstraint(["district_id"], ["place.id"], name=op.f("fk__cases__district_id")),
        sa.ForeignKeyConstraint(["filed_by_id"], ["officer.id"], name=op.f("fk__cases__filed_by_id")),
        sa.ForeignKeyConstraint(["filed_by_office_id"], ["office.id"], name=op.f("fk__cases__filed_by_office_id")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk__cases__office_id")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk__cases__programme_id")),
        sa.ForeignKeyConstraint(["routing_rule_id"], ["routing_rule.id"], name=op.f("fk__cases__routing_rule_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk__cases__submission_id")),
        sa.ForeignKeyConstraint(["upazila_id"], ["place.id"], name=op.f("fk__cases__upazila_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__cases")),
        sa.UniqueConstraint("submission_id", name=op.f("uq__cases__submission_id")),
        sa.UniqueConstraint("tracking_number", name=op.f("uq__cases__tracking_number")),
    )
    op.create_index(
        "ix__cases__escalated",
        "cases",
        ["level", "office_id"],
        unique=False,
        postgresql_where=sa.text("is_open AND level > 0"),
    )
    op.create_index("ix__cases__filed_at", "cases", ["filed_at"], unique=False)
    op.create_index(
        "ix__cases__filed_by_office",
        "cases",
        ["filed_by_office_id", "id"],
        unique=False,
        postgresql_where=sa.text("filed_by_office_id IS NOT NULL"),
    )
    op.create_index(
        "ix__cases__unassigned",
        "cases",
        ["office_id", "desk", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("is_open AND assignee_id IS NULL"),
    )
    op.create_index(
        "ix__cases__waiting_until",
        "cases",
        ["waiting_until"],
        unique=False,
        postgresql_where=sa.text("waiting_until IS NOT NULL"),
    )
    op.create_index(
        "ix__cases__mine",
        "cases",
        ["assignee_id", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("is_open"),
    )
    op.create_index("ix__cases__office_all", "cases", ["office_id", "desk", "due_at", "id"], unique=False)
    op.create_index(
        "ix__cases__queue",
        "cases",
        ["office_id", "desk", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("is_open"),
    )
    op.create_table(
        "posting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("officer_id", sa.BigInteger(), nullable=False),
        sa.Column("is_alternate", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name=op.f("ck__posting__ends_after_start")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk__posting__officer_id")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk__posting__post_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__posting")),
    )
    op.create_index(op.f("ix__posting__officer_id"), "posting", ["officer_id"], unique=False)
    op.create_index(op.f("ix__posting__post_id"), "posting", ["post_id"], unique=False)
    op.create_table(
        "accused",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("officer_id", sa.BigInteger(), nullable=True),
        sa.Column("office_id", sa.BigInteger(), nullable=True),
        sa.Column("post_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("officer_id IS NOT NULL OR office_id IS NOT NULL", name=op.f("ck__accused__names_somebody")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk__accused__case_id")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk__accused__office_id")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk__accused__officer_id")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk__accused__post_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__accused")),
    )
    op.create_index(op.f("ix__accused__case_id"), "accused", ["case_id"], unique=False)
    op.create_table(
        "case_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk__case_event__case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__case_event")),
        sa.UniqueConstraint("case_id", "seq", name=op.f("uq__case_event__case_id_seq")),
    )
    op.create_table(
        "case_text",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk__case_text__case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__case_text")),
        sa.UniqueConstraint("case_id", "seq", "field", name=op.f("uq__case_text__case_id_seq_field")),
    )
    op.create_table(
        "complainant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("age_group", sa.Text(), nullable=True),
        sa.Column("disability", sa.Text(), nullable=True),
        sa.Column("relation", sa.Text(), nullable=True),
        sa.CheckConstraint("role IN ('complainant', 'representative')", name=op.f("ck__complainant__role_known")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk__complainant__case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__complainant")),
    )
    op.create_index(op.f("ix__complainant__case_id"), "complainant", ["case_id"], unique=False)
    op.create_index(
        op.f("ix__complainant__phone_index"),
        "complainant",
        ["phone_index"],
        unique=False,
        postgresql_where=sa.text("phone_index IS NOT NULL"),
    )
    op.create_table(
        "deadline",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("epoch", sa.SmallInteger(), nullable=False),
        sa.Column("policy_id", sa.BigInteger(), nullable=False),
        sa.Column("calendar_version", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("breached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_level", sa.SmallInteger(), nullable=True),
        sa.Column("next_rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_provisional", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("kind IN ('acknowledge', 'resolve')", name=op.f("ck__deadline__kind_known")),
        sa.CheckConstraint("state <> 'met' OR met_at IS NOT NULL", name=op.f("ck__deadline__met_has_instant")),
        sa.CheckConstraint(
            "state IN ('running', 'breached') OR next_rung_at IS NULL",
            name=op.f("ck__deadline__only_live_clocks_escalate"),
        ),
        sa.CheckConstraint("state IN ('running', 'paused', 'met', 'breached')", name=op.f("ck__deadline__state_known")),
        sa.CheckConstraint(
            "state = 'paused' OR (next_level IS NULL) = (next_rung_at IS NULL)",
            name=op.f("ck__deadline__rung_complete"),
        ),
        sa.ForeignKeyConstraint(
            ["calendar_version"], ["calendar_edition.id"], name=op.f("fk__deadline__calendar_version")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk__deadline__case_id")),
        sa.ForeignKeyConstraint(["policy_id"], ["deadline_policy.id"], name=op.f("fk__deadline__policy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__deadline")),
        sa.UniqueConstraint("case_id", "kind", "epoch", name=op.f("uq__deadline__case_id_kind_epoch")),
    )
    op.create_index(
        "ix__deadline__next_rung_at",
        "deadline",
        ["next_rung_at", "id"],
        unique=False,
        postgresql_where="next_rung_at IS NOT NULL",
    )
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("officer_id", sa.BigInteger(), nullable=True),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim", sa.Uuid(), nullable=True),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('delivered', 'failed', 'expired', 'held')) = (ended_at IS NOT NULL)",
            name=op.f("ck__message__final_has_instant"),
        ),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck__message__channel_known")),
        sa.CheckConstraint(
            "state IN ('pending', 'sending', 'unknown', 'accepted', 'delivered', 'failed', 'expired', 'held')",
            name=op.f("ck__message__state_known"),
        ),
        sa.CheckConstraint("(officer_id IS NULL) <> (address_sealed IS NULL)", name=op.f("ck__message__one_recipient")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk__message__case_id")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk__message__officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__message")),
        sa.UniqueConstraint("key", name=op.f("uq__message__key")),
    )
    op.create_index(
        "ix__message__awaiting",
        "message",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(op.f("ix__message__case_id"), "message", ["case_id"], unique=False)
    op.create_index(
        "ix__message__to_send",
        "message",
        ["channel", "priority", "next_attempt_at", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'sending', 'unknown')"),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk__attempt__message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__attempt")),
        sa.UniqueConstraint("message_id", "number", name=op.f("uq__attempt__message_id_number")),
    )
    op.create_table(
        "deadline_pause",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("deadline_id", sa.BigInteger(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_by_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "until_at IS NULL OR until_at >= from_at", name=op.f("ck__deadline_pause__ends_after_start")
        ),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadline.id"], name=op.f("fk__deadline_pause__deadline_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__deadline_pause")),
    )
    op.create_index(op.f("ix__deadline_pause__deadline_id"), "deadline_pause", ["deadline_id"], unique=False)
    op.create_index(
        "ix__deadline_pause__open",
        "deadline_pause",
        ["ends_by_at"],
        unique=False,
        postgresql_where="until_at IS NULL",
    )
    op.create_table(
        "escalation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("deadline_id", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=True),
        sa.Column("officer_id", sa.BigInteger(), nullable=True),
        sa.Column("is_alternate", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_vacant", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("is_vacant OR officer_id IS NOT NULL", name=op.f("ck__escalation__told_or_vacant")),
        sa.CheckConstraint(
            "NOT is_vacant OR officer_id IS NULL OR level = 0", name=op.f("ck__escalation__only_warning_has_stand_in")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk__escalation__case_id")),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadline.id"], name=op.f("fk__escalation__deadline_id")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk__escalation__office_id")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk__escalation__officer_id")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk__escalation__post_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__escalation")),
        sa.UniqueConstraint(
            "case_id",
            "deadline_id",
            "epoch",
            "level",
            name=op.f("uq__escalation__case_id_deadline_id_epoch_level"),
        ),
    )
    op.create_index(op.f("ix__escalation__office_id_level"), "escalation", ["office_id", "level"], unique=False)
    op.create_index(
        "ix__escalation__vacant",
        "escalation",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("is_vacant"),
    )
    op.create_table(
        "receipt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk__receipt__message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__receipt")),
    )
    op.create_index(op.f("ix__receipt__message_id"), "receipt", ["message_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix__receipt__message_id"), table_name="receipt")
    op.drop_table("receipt")
    op.drop_index("ix__escalation__vacant", table_name="escalation", postgresql_where=sa.text("is_vacant"))
    op.drop_index(op.f("ix__escalation__office_id_level"), table_name="escalation")
    op.drop_table("escalation")
    op.drop_index("ix__deadline_pause__open", table_name="deadline_pause", postgresql_where="until_at IS NULL")
    op.drop_index(op.f("ix__deadline_pause__deadline_id"), table_name="deadline_pause")
    op.drop_table("deadline_pause")
    op.drop_table("attempt")
    op.drop_index(
        "ix__message__to_send",
        table_name="message",
        postgresql_where=sa.text("state IN ('pending', 'sending', 'unknown')"),
    )
    op.drop_index(op.f("ix__message__case_id"), table_name="message")
    op.drop_index("ix__message__awaiting", table_name="message", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("message")
    op.drop_index("ix__deadline__next_rung_at", table_name="deadline", postgresql_where="next_rung_at IS NOT NULL")
    op.drop_table("deadline")
    op.drop_index(
        op.f("ix__complainant__phone_index"),
        table_name="complainant",
        postgresql_where=sa.text("phone_index IS NOT NULL"),
    )
    op.drop_index(op.f("ix__complainant__case_id"), table_name="complainant")
    op.drop_table("complainant")
    op.drop_table("case_text")
    op.drop_table("case_event")
    op.drop_index(op.f("ix__accused__case_id"), table_name="accused")
    op.drop_table("accused")
    op.drop_index(op.f("ix__posting__post_id"), table_name="posting")
    op.drop_index(op.f("ix__posting__officer_id"), table_name="posting")
    op.drop_table("posting")
    op.drop_index(
        "ix__cases__unassigned", table_name="cases", postgresql_where=sa.text("is_open AND assignee_id IS NULL")
    )
    op.drop_index("ix__cases__waiting_until", table_name="cases", postgresql_where=sa.text("waiting_until IS NOT NULL"))
    op.drop_index("ix__cases__queue", table_name="cases", postgresql_where=sa.text("is_open"))
    op.drop_index("ix__cases__office_all", table_name="cases")
    op.drop_index("ix__cases__mine", table_name="cases", postgresql_where=sa.text("is_open"))
    op.drop_index(
        "ix__cases__filed_by_office",
        table_name="cases",
        postgresql_where=sa.text("filed_by_office_id IS NOT NULL"),
    )
    op.drop_index("ix__cases__filed_at", table_name="cases")
    op.drop_index("ix__cases__escalated", table_name="cases", postgresql_where=sa.text("is_open AND level > 0"))
    op.drop_table("cases")
    op.drop_table("routing_rule")
    op.drop_table("post")
    op.drop_table("deadline_policy")
    op.drop_table("cluster_ministry")
    op.drop_index(op.f("ix__staff_session__officer_id"), table_name="staff_session")
    op.drop_index(op.f("ix__staff_session__expires_at"), table_name="staff_session")
    op.drop_table("staff_session")
    op.drop_table("programme")
    op.drop_table("office")
    op.drop_table("cluster")
    op.drop_index("uq__calendar_day__day_in_force", table_name="calendar_day", postgresql_where="removed_in IS NULL")
    op.drop_table("calendar_day")
    op.drop_table("weekend_rule")
    op.drop_index(op.f("ix__throttle__window_ends_at"), table_name="throttle")
    op.drop_table("throttle")
    op.drop_index(op.f("ix__sweep_run__started_at"), table_name="sweep_run")
    op.drop_table("sweep_run")
    op.drop_table("submission")
    op.drop_table("reference_edition")
    op.drop_index(op.f("ix__place__parent_id"), table_name="place")
    op.drop_table("place")
    op.drop_table("officer")
    op.drop_table("ministry")
    op.drop_table("ladder_rung")
    op.drop_table("heartbeat")
    op.drop_index(op.f("ix__draft__expires_at"), table_name="draft")
    op.drop_table("draft")
    op.drop_table("category")
    op.drop_table("calendar_edition")
    op.drop_table("audit_head")
    op.drop_table("audit_entry")
    op.drop_index(op.f("ix__alias__search_key"), table_name="alias")
    op.drop_table("alias")
