"""One small instance of every model: the contract in test_contract.py is checked over these.

The last two classes are a stranger's: what public names suffice for.
"""

import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from keras import layers

import tfgen
from tfgen import (
    augmentations,
    bounds,
    codes,
    contrasts,
    distributions,
    games,
    kernels,
    networks,
    noise_paths,
    penalties,
    predictions,
    solvers,
)
from tfgen.engine import noise
from tfgen.engine.serialization import Configured

tfd = tfp.distributions

SHAPE = (8, 8, 1)
CAPTIONS = ["a dark coat", "a light coat", "a dark ankle boot", "trousers"]


def mlp_vae():
    return _vae(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(16,)),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)),
    )


def conv_vae():
    return _vae(
        networks.conv_encoder(SHAPE, 3, filters=(4, 8), hidden_size=16),
        networks.conv_decoder(SHAPE, 3, filters=(8, 4), hidden_size=16, heads=2),
        posterior=distributions.LogVarianceNormal(),
        likelihood=distributions.Gaussian(),
        bound=bounds.ELBO(beta=2.0),
    )


def dropout_vae():
    """Networks of a user's own, with random layers and a regularizer."""
    inputs = keras.Input(SHAPE)
    hidden = layers.GaussianNoise(0.1)(layers.Flatten()(inputs))
    hidden = layers.Dense(16, "relu", kernel_regularizer="l2")(hidden)
    hidden = layers.Dropout(0.5)(hidden)
    encoder = keras.Model(inputs, [layers.Dense(3)(hidden), layers.Dense(3)(hidden)])
    return _vae(encoder, networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)))


def s_vae():
    """Latents on an ordinary sphere."""
    return _vae(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(16,), heads=(3, 1)),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)),
        prior=distributions.UniformOnSphere(3),
        posterior=distributions.VonMisesFisher(),
    )


def vamp_vae():
    """A prior that needs the encoder; a posterior with weights."""
    return _vae(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(16,), heads=(3, 3, 4)),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)),
        prior=distributions.VampPrior(3, pseudo_inputs=5),
        posterior=distributions.InverseAutoregressive(1, (8,), context_size=4),
    )


def exemplar_vae():
    """A prior of the batch's other examples, with weights that no optimizer moves."""
    return _vae(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(16,)),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)),
        prior=distributions.ExemplarPrior(3, exemplars=12),
    )


def autoencoder():
    return tfgen.Autoencoder(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(16,), heads=1),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)),
        corruption=augmentations.GaussianNoise(0.2),
        ema_momentum=0.9,
        seed=5,
    )


def vq_vae():
    return tfgen.VQVAE(
        networks.vq_encoder(SHAPE, 3, filters=(4, 8), residual_blocks=1),
        networks.vq_decoder(SHAPE, 3, filters=(8, 4), residual_blocks=1),
        distributions.Codebook(8, decay=0.5, revive_below=0.3),
        commitment=2.0,
        ema_momentum=0.9,
        seed=5,
    )


def wae():
    return tfgen.WassersteinAutoencoder(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(16,), heads=1),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)),
        distributions.StandardNormal(3),
        likelihood=distributions.Bernoulli(),
        weight=20.0,
        kernel=kernels.InverseMultiquadratics((0.5, 2.0)),
        ema_momentum=0.9,
        seed=5,
    )


def swap_autoencoder():
    return tfgen.SwapAutoencoder(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(16,), heads=1),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)),
        likelihood=distributions.Bernoulli(),
        corruption=augmentations.MaskingNoise(0.2),
        seed=5,
    )


def cvae():
    inputs, condition = keras.Input(SHAPE), keras.Input((10,))
    hidden = layers.Concatenate()([layers.Flatten()(inputs), condition])
    hidden = layers.Dense(16, "relu")(hidden)
    encoder = keras.Model([inputs, condition], [layers.Dense(3)(hidden), layers.Dense(3)(hidden)])
    return tfgen.ConditionalVAE(
        encoder,
        two_inputs(3, 10, SHAPE),
        distributions.StandardNormal(3),
        distributions.DiagonalNormal(),
        distributions.Bernoulli(),
        num_classes=10,
        bound=bounds.ImportanceWeighted(3, doubly_reparametrized=True),
        ema_momentum=0.9,
        seed=5,
    )


