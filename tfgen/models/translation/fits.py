"""Whether the networks and numbers of a translator fit each other."""

import keras
import tensorflow as tf

from tfgen.models.fits import check_players


def check_translators(generator_ab, generator_ba, discriminator_a, discriminator_b):
    """Raises a ValueError unless two generators and two discriminators fit each other."""
    for players, first, second in (
        ("generators", generator_ab, generator_ba),
        ("discriminators", discriminator_a, discriminator_b),
    ):
        if first is second:
            raise ValueError(
                f"A CycleGAN has two {players}. Received: one network twice. Build two."
            )
    check_players(generator_ab.output_shape, discriminator_b.input_shape)
    check_players(generator_ba.output_shape, discriminator_a.input_shape)
    if generator_ba.output_shape[1:] != generator_ab.input_shape[1:] or (
        generator_ab.output_shape[1:] != generator_ba.input_shape[1:]
    ):
        raise ValueError(
            "Each generator must take what the other makes. Received: `generator_ab` from "
            f"{list(generator_ab.input_shape)} to {list(generator_ab.output_shape)} and "
            f"`generator_ba` from {list(generator_ba.input_shape)} to "
            f"{list(generator_ba.output_shape)}."
        )


def distance_by(loss):
    """Returns the mean over all values of what a Keras loss function says of two images."""
    loss = keras.losses.get(loss)
    if isinstance(loss, keras.losses.Loss):
        raise TypeError(
            "`cycle_loss` must be a function, or the name of one, such as 'mean_absolute_error'; "
            "Keras' loss objects divide by the number of replicas themselves. "
            f"Received: a {type(loss).__name__}."
        )
    return lambda images, others: tf.reduce_mean(loss(images, others))


def check_not_negative(name, value):
    """Raises a ValueError if a number is less than 0."""
    if not value >= 0:
        raise ValueError(f"`{name}` must be at least 0. Received: {name}={value}.")
