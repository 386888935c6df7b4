"""Which requests of browsers a server without a token answers: those of its own pages.

A browser sends requests for any page that is open in it. So a page of a stranger reaches a server
that the stranger does not. It can ask blindly; its requests then bear its `Origin`. Or its own name
comes to mean this server's address ("DNS rebinding"); its requests then bear that name as `Host`.
"""

import functools
import ipaddress
import urllib.parse

from tfgen.serving.errors import Code, ServingError
from tfgen.serving.rest import error_response


class OwnPagesOnly:
    """An ASGI application that refuses what pages of strangers ask through a browser.

    Programs other than browsers send no `Origin`, and are answered.

    Args:
        app: the application that answers the others.
        host: the address or name that the server listens at.
        allowed: more names that the server has, or that pages which may ask it come from.
    """

    def __init__(self, app, host, allowed=()):
        self._app = app
        self._allowed = {name.lower() for name in allowed}
        self._names = {"localhost", host.lower(), *self._allowed}

    async def __call__(self, scope, receive, send):
        error = self._refusal(scope["headers"])
        await (error_response(error) if error else self._app)(scope, receive, send)

    def _refusal(self, headers):
        hosts = _values(headers, b"host")
        for host in hosts:
            if not self._is_own(_name_of(f"//{host}")):
                return _denied(f"This server does not answer for the host {host[:100]!r}")
        for origin in _values(headers, b"origin"):
            if _place_of(origin) not in hosts and _name_of(origin) not in self._allowed:
                return _denied(f"This server does not answer pages from {origin[:100]!r}")
        return None

    def _is_own(self, name):
        # A page cannot come to mean an address that is written as a number.
        return name in self._names or is_address(name)


@functools.lru_cache(128)
def is_address(name):
    """Tells whether a host is written as a number, IPv4 or IPv6."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _denied(what):
    return ServingError(
        Code.PERMISSION_DENIED,
        f"{what}. To allow it, start the server with --allowed-hosts, or with --token-file.",
    )


def _values(headers, name):
    """Returns the values of a header in ASGI's list of headers, in lower case."""
    return [value.decode("latin-1").lower() for key, value in headers if key == name]


@functools.lru_cache(128)
def _name_of(address):
    """Returns the host's name in an address, without its port; nothing if there is none.

    A name may end in the dot that stands for the root of all names.
    """
    try:
        return (urllib.parse.urlsplit(address).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _place_of(address):
    """Returns host and port of an address, as a header `Host` has them."""
    return address.partition("://")[2]