def factor_vae():
    return tfgen.FactorVAE(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(16,)),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)),
        networks.mlp_discriminator((3,), hidden_sizes=(16,), activation="tanh"),
        distributions.StandardNormal(3),
        distributions.DiagonalNormal(),
        distributions.Bernoulli(),
        gamma=3.0,
        bound=bounds.TotalCorrelation(data_size=32, beta=2.0),
        ema_momentum=0.9,
        seed=5,
    )


def ladder():
    return tfgen.HierarchicalVAE(
        **networks.ladder_networks(SHAPE, (2, 3), (8, 16), depth=1, normalization=None),
        likelihood=distributions.Bernoulli(),
        inference=distributions.PrecisionWeighted(),
        ema_momentum=0.9,
        seed=5,
    )


def top_down():
    """Maps of latents: of one pixel, then of 2 by 2; a pixel's networks are perceptrons."""
    inputs = keras.Input(SHAPE)
    pixels = layers.Dense(8, "tanh")(layers.AveragePooling2D(4)(inputs))
    pixel = layers.Dense(8, "tanh")(layers.AveragePooling2D(2)(pixels))
    state = layers.Dense(64)(layers.Flatten()(hidden := keras.Input([2, 2, 8])))
    return tfgen.HierarchicalVAE(
        bottom_up=keras.Model(inputs, [pixel, pixels]),
        posteriors=[
            of_pixels([1, 1, 8], sizes=(3, 3)),
            of_pixels([2, 2, 8], [2, 2, 8], sizes=(2, 2)),
        ],
        priors=[of_pixels([2, 2, 8], sizes=(2, 2))],
        merges=[
            of_pixels([1, 1, 3], sizes=(8,), enlarged=2),
            of_pixels([2, 2, 2], [2, 2, 8], sizes=(8,)),
        ],
        decoder=keras.Model(hidden, layers.Reshape(SHAPE)(state)),
        likelihood=distributions.Bernoulli(),
        normal=distributions.LogVarianceNormal(),
        bound=bounds.ELBO(warm_up=20),
        ema_momentum=0.9,
        seed=5,
    )


def of_pixels(*shapes, sizes, enlarged=1):
    """Returns a model from maps of these shapes to maps of so many channels each."""
    inputs = [keras.Input(shape) for shape in shapes]
    hidden = layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    hidden = layers.UpSampling2D(enlarged)(layers.Dense(8, "tanh")(hidden))
    outputs = [layers.Dense(size)(hidden) for size in sizes]
    return keras.Model(
        inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0]
    )


def denoiser_network(*conditions):
    """Returns a small network of noisy images, levels and conditions of these sizes."""
    inputs = [keras.Input(SHAPE), keras.Input(()), *(keras.Input((size,)) for size in conditions)]
    levels = tfgen.layers.SinusoidalFeatures(4)(inputs[1])
    hidden = layers.Concatenate()([layers.Flatten()(inputs[0]), levels, *inputs[2:]])
    outputs = layers.Dense(64)(layers.Dense(16, "tanh")(hidden))
    return keras.Model(inputs, layers.Reshape(SHAPE)(outputs))


def diffusion():
    return tfgen.Diffusion(
        denoiser_network(),
        noise_paths.EDM(),
        predictions.Preconditioned(0.6),
        solver=solvers.DDIM(0.5),
        steps=4,
        ema_momentum=0.9,
        seed=5,
    )


def guided_flow():
    return tfgen.ConditionalDiffusion(
        denoiser_network(10),
        num_classes=10,
        condition_dropout=0.3,
        guidance=2.0,
        times=noise_paths.LogitNormal(),
        steps=3,
        seed=5,
    )


