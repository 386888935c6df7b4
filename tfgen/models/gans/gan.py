"""The generative adversarial network."""

import tensorflow as tf

from tfgen.engine.generative_model import unpack
from tfgen.engine.one_pass import on_both
from tfgen.engine.serialization import serializable
from tfgen.models.gans.latent_generator import LatentGenerator, check_latents, check_players
from tfgen.objectives import games
from tfgen.objectives.games import checked_game
from tfgen.objectives.penalties import WeightClipping


@serializable
class GAN(LatentGenerator):
    """A generative adversarial network (Goodfellow et al., 2014), in any game.

    The generator maps latents to examples; the discriminator maps examples to logits and learns to
    tell data from samples, which the generator learns to prevent: in the minimax game, equation 1
    of the paper,

        min_G max_D V(D, G) = E_x[log D(x)] + E_z[log(1 - D(G(z)))].

    Each step draws latents, moves D, draws others, and moves G with D constant (algorithm 1); with
    `fresh_fakes=False` it moves G with the same latents, and G runs once a step, not
    twice. With `critic_steps` above 1, G moves at every `critic_steps`-th step only, see
    `tfgen.AdversarialModel`.

    Args:
        generator: a built Keras model from latents `[batch, prior.size]` to examples; images in
            [0, 1].
        discriminator: a built Keras model from examples to logits `[batch, 1]`, or `[batch, ...]`
            where it judges parts.
        prior: a `tfgen.distributions.Prior` of the latents.
        game: a `tfgen.games.Game`; the default is `NonSaturating()`.
        penalties: a list of `tfgen.penalties.Penalty`s of the discriminator.
        augmentation: a function T of examples and a seed, such as
            `tfgen.augmentations.RandomShift()`, through which data and samples pass before the
            discriminator and its penalties see them in training, `D(T(x))` and `D(T(G(z)))` (Zhao
            et al., 2020, section 3.2): it then cannot learn the data by heart. It may be slow to
            mind samples that look like augmented data. `None` for none.
        **kwargs: `generator_ema`, the momentum, such as 0.999, of an exponential moving average of
            the generator's weights, with which samples are then made; `fresh_fakes`, see above;
            `critic_steps` and `constraint`, see `tfgen.AdversarialModel`; `seed`, `name`, `dtype`,
            see `tfgen.GenerativeModel`.

    Raises:
        ValueError: the networks and the prior do not fit each other, or a number is out of range.
        TypeError: `game` is no game, a penalty or `augmentation` no function.

    Example:
        >>> gan = tfgen.GAN(
        ...     generator=networks.info_gan_generator((28, 28, 1), latent_dim=64),
        ...     discriminator=networks.info_gan_discriminator((28, 28, 1)),
        ...     prior=tfgen.distributions.Uniform(64),
        ...     game=tfgen.games.NonSaturating(),
        ... )
        >>> gan.compile(keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5))
        >>> gan.fit(images, epochs=20)
        >>> gan.sample(16, seed=0).shape
        TensorShape([16, 28, 28, 1])
    """

    def __init__(
        self,
        generator,
        discriminator,
        prior,
        game=None,
        penalties=(),
        augmentation=None,
        **kwargs,
    ):
        super().__init__(generator, discriminator, prior, **kwargs)
        self.game = checked_game(game or games.NonSaturating())
        self.penalties = list(penalties)
        _check_penalties(self.penalties)
        if augmentation is not None and not callable(augmentation):
            raise TypeError(
                "`augmentation` must be one function of examples and a seed. "
                f"Received: augmentation={augmentation}."
            )
        self.augmentation = augmentation
        self.check_fit()
        self.finish()

    @property
    def log_names(self):
        penalty = ("penalty",) if self.penalties else ()
        return ("generator_loss", "discriminator_loss", *penalty)

    def discriminator_losses(self, data, fakes, training):
        images, _ = unpack(data)
        images = self.shown(images, "data", training)
        samples = self.shown(fakes.images, "samples", training)
        logits = on_both(
            self.critic,
            self.discriminator_inputs(images, data),
            self.discriminator_inputs(samples, data),
            training,
        )
        loss = self.game.discriminator_loss(*(tf.cast(each, tf.float32) for each in logits))
        losses = [loss, *self.discriminator.losses]
        if not self.penalties:
            return {"discriminator_loss": tf.add_n(losses)}
        penalty = self._penalty(images, samples, data, training)
        return {"discriminator_loss": tf.add_n([*losses, penalty]), "penalty": penalty}

    def generator_losses(self, data, fakes, training):
        samples = self.shown(fakes.images, "generator's samples", training)
        loss = self.game.generator_loss(self.judge(samples, data, training))
        return {"generator_loss": tf.add_n([loss, *self.generator.losses])}

    def shown(self, images, name, training):
        """Returns what the discriminator is shown of examples; `name` decides the draws."""
        if self.augmentation is None or not training:
            return images
        return self.augmentation(images, self.noise.seed_of(f"augmentation of {name}"))

    def judge(self, images, data, training):
        """Returns the logits of examples that belong to a batch."""
        inputs = self.discriminator_inputs(images, data)
        return tf.cast(self.critic(inputs, training=training), tf.float32)

    def discriminator_inputs(self, images, data):
        """Returns what the discriminator takes; a subclass may make use of the batch's labels."""
        return images

    @property
    def critic(self):
        """The Keras model from what the discriminator takes to its logits, and nothing else."""
        return self.discriminator

    def score(self, images):
        images, _ = unpack(images)
        return {"logits": tf.cast(self.critic(images), tf.float32)}

    def check_fit(self):
        """Raises a ValueError if the networks and the prior do not fit each other."""
        check_latents(self.generator.input_shape, self.latent_dim)
        check_players(self.generator.output_shape, self.discriminator.input_shape)

    def _penalty(self, images, fakes, data, training):
        seed = self.noise.seed_of("penalty")

        def critic(examples):
            return self.judge(examples, data, training)

        return tf.add_n(
            [
                penalty(critic, tf.cast(images, tf.float32), fakes, tf.random.fold_in(seed, index))
                for index, penalty in enumerate(self.penalties)
            ]
        )


def _check_penalties(penalties):
    for penalty in penalties:
        if not callable(penalty) or isinstance(penalty, WeightClipping):
            raise TypeError(
                "`penalties` must be functions of a critic, data and samples, such as "
                "`tfgen.penalties.GradientPenalty()`; `WeightClipping` is a `constraint`. "
                f"Received: {penalty!r}."
            )
