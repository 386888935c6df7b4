"""TensorFlow Serving's REST API, as an ASGI application.

The contract is that of its `g3doc/api_rest.md` and `model_servers/http_rest_api_handler.cc`.
"""

import asyncio
import contextlib
import gc
import json
import re
import time
import urllib.parse

import starlette.requests
import starlette.responses
from google.protobuf import json_format

from tfgen.serving import json_answers, json_parsing, json_requests
from tfgen.serving.backend import as_serving_error, aside, no_method
from tfgen.serving.bodies import SMALL, Bodies
from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.version_folders import version_number

_WHICH = r"(?:/versions/(?P<number>\d+)|/labels/(?P<label>[^/:?]+))?"
# Case counts in names, labels and methods alone, as in TensorFlow Serving.
_ASK = re.compile(
    rf"(?i:/v1/models/(?P<name>[^/:?]+){_WHICH}):(?P<method>classify|regress|predict)"
)
_SECONDS_TO_WATCH = 0.2  # before it is looked whether a client that waits is still there
_NAMED = re.compile(r"(?i:/(?:v1|tfgen)/models)/([^/:?]+)")
_DESCRIBE = re.compile(rf"/tfgen/models/(?P<name>[^/:?]+){_WHICH}")
_TELL = re.compile(rf"(?i:/v1/models(?:/(?P<name>[^/:?]+){_WHICH}(?P<metadata>/metadata)?)?)")


class RestApi:
    """Answers requests to `/v1/models/...`, and one that TensorFlow Serving does not know.

    `GET /tfgen/models/NAME`, with `/versions/NUMBER` or `/labels/LABEL` behind it or not, tells
    what a model can do and how its latents are distributed, see `tfgen.serving.description`.

    Args:
        backend: a `Backend`.
    """

    def __init__(self, backend):
        self.backend = backend
        self._bodies = Bodies(min(backend.max_json_bytes, backend.max_request_bytes))

    async def __call__(self, scope, receive, send):
        headers = dict(scope["headers"])
        path = scope["raw_path"].decode("ascii", "replace").partition("?")[0]
        since, code = time.monotonic(), "CANCELLED"
        try:
            self.backend.authorize(headers.get(b"authorization", b""))
            content, status = await self._answer(scope["method"], path, headers, receive), 200
            code = "OK"
        except (starlette.requests.ClientDisconnect, asyncio.CancelledError):
            return  # nobody waits for an answer
        except Exception as error:
            error = as_serving_error(error)
            content, status, code = _content_of(error), error.code.status, error.code.name
        finally:
            self.backend.metrics.count("rest", _name_in(path), code, since)
        await _send(send, content, status)

    async def _answer(self, method, path, headers, receive):
        if method == "POST" and (match := _ASK.fullmatch(path)):
            return await self._predict(match, headers, receive)
        if method == "GET" and (match := _TELL.fullmatch(path)):
            return self._tell(match)
        if method == "GET" and (match := _DESCRIBE.fullmatch(path)):
            return self._describe(match)
        if method == "OPTIONS":
            return _preflight(headers)
        raise invalid(f"Malformed request: {method} {path}")

    async def _predict(self, match, headers, receive):
        servable = self.backend.models.get(*_which(match))
        async with self._bodies.receive(headers, receive) as body:
            read = self._read if len(body) <= SMALL else self._read_large
            signature, inputs, rows = await aside(len(body), read, body, servable, match["method"])
        with _given_up_with_client(receive):
            outputs = await self.backend.answer(signature, inputs)
        size = sum(value.nbytes for value in outputs.values())
        return await aside(size, json_answers.write, outputs, rows)

    def _read(self, body, servable, method):
        """Returns the signature that a body asks, its inputs, and whether they came as rows."""
        document = json_parsing.parse(body)
        name = json_requests.signature_name(document)
        if method != "predict":
            raise no_method(servable, name, method)
        signature = servable.signature(name)

        def check(name, shape):
            signature.check_shape(name, shape)
            self.backend.scheduler.check_rows(signature.rows_of(name, shape))

        return signature, *json_requests.read(document, signature.dtypes, check)

    def _read_large(self, body, servable, method):
        """Does the same, of one body at a time, without a search for garbage.

        Python begins one for so many new lists. JSON has no cycles, and each search holds up all
        other requests: of 16 MiB of short lists parsing takes a quarter of the time without.
        """
        gc.disable()
        try:
            return self._read(body, servable, method)
        finally:
            gc.enable()

    def _describe(self, match):
        servable = self.backend.models.get(*_which(match))
        version = str(servable.version)
        return json.dumps({"name": _name(match), "version": version, **servable.description})

    def _tell(self, match):
        if match["name"] is None:
            raise invalid("Missing model name in request.")
        if match["metadata"] == "/metadata":  # TensorFlow Serving takes /METADATA for the status
            return json.dumps(metadata(_name(match), self.backend.models.get(*_which(match))))
        return json.dumps(
            {
                "model_version_status": [
                    {
                        "version": str(version.number),
                        "state": version.state.name,
                        "status": {
                            "error_code": "UNKNOWN" if version.error else "OK",
                            "error_message": version.error,
                        },
                    }
                    for version in self.backend.models.status(*_which(match))
                ]
            }
        )


@contextlib.contextmanager
def _given_up_with_client(receive):
    """Cancels the task that is in the context when its client goes.

    That is looked for after a while, since most answers are there before.
    """
    loop, waiting, watches = asyncio.get_running_loop(), asyncio.current_task(), []

    async def watch():
        while (await receive())["type"] != "http.disconnect":
            pass
        waiting.cancel()

    timer = loop.call_later(_SECONDS_TO_WATCH, lambda: watches.append(loop.create_task(watch())))
    try:
        yield
    finally:
        timer.cancel()
        for task in watches:
            task.cancel()


def metadata(name, servable):
    """Returns what `/metadata` says of a version, as a dict."""
    return {
        "model_spec": {"name": name, "signature_name": "", "version": str(servable.version)},
        "metadata": {
            "signature_def": json_format.MessageToDict(
                servable.definitions,
                preserving_proto_field_name=True,
                always_print_fields_with_no_presence=True,
            )
        },
    }


def error_response(error):
    """Returns the response to a request that is not answered."""
    return starlette.responses.Response(
        _content_of(error), error.code.status, media_type="application/json"
    )


def _content_of(error):
    return json.dumps({"error": error.message})


async def _send(send, content, status):
    """Sends JSON, text or bytes, as the two messages of ASGI."""
    body = content if isinstance(content, bytes) else content.encode()
    headers = [
        (b"content-length", str(len(body)).encode()),
        (b"content-type", b"application/json"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _preflight(headers):
    """Answers a browser that asks whether a page may ask: with nothing, so that it may not."""
    if not re.match(b"https?://", headers.get(b"origin", b"")):
        raise ServingError(Code.FAILED_PRECONDITION, "Origin header is missing in CORS preflight")
    return ""


def _name_in(path):
    """Returns the name of the model that a path begins with, or nothing."""
    found = _NAMED.match(path)
    return urllib.parse.unquote(found[1]) if found else ""


def _name(match):
    return urllib.parse.unquote(match["name"])


def _which(match):
    """Returns the name, number and label of the version that a path names."""
    number = None
    if match["number"] is not None and (number := version_number(match["number"])) is None:
        raise invalid(f"Failed to convert version: {match['number'][:40]} to numeric.")
    label = None if match["label"] is None else urllib.parse.unquote(match["label"])
    return _name(match), number, label