def rectified_flow():
    return tfgen.RectifiedFlow(denoiser_network(), steps=1, ema_momentum=0.9, seed=5)


def consistency():
    return tfgen.ConsistencyModel(
        denoiser_network(), total_steps=8, least_levels=2, most_levels=8, steps=2, seed=5
    )


def dall_e_2():
    embeddings = networks.diffusion_mlp(3, (8,), condition_size=3)
    values = {"prediction": predictions.Example(), "steps": 2, "ema_momentum": 0.9}
    return tfgen.DALLE2(
        clip(),
        tfgen.ConditionalDiffusion(embeddings, **values),
        tfgen.ConditionalDiffusion(denoiser_network(3), steps=2, guidance=2.0),
        seed=5,
    )


def latent_diffusion():
    return tfgen.LatentDiffusion(
        networks.diffusion_mlp(3, (8,)), mlp_vae(), steps=3, ema_momentum=0.9, seed=5
    )


def simclr():
    return tfgen.SimCLR(
        networks.mlp_encoder(SHAPE, 6, hidden_sizes=(16,), heads=1),
        keras.Sequential([keras.Input((6,)), layers.Dense(8, "tanh"), layers.Dense(3)]),
        augmentations.Chain((augmentations.RandomCrop(0.5), augmentations.GaussianNoise(0.1))),
        contrast=contrasts.NTXent(0.5),
        ema_momentum=0.9,
        seed=5,
    )


def clip():
    words = tfgen.data.Vocabulary.of(CAPTIONS)
    transformer = {"width": 8, "depth": 1, "heads": 2}
    return tfgen.CLIP(
        networks.vision_transformer(SHAPE, 3, **transformer),
        networks.text_transformer(words.length, words.size, 3, **transformer),
        words,
        augmentation=augmentations.RandomShift(0.25),
        ema_momentum=0.9,
        seed=5,
    )


def gan():
    """Networks of a user's own, with batch normalization, random layers and a regularizer."""
    latents, inputs = keras.Input((3,)), keras.Input(SHAPE)
    hidden = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Dense(16)(latents)))
    made = layers.Reshape(SHAPE)(layers.Dense(64, "sigmoid")(hidden))
    hidden = layers.Dense(16, "relu", kernel_regularizer="l2")(layers.Flatten()(inputs))
    logits = layers.Dense(1)(layers.Dropout(0.3)(hidden))
    return tfgen.GAN(
        keras.Model(latents, made),
        keras.Model(inputs, logits),
        distributions.Uniform(3),
        ema_momentum=0.9,
        seed=5,
    )


def wgan_gp():
    return tfgen.GAN(
        generator(3),
        discriminator(),
        distributions.StandardNormal(3),
        games.Wasserstein(),
        [penalties.GradientPenalty(), penalties.Dragan()],
        augmentation=augmentations.RandomShift(0.25),
        critic_steps=2,
        constraint=penalties.WeightClipping(0.5),
        ema_momentum=0.9,
        fresh_fakes=False,
        seed=5,
    )


def relativistic_gan():
    return tfgen.GAN(
        generator(3),
        discriminator(),
        distributions.StandardNormal(3),
        games.RelativisticAverage("squared"),
        constraint=penalties.FisherConstraint(0.1),
        seed=5,
    )


def cgan():
    return tfgen.ConditionalGAN(
        two_inputs(3, 10, SHAPE),
        two_inputs(SHAPE, 10, (1,)),
        distributions.Uniform(3),
        num_classes=10,
        seed=5,
    )


def acgan():
    judge = discriminator()
    classes = layers.Dense(10)(judge.layers[-2].output)
    return tfgen.AuxiliaryClassifierGAN(
        two_inputs(3, 10, SHAPE),
        keras.Model(judge.input, [judge.output, classes], name="discriminator"),
        distributions.Uniform(3),
        num_classes=10,
        seed=5,
    )


