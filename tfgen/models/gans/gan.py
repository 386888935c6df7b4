"""The generative adversarial network."""

import tensorflow as tf

from tfgen.engine.batches import unpack
from tfgen.engine.named_weights import add_named_weights
from tfgen.engine.one_pass import on_both
from tfgen.engine.replicas import update
from tfgen.engine.serialization import serializable
from tfgen.models.fits import (
    check_built,
    check_latents,
    check_players,
    warn_of_sigmoid,
)
from tfgen.models.gans.latent_generator import LatentGenerator
from tfgen.objectives import games
from tfgen.objectives.games import checked_game, sees_real_logits
from tfgen.objectives.penalties import Constraint


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
    `tfgen.TwoPlayerModel`.

    Args:
        generator: a built Keras model from latents `[batch, prior.size]` to examples; images in
            [0, 1].
        discriminator: a built Keras model from examples to logits `[batch, 1]`, or `[batch, ...]`
            where it judges parts.
        prior: a `tfgen.distributions.Prior` of the latents.
        game: a `tfgen.games.Game`; the default is `NonSaturating()`.
        penalties: a list of `tfgen.penalties.Penalty`s of the discriminator.
        augmentation: a function T of examples and the seed of its noise, such as
            `tfgen.augmentations.RandomShift()`, through which data and samples pass before the
            discriminator and its penalties see them in training, `D(T(x))` and `D(T(G(z)))` (Zhao
            et al., 2020, section 3.2): it then cannot learn the data by heart. It may be slow to
            mind samples that look like augmented data. `None` for none.
        **kwargs: `ema_momentum`, the momentum, such as 0.999, of an exponential moving average of
            the generator's weights, with which samples are then made; `fresh_fakes`, see above;
            `critic_steps` and `constraint`, see `tfgen.TwoPlayerModel`; `seed`, `name`, `dtype`,
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

    keeps_constraint_state = True

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
        self.penalties = checked_penalties(penalties)
        if augmentation is not None and not callable(augmentation):
            raise TypeError(
                "`augmentation` must be one function of examples and a seed. "
                f"Received: augmentation={augmentation}."
            )
        self.augmentation = augmentation
        stateful = isinstance(self.constraint, Constraint)
        state = self.constraint.initial_state() if stateful else {}
        self._constraint_state = add_named_weights(self, "constraint", state, trainable=False)
        self.finalize()

    def check_shapes(self):
        for player in ("generator", "discriminator"):
            check_built(player, getattr(self, player))
        check_latents("generator", self.generator.input_shape, (self.latent_dim,))
        check_players(self.generator.output_shape, self.discriminator.input_shape)
        warn_of_sigmoid("discriminator", self.critic)

    @property
    def log_names(self):
        penalty = ("penalty",) if self.penalties else ()
        return ("generator_loss", "discriminator_loss", *penalty)

    def discriminator_losses(self, data, fakes, training):
        images = self.augmented(self.examples_of(data), "data", training)
        samples = self.augmented(fakes.images, "samples", training)
        real, fake, others = self.judge(images, samples, data, training)
        logits = tf.cast(real, tf.float32), tf.cast(fake, tf.float32)
        parts = [self.game.discriminator_loss(*logits), *others.values()]
        parts += self.discriminator.losses
        if self.penalties:
            others["penalty"] = self._penalty(images, samples, data, training)
            parts.append(others["penalty"])
        if self._constraint_state:
            state = {
                name: tf.convert_to_tensor(weight.value)
                for name, weight in self._constraint_state.items()
            }
            parts.append(self.constraint.loss(state, *logits))
            # Not logged: `after_discriminator_step` takes it.
            others["next_state"] = self.constraint.next_state(state, *logits)
        return {"discriminator_loss": tf.add_n(parts), **others}

    def judge(self, images, samples, data, training):
        """Returns the logits of data, those of samples, and a dict of other losses; of one pass.

        A subclass whose discriminator says more adds what it learns by that.
        """
        both = (self.discriminator_inputs(each, data) for each in (images, samples))
        return (*on_both(self.critic, *both, training), {})

    def generator_losses(self, data, fakes, training):
        samples = self.augmented(fakes.images, "generator's samples", training)
        loss = self.generator_game_loss(self.logits(samples, data, training), data, training)
        return {"generator_loss": tf.add_n([loss, *self.generator.losses])}

    def generator_game_loss(self, fake_logits, data, training):
        """Returns the generator's loss in the game, of logits of its samples."""
        if not sees_real_logits(self.game):
            return self.game.generator_loss(fake_logits)
        images = self.augmented(self.examples_of(data), "data", training)
        return self.game.generator_loss(fake_logits, self.logits(images, data, training))

    def augmented(self, images, name, training):
        """Returns what the discriminator sees of examples; `name` decides the draws."""
        if self.augmentation is None or not training:
            return images
        return self.augmentation(images, self.noise.seed_of(f"augmentation of {name}"))

    def logits(self, images, data, training, weights=None):
        """Returns the logits of examples that belong to a batch.

        Args:
            images: float `[batch, ...]`.
            data: the batch, whose labels a subclass may use.
            training: whether layers behave as in training.
            weights: tensors in the place of `critic.trainable_variables`, for a discriminator that
                has taken steps which are not kept (Metz et al., 2017); `None` for its own.
        """
        inputs = self.discriminator_inputs(images, data)
        if weights is None:
            return tf.cast(self.critic(inputs, training=training), tf.float32)
        state = [variable.value for variable in self.critic.non_trainable_variables]
        found, _ = self.critic.stateless_call(weights, state, inputs, training=training)
        return tf.cast(found, tf.float32)

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

    def after_discriminator_step(self, losses):
        context = tf.distribute.get_replica_context()
        for name, value in losses.pop("next_state", {}).items():
            if context.num_replicas_in_sync > 1:
                value = context.all_reduce(tf.distribute.ReduceOp.MEAN, value)
            update([self._constraint_state[name]], lambda _, old, value=value: value)

    def _penalty(self, images, fakes, data, training):
        noise_seed = self.noise.seed_of("penalty")

        def critic(examples):
            return self.logits(examples, data, training)

        images = tf.cast(images, tf.float32)
        return tf.add_n(
            [
                penalty(critic, images, fakes, tf.random.fold_in(noise_seed, index))
                for index, penalty in enumerate(self.penalties)
            ]
        )


def checked_penalties(penalties):
    """Returns penalties as a list, or raises a TypeError if one is none."""
    if not isinstance(penalties, (list, tuple)):
        raise TypeError(
            f"`penalties` must be a list. Received: {penalties!r}. Write penalties=[...]."
        )
    for penalty in penalties:
        if not callable(penalty) or isinstance(penalty, Constraint):
            raise TypeError(
                "`penalties` must be functions of a critic, data and samples, such as "
                "`tfgen.penalties.GradientPenalty()`; `WeightClipping` is a `constraint`. "
                f"Received: {penalty!r}."
            )
    return list(penalties)
