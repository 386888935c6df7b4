"""What a diffusion's class has to tell how likely examples are."""

import tensorflow as tf

from tfgen.engine import noise
from tfgen.engine.graphs import as_graph
from tfgen.models.diffusion import likelihood
from tfgen.utils.arguments import check_count


class ToldLikelihood:
    """Likelihoods of a model with `denoiser_of`; a base beside a diffusion's class."""

    def log_likelihood(self, images, steps=64, seed=0, use_ema=True):
        """Returns how likely examples are by the probability flow, `[batch]` in nats.

        Of vectors it is a log-density. Of images it is a bound on the log-probability of their
        values k/255; `-log_likelihood / (values * log(2))` are bits per dimension. The estimate has
        no bias but that of the steps: see `tfgen.models.diffusion.likelihood.flow_log_density`.

        Args:
            images: float `[batch, ...]`, images of values k/255; or a batch that begins with them.
            steps: how many steps the way to noise has, at least 1; each asks the network twice.
            seed: an integer: the same seed gives the same estimate.
            use_ema: whether to use the average of the weights, if there is one.

        Raises:
            ValueError: `steps` is less than 1.
        """
        check_count("steps", steps)
        rows, noise_seed = self.rows_of(images), noise.seed_from(seed, "log_likelihood")
        return self._flow(rows, tf.constant(steps), noise_seed, use_ema)

    def elbo(self, images, draws=100, seed=0, use_ema=True):
        """Returns the variational bound on the log-probability of images, `[batch]` in nats.

        See `tfgen.models.diffusion.likelihood.variational_bound`.

        Args:
            images: float `[batch, ...]`, of values k/255; or a batch that begins with them.
            draws: of how many times the bound is the mean, at least 1; each asks the network once.
            seed: an integer: the same seed gives the same estimate.
            use_ema: whether to use the average of the weights, if there is one.

        Raises:
            ValueError: `draws` is less than 1, or examples are vectors: of these
                `log_likelihood` tells the density.
        """
        check_count("draws", draws)
        if not self.is_of_images:
            raise ValueError(
                "The variational bound is one on the probability of pixels. Received: a diffusion "
                f"of vectors {self.example_shape}. `log_likelihood` tells their density."
            )
        noise_seed = noise.seed_from(seed, "elbo")
        return self._bound(self.rows_of(images), tf.constant(draws), noise_seed, use_ema)

    def score(self, images):
        """Returns the bound of each image, `{"elbo": [batch]}`, as if it were alone.

        A server puts together what several clients ask: an answer must not depend on the others.
        """

        def elbo(row):
            alone = tf.nest.map_structure(lambda each: each[tf.newaxis], row)
            return ToldLikelihood.elbo(self, alone)[0]

        rows = self.rows_of(images)
        return {"elbo": tf.map_fn(elbo, rows, fn_output_signature=tf.float32)}

    @as_graph
    def _flow(self, rows, steps, noise_seed, use_ema):
        examples, denoise = self.examples_of(rows), self.denoiser_of(rows, use_ema)

        def velocity(state, time):
            return self.noise_path.velocity(time, *denoise(state, time))

        volume = 0.0
        if self.is_of_images:
            volume = likelihood.log_cell(self.example_shape)
            examples = likelihood.dequantized(examples, tf.random.fold_in(noise_seed, 1))
        way = velocity, self.noise_path, self.inward(examples), steps
        return volume + likelihood.flow_log_density(*way, tf.random.fold_in(noise_seed, 0))

    @as_graph
    def _bound(self, rows, draws, noise_seed, use_ema):
        images, denoise = self.examples_of(rows), self.denoiser_of(rows, use_ema)

        def reconstruction(seen, deviation):
            return likelihood.pixel_log_probability(images, seen, deviation)

        way = denoise, self.noise_path, self.inward(images), draws
        return likelihood.variational_bound(*way, noise_seed, reconstruction)
