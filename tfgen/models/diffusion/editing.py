"""Images that a diffusion changes: what is missing is filled in, or all is drawn anew in part."""

import tensorflow as tf

from tfgen.engine import noise, signatures
from tfgen.engine.graphs import as_graph
from tfgen.models.autoencoders.imputation import seen_of
from tfgen.models.diffusion import sampling
from tfgen.utils.arguments import check_count, check_number

_SEVERAL = 10  # steps


class Imputations:
    """What is missing, drawn by a model with `denoiser_of`; a base beside its class."""

    @property
    def abilities(self):
        return super().abilities | {"impute"}

    def signatures(self):
        images, mask = (of(self.example_shape) for of in (signatures.images, signatures.mask))

        def impute(images, mask, seed):
            return {"images": self.impute(images, mask, seed)}

        imputed = impute, [images, mask, signatures.SEED]
        return {**super().signatures(), "impute": imputed}

    def impute(self, images, mask, seed=None, *, steps=None, repeats=5, use_ema=True):
        """Draws what is missing in images; what is seen stays, to the bit.

        In each step what is seen takes the place of what was made of it, as noisy as that. To let
        the rest follow, each step is taken several times, noise being added in between (Lugmayr et
        al., 2022, "RePaint", algorithm 1). That comes near to draws of `p(x_missing | x_seen)`, and
        is not exact.

        Args:
            images: float `[batch, ...]`; missing values may be anything. A batch of a conditional
                model may have labels, which are then told.
            mask: shaped as `images`, or `[..., 1]` for all channels alike: 1 or true where a value
                is seen, else 0 or false. One without the batch's axis is that of all images.
            seed: a 64-bit integer: the same seed gives the same draws. `None`: new ones.
            steps: how many steps; `None` for the model's own, or 10 if these are fewer: a single
                step has nothing in between.
            repeats: how many times each step is taken, at least 1.
            use_ema: whether to use the average of the weights, if there is one.

        Returns:
            A float32 tensor, shaped as `images`.

        Raises:
            ValueError: the mask has another shape or other values, a value that is seen is not
                finite, or `steps` or `repeats` is less than 1.
        """
        check_count("repeats", repeats)
        rows = self.rows_of(images)
        seen = seen_of(mask, self.examples_of(rows))
        steps, noise_seed = self.several_steps(steps), noise.seed_from(seed, "impute")
        return self._impute(rows, seen, steps, tf.constant(repeats), noise_seed, use_ema)

    @as_graph
    def _impute(self, rows, seen, steps, repeats, noise_seed, use_ema):
        images, denoise = self.examples_of(rows), self.drawing_denoiser_of(rows, use_ema)
        known, path = self.inward(tf.where(seen, images, 0.0)), self.noise_path

        def take(index, turn, noisy):
            time, following = path.time_of(index, steps), path.time_of(index + 1, steps)
            seeds = [
                tf.random.fold_in(noise_seed, 3 * (index * repeats + turn) + part)
                for part in range(3)
            ]
            made = self.solver.step(denoise, path, noisy, time, following, seeds[0])
            made = tf.where(seen, self.noisy(known, following, seeds[1]), made)
            again = (turn + 1 < repeats) & (following > 0)
            noisy = tf.where(again, self._noisier(made, following, time, seeds[2]), made)
            index = tf.where(again, index, index + 1)
            return index, tf.where(again, turn + 1, 0), noisy

        begin = self.noisy(known, tf.constant(1.0), tf.random.fold_in(noise_seed, -1))
        *_, made = tf.while_loop(
            lambda index, *_: index < steps, take, (0, 0, begin), parallel_iterations=1
        )
        return tf.where(seen, images, self.outward(made))

    def _noisier(self, noisy, time, later, noise_seed):
        """Returns examples of one time with the noise of a later one (Lugmayr et al., 2022)."""
        (scale, deviation), (later_scale, later_deviation) = (
            self.noise_path.scales(each) for each in (time, later)
        )
        ratio = later_scale / scale
        added = tf.sqrt(tf.maximum(later_deviation**2 - (ratio * deviation) ** 2, 0.0))
        return ratio * noisy + added * tf.random.stateless_normal(tf.shape(noisy), noise_seed)


class Variations:
    """Examples drawn anew in part by a model with `denoiser_of`; a base beside its class."""

    def vary(self, images, strength=0.5, seed=None, *, steps=None, use_ema=True):
        """Draws images anew from a part of the way: image to image (Meng et al., 2022, "SDEdit").

        Args:
            images: float `[batch, ...]`, anything that is to become like the data; a batch of a
                conditional model may have labels, which are then told.
            strength: the share of the steps that is taken, in whole steps, from 0, where the images
                stay (or what an autoencoder makes of them), to 1, where nothing is left of them.
            seed: a 64-bit integer: the same seed gives the same draws. `None`: new ones.
            steps: how many steps the whole way has; `None` for the model's own, or 10 if these are
                fewer.
            use_ema: whether to use the average of the weights, if there is one.

        Returns:
            A float32 tensor, shaped as `images`.

        Raises:
            ValueError: `strength` is not from 0 to 1, or `steps` is less than 1.

        Example:
            >>> flow.vary(sketches, strength=0.6, seed=0)
        """
        check_number("strength", strength, least=0)
        if strength > 1:
            raise ValueError(f"`strength` must be from 0 to 1. Received: strength={strength}.")
        steps, noise_seed = self.several_steps(steps), noise.seed_from(seed, "vary")
        rows = self.rows_of(images)
        return self._vary(rows, tf.cast(strength, tf.float32), steps, noise_seed, use_ema)

    def several_steps(self, steps):
        """Returns how many steps are wanted where something happens in between."""
        return self.whole_steps(max(self.steps, _SEVERAL) if steps is None else steps)

    @as_graph
    def _vary(self, rows, strength, steps, noise_seed, use_ema):
        examples = self.inward(self.examples_of(rows))
        begin = tf.cast(tf.round((1 - strength) * tf.cast(steps, tf.float32)), tf.int32)
        time = self.noise_path.time_of(begin, steps)
        noisy = self.noisy(examples, time, tf.random.fold_in(noise_seed, 0))
        way = self.drawing_denoiser_of(rows, use_ema), self.noise_path, self.solver
        made = sampling.go(*way, noisy, steps, tf.random.fold_in(noise_seed, 1), begin)
        return self.outward(made)

    def noisy(self, examples, time, noise_seed):
        """Returns examples with the noise of a time."""
        scale, deviation = self.noise_path.scales(time)
        return scale * examples + deviation * tf.random.stateless_normal(
            tf.shape(examples), noise_seed
        )
