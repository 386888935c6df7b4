"""The lectures' adversarial networks: the slides' layers, losses and steps.

Sizes and rates are ours: the slides leave them open.
"""

import keras

from tfgen import data, distributions, networks, zoo
from training.recipes.gans import adams, cosine
from training.recipes.measures import code_error, nearest_modes
from training.recipes.recipe import recipe

# The lecture's demonstration data: 100 points of 32 features, in four modes. Players of two hidden
# layers, as on the slide. Adam's momentum is 0.5: at its own 0.9 the players chase each other past
# the data. Samples are made by an average of the generator's weights, which changes no step.
DEMO = {"data": "demo", "batch_size": 50, "epochs": 3000, "jit_compile": True}
HIDDEN = (128, 128)
AVERAGED = {"ema_momentum": 0.999}


@recipe(**DEMO, measure=nearest_modes)
def gan_lecture(shape, steps):
    """The lecture code of the GAN on the demonstration data: perceptrons, cross-entropy, Adam."""
    return zoo.gan_lecture(
        networks.mlp_generator(shape, latent_dim=2, hidden_sizes=HIDDEN),
        networks.mlp_discriminator(shape, hidden_sizes=HIDDEN),
        distributions.StandardNormal(2),
        optimizers=adams(1e-3, 1e-3),
        **AVERAGED,
    )


@recipe(**DEMO, labels=True, num_classes=4, measure=nearest_modes)
def cgan_lecture(shape, steps):
    """The lecture code of the conditional GAN on the demonstration data, whose modes are classes.

    The players take `[z, c]` and `[x, c]`, a latent or a point followed by its one-hot class.
    """
    classes = 4
    return zoo.cgan_lecture(
        networks.condition_generator(
            networks.mlp_generator(shape, latent_dim=2 + classes, hidden_sizes=HIDDEN), classes
        ),
        networks.condition_discriminator(
            networks.mlp_discriminator((*shape[:-1], shape[-1] + classes), hidden_sizes=HIDDEN),
            classes,
        ),
        distributions.StandardNormal(2),
        num_classes=classes,
        optimizers=adams(1e-3, 1e-3),
        **AVERAGED,
    )


@recipe(**DEMO, measure=code_error)
def infogan_lecture(shape, steps):
    """The lecture code of InfoGAN on the demonstration data: four clusters of 0.25 each.

    Q is a network of its own with one hidden layer, and has its own Adam(1e-4), over the variables
    of G and Q.
    """
    clusters = 4
    return zoo.infogan_lecture(
        networks.mlp_generator(shape, latent_dim=2 + clusters, hidden_sizes=HIDDEN),
        networks.mlp_discriminator(shape, hidden_sizes=HIDDEN),
        networks.mlp_encoder(shape, latent_dim=clusters, hidden_sizes=(128,), heads=1),
        distributions.StandardNormal(2),
        optimizers=[*adams(1e-3, 1e-3), keras.optimizers.Adam(1e-4)],
        **AVERAGED,
    )


@recipe(data="classes:embedded:7,9", find_data=data.domains, batch_size=4, epochs=20)
def cyclegan_lecture(shape, steps):
    """The lecture code of CycleGAN from sneakers to boots: cross-entropy, absolute cycle, no pool.

    The networks are those of `cyclegan_fashion`.
    """
    shape_a, shape_b = shape
    return zoo.cyclegan_lecture(
        networks.resnet_generator(shape_a, shape_b[-1], filters=16, blocks=2),
        networks.resnet_generator(shape_b, shape_a[-1], filters=16, blocks=2),
        networks.patch_gan_discriminator(shape_a, filters=16, depth=1),
        networks.patch_gan_discriminator(shape_b, filters=16, depth=1),
        steps=steps,
    )


@recipe(data="marbles", batch_size=64, epochs=10)
def dcgan_lecture(shape, steps):
    """The lecture's DCGAN, 64x64x3 of 100 uniform codes, as wide as the paper's, and leaky.

    Transposed convolution, batch normalization, leaky ReLU. On two cores that takes about an hour
    in bfloat16; `dcgan_64` is half as wide.
    """
    return zoo.dcgan(
        networks.dcgan_generator(shape, latent_dim=100, activation="leaky_relu"),
        networks.dcgan_discriminator(shape),
        distributions.Uniform(100),
        ema_momentum=0.999,
        optimizers=adams(*cosine(steps, 2e-4, 2e-4)),
    )
