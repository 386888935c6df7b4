"""What a pixel sees of an image: PixelCNN's blind spot, and two networks without it.

An output depends on a pixel if its derivative by that pixel is not 0, with weights by chance.
"""

import numpy as np
import tensorflow as tf

from tfgen import networks
from training.figures.canvas import canvas, save

SIDE = 28
PLACE = (14, 13)  # the row and the column of the output
NETWORKS = {
    "PixelCNN": networks.pixel_cnn,
    "gated PixelCNN": networks.gated_pixel_cnn,
    "PixelCNN++": networks.pixel_cnn_plus_plus,
}
SEED = 0


def seen(network, place=PLACE):
    """Returns which pixels an output depends on, booleans `[height, width]`.

    Args:
        network: a built Keras model of images of one channel; it gets other weights.
        place: the row and the column of the output.
    """
    random = np.random.default_rng(SEED)
    for variable in network.trainable_variables:
        fan_in = np.prod(variable.shape[:-1]) + 1
        variable.assign(random.normal(size=variable.shape) / np.sqrt(fan_in))
    images = tf.constant(random.random((8, *network.input_shape[1:]), np.float32))
    with tf.GradientTape() as tape:
        tape.watch(images)
        output = tf.reduce_sum(network(images)[:, place[0], place[1]])
    return np.any(tape.gradient(output, images) != 0, axis=(0, 3))


def draw(path):
    """Draws what each network's output at one place sees, and prints of how many pixels."""
    figure = canvas(9, 3.4)
    for axes, (name, build) in zip(
        figure.subplots(1, len(NETWORKS)), NETWORKS.items(), strict=True
    ):
        found = seen(build((SIDE, SIDE, 1)))
        earlier = PLACE[0] * SIDE + PLACE[1]
        print(f"{name}: {found.sum()} of {earlier} earlier pixels")
        colours = np.where(found[..., np.newaxis], [0.35, 0.55, 0.8], [0.93, 0.93, 0.93])
        colours[PLACE] = [0.85, 0.2, 0.15]
        axes.imshow(colours)
        title = f"{name}: {found.sum()} of {earlier}"
        axes.set(title=title, xticks=[], yticks=[])
    save(figure, path)
