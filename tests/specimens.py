"""One small instance of every model: the contract in test_contract.py is checked over these."""

import dataclasses
import math

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from keras import layers

import tfgen
from tfgen import augmentations, bounds, codes, distributions, games, networks, penalties
from tfgen.engine import noise
from tfgen.engine.serialization import Configured

tfd = tfp.distributions

SHAPE = (8, 8, 1)


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


def cgan():
    return tfgen.ConditionalGAN(
        two_inputs(3, 10, SHAPE),
        two_inputs(SHAPE, 10, (1,)),
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


def two_inputs(first, second, outputs):
    first = keras.Input((first,) if isinstance(first, int) else first)
    second = keras.Input((second,))
    hidden = layers.Concatenate()([layers.Flatten()(first), second])
    hidden = layers.Dense(math.prod(outputs))(layers.Dense(16, "relu")(hidden))
    return keras.Model([first, second], layers.Reshape(outputs)(hidden))


VAES = {build.__name__: build for build in (mlp_vae, conv_vae, dropout_vae)}
GANS = {build.__name__: build for build in (gan, wgan_gp, cgan, infogan, began, cyclegan)}
SPECIMENS = {**VAES, **GANS}


def compiled(name, seed=0, **options):
    """Returns a specimen with fixed initial weights."""
    keras.utils.set_random_seed(seed)
    model = SPECIMENS[name]()
    model.compile(*optimizers(model), **options)
    model.specimen = name
    return model


def optimizers(model, make=lambda: keras.optimizers.Adam(1e-2)):
    """Returns as many optimizers as a model's `compile` takes."""
    return [make() for _ in range(2 if isinstance(model, tfgen.AdversarialModel) else 1)]


def images(count=32):
    return np.random.default_rng(0).random((count, *SHAPE), np.float32)


def batch(name, count=32):
    """Returns what a specimen learns from: images, and labels or another domain's where needed."""
    if name == "cgan":
        return images(count), np.arange(count) % 10
    if name == "cyclegan":
        return images(count), 1 - images(count)
    return (images(count),)


def made(model, count=3):
    """Returns what a model makes, as a function of its weights."""
    if model.specimen == "cyclegan":
        return model.translate_a_to_b(images(count))
    return model.sample(count, seed=0)


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


def _vae(encoder, decoder, posterior=None, likelihood=None, bound=None):
    return tfgen.VAE(
        encoder,
        decoder,
        prior=distributions.StandardNormal(3),
        posterior=posterior or distributions.DiagonalNormal(),
        likelihood=likelihood or distributions.Bernoulli(),
        bound=bound,
        seed=5,
    )
