"""A flow whose ways are straight, so that a step or two will do."""

import tensorflow as tf

from tfgen.engine.batches import check_shape, unpack
from tfgen.engine.serialization import serializable
from tfgen.models.diffusion.diffusion import Diffusion


@serializable
class RectifiedFlow(Diffusion):
    """A flow that learns from pairs of an example and the noise that it was made of.

    Where noise and examples are mixed at random, straight lines between them cross, and the flow
    bends. A trained flow leads each noise to one example. A second flow that is trained on these
    pairs has no crossings to avoid, and is nearly straight (Liu et al., 2023, "Flow straight and
    fast", section 2.1 and algorithm 1: reflow).

    A batch is `(examples, latents)`, as `generate` made them.

    Args:
        network: see `tfgen.Diffusion`. The paper begins with the first flow's weights.
        **kwargs: see `tfgen.Diffusion`. The path should be `Linear()`.

    Raises:
        ValueError: see `tfgen.Diffusion`; in training, a batch has no latents, or others.

    Example:
        >>> latents = flow.prior.distribution().sample(10_000, seed=0)
        >>> examples = flow.generate(latents)
        >>> straight = tfgen.RectifiedFlow(keras.models.clone_model(flow.network), steps=1)
        >>> straight.network.set_weights(flow.network.get_weights())
        >>> straight.compile("adam")
        >>> straight.fit(examples, latents, epochs=10)
        >>> straight.sample(16, seed=0)
    """

    def noises_of(self, data):
        _, latents = unpack(data)
        if latents is None:
            raise ValueError(
                "A rectified flow learns from pairs. Received: a batch without latents. Pass "
                "(examples, latents), where `examples = flow.generate(latents)`."
            )
        what = "Latents must be those that a flow made the examples of"
        latents = check_shape(tf.convert_to_tensor(latents), (None, *self.prior.shape), what)
        return tf.reshape(tf.cast(latents, tf.float32), [-1, *self.example_shape])