@keras.saving.register_keras_serializable(package="tests")
@dataclasses.dataclass(frozen=True)
class Speckle(Configured):
    """An augmentation that XLA can compile."""

    strength: float

    def __call__(self, images, seed):
        normal = tfd.Sample(tfd.Normal(0.0, self.strength), images.shape[1:])
        return images + noise.sample_batch(normal, tf.shape(images)[0], seed)


def infogan():
    """Q shares a layer with the discriminator."""
    inputs = keras.Input(SHAPE)
    hidden = layers.Dense(16, "relu")(layers.Flatten()(inputs))
    return tfgen.InfoGAN(
        generator(2 + 4 + 1),
        keras.Model(inputs, [layers.Dense(size)(hidden) for size in (1, 4, 1)]),
        None,
        distributions.Uniform(2),
        [codes.Categorical(4), codes.UniformCode(1)],
        code_augmentations=[Speckle(0.1), None],
        ema_momentum=0.9,
        fresh_fakes=False,
        seed=5,
    )


def began():
    inputs = keras.Input(SHAPE)
    hidden = layers.Dense(64)(layers.Dense(8, "relu")(layers.Flatten()(inputs)))
    autoencoder = keras.Model(inputs, layers.Reshape(SHAPE)(hidden))
    return tfgen.BEGAN(
        generator(3), autoencoder, distributions.Uniform(3), diversity=0.7, control_rate=0.1, seed=5
    )


def cyclegan():
    return tfgen.CycleGAN(
        translator(),
        translator(),
        discriminator(),
        discriminator(),
        identity_weight=0.5,
        pool_size=5,
        ema_momentum=0.9,
        seed=5,
    )


def translator():
    inputs = keras.Input(SHAPE)
    return keras.Model(inputs, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(inputs))


def generator(latent_dim):
    inputs = keras.Input((latent_dim,))
    hidden = layers.Dense(64, "sigmoid")(layers.Dense(16, "relu")(inputs))
    return keras.Model(inputs, layers.Reshape(SHAPE)(hidden))


def discriminator():
    """Smooth: a unit with one slope for all examples has an offset without a gradient.

    What data and samples give it cancels out but for rounding, which Adam makes a step of.
    """
    inputs = keras.Input(SHAPE)
    hidden = layers.Dense(16, "tanh")(layers.Flatten()(inputs))
    return keras.Model(inputs, layers.Dense(1)(hidden))


def two_inputs(first, second, outputs, activation="relu"):
    first = keras.Input((first,) if isinstance(first, int) else first)
    second = keras.Input((second,))
    hidden = layers.Concatenate()([layers.Flatten()(first), second])
    hidden = layers.Dense(math.prod(outputs))(layers.Dense(16, activation)(hidden))
    return keras.Model([first, second], layers.Reshape(outputs)(hidden))


