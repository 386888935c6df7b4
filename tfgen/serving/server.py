"""A server of SavedModels that speaks as TensorFlow Serving does, for one machine and no Docker."""

import asyncio
import contextlib
import dataclasses
import gc
import logging
import os
import signal
import socket
import threading

import grpc
import starlette.responses
import starlette.routing
import uvicorn

from tfgen.serving.backend import Backend
from tfgen.serving.browsers import OwnPagesOnly
from tfgen.serving.choices import read_choices
from tfgen.serving.errors import Code, ServingError
from tfgen.serving.grpc_api import methods_of
from tfgen.serving.grpc_guard import MOST_CALLS, Guard, server_options
from tfgen.serving.http_protocol import bounded_protocol, bounds_of_this_process
from tfgen.serving.locate import find_release
from tfgen.serving.metrics import Metrics
from tfgen.serving.models import Models
from tfgen.serving.page import Page
from tfgen.serving.rest import RestApi, error_response
from tfgen.serving.scheduler import Limits, Scheduler
from tfgen.serving.trust import PROGRAM

try:
    from uvloop import run  # a faster loop than asyncio's own
except ImportError:  # on Windows
    from asyncio import run

_LOG = logging.getLogger(__name__)
_SECONDS_TO_END = 9  # in which the process ends: who asked it to, kills it after ten
_SECONDS_TO_ANSWER = 4  # of them, for what each protocol still answers


@dataclasses.dataclass(frozen=True)
class ServerSettings:
    """How a server is run.

    Args:
        root: the folder of models, ROOT/NAME/VERSION and ROOT/NAME.tfgen; or a single release
            file, or its address, see `tfgen.load`.
        config: a file that tells which of them to serve (see `read_choices`); `None` for all.
        host: the address to listen at; by default this machine's own alone.
        rest_port: for REST, as TensorFlow Serving's.
        grpc_port: for gRPC, as TensorFlow Serving's.
        limits: `Limits` of what is taken on at once.
        max_request_bytes: how many bytes a request may have.
        max_json_bytes: how many bytes a request in JSON may have.
        seconds_between_looks: how often to look for new versions.
        token: what requests must bear, or `None`.
        allowed_hosts: without a token, more names that browsers may know the server by, and whose
            pages may ask it.
    """

    root: str
    config: str | None = None
    host: str = "127.0.0.1"
    rest_port: int = 8501
    grpc_port: int = 8500
    limits: Limits = Limits()
    max_request_bytes: int = 64 * 2**20
    max_json_bytes: int = 16 * 2**20
    seconds_between_looks: float = 1.0
    token: str | None = None
    allowed_hosts: tuple = ()


def serve(settings, started):
    """Serves models until the process is asked to end (SIGINT, SIGTERM).

    Args:
        settings: `ServerSettings`.
        started: a function that is called once requests are answered, with the ports of REST and
            of gRPC. They are chosen by the system where the settings say 0.

    Raises:
        OSError: there is no such folder or release, or a port is taken.
        ValueError: `settings.config` does not tell which models to serve, or a release is broken.

    Example:
        >>> serve(ServerSettings("saved_models"), started=print)
    """
    # Looking for garbage takes a fifth of a second as long as TensorFlow's modules are looked at.
    gc.freeze()
    release = find_release(settings.root)
    if release:
        _LOG.warning("%s holds a SavedModel. %s", settings.root, PROGRAM)
    models = Models(release.root if release else settings.root)
    if settings.config is None:
        models.refresh()
    else:
        _choose(models, settings.config)
    scheduler = Scheduler(settings.limits)
    metrics = Metrics(models, scheduler)
    backend = Backend(
        models,
        scheduler,
        metrics,
        max_request_bytes=settings.max_request_bytes,
        max_json_bytes=settings.max_json_bytes,
        token=settings.token,
    )
    ending = threading.Timer(_SECONDS_TO_END, _leave)
    ending.daemon = True
    try:
        run(_serve(settings, backend, started, ending))
    finally:
        scheduler.close()
        ending.cancel()


def _leave():
    """Ends the process: neither a call nor the loading of a model can be stopped otherwise."""
    _LOG.warning("What did not end within %d seconds is given up.", _SECONDS_TO_END)
    os._exit(0)


