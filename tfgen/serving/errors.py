"""What a server answers when it cannot do what was asked."""

import enum


class Code(enum.Enum):
    """The canonical codes of gRPC that are used here."""

    INVALID_ARGUMENT = enum.auto()
    UNAUTHENTICATED = enum.auto()
    NOT_FOUND = enum.auto()
    FAILED_PRECONDITION = enum.auto()
    RESOURCE_EXHAUSTED = enum.auto()
    INTERNAL = enum.auto()
    UNIMPLEMENTED = enum.auto()
    UNAVAILABLE = enum.auto()
    DEADLINE_EXCEEDED = enum.auto()

    @property
    def status(self):
        """That of HTTP, as TensorFlow Serving has it (`ToHTTPStatusCode`, `http_server.cc`)."""
        return _STATUSES[self]


_STATUSES = {
    Code.INVALID_ARGUMENT: 400,
    Code.UNAUTHENTICATED: 401,
    Code.NOT_FOUND: 404,
    Code.FAILED_PRECONDITION: 400,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.INTERNAL: 500,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}


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
