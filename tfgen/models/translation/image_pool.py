"""A pool of past images, from which a discriminator is shown some of a generator's history.

Else it would forget, and the generator could bring back, what it was once told from data
(Shrivastava et al., 2017, section 2.3; Zhu et al., 2017, section 4).
"""

import tensorflow as tf

from tfgen.engine.replicas import update


class ImagePool:
    """Up to `size` past images, kept in variables of a model and so saved and resumed with it.

    Args:
        model: a Keras model, that is to save the pool.
        name: the name of the variables.
        size: the number of images, at least 1.
        shape: of one image.

    Example:
        >>> pool = ImagePool(model, "pool", size=50, shape=(64, 64, 3))
        >>> mixed = pool.exchange(fakes, noise_seed=model.noise.seed_of("pool"))
    """

    def __init__(self, model, name, size, shape):
        fixed = {"initializer": "zeros", "trainable": False, "autocast": False}
        self.images = model.add_weight(name=name, shape=(size, *shape), dtype="float32", **fixed)
        self.count = model.add_weight(name=f"{name}_count", shape=(), dtype="int64", **fixed)

    def exchange(self, images, noise_seed):
        """Swaps images for past ones, as `swap` does, and keeps the pool that results.

        All replicas' images are swapped as one batch, and every replica gets its own rows back: the
        pool is the same on all, and does not depend on their number.

        Args:
            images: float32 `[batch, *shape]`, this replica's.
            noise_seed: int32 `[2]`, the same on every replica.

        Returns:
            Images `[batch, *shape]`.
        """
        context = tf.distribute.get_replica_context()
        count, size = tf.shape(images, tf.int64)[0], self.images.shape[0]
        counts = context.all_gather(count[tf.newaxis], axis=0)
        # One draw for both choices: whether a past image is returned, one time in two, and which.
        draws = tf.random.stateless_uniform(
            [tf.reduce_sum(counts)], noise_seed, maxval=2 * size, dtype=tf.int64
        )
        returned, *state = swap(
            tf.convert_to_tensor(self.images.value),
            tf.convert_to_tensor(self.count.value),
            context.all_gather(images, axis=0),
            draws,
        )
        update([self.images, self.count], lambda index, _: state[index])
        start = tf.reduce_sum(counts[: context.replica_id_in_sync_group])
        return returned[start : start + count]


def swap(pool, count, images, draws):
    """Gives a pool images, one after the other, and takes as many back.

    An image that finds the pool not full is kept, and returned. Later ones take the place of a past
    image, which is returned, or are returned themselves, as the draws say.

    Args:
        pool: `[size, ...]`, whose first `count` images are in use.
        count: an int64 scalar.
        images: `[batch, ...]`; the batch may be larger than the pool.
        draws: int64 `[batch]`: the place that an image takes; `size` or more for none.

    Returns:
        A tuple: the images returned `[batch, ...]`, the pool and the count that result.
    """
    size, batch = pool.shape[0], tf.shape(images, tf.int64)[0]
    order = tf.range(batch)
    filling = count + order < size
    places = tf.where(filling, count + order, draws)
    all_places = tf.range(size, dtype=tf.int64)
    # What every place holds is an index into all images, old and new. Of two in one place the later
    # is held: its index is the larger.
    everything = tf.concat([pool, images], axis=0)

    def held(place, given):
        return tf.maximum(place, tf.reduce_max(tf.where(given, size + order, 0), axis=1))

    earlier = order < order[:, tf.newaxis]
    before = held(places, earlier & (places == places[:, tf.newaxis]))
    returned = tf.where(filling | (places >= size), size + order, before)
    after = held(all_places, places == all_places[:, tf.newaxis])
    return (
        tf.gather(everything, returned),
        tf.gather(everything, after),
        tf.minimum(count + batch, size),
    )