def _choose(models, config):
    try:
        models.choose(read_choices(config))
    except ServingError as error:
        raise ValueError(f"{config}: {error.message}") from error


def application(backend):
    """Returns the ASGI application: the REST API, the server's health, and the page to explore."""
    api = RestApi(backend)

    async def health(request):
        # Whoever watches a server bears no token, and is told no names.
        names = backend.models.names() if _bears_token(backend, request) else []
        return starlette.responses.JSONResponse({"models": names})

    async def figures(request):
        if not _bears_token(backend, request):
            return error_response(ServingError(Code.UNAUTHENTICATED, "The figures want a token."))
        return starlette.responses.PlainTextResponse(backend.metrics.text())

    router = starlette.routing.Router(
        [
            starlette.routing.Route("/healthz", health),
            starlette.routing.Route("/monitoring/prometheus/metrics", figures),
            starlette.routing.Mount("/", Page()),
        ]
    )

    async def dispatch(scope, receive, send):
        of_the_api = scope["type"] == "http" and scope["path"].lower().startswith(
            ("/v1/", "/tfgen/")
        )
        await (api if of_the_api else router)(scope, receive, send)

    return dispatch


def _bears_token(backend, request):
    try:
        backend.authorize(request.headers.get("authorization", ""))
    except ServingError:
        return False
    return True


async def _serve(settings, backend, started, ending):
    end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    app = application(backend)
    if settings.token is None:  # which no page of a stranger can know
        app = OwnPagesOnly(app, settings.host, settings.allowed_hosts)
    async with (
        _rest(settings, app) as rest_port,
        _grpc(settings, backend) as grpc_port,
        _watch(backend.models, settings.seconds_between_looks),
    ):
        started(rest_port, grpc_port)
        await end.wait()
        ending.start()
        backend.models.stop()


@contextlib.asynccontextmanager
async def _rest(settings, app):
    """Answers REST; yields the port."""
    try:
        listening = _listen(settings.host, settings.rest_port)
    except OSError as error:
        raise _not_usable(settings.host, settings.rest_port, error.strerror) from error
    # Or an answer's body waits for the client to confirm the headers, which may take it 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    config = uvicorn.Config(
        app,
        http=bounded_protocol(bounds_of_this_process()),
        ws="none",
        log_level="error",  # or each bad request would be a line in the log
        access_log=False,
        proxy_headers=False,  # nothing here asks who the client is
        lifespan="off",
        timeout_graceful_shutdown=_SECONDS_TO_ANSWER,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await task


def _listen(host, port):
    if ":" not in host:
        return socket.create_server((host, port))
    # "::" is all addresses, as it is for gRPC.
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=both)


def address(host, port):
    """Returns a host and a port as addresses have them.

    Example:
        >>> address("::1", 8501)
        '[::1]:8501'
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.asynccontextmanager
async def _grpc(settings, backend):
    """Answers gRPC; yields the port."""
    guard = Guard(backend, methods_of(backend))
    server = grpc.aio.server(
        handlers=[guard],
        options=server_options(backend.max_request_bytes),
        maximum_concurrent_rpcs=MOST_CALLS,
    )
    try:
        port = server.add_insecure_port(address(settings.host, settings.grpc_port))
    except RuntimeError as error:
        raise _not_usable(settings.host, settings.grpc_port, "see above") from error
    await server.start()
    try:
        async with guard.watching():
            yield port
    finally:
        await server.stop(_SECONDS_TO_ANSWER)


def _not_usable(host, port, why):
    return OSError(
        f"The port {port} of {host} cannot be used ({why}). Where another server has it, choose "
        "other ports: --rest-port, --grpc-port."
    )


@contextlib.asynccontextmanager
async def _watch(models, seconds):
    async def look():
        known = ""
        while True:
            await asyncio.sleep(seconds)
            try:
                await asyncio.to_thread(models.refresh)
                known = ""
            except Exception as error:  # whatever it is, the next look may find it mended
                if known != str(error):  # not at each look
                    _LOG.error("%s: %s", models.root, error)
                known = str(error)

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        task.cancel()
