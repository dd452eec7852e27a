"""create_app: the only place that wires things together."""

import uuid
from datetime import timedelta
from pathlib import Path

import structlog
from flask import Flask, g, request
from flask_login import LoginManager
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Settings
from grm.accounts import views as accounts_views
from grm.accounts.sessions import DatabaseSessions, opened_at
from grm.alarms import views as alarm_views
from grm.cases import (
    attachment_views,
    bulk_views,
    canned_views,
    direction_views,
    file_views,
    filter_views,
    links_views,
    people_views,
    search_views,
    track_file_views,
    tracking_views,
)
from grm.cases import panels as case_panels
from grm.cases import (
    registry_views as case_registry_views,
)
from grm.cases import views as cases_views
from grm.escalation import queries as escalation_queries
from grm.exports import fonts as export_fonts
from grm.exports import views as export_views
from grm.guide import views as guide_views
from grm.intake import batch_views, desk_views, draft_file_views
from grm.intake import views as intake_views
from grm.kernel import clock, context, transaction
from grm.kernel import logging as kernel_logging
from grm.kernel.crypto import Keyring
from grm.kernel.db import db, keep_values_out_of_errors, let_go_quietly, ping_idle_connections
from grm.kernel.prepared import keep_plans
from grm.notifications import queries as notification_queries
from grm.notifications import views as notification_views
from grm.notifications import wording as notification_wording
from grm.offices import signed_in
from grm.opendata import views as opendata_views
from grm.reactions import REACTIONS
from grm.registry import views as registry_views
from grm.reports import (
    acting_views,
    administration,
    escalation_views,
    lists_views,
    overview_views,
    rehearsal_views,
)
from grm.returns import views as return_views
from grm.reviews import sample_views
from grm.reviews import views as review_views
from grm.tallies import standing
from grm.watch import coverage, gauges, providers
from grm.web import (
    busy,
    compression,
    errors,
    guard,
    health,
    indexing,
    locale,
    metrics,
    nav,
    presentation,
    security,
    shortcuts,
    uploads,
)

ROOT = Path(__file__).parent.parent
HEARTBEAT_LIMIT = timedelta(seconds=20)
"""Worker and beat each leave a sign of life every five seconds; four missed ones are no accident."""
ENGINE_OPTIONS = {
    "pool_size": 8,
    "max_overflow": 4,
    "pool_timeout": 5,
    "hide_parameters": True,  # an error names the statement, never what somebody typed
    "connect_args": {
        "connect_timeout": 5,
        # A slow statement or a held lock turns into "try again" for one request instead of a queue for all.
        "options": "-c statement_timeout=5000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
    },
}


def create_app(settings: Settings) -> Flask:
    """Build the application from its settings: every blueprint, handler and check is named here."""
    kernel_logging.configure(settings.log_level)
    app = Flask("grm", root_path=str(ROOT / "grm"), template_folder=str(ROOT / "templates"), static_folder="static")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=list(settings.secret_key_fallbacks),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=ENGINE_OPTIONS,
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
    )
    app.extensions[context.SETTINGS] = settings
    app.extensions[context.KEYRING] = Keyring.from_keys(settings.data_keys, settings.index_key)
    app.extensions[transaction.EXTENSION] = REACTIONS
    if settings.trusted_proxy_hops:
        hops = settings.trusted_proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    db.init_app(app)
    let_go_quietly(app)
    with app.app_context():
        keep_plans(db.engine)
        ping_idle_connections(db.engine)
        keep_values_out_of_errors(db.engine)
    app.session_interface = DatabaseSessions()
    _init_login(app)
    app.before_request(_start_request)
    for module in (uploads, compression, security, indexing, guard, locale, presentation, nav, shortcuts, errors):
        module.init_app(app)
    health.init_app(
        app,
        {
            "broker": health.broker_answers(settings.redis_url, HEARTBEAT_LIMIT),
            "worker": health.worker_alive(HEARTBEAT_LIMIT),
            "beat": health.beat_of("beat", HEARTBEAT_LIMIT),
            "sweep": escalation_queries.sweep_health(settings.sweep_period_seconds),
            "outbox": notification_queries.outbox_health,
            "providers": providers.providers_health,
            "calendar": coverage.calendar_health(settings.is_production),
            "tallies": standing.tallies_health,
            "fonts": export_fonts.fonts_health,
        },
    )
    metrics.init_app(app, [gauges.gauges, standing.gauges])
    standing.init_app(app)
    _register_pages(app)
    busy.init_app(app, settings.web_busy_at)
    return app


def _register_pages(app: Flask) -> None:
    """Register every package's pages."""
    app.register_blueprint(accounts_views.blueprint)
    app.register_blueprint(intake_views.blueprint)
    app.register_blueprint(guide_views.blueprint)
    app.register_blueprint(draft_file_views.blueprint)
    app.register_blueprint(opendata_views.blueprint)
    app.register_blueprint(desk_views.blueprint)
    app.register_blueprint(batch_views.blueprint)
    app.register_blueprint(tracking_views.blueprint)
    app.register_blueprint(track_file_views.blueprint)
    app.register_blueprint(cases_views.blueprint)
    app.register_blueprint(bulk_views.blueprint)
    app.register_blueprint(filter_views.blueprint)
    app.register_blueprint(attachment_views.blueprint)
    app.register_blueprint(file_views.blueprint)
    app.register_blueprint(search_views.blueprint)
    app.register_blueprint(registry_views.blueprint)
    app.register_blueprint(case_registry_views.blueprint)
    app.register_blueprint(links_views.blueprint)
    app.register_blueprint(direction_views.blueprint)
    app.register_blueprint(canned_views.blueprint)
    app.register_blueprint(people_views.blueprint)
    app.register_blueprint(overview_views.blueprint)
    app.register_blueprint(lists_views.blueprint)
    app.register_blueprint(escalation_views.blueprint)
    app.register_blueprint(acting_views.blueprint)
    app.register_blueprint(export_views.blueprint)
    app.register_blueprint(export_views.older)
    app.register_blueprint(sample_views.blueprint)
    app.register_blueprint(review_views.blueprint)
    app.register_blueprint(alarm_views.blueprint)
    app.register_blueprint(administration.blueprint)
    app.register_blueprint(rehearsal_views.blueprint)
    app.register_blueprint(return_views.blueprint)
    app.register_blueprint(notification_views.blueprint)
    case_panels.register_messages(app, notification_queries.messages_of_case, notification_wording.fault)
    app.extensions["grm.sign_in_and_resume"] = accounts_views.sign_in_and_resume


def _init_login(app: Flask) -> None:
    manager = LoginManager(app)
    manager.session_protection = None  # the session is a server-side row; its token changes at sign-in

    @manager.user_loader
    def load(officer_id: str) -> signed_in.SignedIn | None:
        session = db.session()
        return signed_in.load(session, officer_id, clock.dhaka_date(opened_at()))


def _start_request() -> None:
    g.request_id = uuid.uuid4().hex[:12]
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id, endpoint=request.endpoint)