class Denoiser(tfgen.GenerativeModel):
    """A stranger's model of one loss, without latents: it takes noise away.

    It learns images from images with any share of noise, and makes new ones out of noise alone, of
    which it takes a part away in each of several steps.
    """

    abilities = frozenset({"sample", "average"})

    def __init__(self, network, steps=4, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.steps = steps
        self.averages.add(network)
        self.finalize()

    def compute_losses(self, data, training):
        images, _ = tfgen.unpack(data)
        count, shape = tf.shape(images)[0], images.shape[1:]
        normal = tfd.Sample(tfd.Normal(0.0, 1.0), shape)
        noises = tfgen.noise.sample_batch(normal, count, self.noise.seed_of("noise"))
        share = tfgen.noise.sample_batch(tfd.Uniform(), count, self.noise.seed_of("share"))
        share = tf.reshape(share, [-1, 1, 1, 1])
        rebuilt = self.network((1 - share) * images + share * noises, training=training)
        error = tf.reduce_mean(tf.square(tf.cast(rebuilt, tf.float32) - images))
        return {"loss": tf.add_n([error, *self.losses])}

    def average_inputs(self, data):
        return [tfgen.unpack(data)[0]]

    def sample(self, count, seed=None, use_ema=True):
        shape = [tfgen.noise.whole_count(count), *self.network.input_shape[1:]]
        start = tf.random.stateless_normal(shape, tfgen.noise.seed_from(seed, "sample"))

        def step(index, images):
            rebuilt = tf.cast(self.averages.run(self.network, images, use_ema), tf.float32)
            return index + 1, images + (rebuilt - images) / tf.cast(self.steps - index, tf.float32)

        return tf.while_loop(lambda index, _: index < self.steps, step, [0, start])[1]

    def signatures(self):
        specs = [tf.TensorSpec([], tf.int32, "count"), tf.TensorSpec([], tf.int64, "seed")]
        sample = (lambda count, seed: {"images": self.sample(count, seed)}, specs)
        return {"serving_default": sample, "sample": sample}


class PairGame(tfgen.AdversarialModel):
    """A stranger's game of three players: a generator, an encoder, and a critic of their pairs.

    The critic tells pairs of an image and its code from pairs of a sample and its latents, as in
    BiGAN; here the two who make the pairs have an optimizer each.
    """

    log_names = ("critic_loss", "generator_loss", "encoder_loss", "penalty")
    abilities = frozenset({"sample", "reconstruct"})

    def __init__(self, generator, encoder, critic, prior, game, penalty, **kwargs):
        super().__init__(**kwargs)
        self.generator, self.encoder, self.critic = generator, encoder, critic
        self.prior, self.game, self.penalty = prior, game, penalty
        self.finalize()

    @property
    def players(self):
        return {
            name: getattr(self, name).trainable_variables
            for name in ("critic", "generator", "encoder")
        }

    def pairs(self, data, player, training):
        images, _ = tfgen.unpack(data)
        noise_seed = self.noise.seed_of(f"{player} latents")
        prior = self.prior.distribution()
        latents = tfgen.noise.sample_batch(prior, tf.shape(images)[0], noise_seed)
        real = [images, tf.cast(self.encoder(images, training=training), tf.float32)]
        fake = [tf.cast(self.generator(latents, training=training), tf.float32), latents]
        return real, fake

    def critic_losses(self, data, training):
        pairs = self.pairs(data, "critic", training)
        real, fake = tf.nest.map_structure(tf.stop_gradient, pairs)

        def critic(pair):
            return tf.cast(self.critic(pair, training=training), tf.float32)

        penalty = self.penalty(critic, real, fake, self.noise.seed_of("penalty"))
        loss = self.game.discriminator_loss(critic(real), critic(fake))
        return {"critic_loss": loss + penalty, "penalty": penalty}

    def generator_losses(self, data, training):
        _, fake = self.pairs(data, "generator", training)
        logits = tf.cast(self.critic(fake, training=training), tf.float32)
        return {"generator_loss": self.game.generator_loss(logits)}

    def encoder_losses(self, data, training):
        real, _ = self.pairs(data, "encoder", training)
        logits = tf.cast(self.critic(real, training=training), tf.float32)
        return {"encoder_loss": self.game.generator_loss(-logits)}

    def take_turns(self, data):
        losses = self.descend("critic", lambda: self.per_replica(self.critic_losses)(data, True))
        losses |= self.descend(
            "generator", lambda: self.per_replica(self.generator_losses)(data, True)
        )
        return losses | self.descend(
            "encoder", lambda: self.per_replica(self.encoder_losses)(data, True)
        )

    def compute_losses(self, data, training):
        losses = self.critic_losses, self.generator_losses, self.encoder_losses
        return {name: loss for each in losses for name, loss in each(data, training).items()}

    def sample(self, count, seed=None):
        noise_seed = tfgen.noise.seed_from(seed, "sample")
        latents = self.prior.distribution().sample(tfgen.noise.whole_count(count), seed=noise_seed)
        return tf.cast(self.generator(latents), tf.float32)

    def reconstruct(self, images):
        images, _ = tfgen.unpack(images)
        return tf.cast(self.generator(self.encoder(images)), tf.float32)

    def signatures(self):
        specs = [tf.TensorSpec([], tf.int32, "count"), tf.TensorSpec([], tf.int64, "seed")]
        sample = (lambda count, seed: {"images": self.sample(count, seed)}, specs)
        images = [tf.TensorSpec([None, *self.encoder.input_shape[1:]], tf.float32, "images")]
        reconstruct = (lambda images: {"images": self.reconstruct(images)}, images)
        return {"serving_default": sample, "sample": sample, "reconstruct": reconstruct}


def denoiser():
    inputs = keras.Input(SHAPE)
    hidden = layers.BatchNormalization(momentum=0.9)(layers.Conv2D(4, 3, padding="same")(inputs))
    outputs = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(layers.ReLU()(hidden))
    return Denoiser(keras.Model(inputs, outputs), ema_momentum=0.9, seed=5)


def pair_game():
    inputs = keras.Input(SHAPE)
    encoder = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(inputs)))
    critic = two_inputs(SHAPE, 3, (1,), activation="tanh")
    prior, game = distributions.StandardNormal(3), games.NonSaturating()
    penalty = penalties.GradientPenalty(0.1)
    return PairGame(generator(3), encoder, critic, prior, game, penalty, seed=5)


