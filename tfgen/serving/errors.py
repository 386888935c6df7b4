"""What a server answers when it cannot do what was asked."""

import enum


class Code(enum.Enum):
    """The canonical codes of gRPC that are used here, and the status of HTTP for each.

    TensorFlow Serving maps them so (`ToHTTPStatusCode` in its `http_server.cc`).
    """

    INVALID_ARGUMENT = 400
    UNAUTHENTICATED = 401
    NOT_FOUND = 404
    FAILED_PRECONDITION = 412
    RESOURCE_EXHAUSTED = 429
    INTERNAL = 500
    UNIMPLEMENTED = 501
    UNAVAILABLE = 503
    DEADLINE_EXCEEDED = 504


class ServingError(Exception):
    """A request that is not answered.

    Args:
        code: a `Code`.
        message: why, and what would be answered.
    """

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message):
    """Returns the error of a request that can never be answered as it is."""
    return ServingError(Code.INVALID_ARGUMENT, message)
