"""What stands before the gRPC services: the token, the bounds of messages, and their time to come.

gRPC's own bounds come first: 8 KiB of metadata, and messages of `max_receive_message_length`, also
when they are unpacked.
"""

import asyncio
import contextlib
import dataclasses
import time

import grpc
from google.protobuf import message, message_factory

from tfgen.serving.backend import as_serving_error, aside
from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.wire_format import check_message

MOST_CALLS = 256  # at once, and as many connections
MOST_ARRIVING = 16  # messages that are read at once
_MOST_CALLS_OF_A_CONNECTION = 128
_SMALL = 2**16  # bytes of a message that cannot become many
_MOST_CHARACTERS = 1000  # of a refusal, which quotes what came: clients take few headers
_SECONDS_WHEN_FULL = 1.0
_SECONDS_BETWEEN_LOOKS = 0.25


def server_options(max_request_bytes):
    """Returns the options of a gRPC server that strangers may talk to.

    Args:
        max_request_bytes: how many bytes the largest message may have.
    """
    return [
        ("grpc.max_receive_message_length", max_request_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),  # a port that another server has is refused
        ("grpc.max_allowed_incoming_connections", MOST_CALLS),
        ("grpc.max_concurrent_streams", _MOST_CALLS_OF_A_CONNECTION),
        ("grpc.server_handshake_timeout_ms", 10_000),  # for connections that say nothing
        ("grpc.max_connection_idle_ms", 60_000),
        ("grpc.keepalive_time_ms", 60_000),  # for clients that are gone without a word
        ("grpc.keepalive_timeout_ms", 20_000),
    ]


class Guard(grpc.GenericRpcHandler):
    """Lets in calls that bear the token, and parses no message that is larger than its kind.

    A call without the token is refused before its message is read.

    Args:
        backend: a `Backend`.
        methods: a dict from a path, such as "/tensorflow.serving.ModelService/GetModelStatus", to
            its `Method`.

    Example:
        >>> guard = Guard(backend, methods_of(backend))
        >>> server.add_generic_rpc_handlers([guard])
    """

    def __init__(self, backend, methods):
        self._backend = backend
        self._arrivals = Arrivals(backend.scheduler.limits.timeout)
        self._handlers = {path: self._handler(method) for path, method in methods.items()}

    def service(self, handler_call_details):
        """Returns what answers a call, whose metadata are there and whose message is not."""
        metadata = dict(handler_call_details.invocation_metadata)
        try:
            self._backend.authorize(metadata.get("authorization", ""))
        except ServingError as error:
            return self._refusal(error)
        return self._handlers.get(handler_call_details.method)

    @contextlib.asynccontextmanager
    async def watching(self):
        """Ends calls whose messages take too long to come, as long as the context lasts."""
        task = asyncio.create_task(self._arrivals.watch())
        try:
            yield
        finally:
            task.cancel()

    def _handler(self, method):
        # To gRPC it is a stream of messages: of such a call it reads none by itself.
        async def answer(messages, context):
            return await self._answer(method, context)

        return grpc.stream_unary_rpc_method_handler(answer)

    def _refusal(self, error):
        async def refuse(messages, context):
            self._backend.metrics.count("grpc", "", error.code.name, time.monotonic())
            return _failed(context, error)

        return grpc.stream_unary_rpc_method_handler(refuse)

    async def _answer(self, method, context):
        since, code, name = time.monotonic(), "CANCELLED", ""
        try:
            request = await self._arrivals.read(context, method.parse)
            name = _name_of(request)
            answering = method.answer(request, context)
            del request  # its bytes: the method keeps what it needs
            answer = await answering
            content = await aside(answer.ByteSize(), answer.SerializeToString)
            code = "OK"
            return content
        except Exception as error:
            error = as_serving_error(error)
            code = error.code.name
            return _failed(context, error)
        finally:
            self._backend.metrics.count("grpc", name, code, since)


@dataclasses.dataclass(frozen=True)
class Method:
    """A method of a service.

    Args:
        answer: a coroutine function from a request and its context to an answer.
        descriptor: of the type of its requests.
        most_bytes: how many bytes a request may have.
    """

    answer: object
    descriptor: object
    most_bytes: int

    def parse(self, content):
        """Returns the request of these bytes.

        Raises:
            ServingError: they are too many, or no request.
        """
        name = self.descriptor.name
        if len(content) > self.most_bytes:
            raise invalid(
                f"A {name} may have at most {self.most_bytes} bytes. Received: {len(content)}."
            )
        try:
            if len(content) > _SMALL:
                check_message(content, self.descriptor, self.most_bytes)
            return message_factory.GetMessageClass(self.descriptor).FromString(content)
        except (ValueError, message.DecodeError) as error:
            raise invalid(f"The message is no {name} that can be read: {error}.") from error


class Arrivals:
    """Waits for messages: for few at once, since each takes its memory, and for none too long.

    Others wait until some have come. Then a message that takes longer than a second is given up,
    so that slow clients do not keep the quick ones waiting.

    Args:
        seconds: how long a message may take.
    """

    def __init__(self, seconds):
        self._seconds = seconds
        self._places = asyncio.Semaphore(MOST_ARRIVING)
        self._since = {}  # from the task that waits for a message to the time when it began

    async def read(self, context, parse):
        """Returns the message of a call.

        Args:
            context: the call's.
            parse: a function from the message's bytes to what is returned.

        Raises:
            ServingError: it does not come in time, or at all.
        """
        async with self._places:
            content = await self._receive(context)
            if content is grpc.aio.EOF:
                raise invalid("The call has no message.")
            return await aside(len(content), parse, content)

    async def _receive(self, context):
        task = asyncio.current_task()
        self._since[task] = time.monotonic()
        try:
            return await context.read()
        except asyncio.CancelledError:
            if task in self._since:
                raise  # the client gave up
            raise ServingError(
                Code.DEADLINE_EXCEEDED, "The message did not come in time. Try again later."
            ) from None
        finally:
            self._since.pop(task, None)

    async def watch(self):
        """Gives up what takes too long, for ever."""
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            seconds = _SECONDS_WHEN_FULL if self._places.locked() else self._seconds
            began = time.monotonic() - seconds
            for task in [task for task, since in self._since.items() if since < began]:
                del self._since[task]
                task.cancel()


def _name_of(request):
    """Returns the name of the model that a request is for, if it is for one."""
    return request.model_spec.name if "model_spec" in request.DESCRIPTOR.fields_by_name else ""


def _failed(context, error):
    """Tells the client why there is no answer; returns what stands for it.

    `context.abort` would raise an error that holds the request until garbage is collected.
    """
    context.set_code(grpc.StatusCode[error.code.name])
    context.set_details(error.message[:_MOST_CHARACTERS])
    return b""
