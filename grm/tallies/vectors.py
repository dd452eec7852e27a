"""What a case counts as: one SQL text, read by the fold, the rebuild, the check and for what is not folded yet.

A vector is a row of `case_count`. Ids that are missing are 0; codes are numbers, at their place in `figures.CODES`, `STATES` and
`RESULTS`. All dates are Dhaka dates. An appeal is the last time the complainant objected or appealed; the first answer after it
decides it, and the day of that answer counts.
"""

STATES = ("open", "in_time", "extended", "late", "declined", "withdrawn")
RESULTS = ("none", "open", "upheld", "rejected")
UPHELD = ("service_given", "instruction_executed", "proved", "partly_proved")


def _dhaka(instant: str) -> str:
    return f"(({instant}) AT TIME ZONE 'Asia/Dhaka')::date"


def month_of(day: str) -> str:
    """SQL for the first day of a date's month."""
    return f"{day} - (extract(day FROM {day})::integer - 1)"


def _codes(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


_EXPRESSIONS = {
    "office_id": "c.office_id::integer",
    "programme_id": "coalesce(c.programme_id, 0)::integer",
    "category_id": "c.category_id::integer",
    "district_id": "coalesce(c.district_id, 0)::integer",
    "received_on": "c.received_on",
    "received_month": month_of("c.received_on"),
    "ended_on": _dhaka("c.ended_at"),
    "ended_month": month_of(_dhaka("c.ended_at")),
    "days_taken": f"{_dhaka('c.ended_at')} - c.received_on",
    "due_on": "c.due_on",
    "appealed_on": _dhaka("a.at"),
    "appeal_decided_on": _dhaka("a.decided_at"),
    "rated_on": _dhaka("r.rated_at"),
    "shade": "(CASE WHEN c.is_sensitive THEN 2 WHEN c.desk <> 'gro' THEN 1 ELSE 0 END)::smallint",
    "channel": """(CASE c.channel
        WHEN 'web' THEN 1 WHEN 'call_centre' THEN 2 WHEN 'suo_motu' THEN 4 ELSE 3 END)::smallint""",
    "sex": "(CASE p.sex WHEN 'female' THEN 1 WHEN 'male' THEN 2 WHEN 'other' THEN 3 ELSE 0 END)::smallint",
    "age_group": """(CASE p.age_group
        WHEN 'under_18' THEN 1 WHEN '18_35' THEN 2 WHEN '36_59' THEN 3 WHEN '60_plus' THEN 4 ELSE 0 END)::smallint""",
    "disability": "(CASE p.disability WHEN 'no' THEN 1 WHEN 'yes' THEN 2 ELSE 0 END)::smallint",
    "area": "(CASE u.kind WHEN 'city_corporation' THEN 1 WHEN 'upazila' THEN 2 ELSE 0 END)::smallint",
    "state": """(CASE
        WHEN c.is_open THEN 0
        WHEN c.status = 'declined' THEN 4
        WHEN c.status = 'withdrawn' THEN 5
        WHEN c.ended_at >= c.due_at THEN 3
        WHEN x.case_id IS NOT NULL THEN 2
        ELSE 1 END)::smallint""",
    "level": "c.level",
    "appeal_result": "coalesce(a.result, 0)::smallint",
    "stars": "coalesce(r.stars, 0)::smallint",
    "is_part": "(c.parent_id IS NOT NULL)",
    "is_paused": "c.is_paused",
    "is_not_informed": "c.is_not_informed",
}
COLUMNS = tuple(_EXPRESSIONS)
"""The columns of a vector in their order, which is that of `case_count` after `case_id`."""

_ONE, _ALL = "= c.id", "BETWEEN :first AND :last"


def _last(name: str, of: str, columns: str, tables: str, where: str, order: str) -> str:
    """A join of the first row in an order that each case has in other tables: looked up case by case, or for all of a range at
    once. Both say the same."""
    said = f"{name}.case_id, {columns} FROM {tables} WHERE {name}.case_id {of} AND {where}"
    if of == _ONE:
        return f"LEFT JOIN LATERAL (SELECT {said} ORDER BY {order} LIMIT 1) AS {name} ON true"
    found = f"SELECT DISTINCT ON ({name}.case_id) {said} ORDER BY {name}.case_id, {order}"
    return f"LEFT JOIN ({found}) AS {name} ON {name}.case_id = c.id"


def _from(of: str) -> str:
    people = _last("p", of, "p.sex, p.age_group, p.disability", "complainant AS p", "p.role = 'complainant'", "p.id")
    appeals = _last(
        "a",
        of,
        f"""a.at, d.at AS decided_at,
            CASE WHEN d.seq IS NULL THEN 1 WHEN d.data ->> 'outcome' IN ({_codes(UPHELD)}) THEN 2 ELSE 3 END AS result""",
        """case_event AS a
        LEFT JOIN LATERAL (
            SELECT d.at, d.seq, d.data FROM case_event AS d
            WHERE d.case_id = a.case_id AND d.seq > a.seq
                AND d.kind IN ('resolved', 'recommended', 'answered_together', 'declined', 'withdrawn')
            ORDER BY d.seq LIMIT 1) AS d ON true""",
        "a.kind IN ('appealed', 'contested')",
        "a.seq DESC",
    )
    ratings = _last("r", of, "r.rated_at, r.stars", "rating AS r", "r.stage = 'complaint'", "r.decision_seq DESC")
    extensions = f"""
        SELECT DISTINCT x.case_id, x.kind FROM deadline AS x JOIN extension AS e ON e.deadline_id = x.id
        WHERE x.case_id {of} AND e.state = 'approved'"""  # noqa: S608 - names of our own
    if of == _ONE:
        extensions = f"LATERAL ({extensions} AND x.kind = c.main_clock AND c.ended_at < c.due_at)"
    else:
        extensions = f"({extensions})"
    return f"""
        cases AS c
        LEFT JOIN place AS u ON u.id = c.upazila_id
        {people}
        {appeals}
        {ratings}
        LEFT JOIN {extensions} AS x ON x.case_id = c.id AND x.kind = c.main_clock
    """


_COLUMNS = ", ".join(f"{expression} AS {name}" for name, expression in _EXPRESSIONS.items())


def vectors(which: str = "true") -> str:
    """The SELECT of the vectors of the cases for which a condition on `c` holds; `case_id`, then `COLUMNS`."""
    return f"SELECT c.id AS case_id, {_COLUMNS} FROM {_from(_ONE)} WHERE {which}"  # noqa: S608


VECTORS_BETWEEN = f"SELECT c.id AS case_id, {_COLUMNS} FROM {_from(_ALL)} WHERE c.id {_ALL}"  # noqa: S608
"""The same of all cases with ids from `:first` to `:last`, for very many: each table is read once for all of them."""