def autoregressive():
    network = networks.pixel_cnn(SHAPE, width=4, blocks=1)
    likelihood, order = distributions.Bernoulli(), distributions.Backwards()
    return tfgen.Autoregressive(network, likelihood, order, ema_momentum=0.9, seed=5)


def gated_autoregressive():
    network = networks.gated_pixel_cnn(SHAPE, 4, 1, 3, outputs=12, condition_size=10)
    likelihood = distributions.DiscretizedLogistics(4, levels=4)
    return tfgen.ConditionalAutoregressive(network, likelihood, num_classes=10, seed=5)


VAES = {build.__name__: build for build in (mlp_vae, conv_vae, dropout_vae)}
RICH_VAES = {build.__name__: build for build in (s_vae, vamp_vae, exemplar_vae)}
GANS = {
    build.__name__: build
    for build in (gan, wgan_gp, relativistic_gan, cgan, acgan, infogan, began, cyclegan)
}
AUTOENCODERS = {
    build.__name__: build
    for build in (
        autoencoder,
        vq_vae,
        wae,
        swap_autoencoder,
        cvae,
        factor_vae,
        top_down,
    )
}


def latent_autoregressive():
    network = networks.gated_pixel_cnn((2, 2, 1), 4, 1, 3, outputs=8, one_hot_levels=8)
    likelihood = distributions.Categorical(8)
    return tfgen.LatentAutoregressive(network, likelihood, vq_vae(), ema_momentum=0.9, seed=5)


def multi_scale():
    coarse = networks.gated_pixel_cnn((4, 4, 1), 4, 1, 3)
    fine = networks.gated_pixel_cnn(SHAPE, 4, 1, 3, condition_size=SHAPE)
    likelihood = distributions.Bernoulli()
    return tfgen.MultiScaleAutoregressive([coarse, fine], likelihood, ema_momentum=0.9, seed=5)


AUTOREGRESSIVE = {
    build.__name__: build
    for build in (autoregressive, gated_autoregressive, latent_autoregressive, multi_scale)
}
CONTRASTIVE = {build.__name__: build for build in (simclr, clip, dall_e_2)}
STRANGERS = {build.__name__: build for build in (denoiser, pair_game)}
DIFFUSIONS = {
    build.__name__: build
    for build in (diffusion, guided_flow, rectified_flow, consistency, latent_diffusion)
}
SPECIMENS = {
    **VAES,
    **RICH_VAES,
    **AUTOENCODERS,
    **GANS,
    **DIFFUSIONS,
    **AUTOREGRESSIVE,
    **CONTRASTIVE,
    **STRANGERS,
}

# One of each way to learn, that is traced quickly. `make test` holds these to the contract, `make
# slow` all others too.
REPRESENTATIVES = {
    "mlp_vae",
    "exemplar_vae",
    "vq_vae",
    "factor_vae",
    "wgan_gp",
    "cgan",
    "cyclegan",
    "simclr",
    "diffusion",
    "autoregressive",
    "pair_game",
}

