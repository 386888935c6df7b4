"""How models of pixels are sampled: as a graph, or as one loop that XLA compiles."""

import tensorflow as tf

from tfgen.engine import noise, signatures
from tfgen.engine.graphs import as_graph, requirement
from tfgen.utils.arguments import check_number


class DrawnPixels:
    """Samples of a model of pixels, at a temperature; a base beside its class.

    The model has `drawn`, of how many images or of their labels, a noise seed, whether to use the
    average of the weights, a temperature, and whether XLA compiles it.
    """

    def draw_seeded(self, told, seed, use_ema, temperature, jit_compile):
        """Returns what `drawn` makes, of a seed that a user gives.

        Args:
            told: int32 scalar, how many images; or their labels, a tensor.
            seed: a 64-bit integer; `None` for another one each time.
            use_ema: whether to use the average of the weights, if there is one.
            temperature: positive.
            jit_compile: whether XLA compiles all of it, for as many images as these.

        Raises:
            ValueError: the temperature is not positive.
        """
        seed, temperature = noise.whole_seed(seed), _whole_temperature(temperature)
        if not jit_compile:
            return self._draw(told, seed, use_ema, temperature)
        # XLA must know how many there are.
        told = told if told.shape.rank else int(told)
        return self._compiled_draw(told, seed, use_ema, temperature)

    @as_graph
    def _draw(self, told, seed, use_ema, temperature):
        return self.drawn(told, noise.seed_from(seed, "sample"), use_ema, temperature)

    @tf.function(autograph=False, jit_compile=True)
    def _compiled_draw(self, told, seed, use_ema, temperature):
        noise_seed = noise.seed_from(seed, "sample")
        return self.drawn(told, noise_seed, use_ema, temperature, compiled=True)

    def signatures(self):
        def sample_sharply(count, seed, temperature):
            return {"images": self.sample(count, seed, temperature=temperature)}

        sample, temperature = signatures.sample(self), tf.TensorSpec([], tf.float32, "temperature")
        asked = [signatures.COUNT, signatures.SEED, temperature]
        return {
            "serving_default": sample,
            "sample": sample,
            "sample_with_temperature": (sample_sharply, asked),
        }


def _whole_temperature(temperature):
    """Returns a temperature as a float32 scalar tensor; raises a ValueError unless positive."""
    if not tf.is_tensor(temperature):
        check_number("temperature", temperature)
    temperature = tf.cast(temperature, tf.float32)
    checks = requirement(temperature > 0, "`temperature` must be positive.", temperature)
    with tf.control_dependencies(checks):
        return tf.identity(temperature)
