"""Model cards: what a model is, how to use it, and what it cannot do, as the hub's pages say it.

A card is a `README.md` in the form of the Hugging Face hub: YAML between two lines of dashes, then
Markdown (https://huggingface.co/docs/hub/model-cards). Exports, runs and releases have one.
"""

import dataclasses

import yaml

from tfgen.data.provenance import provenance, public_name
from tfgen.engine.abilities import ABILITIES
from tfgen.serving.card_scores import figures, model_index
from tfgen.serving.definitions import text_of

# Of the hub's tasks, the first whose ability a model of images has.
_TASKS = {
    "translate": "image-to-image",
    "sample": "unconditional-image-generation",
    "draw": "text-to-image",
    "match": "zero-shot-image-classification",
    "encode": "image-feature-extraction",
}
# What models cannot do, by the abilities that they have.
_LIMITS = (
    (
        {"bound", "reconstruct", "sample"},
        "Samples and reconstructions are smoother than the data: a variational autoencoder "
        "averages over what it is unsure of.",
    ),
    (
        {"discriminate", "sample"},
        "Some kinds of examples may be missing among the samples (mode collapse). The model does "
        "not tell how likely an example is.",
    ),
    (
        {"translate"},
        "It learnt without pairs. Colours and textures change more than shapes do, and details "
        "may be lost or invented.",
    ),
    ({"choose_labels"}, "A sample is not always of the class that was asked for."),
    (
        {"recognize"},
        "What a code means was found without labels. It may mix several kinds of examples.",
    ),
    (
        {"match"},
        "It knows the words of its vocabulary only. The chances of captions are among those given, "
        "and one of them is always the most likely.",
    ),
    (
        {"draw"},
        "It knows the words of its vocabulary only. A drawing does not always show all that its "
        "caption says.",
    ),
    (
        {"log_likelihood"},
        "A high likelihood does not mean that an example is of a known kind, nor that it looks "
        "good.",
    ),
    (
        {"sample"},
        "A sample can be close to a training example. Compare it with its nearest training "
        "examples before you call it new.",
    ),
)
_LAST_LIMIT = (
    "It is for teaching and research. It is not for decisions about people, and not for passing "
    "off samples as real."
)
_HALF = (
    "The weights are rounded to half precision (float16), and kept as float32. Answers differ a "
    "little from those of the trained model, and the scores above are that model's."
)
_SETTINGS = (
    "examples",
    "epochs",
    "steps_per_epoch",
    "batch_size",
    "seed",
    "mixed_precision",
    "replicas",
    "xla",
    "seconds",
    "commit",
)


@dataclasses.dataclass(frozen=True)
class Origin:
    """What a card says of a model's training beside its settings and results.

    Args:
        summary: what its recipe is, in a sentence or two.
        command: the command that trains it again.
        measure: what its recipe measures, in a sentence.
        results: what `python -m training.evaluate` found, a tuple of `tfgen.evaluation.Result`s.
    """

    summary: str = ""
    command: str = ""
    measure: str = ""
    results: tuple = ()


@dataclasses.dataclass(frozen=True)
class Usage:
    """How a reader of a card uses the model.

    Args:
        python: lines of Python.
        shell: commands that end in a server.
    """

    python: str
    shell: str


EXPORTED = Usage(
    python="import tensorflow as tf\n\n"
    'model = tf.saved_model.load("NAME/VERSION")  # the folder of this file\n'
    'answer = model.signatures["serving_default"]  # a function of named tensors',
    shell="python -m tfgen serve FOLDER  # which holds NAME/VERSION",
)


def model_card(name, description, definitions, usage=EXPORTED, origin=None):
    """Returns a model's card.

    Args:
        name: what the model is called.
        description: what is known of it, a dict: what `tfgen.serving.description.describe` says,
            the `versions` of the software and, of a run, its settings and results.
        definitions: its signatures, see `tfgen.serving.definitions`; empty without an export.
        usage: a `Usage`.
        origin: an `Origin`; `None` if nothing more is known.

    Returns:
        A text, to be written as `README.md`.

    Example:
        >>> known = {**describe(model), "versions": versions()}
        >>> print(model_card("vae", known, read_definitions("saved_models/vae/1")))
    """
    origin = origin or Origin()
    data = provenance(description["data"]) if "data" in description else None
    shape = _shape(description, definitions)
    abilities = description["abilities"]
    task = _task(abilities, shape)
    scores = figures(description, origin)
    metadata = {
        "library_name": "keras",
        "license": data and data.identifier,
        "tags": ["tfgen", "tensorflow", "generative", description["model"].lower()],
        "datasets": [data.hub] if data and data.hub else None,
        "pipeline_tag": task,
        "model-index": model_index(name, task or "other", scores) if scores else None,
    }
    known = {key: value for key, value in metadata.items() if value is not None}
    parts = [
        f"---\n{yaml.safe_dump(known, sort_keys=False, allow_unicode=True)}---",
        f"# {name}",
        _what(description, origin),
        "## How to use it",
        _usage(usage, definitions),
        "## Data",
        _data(description, data, shape),
        "## Training",
        _training(description, origin),
        "## Scores",
        _scores(scores),
        "## Limits",
        "\n".join(f"* {each}" for each in _limits(description, shape)),
        "## Software",
        ", ".join(f"{key} {value}" for key, value in description["versions"].items()) + ".",
    ]
    return "\n\n".join(parts) + "\n"


