"""Classical densities as models."""

import math

import keras
import numpy as np
import sklearn.decomposition
import tensorflow as tf

from tfgen.data import Source
from tfgen.engine import noise, signatures
from tfgen.engine.batches import unpack
from tfgen.engine.serialization import Configured, serializable

# Examples drawn, and examples scored, at once: to score these against 60,000 kernels takes 120 MB
# of float64 a time.
_DRAWN, _SCORED = 1000, 250
_PROJECTION = ("centre", "directions")


@serializable
class DensityModel(Configured, keras.Model):
    """A classical density of images or vectors: estimated at once, without steps.

    Data flow one way for all densities: the examples' principal components, if so many
    `dimensions` are asked for, are the latents; the density is estimated from them; a sample is a
    latent drawn from it and mapped back. Densities know nothing of the range of pixels, so samples
    that are images are clipped to [0, 1].

    `fit`, `evaluate`, `sample`, saving and export are as of any model of tfgen.

    Args:
        shape: an example's shape, `(height, width, channels)` or `(features,)`.
        density: a `tfgen.densities.Density`.
        dimensions: the number of principal components; `None` takes the pixels as they are.
        seed: an integer, which decides what is random in the estimation.
        **kwargs: `name`, `dtype`, as `keras.Model` takes them.

    Raises:
        ValueError: the shape is of neither images nor vectors, or has no such number of dimensions.

    Example:
        >>> kernels = tfgen.densities.KernelDensity(bandwidth=0.2)
        >>> model = tfgen.DensityModel((28, 28, 1), kernels, dimensions=15)
        >>> model.fit(images)
        >>> model.sample(16, seed=0).shape
        TensorShape([16, 28, 28, 1])
    """

    abilities = frozenset({"sample", "log_likelihood"})

    def __init__(self, shape, density, dimensions=None, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(shape)
        self.density = density
        self.dimensions = dimensions
        self.seed = seed
        _check_shape(self.shape, dimensions)
        self._loss = keras.metrics.Mean(name="loss")
        # Keras evaluates compiled models only. An estimate is made once, by NumPy: eagerly.
        self.compile(optimizer=None, run_eagerly=True)

    def fit(self, x=None, y=None, batch_size=None, epochs=1, steps_per_epoch=None, **options):
        """Estimates the density, in one pass over all examples.

        Args:
            x: float examples `[count, *shape]`, images in [0, 1]; or a `tf.data.Dataset` of batches
                of them, whose labels are ignored.
            y: labels, ignored.
            batch_size: ignored: all examples are taken at once.
            epochs: ignored: another pass would change nothing.
            steps_per_epoch: how many batches to take of a data set; one without end needs it.
            **options: `verbose`, `callbacks`, `validation_data` and its kin, as Keras takes them;
                callbacks see one epoch of one step.

        Returns:
            A `keras.callbacks.History`; its `loss` is the examples' mean negative log-likelihood in
            nats, see `log_likelihood`.

        Raises:
            TypeError: the examples are integers.
            ValueError: the examples are of another shape, not finite, not in [0, 1] or too few; or
                a model that keeps its examples is given another number of them.
        """
        del y, batch_size, epochs
        examples = self._collect(x, steps_per_epoch)
        # Before Keras' loop, in which callbacks look at the model from the beginning.
        self._estimate(examples)
        return super().fit(tf.data.Dataset.from_tensors(examples), shuffle=False, **options)

    def train_step(self, data):
        return self.test_step(data)

    def test_step(self, data):
        self._loss.update_state(-self.log_likelihood(data))
        return {"loss": self._loss.result()}

    def sample(self, count, seed=None):
        """Draws new examples, images in [0, 1]: values beyond are clipped.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples, of which a larger `count`
                gives more. `None`: new ones.

        Returns:
            A float32 tensor `[count, *shape]`.

        Raises:
            ValueError: the model was not fitted.
        """
        projection, distribution = self._fitted()
        seed = noise.seed_from(seed, "sample")
        blocks = tf.map_fn(
            lambda index: distribution.sample(_DRAWN, seed=tf.random.fold_in(seed, index)),
            tf.range(-(-count // _DRAWN)),
            fn_output_signature=tf.float32,
            parallel_iterations=1,  # to hold one block at a time
        )
        latents = tf.reshape(blocks, [-1, blocks.shape[-1]])[:count]
        examples = tf.reshape(_unproject(latents, projection), [-1, *self.shape])
        return tf.clip_by_value(examples, 0.0, 1.0) if len(self.shape) == 3 else examples

    def log_likelihood(self, images):
        """Returns the log-density of each example, in nats, before any clipping of samples.

        With `dimensions`, it is the density of the example's principal components: what the example
        has outside of them counts nothing, so compare models of the same dimensions only.

        Args:
            images: float `[count, *shape]`, or a batch that begins with them. Memory beyond them
                is bounded.

        Returns:
            A float32 tensor `[count]`.

        Raises:
            ValueError: the model was not fitted, or to examples of another shape.
        """
        projection, distribution = self._fitted()
        images, _ = unpack(images)
        latents = _project(self._flatten(images), projection)
        count = tf.shape(latents)[0]
        block = tf.clip_by_value(count, 1, _SCORED)
        padded = tf.pad(latents, [[0, -count % block], [0, 0]])
        blocks = tf.map_fn(
            distribution.log_prob,
            tf.reshape(padded, [-1, block, latents.shape[-1]]),
            parallel_iterations=1,
        )
        return tf.reshape(blocks, [-1])[:count]

    def score(self, images):
        """Returns the log-density of each example, `{"log_likelihood": [count]}`."""
        return {"log_likelihood": self.log_likelihood(images)}

    def signatures(self):
        """Returns what an export answers: `sample`, which is also the default, and `score`.

        There are no latents to generate from: the kernels' or components' choice is none.
        """
        sample, images = signatures.sample(self), [signatures.images(self.shape)]
        return {"serving_default": sample, "sample": sample, "score": (self.score, images)}

    @property
    def metrics(self):
        return [self._loss]

    def get_compile_config(self):
        return {}  # `__init__` compiles

    def save_own_variables(self, store):
        for weight in self.weights:
            store[weight.name] = weight.numpy()

    def load_own_variables(self, store):
        # The file says how many there are and of which shapes: that depends on the examples.
        self._set({name: np.asarray(store[name]) for name in store.keys()})

    def _collect(self, x, steps):
        """Returns all examples as one checked float32 array."""
        if isinstance(x, tf.data.Dataset):
            if steps is None and x.cardinality() == tf.data.INFINITE_CARDINALITY:
                raise ValueError(
                    "A data set without end needs `steps_per_epoch`, the number of batches to take."
                )
            batches = x if steps is None else x.take(steps)
            x = np.concatenate([unpack(batch)[0] for batch in batches])
        return Source(np.asarray(unpack(x)[0])).images

    def _estimate(self, examples):
        vectors = self._flatten(examples)
        projection = self._find_projection(vectors.numpy())
        latents = _project(vectors, projection)
        self._set({**projection, **self.density.estimate(latents.numpy(), self.seed)})

    def _flatten(self, examples):
        if tuple(examples.shape[1:]) != self.shape:
            raise ValueError(
                f"Expected examples of the shape {self.shape}. Received: "
                f"{tuple(examples.shape[1:])}. Make the model with the data's `shape`."
            )
        return tf.reshape(tf.cast(examples, tf.float32), [-1, math.prod(self.shape)])

    def _find_projection(self, vectors):
        if self.dimensions is None:
            return {}
        if len(vectors) < self.dimensions:
            raise ValueError(
                f"{self.dimensions} principal components need as many examples at least. "
                f"Received: {len(vectors)} examples. Take fewer `dimensions`."
            )
        components = sklearn.decomposition.PCA(self.dimensions, random_state=self.seed % 2**32)
        components.fit(vectors)
        return {
            "centre": np.float32(components.mean_),
            "directions": np.float32(components.components_),
        }

    def _set(self, parameters):
        """Assigns the parameters to the weights of their names, made when first needed."""
        weights = {weight.name: weight for weight in self.weights}
        for name, value in parameters.items():
            if name not in weights:
                weights[name] = self.add_weight(
                    name=name, shape=value.shape, dtype="float32", trainable=False
                )
            if weights[name].shape != value.shape:
                raise ValueError(
                    f"This model was fitted with {name} of {weights[name].shape}, and cannot "
                    f"hold {value.shape}. Make a new model for other examples."
                )
            weights[name].assign(value)
        self.built = bool(weights)

    def _fitted(self):
        """Returns the projection's parameters, and the distribution of latents."""
        if not self.weights:
            raise ValueError("This model knows no examples yet: call `fit` first.")
        parameters = {weight.name: tf.convert_to_tensor(weight.value) for weight in self.weights}
        projection = {name: parameters.pop(name) for name in _PROJECTION if name in parameters}
        return projection, self.density.distribution(**parameters)


def _project(vectors, projection):
    if not projection:
        return vectors
    centred = vectors - projection["centre"]
    return tf.matmul(centred, projection["directions"], transpose_b=True)


def _unproject(latents, projection):
    if not projection:
        return latents
    return tf.matmul(latents, projection["directions"]) + projection["centre"]


def _check_shape(shape, dimensions):
    if len(shape) not in (1, 3):
        raise ValueError(
            "`shape` must be that of images, (height, width, channels), or vectors, (features,). "
            f"Received: shape={shape}."
        )
    if dimensions is not None and not 1 <= dimensions <= math.prod(shape):
        raise ValueError(
            f"`dimensions` must be from 1 to the {math.prod(shape)} values of an example, or None. "
            f"Received: dimensions={dimensions}."
        )
