"""Which versions of which models are served, as TensorFlow Serving is told by a `models.config`."""

import dataclasses
import pathlib
import posixpath

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

_MOST_MODELS = 1000


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which versions of a model are served.

    Args:
        folder: the name of the model's folder.
        newest: how many of the newest versions that can be loaded; `None` for all.
        numbers: the versions to choose from; `None` for all that are there.
        labels: from a label to the version that can be asked for by it.
    """

    folder: str
    newest: int | None = 1
    numbers: frozenset[int] | None = None
    labels: dict[str, int] = dataclasses.field(default_factory=dict)


def read_choices(path):
    """Returns the `Choice`s that a file makes, by the models' names.

    Args:
        path: of a `ModelServerConfig` in protocol buffers' text format, such as `python -m tfgen
            configure` writes.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such file, or asks for what is not served.

    Example:
        >>> Models("saved_models", read_choices("saved_models/models.config"))
    """
    config = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(pathlib.Path(path).read_text(), config)
        return choices_of(config)
    except (text_format.ParseError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"{path} does not tell which models to serve: {error}") from error


def choices_of(config):
    """Returns the `Choice`s that a `ModelServerConfig` makes, by the models' names.

    Of a base path only the last part counts, which is a folder beside the others: the paths of
    TensorFlow Serving's machine are not those of this one, and who may reload its configuration
    may not read whatever this one has.

    Raises:
        ValueError: it asks for what is not served.
    """
    if config.WhichOneof("config") != "model_config_list":
        raise ValueError("it has no model_config_list.")
    count = len(config.model_config_list.config)
    if count > _MOST_MODELS:
        raise ValueError(f"it may have at most {_MOST_MODELS} models. Received: {count}.")
    choices = {}
    for model in config.model_config_list.config:
        if not model.name or model.name in choices:
            raise ValueError(f"every model needs a name of its own. Received: {model.name!r}.")
        if model.model_platform not in ("", "tensorflow"):
            raise ValueError(
                f"the platform of {model.name} must be 'tensorflow'. "
                f"Received: {model.model_platform!r}."
            )
        folder = posixpath.basename(model.base_path.rstrip("/"))
        if folder in ("", ".", ".."):
            raise ValueError(
                f"the base path of {model.name} must be that of a folder. "
                f"Received: {model.base_path!r}."
            )
        versions = _versions(model.model_version_policy)
        choices[model.name] = Choice(folder, **versions, labels=dict(model.version_labels))
    return choices


def _versions(policy):
    kind = policy.WhichOneof("policy_choice")
    if kind == "all":
        return {"newest": None}
    if kind == "specific":
        return {"newest": None, "numbers": frozenset(policy.specific.versions)}
    return {"newest": policy.latest.num_versions or 1}
