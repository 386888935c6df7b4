"""The slide's question: what does "blurry" mean? The squared error's best answer is an average.

A stroke is at the left or at the right, equally often, and nothing tells which. Descended on the
squared error `E |x - answer|^2`, an answer becomes the mean of both images, which is neither. As a
sample it would be unlikely: on the line between both images the data's density is smallest there.
"""

import keras
import numpy as np

from tfgen.densities import KernelDensity
from training.figures.canvas import canvas, save

SIDE = 16  # pixels
COLUMNS = (5, 10)  # where the stroke may be
BANDWIDTH = 1.0  # of the data's density, as a distance between images
SEED = 0


def strokes():
    """Returns the two images that the data are, equally often: float32 `[2, SIDE * SIDE]`."""
    images = np.zeros([2, SIDE, SIDE], np.float32)
    for image, column in zip(images, COLUMNS, strict=True):
        image[2:-2, column - 1 : column + 1] = 1
    return images.reshape(2, -1)


def trained_answer(images):
    """Trains a layer that cannot tell which image is wanted, and returns its answer.

    Args:
        images: float32 `[count, size]`, all equally likely.

    Returns:
        A float32 array `[size]`.
    """
    keras.utils.set_random_seed(SEED)
    size = images.shape[1]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(size)])
    # The loss is a mean over pixels, which makes the gradient small: the rate is large.
    model.compile(keras.optimizers.SGD(size / 8), "mean_squared_error")
    blank = np.ones([len(images), 1], np.float32)
    model.fit(blank, images, batch_size=len(images), epochs=30, verbose=0)
    return model(blank)[0].numpy()


def expected_error(answers, images):
    """Returns the squared error `E |x - answer|^2` of each answer `[count, size]`: `[count]`."""
    differences = answers[:, np.newaxis] - images
    return np.mean(np.sum(differences**2, axis=-1), axis=1)


def line(images, positions):
    """Returns answers on the line through two images: the first at 0, the second at 1."""
    first, second = images
    return first + np.multiply.outer(positions, second - first)


def draw(path):
    """Draws both images and the trained answer above, error and density along the line below."""
    images = strokes()
    answer = trained_answer(images)
    shown = {"a half of the data": images[0], "the other half": images[1], "trained answer": answer}
    figure = canvas(10, 7.4)
    panels = figure.subplot_mosaic([[*"aabbcc"], [*"lllrrr"]], height_ratios=(0.65, 1))
    for name, (title, image) in zip("abc", shown.items(), strict=True):
        error = expected_error(image[np.newaxis], images)[0]
        print(f"{title}: expected squared error {error:.2f}")
        panels[name].imshow(image.reshape(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=1)
        panels[name].set(title=f"{title}: error {error:.0f}", xticks=[], yticks=[])
    _draw_line([panels["l"], panels["r"]], images, answer)
    save(figure, path)


def _draw_line(panels, images, answer):
    density = KernelDensity(BANDWIDTH).distribution(points=images)
    curves = {
        "expected squared error": lambda answers: expected_error(answers, images),
        "log-density of the data, in nats": density.log_prob,
    }
    positions = np.linspace(-0.3, 1.3, 161, dtype=np.float32)
    for axes, (name, curve) in zip(panels, curves.items(), strict=True):
        axes.plot(positions, curve(line(images, positions)))
        axes.plot([0, 1], curve(images), "o", color="C2", label="the two images")
        axes.plot([0.5], curve(answer[np.newaxis]), "o", color="C3", label="trained answer")
        axes.set(title=name, xlabel="answer, from one image (0) to the other (1)")
        axes.legend(loc="upper center")
