"""Padding with the image's own mirror."""

from keras import layers, ops

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import Configured, serializable


@row_by_row
@serializable
class ReflectionPadding2D(Configured, layers.Layer):
    """Continues images beyond their edges by their reflection, without repeating the edge.

    Unlike zeros it adds no frame that convolutions could see (Johnson et al., 2016, "Perceptual
    losses for real-time style transfer and super-resolution", supplementary material).

    Args:
        padding: the pixels to add on each of the four sides, at least 0.
        **kwargs: what every Keras layer takes: `name`, `dtype`.

    Raises:
        ValueError: the padding is negative, or the image is not larger than the padding.

    Example:
        >>> ReflectionPadding2D(3)(images)  # [batch, height + 6, width + 6, channels]
    """

    def __init__(self, padding=1, **kwargs):
        super().__init__(**kwargs)
        if padding < 0:
            raise ValueError(f"`padding` must be at least 0. Received: padding={padding}.")
        self.padding = padding

    def build(self, input_shape):
        if min(input_shape[1:3]) <= self.padding:
            raise ValueError(
                "A reflection is smaller than what it mirrors: height and width must be at least "
                f"padding + 1 = {self.padding + 1}. Received: images of shape "
                f"{tuple(input_shape[1:])}."
            )

    def call(self, images):
        sides = (self.padding, self.padding)
        return ops.pad(images, ((0, 0), sides, sides, (0, 0)), mode="reflect")
