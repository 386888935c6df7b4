"""What both protocols answer from."""

import asyncio
import dataclasses
import functools
import hmac
import logging

from tfgen.serving.deliveries import Deliveries
from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.metrics import Metrics
from tfgen.serving.models import Models
from tfgen.serving.scheduler import Scheduler

_LOG = logging.getLogger(__name__)
_LARGE = 2**16  # bytes that are read or written beside other requests, not before them
_METHODS = {"classify": "classification", "regress": "regression"}


@dataclasses.dataclass(frozen=True)
class Backend:
    """The models and the line of requests, and what a server lets in.

    Args:
        models: `Models`.
        scheduler: a `Scheduler`.
        metrics: `Metrics`.
        max_request_bytes: how many bytes a request may have, and its tensors together.
        max_json_bytes: how many bytes a request in JSON may have: reading it takes many times as
            much.
        token: what requests must bear, or `None`.
    """

    models: Models
    scheduler: Scheduler
    metrics: Metrics
    max_request_bytes: int = 64 * 2**20
    max_json_bytes: int = 16 * 2**20
    token: str | None = None

    def authorize(self, header):
        """Raises a ServingError unless a header `Authorization` bears the token."""
        given = header.encode() if isinstance(header, str) else header
        wanted = self.token
        if wanted is not None and not hmac.compare_digest(given, f"Bearer {wanted}".encode()):
            raise ServingError(
                Code.UNAUTHENTICATED, "This server wants the header 'Authorization: Bearer TOKEN'."
            )

    async def answer(self, signature, inputs, timeout=None):
        """Schedules a request, and waits for its outputs.

        Args:
            signature: a `Signature`.
            inputs: a dict of NumPy arrays.
            timeout: how many seconds to wait, at most the scheduler's limit.

        Raises:
            ServingError: it is refused, or not answered in time.
        """
        limit = self.scheduler.limits.timeout
        timeout = limit if timeout is None else min(timeout, limit)
        future = self.scheduler.submit(signature, inputs, timeout)
        try:
            return await _deliveries(asyncio.get_running_loop()).result_of(future, timeout)
        except asyncio.TimeoutError as error:
            raise ServingError(
                Code.DEADLINE_EXCEEDED, f"There was no answer within {timeout:g} seconds."
            ) from error


@functools.lru_cache(maxsize=1)
def _deliveries(loop):
    return Deliveries(loop)


async def aside(size, function, *arguments):
    """Calls a function, in a thread if it has many bytes to read or write."""
    if size < _LARGE:
        return function(*arguments)
    return await asyncio.to_thread(function, *arguments)


def no_method(servable, signature, method):
    """Returns the error of a request to classify or regress.

    TensorFlow 2 exports no signatures for them; there are such SavedModels of TensorFlow 1.
    """
    found = servable.definitions.signature_def[servable.signature(signature).name].method_name
    wanted = f"tensorflow/serving/{method}"
    if found != wanted:
        return invalid(
            f"Expected {_METHODS[method]} signature method_name to be {wanted}. Was: {found}"
        )
    return ServingError(
        Code.UNIMPLEMENTED,
        f"This server answers predict alone. Received: {method}. TensorFlow "
        "Serving answers the others.",
    )


def as_serving_error(error):
    """Returns the error that a client is told; any but a ServingError is a mistake of ours.

    It forgets where it was raised: those places hold the request, and would be held for long by a
    future that holds the error.
    """
    if isinstance(error, ServingError):
        error.__cause__ = error.__context__ = error.__traceback__ = None
        return error
    _LOG.error("A request was not answered.", exc_info=error)
    return ServingError(Code.INTERNAL, "The server made a mistake, which its log tells.")
