"""How far a decoder's outputs are from examples, and what it makes of codes."""

import tensorflow as tf

from tfgen.models.fits import (
    as_list,
    check_one_output,
    check_outputs,
    check_players,
    warn_of_sigmoid,
)


def check_decoder(encoder, decoder, likelihood, player="decoder"):
    """Raises a ValueError unless a decoder takes codes and gives back what can be compared."""
    check_one_output("encoder", encoder)
    check_players(encoder.output_shape, decoder.input_shape, player, "encoder")
    example_shape = encoder.input_shape[1:]
    if likelihood is None:
        check_players(decoder.output_shape, (None, *example_shape), "encoder", player)
        return
    check_outputs(player, decoder, likelihood, example_shape)
    if likelihood.takes_logits:
        warn_of_sigmoid(player, decoder)


def errors(likelihood, examples, outputs):
    """Returns the error of each example, `[batch]`.

    Args:
        likelihood: a `Likelihood`, whose negative logarithm it is, in nats; `None` for the sum of
            the squared differences.
        examples: float32 `[batch, ...]`.
        outputs: the decoder's.
    """
    if likelihood is not None:
        return -likelihood.distribution(*as_list(outputs)).log_prob(examples)
    differences = tf.math.squared_difference(tf.cast(outputs, tf.float32), examples)
    return tf.reduce_sum(differences, axis=range(1, len(differences.shape)))


def examples_from(likelihood, outputs):
    """Returns the examples that a decoder's outputs stand for, float32 `[batch, ...]`."""
    if likelihood is not None:
        return likelihood.distribution(*as_list(outputs)).mean()
    return tf.cast(outputs, tf.float32)
