"""The inputs that exported signatures take: their names, types and shapes, once for all models."""

import tensorflow as tf

COUNT = tf.TensorSpec([], tf.int32, "count")
SEED = tf.TensorSpec([], tf.int64, "seed")


def images(shape):
    """Returns the spec of images, or of vectors, of one example's shape."""
    return tf.TensorSpec([None, *shape], tf.float32, "images")


def latents(shape):
    """Returns the spec of latents, of one example's shape."""
    return tf.TensorSpec([None, *shape], tf.float32, "latents")


def mask(shape):
    """Returns the spec of a mask of images, of one example's shape: 1 where a value is seen."""
    return tf.TensorSpec([None, *shape], tf.float32, "mask")


def sample(model):
    """Returns the signature `sample(count, seed)` of a model that can be sampled."""
    return lambda count, seed: {"images": model.sample(count, seed)}, [COUNT, SEED]
