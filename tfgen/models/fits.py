"""Whether networks and values fit each other: errors at construction, not in the first step."""

import inspect
import warnings

import keras

from tfgen.engine.keras_internals import last_activations


def as_list(outputs):
    """Returns what a network outputs as a list."""
    return outputs if isinstance(outputs, (list, tuple)) else [outputs]


def check_kinds(model, **kinds):
    """Raises a TypeError unless arguments are of their kinds.

    Args:
        model: a model that has kept them under their names.
        **kinds: the class of each argument.
    """
    for name, kind in kinds.items():
        value = getattr(model, name)
        if not isinstance(value, kind):
            raise TypeError(f"`{name}` must be {_told(kind)}. Received: {value!r}.")


def _told(kind):
    kind = kind[0] if isinstance(kind, tuple) else kind
    room, within, *_ = kind.__module__.split(".")[1:]
    if room == "models":
        return f"a `tfgen.{kind.__name__}`"
    room = within if room == "objectives" else room
    return (
        f"a `tfgen.{room}.{kind.__name__}`, one of tfgen's or a dataclass of your own that derives "
        "from it"
    )


def check_outputs(player, network, value, shape):
    """Raises a ValueError unless a network outputs the parameters of a distribution.

    Args:
        player: what the network is, such as "encoder".
        network: a built Keras model.
        value: a posterior or likelihood.
        shape: of one example's latents, or of one example.
    """
    outputs = network.outputs
    wanted = value.parameters(tuple(shape))
    if wanted is None:
        _check_number(player, network, value)
        return
    found = [list(output.shape) for output in outputs]
    fit = len(outputs) == len(wanted) and all(
        expected is None or tuple(output.shape[1:]) == tuple(expected)
        for output, expected in zip(outputs, wanted.values(), strict=True)
    )
    if not fit:
        described = ", ".join(
            name if expected is None else f"{name} {_batch_of(expected)}"
            for name, expected in wanted.items()
        )
        count = {1: "one output", 2: "two outputs"}.get(len(wanted), f"{len(wanted)} outputs")
        raise ValueError(
            f"{value!r} needs the {player} to have {count}: {described}. "
            f"Received: {len(outputs)}, of the shapes {found}. tfgen's networks take `heads=` for "
            f"their number, `latent_dim=` and `shape` for their sizes."
        )


def check_latents(player, taken, shape):
    """Raises a ValueError unless a network takes the latents of a prior.

    Args:
        player: what the network is, such as "generator".
        taken: its input shape, `(None, ...)`.
        shape: of one example's latents, a tuple.
    """
    if tuple(taken) != (None, *shape):
        raise ValueError(
            f"The {player} must take latents of the prior's size, {_batch_of(shape)}. "
            f"Received: a {player} of {list(taken)}. "
            f"Build the {player} with that `latent_dim`, or the prior with the {player}'s."
        )


def refuse_encoder_prior(model):
    """Raises a ValueError for a prior that needs an encoder of examples alone."""
    if model.prior.needs_encoder:
        raise ValueError(
            f"The encoder of a {type(model).__name__} takes labels, too, and this prior's examples "
            f"have none. Received: prior={model.prior!r}. `NormalMixture` and `FlowPrior` learn "
            "without an encoder."
        )


def check_players(made, taken, discriminator="discriminator", generator="generator"):
    """Raises a ValueError unless a generator's output shape is what another network takes."""
    if made[1:] != taken[1:]:
        raise ValueError(
            f"The {generator} must output what the {discriminator} takes. Received: "
            f"{_a(generator)} to {list(made)} and {_a(discriminator)} of {list(taken)}."
        )


def check_one_output(player, network):
    """Raises a ValueError unless a network has one output, such as an encoder to codes."""
    shapes = [list(output.shape) for output in network.outputs]
    if len(shapes) != 1:
        raise ValueError(
            f"The {player} must have one output, the codes. Received: {len(shapes)}, of the shapes "
            f"{shapes}. Build it with `heads=1`."
        )


def check_logits(player, network):
    """Raises a ValueError unless a network outputs a logit for each example, `[batch, 1]`."""
    if network.output_shape != (None, 1):
        raise ValueError(
            f"The {player} must output one logit for each example, [batch, 1]. "
            f"Received: a {player} to {list(network.output_shape)}."
        )


def check_corruption(corruption, name="corruption", optional=True):
    """Raises a TypeError unless something is a function of examples and the seed of its noise.

    Args:
        corruption: what a model calls with images and a noise seed; `None` for nothing.
        name: the argument's name, for the message.
        optional: whether `None` will do.
    """
    if corruption is None and optional:
        return
    try:
        inspect.signature(corruption).bind("images", "noise_seed")
        fits = not isinstance(corruption, (type, keras.Layer))
    except (TypeError, ValueError):  # no function, another one, or one that tells no arguments
        fits = False
    if not fits:
        raise TypeError(
            f"`{name}` must be a function of (images, noise_seed), such as a value of "
            f"`tfgen.augmentations`{', or None' if optional else ''}. Received: {corruption!r}."
        )


def check_built(player, network):
    """Raises a ValueError unless a network is a built Keras model, whose shapes are known."""
    if getattr(network, "input_shape", None) is None:
        raise ValueError(
            f"The {player} must be a built Keras model, whose input has a shape. Received: "
            f"{network!r}. Begin it with `keras.Input(shape)`."
        )


def warn_of_sigmoid(player, network):
    """Warns if a network ends in a sigmoid where logits are asked for."""
    if "sigmoid" in last_activations(network):
        warnings.warn(
            f"The {player} should output logits, but ends in a sigmoid: the loss applies one "
            "itself. Leave the last activation out.",
            stacklevel=4,
        )


def refuse_labels(model, labels):
    """Raises a ValueError for labels that a model has no use for."""
    if isinstance(labels, bool):
        raise ValueError(
            f"Labels come second. Received: labels={labels}. For the last weights, pass "
            f"use_ema={labels}."
        )
    if labels is not None:
        raise ValueError(
            f"A {type(model).__name__} knows no labels. Received: labels={labels!r}. "
            "`tfgen.ConditionalGAN`, `tfgen.ConditionalVAE` and `tfgen.ConditionalDiffusion` make "
            "examples of a label."
        )


def _a(player):
    return f"{'an' if player[0] in 'aeiou' else 'a'} {player}"


def _batch_of(shape):
    return f"[{', '.join(['batch', *map(str, shape)])}]"


def _check_number(player, network, value):
    try:
        inspect.signature(value.distribution).bind(*network.outputs)
    except TypeError as error:
        raise ValueError(
            f"{value!r} does not fit the {player} with {len(network.outputs)} outputs: {error}."
        ) from error


def freeze(model):
    """Makes sure that no optimizer moves a trained model, which is a part of another one.

    It lets go of the model's own optimizer, of which Keras would miss the state in each file.

    Keras' own `trainable = False` does not reach the layers within an attention that was loaded
    from a file where it could not be trained.
    """
    model.trainable = False
    model.optimizer, model.compiled = None, False
    for variable in model.variables:
        variable.trainable = False
