"""`/metrics` in Prometheus' text format: gauges read from the database when asked, so they are true for all processes.

Who asks proves it with METRICS_TOKEN (`Authorization: Bearer …`). Without a token the page exists in development only: behind
a reverse proxy every caller seems to come from this machine, so the address proves nothing.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flask import Blueprint, Flask, abort, current_app, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from grm.kernel import clock, context
from grm.kernel.db import db
from grm.web.guard import public

blueprint = Blueprint("metrics", __name__)
EXTENSION = "grm.metrics"


@dataclass(frozen=True, slots=True)
class Gauge:
    """One figure with its labels. Gauges of one name share one meaning and one set of label names."""

    name: str
    meaning: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


Source = Callable[[Session, datetime], Iterable[Gauge]]


def init_app(app: Flask, sources: Iterable[Source]) -> None:
    """Register the page and what it shows."""
    app.extensions[EXTENSION] = tuple(sources)
    app.register_blueprint(blueprint)


@blueprint.get("/metrics")
@public(
    "monitors of the operator have no account; they prove themselves with METRICS_TOKEN, and no figure is about a person"
)
def metrics() -> Response:
    """Answer with all gauges; 404 without the token."""
    settings = context.settings()
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.metrics_token:
        if not hmac.compare_digest(token.encode(), settings.metrics_token.encode()):
            abort(404)
    elif settings.is_production:
        abort(404)
    session = db.session()
    now = clock.now(session)
    gauges = [gauge for source in current_app.extensions[EXTENSION] for gauge in source(session, now)]
    registry = CollectorRegistry()
    registry.register(_Collected(gauges))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Collected:
    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[GaugeMetricFamily]:
        families: dict[str, GaugeMetricFamily] = {}
        for gauge in self._gauges:
            labels = sorted(gauge.labels)
            if gauge.name not in families:
                families[gauge.name] = GaugeMetricFamily(gauge.name, gauge.meaning, labels=labels)
            families[gauge.name].add_metric([gauge.labels[name] for name in labels], gauge.value)
        return iter(families.values())