def _shape(description, definitions):
    """Returns an example's shape, of two domains the first's; `None` if it is not known."""
    if "shape" in description:
        shape = description["shape"]
        return tuple(shape[0] if isinstance(shape[0], (list, tuple)) else shape)
    for definition in definitions.values():
        for tensors in (definition.inputs, definition.outputs):
            if "images" in tensors:
                return tuple(dim.size for dim in tensors["images"].tensor_shape.dim[1:])
    return None


def _task(abilities, shape):
    """Returns the hub's name of what a model does; it has none for what is not of images."""
    if shape is None or len(shape) != 3:
        return None
    return next((task for ability, task in _TASKS.items() if ability in abilities), None)


def _what(description, origin):
    said = [origin.summary, f"Its class is `{description['model']}`. {description['about']}"]
    can = [f"* {ABILITIES[each]}" for each in ABILITIES if each in description["abilities"]]
    return "\n\n".join([*filter(None, said), "It can", "\n".join(can)])


def _usage(usage, definitions):
    parts = [
        "In Python:",
        f"```python\n{usage.python}\n```",
        "As a server that answers over REST and gRPC, with a page to explore the model in a "
        "browser at http://127.0.0.1:8501/:",
        f"```\n{usage.shell}\n```",
    ]
    asked = {key: each for key, each in sorted(definitions.items()) if not key.startswith("__")}
    if asked:
        rows = [
            f"| `{key}` | {_tensors(each.inputs)} | {_tensors(each.outputs)} |"
            for key, each in asked.items()
        ]
        table = ["| signature | takes | gives |", "| --- | --- | --- |", *rows]
        parts += ["The server answers these signatures:", "\n".join(table)]
    return "\n\n".join(parts)


def _tensors(tensors):
    return ", ".join(f"`{key}` {text_of(each)}" for key, each in sorted(tensors.items()))


def _data(description, data, shape):
    if data is None:
        return "Nothing is known of the data that it was trained on."
    lines = [
        f"* What: {data.title} (`{public_name(description['data'])}`)",
        f"* Licence of the data: {data.licence}",
    ]
    if shape:
        lines.append(f"* An example: {_sizes(shape)}")
    if data.identifier:
        lines.append(
            "* The licence above is the data's. Who shares the model may choose another that "
            "respects it."
        )
    return "\n".join(lines)


def _sizes(shape):
    if len(shape) == 3:
        return f"an image of {'x'.join(map(str, shape))} (height, width, channels)"
    return f"a vector of {'x'.join(map(str, shape))} numbers"


def _training(description, origin):
    if "recipe" not in description:
        return "It was exported by hand. Nothing is known of its training."
    parts = [f"The recipe is `{description['recipe']}`."]
    if origin.command:
        parts += ["This command trains it again:", f"```\n{origin.command}\n```"]
    rows = [
        f"| {key} | {description[key]} |" for key in _SETTINGS if description.get(key) is not None
    ]
    if "machine" in description:
        rows.append(f"| machine | {_machine(**description['machine'])} |")
    if rows:
        parts.append("\n".join(["| setting | value |", "| --- | --- |", *rows]))
    return "\n\n".join(parts)


def _machine(processor, cores, accelerators=(), **rest):
    return ", ".join([f"{cores} cores of {processor}", *accelerators])


def _scores(scores):
    if not scores:
        return "None is recorded. `python -m training.evaluate` measures some."
    rows = [f"| {each.name} | {each.text} | {each.protocol} |" for each in scores]
    return "\n".join(["| score | value | how it was measured |", "| --- | --- | --- |", *rows])


def _limits(description, shape):
    able, seen = set(description["abilities"]), description.get("examples")
    found = [text for needed, text in _LIMITS if needed <= able]
    if seen and shape:
        found.append(
            f"It has seen {seen:,} examples, each {_sizes(shape)}. It knows no other kinds and "
            "no other sizes."
        )
    if description.get("half_precision"):
        found.append(_HALF)
    return [*found, _LAST_LIMIT]
