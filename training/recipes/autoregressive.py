"""Autoregressive models of pixels."""

import keras

import tfgen
from tfgen import distributions, networks
from training.recipes.autoencoders import vq_vae_fashion, vq_vae_fashion_mnist
from training.recipes.recipe import recipe

DIGITS = {"data": "tfds:mnist", "binarized": "stochastic", "batch_size": 16, "epochs": 8}


@recipe(data="embedded", size=(14, 14), levels=4, batch_size=32, epochs=4)
def pixel_cnn_fashion(shape, steps):
    """PixelCNN++'s network (Salimans et al., 2017) on small clothes of four grey levels."""
    network = networks.pixel_cnn_plus_plus(shape, multiples=(1, 2), outputs=4)
    return _trained(network, distributions.Categorical(4), steps, ema_momentum=0.99)


@recipe(**DIGITS)
def pixel_cnn_plus_plus_mnist(shape, steps):
    """PixelCNN++'s network (Salimans et al., 2017) on binarized MNIST."""
    return _trained(networks.pixel_cnn_plus_plus(shape), distributions.Bernoulli(), steps)


@recipe(**DIGITS)
def gated_pixel_cnn_mnist(shape, steps):
    """A gated PixelCNN (van den Oord et al., 2016) on binarized MNIST."""
    return _trained(networks.gated_pixel_cnn(shape), distributions.Bernoulli(), steps)


@recipe(data="tfds:mnist", binarized="stochastic", batch_size=100, epochs=60)
def made_mnist(shape, steps):
    """MADE (Germain et al., 2015) on binarized MNIST."""
    return _trained(networks.made(shape, (500, 500)), distributions.Bernoulli(), steps)


@recipe(**DIGITS)
def row_lstm_mnist(shape, steps):
    """A row LSTM (van den Oord et al., 2016) on binarized MNIST."""
    return _trained(networks.row_lstm(shape), distributions.Bernoulli(), steps)


@recipe(**DIGITS)
def diagonal_bilstm_mnist(shape, steps):
    """A diagonal BiLSTM (van den Oord et al., 2016) on binarized MNIST."""
    return _trained(networks.diagonal_bilstm(shape), distributions.Bernoulli(), steps)


@recipe(**DIGITS)
def pixel_cnn_mnist(shape, steps):
    """A PixelCNN (van den Oord et al., 2016) on binarized MNIST."""
    return _trained(networks.pixel_cnn(shape), distributions.Bernoulli(), steps)


@recipe(
    data="embedded",
    size=(14, 14),
    levels=4,
    batch_size=32,
    epochs=4,
    labels=True,
    num_classes=10,
)
def conditional_pixel_cnn_fashion(shape, steps):
    """A gated PixelCNN (van den Oord et al., 2016) of small clothes, of any kind on request."""
    return _of_labels(shape, distributions.Categorical(4), steps, 0.99, outputs=4)


@recipe(**DIGITS, labels=True, num_classes=10)
def conditional_pixel_cnn_mnist(shape, steps):
    """A gated PixelCNN (van den Oord et al., 2016) of digits on request, on binarized MNIST."""
    return _of_labels(shape, distributions.Bernoulli(), steps)


@recipe(data="embedded", levels=4, batch_size=32, epochs=3)
def multi_scale_fashion(shape, steps):
    """Clothes of four grey levels at 7x7 pixels, then at 14x14, then at 28x28."""
    return _of_scales(shape, distributions.Categorical(4), steps, 0.99, outputs=4)


@recipe(**DIGITS)
def multi_scale_mnist(shape, steps):
    """A multi-scale model (van den Oord et al., 2016) on binarized MNIST: sides of 7, 14, 28."""
    return _of_scales(shape, distributions.Bernoulli(), steps)


@recipe(data="embedded", batch_size=64, epochs=20, begin_with="vq_vae_fashion")
def vq_prior_fashion(shape, steps):
    """A gated PixelCNN of the codes of `vq_vae_fashion`, whose samples are decoded."""
    return _of_codes(vq_vae_fashion(shape, steps), steps, width=32, ema_momentum=0.99)


@recipe(data="tfds:fashion_mnist", batch_size=64, epochs=40, begin_with="vq_vae_fashion_mnist")
def vq_prior_fashion_mnist(shape, steps):
    """A gated PixelCNN of the codes of `vq_vae_fashion_mnist`, whose samples are decoded."""
    return _of_codes(vq_vae_fashion_mnist(shape, steps), steps, width=64, ema_momentum=0.999)


def _trained(network, likelihood, steps, ema_momentum=0.999):
    model = tfgen.Autoregressive(network, likelihood, ema_momentum=ema_momentum)
    return _compiled(model, steps)


def _of_labels(shape, likelihood, steps, ema_momentum=0.999, **options):
    """Returns a gated PixelCNN that is told one of ten labels."""
    network = networks.gated_pixel_cnn(shape, blocks=4, condition_size=10, **options)
    model = tfgen.ConditionalAutoregressive(network, likelihood, num_classes=10, ema_momentum=0.99)
    return _compiled(model, steps)


def _of_scales(shape, likelihood, steps, ema_momentum=0.999, **options):
    """Returns gated PixelCNNs of images of a quarter, half and all of the height and width."""
    height, width, channels = shape
    small, middle = ((height // by, width // by, channels) for by in (4, 2))
    parts = [networks.gated_pixel_cnn(small, blocks=3, **options)]
    for finer in (middle, shape):  # what is near is given: few blocks are enough
        options |= {"condition_size": finer, "kernel_size": 3, "blocks": 2}
        parts.append(networks.gated_pixel_cnn(finer, **options))
    model = tfgen.MultiScaleAutoregressive(parts, likelihood, ema_momentum=ema_momentum)
    return _compiled(model, steps)


def _of_codes(vqvae, steps, width, ema_momentum):
    """Returns an autoregressive model of the codes of a VQ-VAE."""
    codes = vqvae.codebook.size
    network = networks.gated_pixel_cnn(
        (*vqvae.places, 1),
        width,
        blocks=4,
        kernel_size=3,
        outputs=codes,
        one_hot_levels=codes,
    )
    likelihood = distributions.Categorical(codes)
    model = tfgen.LatentAutoregressive(network, likelihood, vqvae, ema_momentum=ema_momentum)
    return _compiled(model, steps)


def _compiled(model, steps):
    """Returns a model with an optimizer whose rate falls to 0."""
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate, global_clipnorm=1.0))
    return model
