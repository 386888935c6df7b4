"""GANs of points in the plane, whose modes can be counted."""

from tfgen import data, distributions, networks, zoo
from training.recipes.gans import adams, cosine
from training.recipes.measures import mode_coverage
from training.recipes.recipe import recipe

# Points in the plane around known centres.
POINTS = {"batch_size": 500, "epochs": 60, "jit_compile": True, "steps_per_execution": 100}


@recipe(data="ring", **POINTS, measure=mode_coverage(data.gaussian_ring()))
def ns_gan_ring(shape, steps):
    """The plain GAN of Goodfellow et al., 2014, on a ring of Gaussians, without a penalty."""
    return plain_points_gan(shape, steps)


@recipe(data="grid", **POINTS, measure=mode_coverage(data.gaussian_grid()))
def ns_gan_grid(shape, steps):
    """The plain GAN of Goodfellow et al., 2014, on a grid of Gaussians, without a penalty."""
    return plain_points_gan(shape, steps)


@recipe(data="ring", **POINTS, measure=mode_coverage(data.gaussian_ring()))
def r1_gan_ring(shape, steps):
    """A GAN on a ring of Gaussians that is kept flat at the data (Mescheder et al., 2018)."""
    return flat_points_gan(shape, steps)


@recipe(data="grid", **POINTS, measure=mode_coverage(data.gaussian_grid()))
def r1_gan_grid(shape, steps):
    """A GAN on a grid of Gaussians that is kept flat at the data (Mescheder et al., 2018)."""
    return flat_points_gan(shape, steps)


def plain_points_gan(shape, steps):
    """Returns a GAN of perceptrons for points."""
    return zoo.ns_gan(*points_players(shape), optimizers=adams(*cosine(steps, 1e-3, 1e-3)))


def flat_points_gan(shape, steps):
    """Returns a GAN of perceptrons for points, whose discriminator is kept flat at the data."""
    return zoo.r1_gan(
        *points_players(shape),
        weight=0.01,
        ema_momentum=0.999,
        optimizers=adams(*cosine(steps, 1e-3, 1e-3)),
    )


def points_players(shape):
    """Returns perceptrons for points, smaller than those of VEEGAN's experiment, and the prior."""
    return (
        networks.mlp_generator(shape, latent_dim=2, hidden_sizes=(200,) * 3),
        networks.mlp_discriminator(shape, hidden_sizes=(200,) * 3),
        distributions.StandardNormal(2),
    )
