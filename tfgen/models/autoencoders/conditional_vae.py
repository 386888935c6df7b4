"""The conditional variational autoencoder."""

import math

import tensorflow as tf

from tfgen.engine import noise, signatures
from tfgen.engine.batches import unpack
from tfgen.engine.graphs import as_graph
from tfgen.engine.serialization import serializable
from tfgen.models.autoencoders.vae import VAE
from tfgen.models.conditions import Conditions, check_inputs, check_labels, with_labels
from tfgen.models.fits import refuse_encoder_prior


@serializable
class ConditionalVAE(VAE):
    """A VAE whose encoder and decoder both see a condition (Sohn et al., 2015, equation 4).

        log p(x|y) >= E_q[log p(x|z,y)] - KL(q(z|x,y) || p(z))

    Of attributes, it is that of Yan et al., 2016, "Attribute2Image". Since the condition tells the
    decoder what is in an image, the latents tell the rest, such as the style of a digit.

    The networks decide how a condition enters. `tfgen.networks.condition_encoder` and
    `condition_decoder` concatenate it, as in the lecture code.

    Batches are `(images, labels)`: labels are classes, integers `[batch]` or `[batch, 1]`, or
    attributes, floats `[batch, condition_size]`.

    Images without a label can be encoded and scored, too, where labels are classes: then the label
    is the most probable one (`label_probabilities`), and likelihoods are those of all classes
    together, `log p(x) = log sum_y p(x|y) p(y)`.

    Args:
        encoder: a built Keras model from `[examples, conditions]` to the posterior's parameters.
        decoder: a built Keras model from `[latents, conditions]` to the likelihood's.
        prior: see `tfgen.VAE`.
        posterior: see `tfgen.VAE`.
        likelihood: see `tfgen.VAE`.
        num_classes: the number of classes, given to the networks one-hot; `None` where the
            conditions are vectors of attributes.
        **kwargs: `bound`, `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.VAE`.

    Raises:
        ValueError: the networks, the values and the number of classes do not fit each other.
        TypeError: a value is of another kind.

    Example:
        >>> cvae = tfgen.ConditionalVAE(
        ...     networks.condition_encoder(networks.mlp_encoder((28, 28, 1 + 10), 8), 10),
        ...     networks.condition_decoder(networks.mlp_decoder((28, 28, 1), 8 + 10), 10),
        ...     prior=tfgen.distributions.StandardNormal(8),
        ...     posterior=tfgen.distributions.DiagonalNormal(),
        ...     likelihood=tfgen.distributions.Bernoulli(),
        ...     num_classes=10,
        ... )
        >>> cvae.sample(10, labels=range(10))
    """

    def __init__(self, encoder, decoder, prior, posterior, likelihood, num_classes=None, **kwargs):
        self.num_classes = num_classes
        super().__init__(encoder, decoder, prior, posterior, likelihood, **kwargs)

    @property
    def abilities(self):
        """Of attributes nothing is known but what it is told: then all methods need labels."""
        if self.num_classes is None:
            return self.averages.abilities | {"choose_labels"}
        return super().abilities | {"choose_labels", "classify"}

    @property
    def example_shape(self):
        return tuple(self.encoder.input_shape[0][1:])

    @property
    def latents_taken(self):
        return self.decoder.input_shape[0]

    @property
    def conditions(self):
        """What the model knows of its labels, a `tfgen.models.conditions.Conditions`."""
        size = self.decoder.input_shape[1][-1]
        return Conditions("conditional VAE", self.num_classes, size)

    def check_shapes(self):
        check_inputs("encoder", self.encoder, "examples", "condition_encoder")
        check_inputs("decoder", self.decoder, "latents", "condition_decoder")
        super().check_shapes()
        refuse_encoder_prior(self)
        sizes = {network.input_shape[1][-1] for network in (self.encoder, self.decoder)}
        if len(sizes | {self.num_classes or self.conditions.size}) > 1:
            raise ValueError(
                "The networks must take conditions of the same size, which is `num_classes` where "
                f"they are classes. Received: an encoder of {self.encoder.input_shape[1][-1]}, a "
                f"decoder of {self.conditions.size} and num_classes={self.num_classes}."
            )

    def rows_of(self, data):
        return self.examples_of(data), self.conditions.labels_of(data)

    def encoder_inputs(self, data):
        return [self.examples_of(data), self._condition_of(data)]

    def decoder_inputs(self, latents, data):
        return [latents, self._condition_of(data)]

    def generate(self, latents, labels=None, *, use_ema=True):
        """Returns the mean of `p(x|z,y)`.

        Args:
            latents: float32 `[batch, size]`.
            labels: `[batch]` integers, or `[batch, condition_size]` floats, as in batches.
            use_ema: whether to use the average of the weights, if there is one.

        Raises:
            ValueError: there are no labels, or not as many as latents.
        """
        if labels is None:
            raise ValueError(
                "A conditional VAE makes examples of labels. Received: labels=None. Pass a label "
                "for each of the latents; `sample(count)` draws classes."
            )
        latents = tf.convert_to_tensor(latents)
        check_labels(labels, latents.shape[0], "latents")
        inputs = [self.prior.checked(latents), self.conditions.vectors(labels)]
        return self.decode(inputs, use_ema=use_ema).mean()

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
        latents = self.prior.nearest(tf.reshape(paths, [-1, *self.prior.shape]))
        return self.generate(latents, labels)

    def sample(self, count, seed=None, use_ema=True, labels=None):
        """Draws new examples.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.
            use_ema: whether to use the average of the weights, if there is one.
            labels: `count` classes, or vectors of attributes; `None` draws classes, all
                equally likely.

        Returns:
            A float32 tensor `[count, ...]`.

        Raises:
            ValueError: a label is no class, there are not `count`, or none for attributes.
        """
        noise.whole_count(count)  # refuses what is none
        labels = self.conditions.for_samples(count, seed, labels)
        return self._sample_labels(labels, noise.whole_seed(seed), use_ema)

    def encode(self, images, labels=None, training=False, *, use_ema=True):
        """Returns `q(z|x,y)`, see `tfgen.VAE.encode`; without labels, of the most probable ones."""
        return super().encode(self._pair(images, labels), training, use_ema=use_ema)

    def reconstruct(self, images, labels=None, training=False, *, use_ema=True):
        """Returns the mean of `p(x|z,y)` at the point of `q(z|x,y)`; see `encode` on labels."""
        return super().reconstruct(self._pair(images, labels), training, use_ema=use_ema)

    def impute(self, images, mask, seed=None, steps=100, pixel_noise=True, labels=None):
        """Draws what is missing, see `tfgen.VAE.impute`.

        Labels must be told: which is most probable, images with missing values do not tell.
        """
        return super().impute(with_labels(images, labels), mask, seed, steps, pixel_noise)

    def elbo(self, images, labels=None, seed=0):
        """Returns the bound on `log p(x|y)`, as `tfgen.VAE.elbo`; without labels, on `log p(x)`."""
        return self._marginal(super().elbo, images, labels, seed=seed)

    def log_likelihood(self, images, labels=None, samples=5000, seed=0):
        """Estimates `log p(x|y)`, see `tfgen.VAE.log_likelihood`; without labels, `log p(x)`."""
        return self._marginal(super().log_likelihood, images, labels, samples=samples, seed=seed)

    def score(self, images, labels=None):
        """Returns the bound of each image as if it were alone, `{"elbo": [batch]}`; see `elbo`."""
        pair = with_labels(images, labels)
        if unpack(pair)[1] is not None or self.num_classes is None:
            return super().score(pair)
        return {"elbo": _of_each(self.elbo, self.examples_of(pair))}

    def label_probabilities(self, images, samples=1, seed=0):
        """Returns `p(y|x)` of every class, all equally likely before: float32 `[batch, classes]`.

            p(y|x) = p(x|y) / sum_k p(x|k)

        Args:
            images: float `[batch, ...]`.
            samples: how many latents tell `p(x|y)`, see `log_likelihood`; with 1, by the bound.
            seed: an integer; the same seed gives the same estimate.

        Raises:
            ValueError: the conditions are attributes.
        """
        if self.num_classes is None:
            raise ValueError(
                "`label_probabilities` compares classes, and this model has attributes. It needs "
                "`num_classes`. Received: num_classes=None."
            )
        images = self.examples_of(images)
        if samples == 1:
            return tf.nn.softmax(self._of_all_labels(super().elbo, images, seed=seed))
        log_likelihood = super().log_likelihood
        options = {"samples": samples, "seed": seed}
        return tf.nn.softmax(self._of_all_labels(log_likelihood, images, **options))

    def check_batch(self, data):
        super().check_batch(data)
        self.conditions.check_range(self.conditions.labels_of(data))

    def signatures(self):
        images, labels = signatures.images(self.example_shape), self.conditions.spec
        latents = signatures.latents(self.prior.shape)

        def generate(latents, labels):
            inputs = [self.prior.nearest(latents), self.conditions.vectors(labels)]
            return {"images": self.decode(inputs).mean()}

        def sample_labels(labels, seed):
            return {"images": self._sample_labels(labels, seed, True)}

        answers = {"serving_default": (generate, [latents, labels])}
        answers["sample_labels"] = (sample_labels, [labels, signatures.SEED])

        def encode(images, labels):
            return self.posterior.answers(self.encode(images, labels))

        def reconstruct(images, labels):
            return {"images": self.reconstruct(images, labels)}

        of_images = {"encode": encode, "reconstruct": reconstruct, "score": self.score}
        for name, function in of_images.items():
            answers[name] = (function, [images, labels])

        def impute(images, labels, mask, seed):
            found = self.impute(images, mask, seed, pixel_noise=False, labels=labels)
            return {"images": found}

        mask = signatures.mask(self.example_shape)
        answers["impute"] = (impute, [images, labels, mask, signatures.SEED])
        if self.num_classes is not None:
            answers["sample"] = signatures.sample(self)
            answers["label_probabilities"] = (self._probabilities, [images])
        return answers

    def _probabilities(self, images):
        """Returns what an export answers: of each image as if it were alone, see `score`."""
        return {"probabilities": _of_each(self.label_probabilities, images)}

    @as_graph
    def _sample_labels(self, labels, seed, use_ema):
        count, noise_seed = tf.shape(labels)[0], noise.seed_from(seed, "sample")
        latents = self.prior_distribution(use_ema=use_ema).sample(count, seed=noise_seed)
        return self.generate(latents, labels, use_ema=use_ema)

    def _condition_of(self, data):
        return self.conditions.vectors(self.conditions.labels_of(data))

    def _pair(self, images, labels):
        """Returns images with labels, the most probable ones where none are given."""
        pair = with_labels(images, labels)
        if unpack(pair)[1] is None and self.num_classes is not None:
            images = self.examples_of(pair)
            return images, tf.argmax(self.label_probabilities(images), axis=1)
        return pair

    def _marginal(self, function, images, labels, **options):
        """Returns a function of images and labels; without labels, that of all labels together."""
        pair = with_labels(images, labels)
        if unpack(pair)[1] is not None or self.num_classes is None:
            return function(pair, **options)
        found = self._of_all_labels(function, self.examples_of(pair), **options)
        return tf.reduce_logsumexp(found, axis=1) - math.log(self.num_classes)

    def _of_all_labels(self, function, images, **options):
        """Returns a function of images and labels for all labels, `[batch, classes]`."""
        labels = (tf.fill([tf.shape(images)[0]], label) for label in range(self.num_classes))
        return tf.stack([function((images, each), **options) for each in labels], axis=1)


def _of_each(function, images):
    """Returns what a function of images gives for each, as if it were alone."""
    return tf.map_fn(
        lambda image: function(image[tf.newaxis])[0], images, fn_output_signature=tf.float32
    )