# For tests that take seconds: one loss; two players and labels.
FEW = {"mlp_vae", "cgan"}


def each_of(specimens, quick=REPRESENTATIVES):
    """Returns a decorator that runs a test on each of these, with all but the quick marked slow."""
    names = [
        name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in specimens
    ]
    return pytest.mark.parametrize("name", names)


# Of a class that another specimen stands for: only tests of what they are use them.
OTHERS = {build.__name__: build for build in (ladder,)}


def compiled(name, seed=0, **options):
    """Returns a specimen with fixed initial weights."""
    keras.utils.set_random_seed(seed)
    model = {**SPECIMENS, **OTHERS}[name]()
    model.compile(**optimizers(model), **options)
    model.specimen = name
    return model


def optimizers(model, make=lambda: keras.optimizers.Adam(1e-2)):
    """Returns the optimizers that a model's `compile` takes, a dict."""
    if isinstance(model, tfgen.AdversarialModel):
        return {f"{player}_optimizer": make() for player in model.players}
    return {"optimizer": make()}


def images(count=32):
    return np.random.default_rng(0).random((count, *SHAPE), np.float32)


def batch(name, count=32):
    """Returns what a specimen learns from: images, and labels or another domain's where needed."""
    if name in ("cgan", "acgan", "cvae", "guided_flow"):
        return images(count), np.arange(count) % 10
    if name == "rectified_flow":
        return images(count), np.random.default_rng(1).normal(size=[count, 64]).astype("f")
    if name in ("cyclegan", "swap_autoencoder"):
        return images(count), 1 - images(count)
    if name in ("clip", "dall_e_2"):
        return images(count), np.resize(CAPTIONS, count)
    if name in ("autoregressive", "multi_scale"):
        return (np.round(images(count)),)
    if name == "gated_autoregressive":
        return np.round(3 * images(count)) / 3, np.arange(count) % 10
    return (images(count),)


def made(model, count=3):
    """Returns what a model makes, as a function of its weights."""
    if "translate" in model.abilities:
        return model.translate_a_to_b(images(count))
    if "sample" in model.abilities:
        return model.sample(count, seed=0)
    if "draw" in model.abilities:
        return model.draw(CAPTIONS[:count], seed=0)
    if "match" in model.abilities:
        return model.zero_shot(images(count), CAPTIONS)
    if "reconstruct" not in model.abilities:
        return model.encode(images(count)).mean()
    return model.reconstruct(images(count))


def fit(model, *chosen, epochs=1, eager=True, **options):
    """Trains a VAE's specimen with some callbacks."""
    model.run_eagerly = eager  # saves the second that tracing takes
    return model.fit(
        images(), batch_size=8, shuffle=False, epochs=epochs, verbose=0, callbacks=chosen, **options
    )


def names_in(folder):
    """Returns the names of all files in a folder and the folders in it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def weights(model):
    """Returns every number that training changes and a saved file must hold, with its name."""
    metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    variables = [
        variable
        for variable in [
            *model.variables,
            *(variable for optimizer in model.optimizers for variable in optimizer.variables),
        ]
        if id(variable) not in metrics and variable.name != "seed_generator_state"
    ]
    return [(variable.name, variable.numpy()) for variable in variables]


def assert_same(left, right, tolerance=0.0):
    for (name, value), (_, other) in zip(left, right, strict=True):
        np.testing.assert_allclose(value, other, rtol=tolerance, atol=tolerance, err_msg=name)


def _vae(encoder, decoder, posterior=None, likelihood=None, bound=None, prior=None):
    return tfgen.VAE(
        encoder,
        decoder,
        prior=prior or distributions.StandardNormal(3),
        posterior=posterior or distributions.DiagonalNormal(),
        likelihood=likelihood or distributions.Bernoulli(),
        bound=bound,
        seed=5,
    )
