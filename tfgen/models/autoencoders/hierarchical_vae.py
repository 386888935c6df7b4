"""Variational autoencoders with layers of latents."""

import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import (
    DiagonalNormal,
    LayerPosterior,
    Likelihood,
    Posterior,
    Proposed,
)
from tfgen.engine import noise
from tfgen.engine.batches import check_shape, unpack
from tfgen.engine.graphs import as_graph
from tfgen.engine.serialization import serializable
from tfgen.models.autoencoders import descent
from tfgen.models.autoencoders.latent_variable_model import LatentVariableModel
from tfgen.models.autoencoders.layered_noise import LayeredNoise
from tfgen.models.autoencoders.layered_terms import terms_of
from tfgen.models.autoencoders.layers_fit import check_layers
from tfgen.models.fits import as_list, check_kinds, warn_of_sigmoid
from tfgen.objectives import bounds

tfd = tfp.distributions

_ABILITIES = frozenset(
    "sample generate encode reconstruct bound log_likelihood importance_sampling impute "
    "redraw".split()
)


@serializable
class HierarchicalVAE(LatentVariableModel):
    """A VAE of layers of latents: ladder VAE, NVAE, VD-VAE.

    The first layer is the top, of standard normal latents. From there both model and inference go
    down, layer by layer, through a state `h` (Sonderby et al., 2016, equations 1 to 3 and 17 to 19;
    Child, 2021, equations 1 and 2):

        p(x, z) = p(x | h_L) p(z_1) prod_i p(z_i | h_{i-1}),
        q(z|x) = q(z_1 | x) prod_i q(z_i | h_{i-1}, x),
        h_1 = merge_1(z_1),   h_i = merge_i(z_i, h_{i-1}).

    What a layer takes of the example comes from a network that goes bottom up, once.

    To the outside the latents are noise: standard normal numbers `[batch, total]` of all layers,
    the top ones first, of which each layer makes `z_i = mu_i(h) + sigma_i(h) noise_i`. So `prior`
    is `StandardNormal(total)`.

    Args:
        bottom_up: a built Keras model from examples to one tensor of features for each layer, the
            top layer's first.
        posteriors: a list of built Keras models, one for each layer: from its features, or from
            `[features, state]`, to the outputs that `normal` asks for. Their shape is that of the
            layer's latents, such as `[batch, 16]` or `[batch, 4, 4, 8]`.
        priors: a list of such models from the state, one for each layer but the top one.
        merges: a list of built Keras models, one for each layer: from its latents, or from
            `[latents, state]`, to the next state; the top one's from latents alone.
        decoder: a built Keras model from the last state to the likelihood's parameters.
        likelihood: a `tfgen.distributions.Likelihood`.
        inference: how a layer's posterior is made of what its network proposes and of the prior:
            `tfgen.distributions.Proposed()` (the default, VD-VAE), `PrecisionWeighted()` (ladder)
            or `Relative()` (NVAE).
        normal: how networks' outputs parametrize the normals of all layers:
            `tfgen.distributions.DiagonalNormal()`, the default, or `LogVarianceNormal()`.
        bound: a `tfgen.bounds.Bound`; the default is `ELBO()`.
        **kwargs: `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`.

    Raises:
        ValueError: layers do not fit each other; the message names the network.
        TypeError: a value is of another kind.

    Example:
        >>> ladder = tfgen.HierarchicalVAE(
        ...     **networks.ladder_networks((28, 28, 1), latent_sizes=(4, 8, 16)),
        ...     likelihood=tfgen.distributions.Bernoulli(),
        ...     inference=tfgen.distributions.PrecisionWeighted(),
        ... )
        >>> ladder.compile("adam")
        >>> ladder.fit(images, epochs=10)
        >>> ladder.sample(16, seed=0, temperatures=0.8)
    """

    def __init__(
        self,
        bottom_up,
        posteriors,
        priors,
        merges,
        decoder,
        likelihood,
        inference=None,
        normal=None,
        bound=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.bottom_up = bottom_up
        self.posteriors = list(posteriors)
        self.priors = list(priors)
        self.merges = list(merges)
        self.decoder = decoder
        self.likelihood = likelihood
        self.inference = inference or Proposed()
        self.normal = normal or DiagonalNormal()
        self.bound = bound or bounds.ELBO()
        self.check_shapes()
        self.averages.add(*self.networks)
        self.finalize()

    @property
    def abilities(self):
        return self.averages.abilities.union(_ABILITIES)

    @property
    def log_names(self):
        """The divergence of each layer is logged, too: `divergence_1` is the top one's."""
        layers = range(1, len(self.posteriors) + 1)
        return (*super().log_names, *(f"divergence_{layer}" for layer in layers))

    @property
    def networks(self):
        """All networks, in the order in which they are run."""
        return [self.bottom_up, *self.posteriors, *self.priors, *self.merges, self.decoder]

    @property
    def example_shape(self):
        """The shape of one example, a tuple."""
        return tuple(self.bottom_up.input_shape[1:])

    @property
    def latent_shapes(self):
        """The shape of one example's latents in each layer, a list of tuples, the top one first."""
        return [tuple(network.outputs[0].shape[1:]) for network in self.posteriors]

    @property
    def sizes(self):
        """How many latents each layer has, a list."""
        return [math.prod(shape) for shape in self.latent_shapes]

    @property
    def layered_noise(self):
        """The noise of all layers, a `LayeredNoise`."""
        return LayeredNoise(tuple(self.sizes))

    @property
    def prior(self):
        """The distribution of the noise of all layers, a `StandardNormal`."""
        return self.layered_noise.prior

    def check_shapes(self):
        """Raises a ValueError if the networks and the values do not fit each other."""
        check_kinds(
            self,
            likelihood=Likelihood,
            inference=LayerPosterior,
            normal=Posterior,
            bound=bounds.Bound,
        )
        check_layers(self)
        if self.likelihood.takes_logits:
            warn_of_sigmoid("decoder", self.decoder)

    def examples_of(self, data):
        """Returns a batch's examples, shaped as what `bottom_up` takes."""
        what = "Examples must be shaped as what `bottom_up` takes"
        return check_shape(unpack(data)[0], (None, *self.example_shape), what)

    def encode(self, images, training=False, *, use_ema=True):
        """Returns the noise that stands for each example, as a TFP distribution certain of it.

        Its `mean()`, float32 `[batch, total]`, is what `generate` makes the reconstruction of: in
        each layer the mean of the posterior, given such means above. `q(z|x)` itself has
        no such form: the posteriors of lower layers depend on what is drawn above.

        Args:
            images: float `[batch, ...]`, in [0, 1] if images; or a batch that begins with them.
            training: whether layers behave as in training; then the last weights are used.
            use_ema: whether to use the average of the weights, if there is one.
        """
        _, layers = self._means(images, descent.runner(self, training, use_ema))
        return tfd.Independent(tfd.Deterministic(descent.to_noise(layers)), 1)

    def decode(self, latents, training=False, *, use_ema=True):
        """Returns `p(x|z)` of noise `[batch, total]`, a TFP distribution over examples."""
        run = descent.runner(self, training, use_ema)
        state = descent.generate(self, run, self.layered_noise.split(latents))
        return self.likelihood_of(state, run)

    def reconstruct(self, images, training=False, *, use_ema=True):
        """Returns the mean of `p(x|z)` with the posterior's mean in each layer; as `images`."""
        run = descent.runner(self, training, use_ema)
        state, _ = self._means(images, run)
        return self.likelihood_of(state, run).mean()

    def sample(self, count, seed=None, use_ema=True, temperatures=None):
        """Draws new examples.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.
            use_ema: whether to use the average of the weights, if there is one.
            temperatures: what multiplies the noise, at least 0: a number, or one for each layer,
                the top one's first. Below 1 samples are more typical and less diverse.

        Returns:
            A float32 tensor `[count, ...]`.

        Raises:
            ValueError: a temperature is negative, or there is another number of them.
        """
        scales = self.layered_noise.scales(temperatures)
        return self._sample(noise.whole_count(count), noise.whole_seed(seed), use_ema, scales)

    @as_graph
    def _sample(self, count, seed, use_ema, scales):
        prior = self.prior_distribution()
        latents = prior.sample(count, seed=noise.seed_from(seed, "sample"))
        return self.generate(scales * latents, use_ema=use_ema)

    def redraw(self, latents, kept, count, seed=None):
        """Draws the lower layers anew, and keeps the upper ones.

        Args:
            latents: float32 `[batch, total]`, noise, such as `encode(images).mean()`.
            kept: how many layers stay, counted from the top, from 0 to their number.
            count: how many examples to make of each.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.

        Returns:
            A float32 tensor `[batch, count, ...]`.

        Raises:
            ValueError: there are not so many layers.

        Example:
            >>> vae.redraw(vae.encode(images).mean(), kept=1, count=8)
        """
        noise_seed = noise.seed_from(seed, "redraw")
        paths = self.layered_noise.redraw(latents, kept, count, noise_seed)
        made = self.generate_paths(paths)
        return tf.reshape(made, [*tf.unstack(tf.shape(paths)[:2]), *self.example_shape])

    def terms(self, images, samples, noise_seed, training=False, use_ema=True):
        return terms_of(self, images, samples, noise_seed, training, use_ema)

    def losses_of(self, terms, training):
        found = {
            f"divergence_{layer}": tf.reduce_mean(tf.reduce_sum(divergences, axis=-1))
            for layer, divergences in enumerate(terms.layer_divergences, start=1)
        }
        return {**super().losses_of(terms, training), **found}

    def proposal(self, rows):
        return descent.NoisePosterior(self, self.features_of(rows, descent.runner(self)))

    def average_inputs(self, data):
        record, taken = descent.recording(descent.runner(self, use_ema=False))
        features = self.features_of(data, record)
        noise_seed = self.noise.seed_of("latents")
        drawn = self.layered_noise.draw(tf.shape(features[0])[0], 1, noise_seed)
        state, _ = descent.infer(self, record, features, drawn)
        record(self.decoder, state)
        return [taken[id(network)] for network in self.networks]

    def signatures(self):
        answers = super().signatures()
        _, images = answers["encode"]
        answers["encode"] = (lambda images: {"mean": self.encode(images).mean()}, images)
        return answers

    def features_of(self, data, run):
        """Returns what each layer takes of the examples, a list; `run` calls a network."""
        return as_list(run(self.bottom_up, self.examples_of(data)))

    def likelihood_of(self, state, run):
        """Returns `p(x | h_L)`, a TFP distribution, of the last state; `run` calls a network."""
        return self.likelihood.distribution(*as_list(run(self.decoder, state)))

    def _means(self, data, run):
        """Goes down by the posteriors' means; returns what `descent.infer` does."""
        features = self.features_of(data, run)
        nothing = tf.zeros([tf.shape(features[0])[0], self.prior.size])
        return descent.infer(self, run, features, self.layered_noise.split(nothing))
