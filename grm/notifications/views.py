"""HTTP: the gateway's delivery reports, and in development the outbox as its recipients would see it."""

import json
import re

import structlog
from flask import Blueprint, abort, render_template, request
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from grm.kernel import context
from grm.kernel.gateways import HttpDescription
from grm.kernel.text import has_forbidden_characters
from grm.kernel.transaction import transaction
from grm.notifications import receipts, sink
from grm.notifications.sms_text import measure
from grm.web.guard import public
from grm.web.security import machine_endpoint

log = structlog.get_logger("grm.notifications")
blueprint = Blueprint("notifications", __name__)

_STATUS = re.compile(r"[0-9]{1,4}")


@blueprint.route(receipts.PATH, methods=["GET", "POST"])
@public(
    "gateway call-back: the SMS gateway has no account; a MAC over the message's id proves that we gave it the address"
)
@machine_endpoint
def take_receipt() -> Response:
    """Take a delivery report: 200 for every authentic one, also a repeated or late one; 401 for any other."""
    settings = context.settings()
    values = request.values
    message_id, token = values.get("m", ""), values.get("t", "")
    if not receipts.is_authentic((settings.secret_key, *settings.secret_key_fallbacks), message_id, token):
        log.warning("delivery report with a bad signature")
        return _plain("refused", 401)
    status, answer = values.get("status", ""), values.get("answer", "")[:500]
    report = receipts.Report(
        int(message_id),
        int(status) if _STATUS.fullmatch(status) else 0,
        "" if has_forbidden_characters(answer) else answer,
    )
    with transaction() as act:
        receipts.take(act, report)
    return _plain("ok", 200)


@blueprint.get("/dev/outbox")
@public("development only: shows what the sink on this machine received; 404 anywhere else")
def dev_outbox() -> str:
    """Show each SMS and e-mail of the development sink as a phone and a mailbox would, newest first."""
    settings = context.settings()
    if not settings.is_development:
        abort(404)
    recipient = request.args.get("to", "").strip()[:100]
    return render_template(
        "notifications/outbox.html",
        recipient=recipient,
        texts=[
            (message, measure(message.text).parts) for message in sink.received(settings.grm_home, "sms", recipient)
        ],
        mails=sink.received(settings.grm_home, "email", recipient),
        with_links=lambda text: with_links(text, settings.public_url),
    )


def with_links(text: str, public_url: str) -> Markup:
    """The text with our own addresses, and no others, as links: a message must never make a link of what somebody typed."""
    own = re.compile(f"({re.escape(public_url)}(?:/[A-Za-z0-9/_-]*|(?!\\S)))")
    pieces = own.split(text)
    return Markup().join(
        Markup('<a href="{0}">{0}</a>').format(piece) if number % 2 else escape(piece)
        for number, piece in enumerate(pieces)
    )


@blueprint.route(f"{receipts.PATH}/<gateway>", methods=["GET", "POST"])
@public(
    "gateway call-back: a MAC over the message's id, or a token that only the gateway knows, proves where it comes from"
)
@machine_endpoint
def take_described_receipt(gateway: str) -> Response:
    """Take a report in the words of a described gateway: 200 for every authentic one, 401 for any other."""
    settings = context.settings()
    about = next((each for each in settings.sms_gateways_file if each.name == gateway), None)
    if not isinstance(about, HttpDescription) or about.reports is None:
        return _plain("refused", 401)
    reports, message_id, token = about.reports, request.args.get("m", ""), request.args.get("t", "")
    is_ours = receipts.is_authentic((settings.secret_key, *settings.secret_key_fallbacks), message_id, token)
    if not is_ours and not receipts.bears_token(reports, *_tokens(reports.token_in)):
        log.warning("delivery report with a bad signature", gateway=gateway)
        return _plain("refused", 401)
    body = request.get_data(as_text=True) if request.is_json else json.dumps(request.values.to_dict())
    report = receipts.read_described(about.name, reports, int(message_id) if is_ours else None, body)
    with transaction() as act:
        receipts.take_described(act, report)
    return _plain("ok", 200)


def _tokens(name: str) -> tuple[str, str]:
    """What the request brings under a name, as a field and as a header."""
    return request.values.get(name, ""), request.headers.get(name, "")


def _plain(body: str, status: int) -> Response:
    return Response(body + "\n", status, content_type="text/plain; charset=utf-8")
