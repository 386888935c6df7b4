"""A diffusion that is told what to make."""

import functools

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.engine import noise, signatures
from tfgen.engine.batches import unpack
from tfgen.engine.graphs import as_graph
from tfgen.engine.serialization import serializable
from tfgen.models.conditions import Conditions, check_labels, with_labels
from tfgen.models.diffusion import sampling
from tfgen.models.diffusion.diffusion import Diffusion
from tfgen.models.diffusion.guidance import Guidance
from tfgen.utils.arguments import check_number

tfd = tfp.distributions

_OF_DRAWN_LABELS = frozenset({"sample", "sample_trajectories", "generate"})


@serializable
class ConditionalDiffusion(Guidance, Diffusion):
    """A diffusion of `p(x|y)`, of labels or attributes, with guidance (Ho and Salimans, 2022).

    In training some examples lose their condition, so that one network learns `f(x_t, t, y)` and
    `f(x_t, t)`. Samples follow

        f(x_t, t) + w (f(x_t, t, y) - f(x_t, t))

    With the guidance `w = 1` they are those of `p(x|y)`, with 0 those of `p(x)`. Above 1 they show
    more clearly what they are, and differ less. The paper's `w` is ours less 1 (equation 6).

    Args:
        network: a built Keras model from `[noisy examples, levels, conditions]` to a prediction
            shaped as the examples. A condition is a vector; one of zeros stands for none.
        num_classes: the number of classes of integer labels, whose conditions are one-hot; `None`
            where labels are vectors of attributes.
        condition_dropout: the share of examples that lose their condition in training, from 0 to
            less than 1.
        guidance: `w` of samples of which nothing else is said.
        **kwargs: see `tfgen.Diffusion`.

    Raises:
        ValueError: the networks and the values do not fit each other.

    Example:
        >>> flow = tfgen.ConditionalDiffusion(
        ...     tfgen.networks.diffusion_unet((28, 28, 1), condition_size=10), num_classes=10
        ... )
        >>> flow.compile("adam")
        >>> flow.fit(images, labels, epochs=10)
        >>> flow.sample(10, seed=0, labels=range(10), guidance=2.0).shape
        TensorShape([10, 28, 28, 1])
    """

    def __init__(self, network, num_classes=None, condition_dropout=0.1, guidance=1.0, **kwargs):
        check_number("condition_dropout", condition_dropout, least=0)
        check_number("guidance", guidance, least=0)
        if condition_dropout >= 1:
            raise ValueError(
                "`condition_dropout` must be less than 1. "
                f"Received: condition_dropout={condition_dropout}."
            )
        self.num_classes = num_classes
        self.condition_dropout = condition_dropout
        self.guidance = guidance
        super().__init__(network, **kwargs)

    @property
    def abilities(self):
        """Labels are drawn where they are classes; of attributes nothing is known."""
        drawn = frozenset() if self.num_classes else _OF_DRAWN_LABELS
        return super().abilities - drawn | {"choose_labels"}

    @property
    def conditions(self):
        """What the model knows of its labels, a `tfgen.models.conditions.Conditions`."""
        size = self.network.input_shape[2][-1]
        return Conditions("conditional diffusion", self.num_classes, size)

    def check_shapes(self):
        taken = self.network.input_shape
        if not isinstance(taken, list) or len(taken) != 3 or len(taken[2]) != 2:
            raise ValueError(
                "A conditional diffusion's network must take [noisy examples, levels, conditions]. "
                f"Received: a network of {taken}. Build it with `condition_size=`."
            )
        if self.num_classes not in (None, taken[2][-1]):
            raise ValueError(
                "The network must take conditions of `num_classes` values. Received: a network of "
                f"{taken[2][-1]} and num_classes={self.num_classes}."
            )
        self.check_examples(taken)

    def log_likelihood(self, images, labels=None, **options):
        """Returns `log p(x|y)`, see `tfgen.Diffusion.log_likelihood`; without labels `log p(x)`."""
        return super().log_likelihood(with_labels(images, labels), **options)

    def elbo(self, images, labels=None, **options):
        """Returns the bound on `log p(x|y)`, see `tfgen.Diffusion.elbo`; without labels, of x."""
        return super().elbo(with_labels(images, labels), **options)

    def score(self, images, labels=None):
        """Returns the bound of each image as if it were alone, `{"elbo": [batch]}`; see `elbo`."""
        return super().score(with_labels(images, labels))

    def impute(self, images, mask, seed=None, labels=None, **options):
        """Draws what is missing, told the labels if there are some, as `tfgen.Diffusion.impute`."""
        return super().impute(with_labels(images, labels), mask, seed, **options)

    def vary(self, images, strength=0.5, seed=None, labels=None, **options):
        """Draws images anew from a part of the way, see `tfgen.Diffusion.vary`.

        With labels images become like those of other classes.
        """
        return super().vary(with_labels(images, labels), strength, seed, **options)

    def rows_of(self, data):
        """Returns a batch's examples, with labels if it has some."""
        labelled = unpack(data)[1] is not None
        examples = self.examples_of(data)
        return (examples, self.conditions.labels_of(data)) if labelled else examples

    def drawing_denoiser_of(self, rows, use_ema=True):
        """Returns `denoiser_of` with the model's guidance where there are labels."""
        _, labels = unpack(rows)
        if labels is None:
            return self.denoiser_of(rows, use_ema)
        return self.guided(labels, self.whole_guidance(None), use_ema)

    def denoiser_of(self, rows, use_ema=True):
        """Returns a function of noisy examples and a time, told the labels if there are some."""
        examples, labels = unpack(rows)
        vectors = tf.zeros([tf.shape(examples)[0], self.conditions.size])
        vectors = vectors if labels is None else self.conditions.vectors(labels)
        predict = functools.partial(self.predict_of, conditions=[vectors], use_ema=use_ema)
        return functools.partial(self.denoise, predict)

    def training_conditions(self, data):
        """Returns the batch's conditions, some of which are lost, in a list."""
        vectors = self.conditions.vectors(self.conditions.labels_of(data))
        noise_seed = self.noise.seed_of("condition dropout")
        draws = noise.sample_batch(tfd.Uniform(), tf.shape(vectors)[0], noise_seed)
        kept = tf.cast(draws >= self.condition_dropout, tf.float32)
        return [kept[:, tf.newaxis] * vectors]

    def sample(
        self,
        count,
        seed=None,
        use_ema=True,
        steps=None,
        solver=None,
        labels=None,
        guidance=None,
        jit_compile=False,
    ):
        """Draws new examples, see `tfgen.Diffusion.sample`.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.
            use_ema: whether to use the average of the weights, if there is one.
            steps: how many steps each takes; `None` for the model's own.
            solver: a `tfgen.solvers.Solver`; `None` for the model's own.
            labels: `count` classes, or vectors of attributes; `None` draws classes, all
                equally likely.
            guidance: `w`, at least 0, a number or float32 scalar; `None` for the model's own.
            jit_compile: whether XLA compiles the way, see there.

        Returns:
            A float32 tensor `[count, ...]`.

        Raises:
            ValueError: `steps` is less than 1, `guidance` negative, a label no class; there are
                not `count` labels, or none for attributes.
        """
        labels = self.conditions.for_samples(noise.whole_count(count), seed, labels)
        return self.sample_labels(labels, seed, use_ema, steps, solver, guidance, jit_compile)

    def sample_labels(
        self,
        labels,
        seed=None,
        use_ema=True,
        steps=None,
        solver=None,
        guidance=None,
        jit_compile=False,
    ):
        """Draws an example of each label, as `sample` does; labels are a tensor, not checked."""
        seed, steps, guidance = (
            noise.whole_seed(seed),
            self.whole_steps(steps),
            self.whole_guidance(guidance),
        )
        if labels.shape[0] == 0:  # which a graph that is traced with it could not take
            return tf.zeros([0, *self.example_shape])
        way = seed, use_ema, steps, self.solver_of(solver), guidance
        if jit_compile:
            return self._compiled_way(self.latents_of(labels.shape[0], seed), labels, *way)
        return self._sample_labels(labels, *way)

    def sample_trajectories(
        self, count, seed=None, *, steps=None, use_ema=True, labels=None, guidance=None
    ):
        """Draws examples, and returns all that they were, see `tfgen.Diffusion`; and `sample`."""
        labels = self.conditions.for_samples(noise.whole_count(count), seed, labels)
        way = self.whole_steps(steps), self.solver_of(None), self.whole_guidance(guidance)
        options = noise.whole_seed(seed), use_ema, *way, sampling.trajectory
        return self._sample_labels(labels, *options)

    @as_graph
    def _sample_labels(self, labels, seed, use_ema, steps, solver, guidance, go=sampling.go):
        latents = self.latents_of(tf.shape(labels)[0], seed)
        denoise = self.guided(labels, guidance, use_ema)
        return self.made_of(latents, denoise, steps, seed, solver, go)

    @tf.function(autograph=False, jit_compile=True)
    def _compiled_way(self, latents, labels, seed, use_ema, steps, solver, guidance):
        denoise = self.guided(labels, guidance, use_ema)
        return self.made_of(latents, denoise, steps, seed, solver)

    def generate(self, latents, labels=None, *, use_ema=True):
        """Returns the examples of these labels that begin as these latents.

        Args:
            latents: float32 `[batch, size]`, a normal number for each value of an example.
            labels: `[batch]` integers, or `[batch, condition_size]` floats.
            use_ema: whether to use the average of the weights, if there is one.

        Raises:
            ValueError: there are no labels, or not as many as latents.
        """
        if labels is None:
            raise ValueError(
                "A conditional diffusion makes examples of labels. Received: labels=None. Pass a "
                "label for each of the latents; `sample(count)` draws classes."
            )
        latents = self.checked_latents(latents)
        check_labels(labels, latents.shape[0], "latents")
        way = self.whole_steps(None), self.whole_guidance(None)
        return self._generate_labels(latents, tf.convert_to_tensor(labels), *way, use_ema)

    @as_graph
    def _generate_labels(self, latents, labels, steps, guidance, use_ema):
        return self.made_of(latents, self.guided(labels, guidance, use_ema), steps)

    def generate_paths(self, paths, seed=None, labels=None):
        """Returns what `generate` makes on paths `[count, steps, size]`, each with one label.

        Args:
            paths: float32 `[count, steps, size]`.
            seed: a 64-bit integer, of the labels where none are given. `None`: new ones.
            labels: see `sample`, one for each path.
        """
        paths = tf.convert_to_tensor(paths)
        count, steps = paths.shape[:2]
        labels = tf.repeat(self.conditions.for_samples(count, seed, labels), steps, axis=0)
        return self.generate(tf.reshape(paths, [-1, *self.prior.shape]), labels)

    def check_batch(self, data):
        super().check_batch(data)
        self.conditions.check_range(self.conditions.labels_of(data))

    def signatures(self):
        labels, steps = self.conditions.spec, tf.TensorSpec([], tf.int32, "steps")
        guidance = tf.TensorSpec([], tf.float32, "guidance")

        def sample_labels(labels, seed):
            return {"images": self.sample_labels(labels, seed)}

        def sample_labels_in_steps(labels, seed, steps, guidance):
            options = {"steps": steps, "guidance": guidance}
            return {"images": self.sample_labels(labels, seed, **options)}

        def impute(images, labels, mask, seed):
            return {"images": self.impute(images, mask, seed, labels)}

        images = signatures.images(self.example_shape)
        mask = signatures.mask(self.example_shape)
        answers = {
            "impute": (impute, [images, labels, mask, signatures.SEED]),
            "serving_default": (
                lambda latents, labels: {"images": self.generate(latents, labels)},
                [signatures.latents(self.prior.shape), labels],
            ),
            "sample_labels": (sample_labels, [labels, signatures.SEED]),
            "sample_labels_in_steps": (
                sample_labels_in_steps,
                [labels, signatures.SEED, steps, guidance],
            ),
        }
        if self.is_of_images:
            answers["score"] = (self.score, [images, labels])
        if self.num_classes is not None:
            answers["sample"] = signatures.sample(self)
        return answers
