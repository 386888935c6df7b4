"""One small instance of every model: the contract in test_contract.py is checked over these."""

import keras
import numpy as np
from keras import layers

import tfgen
from tfgen import bounds, distributions, networks

SHAPE = (8, 8, 1)


def mlp_vae():
    return _vae(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(16,)),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)),
    )


def conv_vae():
    return _vae(
        networks.conv_encoder(SHAPE, 3, filters=(4, 8), hidden_size=16),
        networks.conv_decoder(SHAPE, 3, filters=(8, 4), hidden_size=16),
        posterior=distributions.LogVarianceNormal(),
        bound=bounds.ELBO(beta=2.0),
    )


def lecture_vae():
    return _vae(
        networks.lecture_conv_encoder(SHAPE, 3, filters=4),
        networks.lecture_conv_decoder(SHAPE, 3, filters=4),
        likelihood=distributions.Gaussian(scale=0.5**0.5),
    )


def learnt_scale_vae():
    return _vae(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(16,)),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,), heads=2),
        likelihood=distributions.Gaussian(),
    )


def dropout_vae():
    """Networks of a user's own, with random layers and a regularizer."""
    inputs = keras.Input(SHAPE)
    hidden = layers.GaussianNoise(0.1)(layers.Flatten()(inputs))
    hidden = layers.Dense(16, "relu", kernel_regularizer="l2")(hidden)
    hidden = layers.Dropout(0.5)(hidden)
    encoder = keras.Model(inputs, [layers.Dense(3)(hidden), layers.Dense(3)(hidden)])
    return _vae(encoder, networks.mlp_decoder(SHAPE, 3, hidden_sizes=(16,)))


SPECIMENS = {
    build.__name__: build
    for build in (mlp_vae, conv_vae, lecture_vae, learnt_scale_vae, dropout_vae)
}
# Keras' own random layers see only their replica's rows: their masks depend on the layout.
LAYOUT_FREE = {name: build for name, build in SPECIMENS.items() if name != "dropout_vae"}


def compiled(name, seed=0, **options):
    """Returns a specimen with fixed initial weights."""
    keras.utils.set_random_seed(seed)
    model = SPECIMENS[name]()
    model.compile(keras.optimizers.Adam(1e-2), **options)
    return model


def images(count=32):
    return np.random.default_rng(0).random((count, *SHAPE), np.float32)


def weights(model):
    """Returns every number that training changes and a saved file must hold, with its name."""
    metrics = {id(variable) for metric in model.metrics for variable in metric.variables}
    variables = [
        variable
        for variable in [*model.variables, *model.optimizer.variables]
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
