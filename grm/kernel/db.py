"""The database handle, its base class, column types and the naming of constraints."""

import time
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import psycopg
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from psycopg.types.array import ListBinaryDumper
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Engine,
    Identity,
    Interval,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    any_,
    bindparam,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.orm import registry as Registry
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix__%(table_name)s__%(column_0_N_name)s",
    "uq": "uq__%(table_name)s__%(column_0_N_name)s",
    "ck": "ck__%(table_name)s__%(constraint_name)s",
    "fk": "fk__%(table_name)s__%(column_0_N_name)s",
    "pk": "pk__%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """A timestamp with time zone that refuses naive values: a local time without its zone is a bug, not a datum."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive datetime before it reaches the database."""
        if value is not None and value.tzinfo is None:
            raise ValueError("naive datetime")
        return value

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """A duration beside an instant is a duration."""
        return Interval() if isinstance(value, timedelta) else self


class Base(DeclarativeBase):
    """Declarative base of all tables."""

    registry = Registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            str: Text,
            datetime: UtcDateTime,
            bytes: LargeBinary,
            dict[str, Any]: JSONB,
            list[str]: JSONB,
        },
    )
    metadata = registry.metadata


# Lists travel as binary arrays: a sweep binds a dozen of a thousand elements each, and psycopg writes them as text seven
# times as slowly.
psycopg.adapters.register_dumper(list, ListBinaryDumper)

db = SQLAlchemy(model_class=Base, disable_autonaming=True)

IDLE_SECONDS = 2.0
"""A connection that has just been used is taken to be alive: asking first would cost every request a round trip."""


def ping_idle_connections(engine: Engine) -> None:
    """Try a pooled connection out before it is given away, if it lay idle; a dead one empties the pool.

    After a restart of the database, only who gets a connection used within the last moments sees an error ("try again").
    """

    @event.listens_for(engine, "checkin")
    def _note(connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _try_out(connection: Any, record: ConnectionPoolEntry, proxy: Any) -> None:
        if time.monotonic() - record.info.get("idle_since", float("inf")) > IDLE_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except psycopg.Error as error:
                raise InvalidatePoolError() from error


def keep_values_out_of_errors(engine: Engine) -> None:
    """Let no error of the database quote a value: neither parameters nor the row that did not fit (ADR 0034).

    Errors end up in logs, ours and those of programs around us. What names the fault stays: kind, table, constraint.
    """

    @event.listens_for(engine, "handle_error")
    def _cut(context: ExceptionContext) -> None:
        for error in (context.original_exception, context.sqlalchemy_exception):
            if error is not None and error.args and isinstance(error.args[0], str):
                first_line = error.args[0].partition("\n")[0]
                # Class 22 is about values: "invalid input syntax for type integer: …".
                is_about_a_value = (getattr(context.original_exception, "sqlstate", None) or "").startswith("22")
                error.args = (type(error).__name__ if is_about_a_value else first_line, *error.args[1:])


def let_go_quietly(app: Flask) -> None:
    """Let a connection that dies after the answer was made spoil no answer; call it after `db.init_app`.

    What was to be kept is committed by then (grm/kernel/transaction.py), so that only the rollback of nothing can fail.
    """

    @app.teardown_appcontext
    def _let_go(_error: BaseException | None) -> None:
        # The last one registered runs first: Flask-SQLAlchemy's own finds nothing left to close.
        try:
            db.session.remove()
        except DBAPIError:
            db.session().invalidate()
            db.session.remove()


if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model

Id = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
Small = Annotated[int, mapped_column(SmallInteger)]
BigInt = Annotated[int, mapped_column(BigInteger)]


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the condition of a check constraint that a column holds one of some codes."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def among(ids: Collection[int]) -> ColumnElement[Any]:
    """The right side of `column == among(ids)`: one array, not a thousand parameters, however many ids a batch asks for."""
    return any_(bindparam(None, sorted(set(ids)), ARRAY(BigInteger)))
