"""The slides' transposed convolution: what one hidden unit paints, and why it is no deconvolution.

A convolution is `h = W^T x`; the transposed one is `x = W h`, with the same kernels.

* Activating one hidden unit `k` paints its kernel at its place: `x = W[:, k]`.
* If `W` is square and orthonormal, `W W^T x = x`: the transposed convolution gives back what was
  convolved.
* Otherwise `W W^T x` is another image: a deconvolution would need the inverse, not the transpose.
"""

import numpy as np
from keras.layers import Conv2D, Conv2DTranspose

from tfgen import data
from training.figures.canvas import canvas, save

KERNEL, HIDDEN = 9, 24  # the sides of the kernel that is shown, and of the hidden units
UNIT = (12, 18)  # the one that is active
HAAR = 0.5 * np.array(
    [[[1, 1], [1, 1]], [[1, -1], [1, -1]], [[1, 1], [-1, -1]], [[1, -1], [-1, 1]]]
)
SEED = 2


def convolution_pair(kernels, strides=1):
    """Returns a convolution and its transpose, which share their kernels and have no bias.

    Args:
        kernels: floats `[units, height, width]`, of one channel.
        strides: how many pixels a hidden unit is from the next.

    Returns:
        Two functions: of images `[count, height, width, 1]` to hidden units
        `[count, rows, columns, units]`, and back.
    """
    kernels = np.moveaxis(kernels, 0, -1)[:, :, np.newaxis]  # [height, width, channels, units]
    options = {"kernel_size": kernels.shape[:2], "strides": strides, "use_bias": False}
    forward, backward = Conv2D(kernels.shape[-1], **options), Conv2DTranspose(1, **options)
    forward.build((None, None, None, 1))
    backward.build((None, None, None, kernels.shape[-1]))
    for layer in (forward, backward):
        layer.set_weights([kernels])
    return forward, backward


def wave():
    """Returns a kernel that answers to slanted edges, as first layers learn: `[KERNEL, KERNEL]`."""
    y, x = np.mgrid[:KERNEL, :KERNEL] - KERNEL // 2
    return np.exp(-(x**2 + y**2) / (0.2 * KERNEL) ** 2 / 2) * np.sin(0.9 * (x + 0.6 * y))


def one_active_unit():
    """Returns hidden units `[1, HIDDEN, HIDDEN, 1]`, all 0 but the one at `UNIT`, which is 1."""
    hidden = np.zeros([1, HIDDEN, HIDDEN, 1], np.float32)
    hidden[(0, *UNIT, 0)] = 1
    return hidden


def random_kernels():
    """Returns four kernels that are not orthonormal, but have norm 1: `[4, 2, 2]`."""
    kernels = np.random.default_rng(SEED).normal(size=HAAR.shape)
    return kernels / np.linalg.norm(kernels, axis=(1, 2), keepdims=True)


def there_and_back(kernels, images):
    """Returns `W W^T x` of images, for a bank of kernels that do not overlap.

    Args:
        kernels: floats `[units, size, size]`.
        images: float32 `[count, height, width, 1]`; `size` divides height and width.

    Returns:
        A float32 tensor of the images' shape.
    """
    forward, backward = convolution_pair(kernels, strides=kernels.shape[1])
    return backward(forward(images))


def draw(path):
    """Draws what one unit paints above, and below an image there and back through two banks."""
    figure = canvas(9, 6.4)
    (kernel, hidden, painted), below = figure.subplots(2, 3)
    _, backward = convolution_pair(wave()[np.newaxis])
    active = one_active_unit()
    _show(kernel, wave(), "a kernel")
    _show(hidden, active, "hidden units: one is active")
    _show(painted, backward(active), "what it paints")
    images = data.source("embedded", "test").floats()[:1]
    _show(below[0], images, "an image x")
    banks = {"W orthonormal": HAAR, "W not orthonormal": random_kernels()}
    for axes, (name, kernels) in zip(below[1:], banks.items(), strict=True):
        back = there_and_back(kernels, images)
        print(f"{name}: W W^T x is off by up to {np.abs(back - images).max():.1e}")
        _show(axes, back, f"$W W^T x$, {name}")
    save(figure, path)


def _show(axes, image, title):
    axes.imshow(np.squeeze(image), cmap="gray")
    axes.set(title=title, xticks=[], yticks=[])
