"""What a server answers when it cannot do what was asked."""

import enum
import re

# What TensorFlow says around the sentence that helps: where in the graph, and in whose code.
_AROUND = re.compile(r"Graph execution error:|Detected at node |Node: '|<stack traces unavailable>")
_BEHIND = re.compile(r"\n\t \[\[|Traceback \(most recent call last\)|Original stack trace for ")
_STACK = re.compile(r'^ *File ".*", line \d+.*\n(?: {4}.*\n)*', re.MULTILINE)  # and its code
# All of an absolute path but its last part. An address of the web is left as it is.
_FOLDERS = re.compile(
    r"(?:\b(?!https?:)\w+:/|(?<!https:)(?<!http:)(?<![\w./]))(?:/[^\s/:;,'\"]+)+/"
)
_LONGEST = 500  # characters of a sentence, which may quote a request
_NAMES = re.compile(r"Condition |[xy] \(")  # of what an assertion compared


class Code(enum.Enum):
    """The canonical codes of gRPC that are used here."""

    INVALID_ARGUMENT = enum.auto()
    UNAUTHENTICATED = enum.auto()
    PERMISSION_DENIED = enum.auto()
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
    Code.PERMISSION_DENIED: 403,
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


def without_paths(text):
    """Returns a text in which absolute paths are the names of their files alone.

    Example:
        >>> without_paths("Cannot parse file b'/home/me/models/half/2/saved_model.pb'")
        "Cannot parse file b'saved_model.pb'"
    """
    return _FOLDERS.sub("", text)


def sentence_of(error):
    """Returns the sentence of a graph's error that helps.

    It names no nodes, no lines of Python and no folders, which are the server's or its author's.

    Args:
        error: a `tf.errors.OpError`.

    Example:
        >>> sentence_of(error)
        'The input count must be between 1 and 4096. Received: 0.'
    """
    text = _STACK.sub("", _BEHIND.split(f"{error.message}\n", maxsplit=1)[0])
    lines = [line.strip() for line in text.splitlines() if not _AROUND.match(line)]
    said = _FOLDERS.sub("", _said(" ".join(filter(None, lines))))
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."


def _said(text):
    """Returns the author's words in a message of TensorFlow's checks; of others, the message."""
    if assertion := re.fullmatch(r"assertion failed: \[(.*)\]", text):
        said, *values = filter(str.strip, assertion[1].split("] ["))
        values = [value for value in values if not _NAMES.match(value)]
        return _received(said, values[0]) if values else said
    if numerics := re.fullmatch(r"(.*) : Tensor had (.*) values", text):
        return _received(*numerics.groups())
    return text


def _received(said, value):
    return f"{said.rstrip(' .:')}. Received: {value}."
