"""Translation between two domains."""

from tfgen import data, networks, zoo
from training.recipes.recipe import recipe


@recipe(data="classes:embedded:7,9", find_data=data.domains, batch_size=4, epochs=20)
def cyclegan_fashion(shape, steps):
    """CycleGAN (Zhu et al., 2017) from sneakers to ankle boots and back, in some minutes."""
    return translator(shape, steps, filters=16, blocks=2, depth=1)


@recipe(data="classes:embedded:7,9", find_data=data.domains, size=(64, 64), batch_size=1, epochs=50)
def cyclegan_64(shape, steps):
    """CycleGAN (Zhu et al., 2017) at 64x64 pixels, for two folders: `--data folder:PATH`.

    The folder holds the folders trainA, trainB, testA and testB. The networks are those of the
    paper for 128 pixels, half as wide.
    """
    return translator(shape, steps, filters=32, blocks=6, depth=2)


def translator(shape, steps, filters, blocks, depth):
    """Returns a CycleGAN with identity loss, of ResNet generators and PatchGAN discriminators."""
    shape_a, shape_b = shape
    return zoo.cyclegan(
        networks.resnet_generator(shape_a, shape_b[-1], filters=filters, blocks=blocks),
        networks.resnet_generator(shape_b, shape_a[-1], filters=filters, blocks=blocks),
        networks.patch_gan_discriminator(shape_a, filters=filters, depth=depth),
        networks.patch_gan_discriminator(shape_b, filters=filters, depth=depth),
        steps=steps,
        identity_weight=0.5,
        ema_momentum=0.999,
    )
