"""What users are told where they trust somebody: who made a model, and who reaches a server."""

from tfgen.utils.fetch import is_loopback

PROGRAM = (
    "A SavedModel is a program, which can read and change your files. Serve and load only those "
    "whose makers you trust."
)


def remarks_on(host, token):
    """Returns sentences on what a server risks that other machines reach, a list.

    Args:
        host: the name or address that it listens at.
        token: what requests must bear, or `None`.
    """
    if is_loopback(host):
        return []
    if token is not None:
        return [f"Requests, answers and the token {_PLAIN}"]
    return [
        f"Whoever reaches {host} can ask these models. To want a token of them: --token-file.",
        f"Requests and answers {_PLAIN}",
    ]


_PLAIN = (
    "are not encrypted. Where others share the network, put a proxy with TLS in front of the "
    "server."
)
