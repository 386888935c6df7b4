"""Commands to export and to serve: `python -m tfgen serve saved_models`."""

import argparse
import logging
import re
import signal
import sys

from tfgen.utils.deprecation import renamed_option
from tfgen.utils.tensorflow_setup import (
    certain_interrupts,
    import_tensorflow,
    show_warnings_plainly,
)


def main(arguments=None):
    """Runs the command; errors that a user can mend are one line."""
    show_warnings_plainly()
    options = parse(arguments)
    try:
        with certain_interrupts():
            import_tensorflow()
            options.run(options)
    except KeyboardInterrupt:
        print("tfgen: interrupted.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except (OSError, ValueError) as error:
        sys.exit(f"tfgen: {error}")
    except ModuleNotFoundError as error:
        sys.exit(f"tfgen: {error}. Install what it needs: pip install 'tfgen[{options.extra}]'.")


_EXPORT = (
    "of a version, saved_models/NAME/VERSION, or of its model; or a release file, or its address"
)
# The limits of a server: their old names, types, defaults and what they say in `--help`.
_LIMITS = {
    "--max-batch-size": (
        "--batch",
        int,
        64,
        "rows of several requests that one call answers; 1 for models whose rows depend on each "
        "other",
    ),
    "--max-request-rows": (
        "--rows",
        int,
        4096,
        "rows of a request: examples that are sent or counted; a large image is several",
    ),
    "--max-queue-rows": (
        "--waiting",
        int,
        8192,
        "rows of one model that wait or are answered",
    ),
    "--timeout": ("--seconds", float, 30.0, "seconds that a request may wait for its answer"),
    "--max-request-mib": ("--largest", int, 64, "MiB of a request"),
    "--max-json-mib": (
        None,
        int,
        16,
        "MiB of a request in JSON, which takes many times that to read",
    ),
}


def parse(arguments=None):
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tfgen", description="Exports models, and serves what was exported."
    )
    parser.set_defaults(extra="serve")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve", help="answer requests as TensorFlow Serving does, for trying things out"
    )
    serve.set_defaults(run=_serve)
    add = serve.add_argument
    add(
        "root",
        nargs="?",
        default="saved_models",
        help="a folder of models, or a release file, NAME.tfgen, or its address with a checksum "
        "(default: %(default)s)",
    )
    add(
        "--config",
        metavar="FILE",
        help="a models.config: the versions to serve, and labels",
    )
    add("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    add("--rest-port", type=_port, default=8501, metavar="PORT", help="(default: %(default)s)")
    add("--grpc-port", type=_port, default=8500, metavar="PORT", help="(default: %(default)s)")
    for name, (old, kind, default, text) in _LIMITS.items():
        dest = name.removeprefix("--").replace("-", "_")
        add(
            name,
            type=_positive(kind),
            default=default,
            metavar="N",
            help=f"{text} (default: {default})",
        )
        if old:
            add(old, type=_positive(kind), dest=dest, action=renamed_option(name))
    add("--token-file", metavar="FILE", help="a file with the token that requests must bear")
    add(
        "--allowed-hosts",
        type=_hosts,
        default=(),
        metavar="NAMES",
        help="without a token: more names, with commas between, that browsers may know the server "
        "by, and whose pages may ask it",
    )
    export = commands.add_parser(
        "export", help="write a saved model's next version for servers, as training does"
    )
    export.set_defaults(run=_export)
    export.add_argument(
        "model",
        help="a `.keras` file, a run's folder, such as runs/NAME, a release file, or its address",
    )
    export.add_argument("folder", help="where its versions are, such as saved_models/NAME")
    export.add_argument(
        "--png", action="store_true", help="add signatures that take and give PNG files"
    )
    verify = commands.add_parser(
        "verify", help="load an export as TensorFlow Serving does, ask it, compare its answers"
    )
    verify.set_defaults(run=_verify)
    verify.add_argument("path", help=_EXPORT)
    verify.add_argument(
        "--model",
        metavar="FILE",
        help="the `.keras` file or run's folder that it was exported from (default: its run's, or "
        "the release's own)",
    )
    unpack = commands.add_parser(
        "unpack", help="write a release's export as a model's next version, for TensorFlow Serving"
    )
    unpack.set_defaults(run=_unpack)
    unpack.add_argument("release", help="a release file, or its address with a checksum")
    unpack.add_argument(
        "root", nargs="?", default="saved_models", help="a folder of models (default: %(default)s)"
    )
    configure = commands.add_parser(
        "configure", help="write what TensorFlow Serving needs to serve a folder of models"
    )
    configure.set_defaults(run=_configure)
    configure.add_argument("root", nargs="?", default="saved_models", help="(default: %(default)s)")
    configure.add_argument(
        "--batching", action="store_true", help="put together rows, if all signatures have them"
    )
    convert = commands.add_parser(
        "convert", help="write one signature of an export for a runtime that is not TensorFlow's"
    )
    convert.set_defaults(run=_convert, extra="convert")
    convert.add_argument("path", help=_EXPORT)
    convert.add_argument(
        "--to", required=True, metavar="TARGET", help="onnx, or litert (TensorFlow Lite)"
    )
    convert.add_argument(
        "--signature", default="serving_default", help="its name (default: %(default)s)"
    )
    convert.add_argument("--output", metavar="FILE", help="(default: NAME-SIGNATURE.onnx, .tflite)")
    return parser.parse_args(arguments)


def _positive(kind):
    def parse(text):
        if not (value := kind(text)) > 0:
            raise ValueError
        return value

    parse.__name__ = f"positive {kind.__name__}"  # what argparse calls it
    return parse


def _port(text):
    if not 0 <= (port := int(text)) < 2**16:
        raise ValueError
    return port


_port.__name__ = "port"


def _hosts(text):
    names = tuple(name.strip() for name in text.split(","))
    if not all(re.fullmatch(r"[A-Za-z0-9.-]+", name) for name in names):
        raise ValueError
    return names


_hosts.__name__ = "list of host names"


def _export(options):
    import tfgen

    print(tfgen.export(tfgen.load(options.model), options.folder, png=options.png))


def _unpack(options):
    from tfgen.serving.trust import PROGRAM
    from tfgen.serving.unpack import unpack

    print(PROGRAM, file=sys.stderr)
    print(unpack(options.release, options.root))


def _configure(options):
    from tfgen.serving.configuration import UNPACK, configure, packed_only

    for path in configure(options.root, options.batching):
        print(path)
    if packed := packed_only(options.root):
        print(f"Left out, since they are packed: {', '.join(packed)}. To serve them: {UNPACK}")
    print(f"Next: cd {options.root} && docker compose up")


def _convert(options):
    from tfgen.serving.convert import convert

    print(convert(options.path, options.to, options.signature, options.output))


def _verify(options):
    from tfgen.serving.locate import find_release
    from tfgen.serving.trust import PROGRAM
    from tfgen.serving.verify import model_of, newest_version, verify

    version = newest_version(options.path)
    if find_release(options.path) or not (options.model or model_of(version)):  # made by others
        print(PROGRAM, file=sys.stderr)
    logging.getLogger("tensorflow").setLevel("ERROR")  # the way servers load is called outdated
    answers, model = verify(options.path, options.model)
    for answer in answers:
        inputs, outputs = (
            ", ".join(f"{key} {kind}" for key, kind in each.items())
            for each in (answer.inputs, answer.outputs)
        )
        difference = "" if answer.difference is None else f"  ({answer.difference:.0e})"
        print(f"  {answer.signature:19} {inputs} -> {outputs}{difference}")
    compared = f"as {model} does, to the difference in brackets" if model else "finite numbers"
    print(f"{version} is loaded, and every signature answers {compared}.")


def _serve(options):
    from tfgen.serving.scheduler import Limits
    from tfgen.serving.server import ServerSettings, address, serve
    from tfgen.serving.trust import remarks_on

    limits = Limits(
        max_batch_size=options.max_batch_size,
        max_request_rows=options.max_request_rows,
        max_queue_rows=options.max_queue_rows,
        timeout=options.timeout,
    )
    token = None
    if options.token_file:
        with open(options.token_file) as file:
            token = file.read().strip()
        if not token:
            raise ValueError(f"There is no token in {options.token_file}.")
    settings = ServerSettings(
        root=options.root,
        config=options.config,
        host=options.host,
        rest_port=options.rest_port,
        grpc_port=options.grpc_port,
        limits=limits,
        max_request_bytes=options.max_request_mib * 2**20,
        max_json_bytes=options.max_json_mib * 2**20,
        token=token,
        allowed_hosts=options.allowed_hosts,
    )

    def started(rest_port, grpc_port):
        for remark in remarks_on(options.host, token):
            print(remark, file=sys.stderr)
        print(f"Serving {options.root}, until Ctrl-C. Open the explorer in a browser:")
        print(f"  http://{address(options.host, rest_port)}/")
        print("Programs ask that address over REST, and over gRPC:")
        print(f"  {address(options.host, grpc_port)}", flush=True)

    serve(settings, started)


if __name__ == "__main__":
    main()
