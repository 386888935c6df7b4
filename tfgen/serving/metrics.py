"""What a server counts, for Prometheus."""

import functools
import time

import prometheus_client

_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


class Metrics:
    """Counts requests and their time, and tells how many rows wait.

    Args:
        models: `Models`; a request for another name is counted under none, or whoever asks could
            make as many counters as there are names.
        scheduler: a `Scheduler`.
    """

    def __init__(self, models, scheduler):
        self._models = models
        self._registry = prometheus_client.CollectorRegistry()
        self._requests = prometheus_client.Counter(
            "tfgen_requests",
            "Requests, by what became of them",
            ["protocol", "model", "code"],
            registry=self._registry,
        )
        self._seconds = prometheus_client.Histogram(
            "tfgen_request_seconds",
            "Time from a request to its answer",
            ["protocol", "model"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        waiting = prometheus_client.Gauge(
            "tfgen_rows_waiting", "Rows of requests that wait in the queue", registry=self._registry
        )
        waiting.set_function(lambda: scheduler.waiting)
        self._of = functools.lru_cache(self._find)  # finding them takes longer than counting

    def count(self, protocol, model, code, since):
        """Counts a request.

        Args:
            protocol: "rest" or "grpc".
            model: the model's name that was asked for.
            code: the name of a `Code`, or "OK".
            since: when it came, by `time.monotonic`.
        """
        known = model if self._models.has(model) else ""
        requests, seconds = self._of(protocol, known, code)
        requests.inc()
        seconds.observe(time.monotonic() - since)

    def text(self):
        """Returns all figures in Prometheus' text format."""
        return prometheus_client.generate_latest(self._registry)

    def _find(self, protocol, model, code):
        labels = protocol, model
        return self._requests.labels(*labels, code), self._seconds.labels(*labels)
