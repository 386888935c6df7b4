"""What all models do that make examples of noise in steps: learn at all times, and sample."""

import functools
import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import StandardNormal
from tfgen.engine import noise, signatures
from tfgen.engine.batches import check_shape, unpack
from tfgen.engine.generative_model import GenerativeModel
from tfgen.engine.graphs import as_graph, requirement
from tfgen.models.autoencoders.prior_samples import PriorSamples
from tfgen.models.diffusion import sampling
from tfgen.models.diffusion.denoiser import Denoiser
from tfgen.models.diffusion.editing import Variations
from tfgen.models.fits import check_built, check_kinds, refuse_labels
from tfgen.objectives.noise_paths import Linear, LogitNormal, NoisePath
from tfgen.objectives.predictions import Prediction, Velocity
from tfgen.objectives.solvers import Heun, Solver
from tfgen.utils.arguments import check_count

tfd = tfp.distributions

_ABILITIES = frozenset({"sample", "sample_trajectories", "generate"})
_SOLVABLE = 1e-6  # the least determinant of what a network predicts at time 1


@functools.cache
def _kept(solver):
    return solver


class DenoisingModel(PriorSamples, Denoiser, Variations, GenerativeModel):
    """A network that takes noise away, on a path, with a prediction and a solver.

    `tfgen.Diffusion` tells what the arguments are. A subclass may see examples otherwise
    (`inward`, `outward`), mix them with other noise (`noises_of`), tell its network more
    (`training_conditions`, `denoiser_of`) or learn in another way (`compute_losses`).
    """

    def __init__(
        self, network, noise_path=None, prediction=None, times=None, solver=None, steps=32, **kwargs
    ):
        super().__init__(**kwargs)
        self.network = network
        self.noise_path = noise_path or Linear()
        self.prediction = prediction or Velocity()
        self.times = times
        self.solver = solver or Heun()
        self.steps = steps
        check_count("steps", steps)
        check_built("network", network)
        check_kinds(self, noise_path=NoisePath, prediction=Prediction, solver=Solver)
        if times is not None:
            check_kinds(self, times=(LogitNormal, NoisePath))
        self.check_shapes()
        self._check_prediction()
        self.averages.add(network)
        self.finalize()

    @property
    def abilities(self):
        return self.averages.abilities | _ABILITIES

    @property
    def state_shape(self):
        """The shape of what the network sees of one example, a tuple."""
        return tuple(self.network.input_shape[0][1:])

    @property
    def example_shape(self):
        """The shape of one example, a tuple."""
        return self.state_shape

    @property
    def prior(self):
        """What samples begin with: a normal number for each value that the network sees."""
        return StandardNormal(math.prod(self.state_shape))

    def check_shapes(self):
        """Raises a ValueError unless the network takes and outputs what it should."""
        taken = self.network.input_shape
        if not isinstance(taken, list) or len(taken) != 2:
            raise ValueError(
                "A diffusion's network must take [noisy examples, levels], [batch, ...] and "
                f"[batch]. Received: a network of {taken}. See `tfgen.networks.diffusion_unet`."
            )
        self.check_examples(taken)

    def check_examples(self, taken):
        """Raises a ValueError unless the network outputs the examples that it takes, and levels.

        Args:
            taken: the shapes of what it takes, a list.
        """
        made = self.network.output_shape
        if taken[0] != made or tuple(taken[1]) != (None,):
            raise ValueError(
                "A diffusion's network must take noisy examples and a level of each, [batch], and "
                f"output what is shaped as the examples. Received: a network from {taken} to "
                f"{list(made)}."
            )

    def _check_prediction(self):
        end = tf.constant(1.0)
        scale, deviation = self.noise_path.scales(end)
        of_data, of_noise = self.prediction.shares(self.noise_path, end)
        if not abs(scale * of_noise - deviation * of_data) >= _SOLVABLE:
            raise ValueError(
                "At time 1 only noise is left on this path, and this prediction tells nothing of "
                f"the example there. Received: {self.noise_path!r} with {self.prediction!r}. "
                "Predict `V()`, `Velocity()` or `Example()`."
            )

    def examples_of(self, data):
        """Returns a batch's examples, shaped as what the network takes."""
        what = "Examples must be shaped as what the network takes"
        return check_shape(unpack(data)[0], (None, *self.example_shape), what)

    def rows_of(self, data):
        """Returns what the model takes of a batch, a structure of tensors `[batch, ...]`."""
        return self.examples_of(data)

    def compute_losses(self, data, training):
        """Returns a batch's loss at random times, `{"loss"}` (Ho et al., 2020, algorithm 1)."""
        examples = self.inward(self.examples_of(data))
        times, noises = self._draw_times(examples), self.noises_of(data)
        scale, deviation = self.noise_path.scales(times)
        of_data, of_noise = self.prediction.shares(self.noise_path, times)
        noisy = scale * examples + deviation * noises
        inputs = self.network_inputs(noisy, times, self.training_conditions(data))
        predicted = self.network(inputs, training=training)
        error = tf.cast(predicted, tf.float32) - (of_data * examples + of_noise * noises)
        return {"loss": tf.add_n([tf.reduce_mean(tf.square(error)), *self.losses])}

    def noises_of(self, data):
        """Returns the noise that a batch's examples are mixed with, `[batch, ...]`."""
        normal, rows = tfd.Sample(tfd.Normal(0.0, 1.0), self.state_shape), self.examples_of(data)
        return noise.sample_batch(normal, tf.shape(rows)[0], self.noise.seed_of("noise"))

    def _draw_times(self, examples):
        """Returns a time for each example, `[batch, 1, ...]`."""
        times = (self.times or self.noise_path).training_times()
        drawn = noise.sample_batch(times, tf.shape(examples)[0], self.noise.seed_of("times"))
        return tf.reshape(drawn, [-1, *[1] * len(self.state_shape)])

    def training_conditions(self, data):
        """Returns what the network takes of a batch besides the examples, a list."""
        return []

    def average_inputs(self, data):
        examples = self.inward(self.examples_of(data))
        times, conditions = self._draw_times(examples), self.training_conditions(data)
        return [self.network_inputs(examples, times, conditions)]

    def sample(self, count, seed=None, use_ema=True, steps=None, solver=None, jit_compile=False):
        """Draws new examples.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.
            use_ema: whether to use the average of the weights, if there is one.
            steps: how many steps each takes, at least 1, an integer or int32 scalar tensor; `None`
                for the model's own.
            solver: a `tfgen.solvers.Solver`; `None` for the model's own.
            jit_compile: whether XLA compiles the way. That takes seconds for each `count` that is
                new, and makes few examples several times as fast. A solver that draws has other
                draws then.

        Returns:
            A float32 tensor `[count, ...]`.

        Raises:
            ValueError: `steps` is less than 1.
        """
        count, seed = noise.whole_count(count), noise.whole_seed(seed)
        way = use_ema, self.whole_steps(steps), self.solver_of(solver)
        if jit_compile and tf.get_static_value(count) != 0:  # XLA takes no empty batch
            return self._compiled_way(self.latents_of(count, seed), seed, *way)
        return self._sample(count, seed, *way)

    def sample_trajectories(self, count, seed=None, *, steps=None, use_ema=True):
        """Draws new examples, and returns all that they were on their way from noise.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: see `sample`, whose examples are the last that are returned.
            steps: how many steps each takes, at least 1; `None` for the model's own.
            use_ema: whether to use the average of the weights, if there is one.

        Returns:
            A float32 tensor `[steps + 1, count, ...]`, from noise to examples.

        Raises:
            ValueError: `steps` is less than 1.
        """
        count, seed = noise.whole_count(count), noise.whole_seed(seed)
        way = self.whole_steps(steps), self.solver_of(None), sampling.trajectory
        return self._sample(count, seed, use_ema, *way)

    @as_graph
    def _sample(self, count, seed, use_ema, steps, solver, go=sampling.go):
        latents, denoise = self.latents_of(count, seed), self.denoiser_of(None, use_ema)
        return self.made_of(latents, denoise, steps, seed, solver, go)

    @as_graph
    def latents_of(self, count, seed):
        """Returns what samples of a seed begin with, float32 `[count, size]`."""
        return self.prior.distribution().sample(count, seed=noise.seed_from(seed, "sample"))

    @tf.function(autograph=False, jit_compile=True)
    def _compiled_way(self, latents, seed, use_ema, steps, solver):
        return self.made_of(latents, self.denoiser_of(None, use_ema), steps, seed, solver)

    def generate(self, latents, labels=None, *, use_ema=True):
        """Returns the examples that begin as these latents; of a solver that draws, without draws.

        Args:
            latents: float32 `[batch, size]`, a normal number for each value of an example.
            labels: `None`: the model has no use for them.
            use_ema: whether to use the average of the weights, if there is one.
        """
        refuse_labels(self, labels)
        return self._generate(self.checked_latents(latents), self.whole_steps(None), use_ema)

    def checked_latents(self, latents):
        """Returns latents as float32 `[batch, size]`; raises a ValueError for others."""
        what = "Latents must be a normal number for each value of an example"
        return check_shape(tf.cast(latents, tf.float32), (None, *self.prior.shape), what)

    @as_graph
    def _generate(self, latents, steps, use_ema):
        return self.made_of(latents, self.denoiser_of(None, use_ema), steps=steps)

    def made_of(self, latents, denoise, steps, seed=None, solver=None, go=sampling.go):
        """Returns the examples that begin as these latents.

        Args:
            latents: float32 `[batch, size]`.
            denoise: see `tfgen.models.diffusion.sampling.go`.
            steps: how many, an int32 scalar.
            seed: an int64 scalar, of what the solver draws; `None` for a way without draws.
            solver: `None` for the model's own.
            go: what takes the steps, a function of `tfgen.models.diffusion.sampling`.
        """
        _, deviation = self.noise_path.scales(tf.constant(1.0))
        begin = deviation * tf.reshape(latents, [-1, *self.state_shape])
        solver = solver or self.solver
        if seed is None:
            solver, seed = solver.without_draws(), tf.constant(0, tf.int64)
        noise_seed = noise.seed_from(seed, "solver")
        way = denoise, self.noise_path, solver, begin, steps
        return self.outward(go(*way, noise_seed))

    def whole_steps(self, steps):
        """Returns how many steps are wanted, an int32 scalar tensor."""
        steps = self.steps if steps is None else steps
        if not tf.is_tensor(steps):
            check_count("steps", steps)
        steps = tf.cast(steps, tf.int32)
        with tf.control_dependencies(requirement(steps >= 1, "`steps` must be at least 1.", steps)):
            return tf.identity(steps)

    def solver_of(self, solver):
        """Returns a solver, the model's own for `None`: of equal ones always the same.

        A graph is traced anew for each object that it has not met.

        Raises:
            TypeError: it is no solver.
        """
        solver = solver or self.solver
        if not isinstance(solver, Solver):
            raise TypeError(
                "`solver` must be a `tfgen.solvers.Solver`, such as `DDIM()`. "
                f"Received: {solver!r}."
            )
        return _kept(solver)

    def signatures(self):
        steps = tf.TensorSpec([], tf.int32, "steps")

        def sample_in_steps(count, seed, steps):
            return {"images": self.sample(count, seed, steps=steps)}

        return {
            "serving_default": (
                lambda latents: {"images": self.generate(latents)},
                [signatures.latents(self.prior.shape)],
            ),
            "sample": signatures.sample(self),
            "sample_in_steps": (sample_in_steps, [signatures.COUNT, signatures.SEED, steps]),
        }
