"""A network that goes the whole way from noise to an example in one step."""

import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.engine import noise
from tfgen.engine.serialization import serializable
from tfgen.models.diffusion.denoising_model import DenoisingModel
from tfgen.models.diffusion.editing import Imputations
from tfgen.models.fits import check_kinds
from tfgen.objectives.noise_paths import EDM, FewSteps
from tfgen.objectives.predictions import Consistent
from tfgen.objectives.solvers import FreshNoise
from tfgen.utils.arguments import check_count

tfd = tfp.distributions


@serializable
class ConsistencyModel(Imputations, DenoisingModel):
    """A network that says the same example wherever it looks on one way from noise.

        loss = E 1 / (s' - s) d(f(x + s' e, s'), f(x + s e, s)),   d(a, b) = |a - b| smoothed at 0

    `s < s'` are neighbours among `N` deviations of noise, and the second network's answer is taken
    as given. At the least noise `f` is what it sees, and so all ways begin with their example. `N`
    doubles from time to time. This is consistency training as improved by Song and Dhariwal, 2024,
    "Improved techniques for training consistency models": without a trained diffusion, and without
    an average of weights as teacher (section 3.2).

    Args:
        network: see `tfgen.Diffusion`.
        total_steps: how many training steps there will be: they decide when `N` doubles.
        least_levels: the first `N` less 1, at least 2.
        most_levels: the last `N` less 1, at least `least_levels`. The paper's 1,280 are for 400,000
            steps.
        steps: how many steps a sample takes if nothing else is said.
        **kwargs: see `tfgen.Diffusion`. The path is `FewSteps()`, the prediction `Consistent()`,
            the solver `FreshNoise()`, unless told otherwise. `Consistent(data_deviation)` knows
            how far the data spread.

    Raises:
        ValueError: see `tfgen.Diffusion`; or a number is out of range.

    Example:
        >>> clothes = tfgen.predictions.Consistent(data_deviation=0.71)
        >>> model = tfgen.ConsistencyModel(network, total_steps=10_000, prediction=clothes)
        >>> model.compile("adam")
        >>> model.fit(images, epochs=10)
        >>> model.sample(16, seed=0, steps=2)
    """

    def __init__(
        self,
        network,
        total_steps,
        least_levels=10,
        most_levels=160,
        steps=1,
        **kwargs,
    ):
        check_count("total_steps", total_steps)
        check_count("least_levels", least_levels, least=2)
        check_count("most_levels", most_levels, least=least_levels)
        self.total_steps = total_steps
        self.least_levels = least_levels
        self.most_levels = most_levels
        values = {
            "noise_path": FewSteps(),
            "prediction": Consistent(),
            "solver": FreshNoise(),
            **kwargs,
        }
        super().__init__(network, steps=steps, **values)
        check_kinds(self, noise_path=EDM, prediction=Consistent)

    def compute_losses(self, data, training):
        """Returns a batch's loss at random neighbours (Song and Dhariwal, 2024, section 3.1)."""
        examples, noises = self.inward(self.examples_of(data)), self.noises_of(data)
        less, more = self.neighbours(tf.shape(examples)[0])
        sees = [self._seen(examples + each * noises, each, training) for each in (less, more)]
        apart = tf.reduce_sum(
            tf.square(sees[1] - tf.stop_gradient(sees[0])), axis=range(1, len(examples.shape))
        )
        # Pseudo-Huber (section 3.3), whose unit grows with the number of values.
        unit = 0.00054 * math.sqrt(math.prod(self.example_shape))
        distances = tf.sqrt(apart + unit**2) - unit
        weights = 1.0 / tf.reshape(more - less, [-1])
        return {"loss": tf.add_n([tf.reduce_mean(weights * distances), *self.losses])}

    def _seen(self, noisy, deviations, training):
        """Returns the examples that the network sees in noise of these deviations."""
        times = deviations / self.noise_path.largest
        predicted = self.network(self.network_inputs(noisy, times, []), training=training)
        example, _ = self.prediction.solve(
            self.noise_path, times, noisy, tf.cast(predicted, tf.float32)
        )
        return example

    def levels(self):
        """Returns `N` at this step of training, an int32 scalar (section 3.4)."""
        doublings = math.floor(math.log2(self.most_levels / self.least_levels)) + 1
        each = max(self.total_steps // doublings, 1)
        done = tf.cast(self.step.value // each, tf.float32)
        grown = self.least_levels * 2.0 ** tf.minimum(done, float(doublings))
        return tf.cast(tf.minimum(grown, float(self.most_levels)), tf.int32) + 1

    def neighbours(self, count):
        """Returns the deviations of two neighbours for each example, both `[batch, 1, ...]`.

        They are drawn so that their logarithms are about normal, with mean -1.1 and deviation 2
        (section 3.5).
        """
        levels = self.levels()
        deviations = self._deviations(tf.range(self.most_levels + 1), levels)
        within = tf.range(self.most_levels) < levels - 1
        normal = tfd.Normal(-1.1, 2.0)
        shares = normal.cdf(tf.math.log(deviations[1:])) - normal.cdf(tf.math.log(deviations[:-1]))
        logits = tf.where(within, tf.math.log(tf.maximum(shares, 1e-30)), -1e30)
        chosen = noise.sample_batch(
            tfd.Categorical(logits), count, self.noise.seed_of("neighbours")
        )
        shape = [-1, *[1] * len(self.example_shape)]
        return tuple(
            tf.reshape(self._deviations(index, levels), shape) for index in (chosen, chosen + 1)
        )

    def _deviations(self, index, levels):
        """Returns the deviation of each of so many levels, from the least to the largest."""
        path = EDM(self.noise_path.least, self.noise_path.largest)
        return path.largest * path.time_of(levels - 1 - index, levels)
