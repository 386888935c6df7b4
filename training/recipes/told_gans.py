"""Generative adversarial networks that are told labels, or whose codes can be read."""

import keras

from tfgen import (
    augmentations,
    codes,
    distributions,
    networks,
    penalties,
    zoo,
)
from training.recipes.gans import adams, cosine, linear
from training.recipes.measures import code_error, label_agreement
from training.recipes.recipe import recipe


@recipe(
    data="tfds:mnist",
    batch_size=64,
    epochs=10,
    labels=True,
    num_classes=10,
    measure=label_agreement,
)
def cgan_mnist(shape, steps):
    """A conditional GAN (Mirza and Osindero, 2014) of digits, in the networks of InfoGAN.

    Labels are concatenated, as in the lecture code: to the latents, and as channels to the images.
    """
    classes = 10
    return zoo.cgan(
        networks.condition_generator(
            networks.info_gan_generator(shape, latent_dim=64 + classes), classes
        ),
        networks.condition_discriminator(
            networks.info_gan_discriminator((*shape[:2], shape[2] + classes)), classes
        ),
        distributions.Uniform(64),
        num_classes=classes,
        ema_momentum=0.999,
        optimizers=adams(*cosine(steps, 2e-4, 2e-4)),
    )


@recipe(data="embedded", batch_size=64, epochs=20, labels=True, num_classes=10)
def acgan_fashion(shape, steps):
    """A GAN with an auxiliary classifier (Odena et al., 2017), in the networks of InfoGAN."""
    classes = 10
    generator = networks.info_gan_generator(shape, latent_dim=64 + classes)
    return zoo.acgan(
        networks.condition_generator(generator, classes),
        networks.info_gan_discriminator(shape, code_sizes=[classes]),
        distributions.Uniform(64),
        num_classes=classes,
        ema_momentum=0.999,
        optimizers=adams(2e-4, 2e-4),
    )


@recipe(data="embedded", batch_size=64, epochs=30, labels=True, num_classes=10)
def cgan_fashion(shape, steps):
    """A small conditional GAN of clothes: any of ten kinds on request, in some three minutes.

    DCGAN's networks, a quarter as wide. The label is projected onto the discriminator's features
    (Miyato and Koyama, 2018), which has no batch normalization and is kept flat at the data
    (Mescheder et al., 2018), so that both learn at five times the usual rate: see `r1_gan_fashion`.
    """
    classes = 10
    discriminator = networks.dcgan_discriminator(shape, filters=32, normalization=None)
    features = keras.Model(discriminator.input, discriminator.layers[-2].output)
    return zoo.cgan(
        networks.condition_generator(
            networks.dcgan_generator(shape, latent_dim=64 + classes, filters=32), classes
        ),
        networks.projection_discriminator(features, classes),
        distributions.StandardNormal(64),
        num_classes=classes,
        penalties=[penalties.RealGradient(1.0)],
        ema_momentum=0.999,
        optimizers=adams(*linear(steps, 1e-3, 1e-3), beta_1=0.0, beta_2=0.9),
    )


@recipe(data="tfds:mnist", batch_size=64, epochs=5, measure=code_error)
def infogan_mnist(shape, steps):
    """InfoGAN (Chen et al., 2016, section 7.2): ten categories and two continuous codes.

    The category is read off samples that are turned, sheared, scaled and shifted. Left to itself it
    often means a slant or a stroke: which of 4, 7 and 9, or of 3, 5 and 8, shares it is luck then.
    """
    meaning = [codes.Categorical(10), codes.UniformCode(2)]
    return zoo.infogan(
        networks.info_gan_generator(shape, latent_dim=62 + sum(code.size for code in meaning)),
        networks.info_gan_discriminator(shape, code_sizes=[code.outputs for code in meaning]),
        None,
        distributions.Uniform(62),
        meaning,
        code_augmentations=[augmentations.RandomAffine(), None],
        ema_momentum=0.999,
        optimizers=adams(*cosine(steps, 1e-3, 2e-4)),
    )


@recipe(data="demo", batch_size=50, epochs=500, jit_compile=True, measure=code_error)
def infogan_demo(shape, steps):
    """The lecture's demo of InfoGAN: four modes in 32 dimensions, found by a code of four.

    Without the gradient penalty a run of 3,000 steps at 1e-3 had lost two of the modes.
    """
    code = codes.Categorical(4)
    return zoo.infogan(
        networks.mlp_generator(shape, latent_dim=2 + code.size, hidden_sizes=(32, 32)),
        networks.mlp_discriminator(shape, hidden_sizes=(32, 32)),
        networks.mlp_encoder(shape, latent_dim=code.outputs, hidden_sizes=(32, 32), heads=1),
        distributions.StandardNormal(2),
        [code],
        penalties=[penalties.RealGradient(1.0)],
        optimizers=adams(3e-3, 3e-3),
    )
