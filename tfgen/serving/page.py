"""The page to explore models with, as files that a browser may do little else with."""

import pathlib

import starlette.datastructures
import starlette.exceptions
import starlette.staticfiles

from tfgen.serving.errors import Code, ServingError
from tfgen.serving.rest import error_response

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self' http: https:",  # it may ask other servers (`?server=`)
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_FEATURES = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _FEATURES),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Page(starlette.staticfiles.StaticFiles):
    """The page to explore models with, whose files need nothing from elsewhere."""

    def __init__(self):
        super().__init__(directory=pathlib.Path(__file__).parent / "explorer", html=True)

    async def __call__(self, scope, receive, send):
        async def send_with_headers(message):
            if message["type"] == "http.response.start":
                starlette.datastructures.MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            await super().__call__(scope, receive, send_with_headers)
        except starlette.exceptions.HTTPException:
            error = ServingError(Code.NOT_FOUND, f"There is nothing at {scope['path'][:100]}.")
            await error_response(error)(scope, receive, send_with_headers)
