"""Tells what pre-training is worth to a classifier that has few labels.

    $ python -m training.pretraining --data tfds:mnist --labels 100,1000 --seeds 3

A perceptron of two hidden layers is trained from random weights, and from those that denoising
autoencoders learnt on all images without their labels: of the first layer, of both layers one after
the other, and of both as one. The learnt layers are kept as they are (frozen), or trained on
(fine-tuned). All are trained for as many steps; the accuracy is that on all test images, once.
"""

import argparse
import itertools
import pathlib
import statistics
import sys
import time

from tfgen.utils.tensorflow_setup import import_tensorflow
from training.tools.arguments import positive, positives

SIZES = 500, 250  # of the hidden layers
STEPS = 2000  # of a classifier
BATCH_SIZE = 50
RATE = 1e-3
MASKED = 0.25  # the share of pixels that a denoiser does not see


def main(arguments=None):
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.pretraining", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--data", default="embedded", help="labelled images (default: %(default)s)")
    add("--labels", type=positives, default="100,1000", help="how many (default: %(default)s)")
    add("--seeds", type=positive, default=3, help="repetitions (default: %(default)s)")
    add("--epochs", type=positive, default=10, help="of an autoencoder (default: %(default)s)")
    add("--output", help="a JSON file for the result")
    options = parser.parse_args(arguments)
    import_tensorflow()
    try:
        compare(options)
    except (OSError, ValueError) as error:
        sys.exit(f"pretraining: {error}")


def compare(options):
    """Prints the accuracies and writes them with their protocol."""
    from tfgen import data
    from training.runs.run_folder import commit, write_json
    from training.tools.machine import machine

    train, test = (data.source(options.data, split) for split in data.SPLITS)
    counts = options.labels
    check_counts(train, counts)
    start, found = time.perf_counter(), {}
    for seed in range(options.seeds):
        encoders = pretrained(train, options.epochs, seed)
        for (name, layers), frozen, count in itertools.product(
            encoders.items(), (True, False), counts
        ):
            if not layers and frozen:
                continue  # random weights are trained, or they say nothing
            how = f"{name}, frozen" if frozen else name
            labelled = few(train, count, seed)
            found.setdefault((how, count), []).append(
                accuracy(layers, frozen, labelled, test, seed)
            )
            print(f"seed {seed}, {count} labels, {how}: {found[how, count][-1]:.2%}", flush=True)
    names = dict.fromkeys(how for how, _ in found)
    result = {
        "pretraining": {how: {str(n): found[how, n] for n in counts} for how in names},
        "settings": {
            "data": options.data,
            "labels": ",".join(map(str, counts)),
            "seeds": options.seeds,
            "epochs": options.epochs,
        },
        "seconds": time.perf_counter() - start,
        "machine": machine(),
        "commit": commit(),
    }
    for how in names:
        told = (f"{statistics.mean(found[how, n]):.2%} with {n} labels" for n in counts)
        print(f"{how:32}{', '.join(told)}")
    if options.output:
        write_json(pathlib.Path(options.output), result)


def check_counts(train, counts):
    """Raises a ValueError unless a source has as many labelled images, the same of every class."""
    import numpy as np

    if train.labels is None or train.labels.ndim != 1:
        raise ValueError(f"A classifier learns from classes. Received: {train}.")
    sizes = np.unique(train.labels, return_counts=True)[1]
    classes, most = len(sizes), len(sizes) * min(sizes)
    for count in counts:
        if count % classes or count > most:
            raise ValueError(
                f"A number of labels must be a multiple of the {classes} classes, and at most "
                f"{most}. Received: {count}."
            )


def pretrained(train, epochs, seed):
    """Returns the layers that autoencoders learnt of images, a dict of lists by their names."""
    import keras

    import tfgen
    from tfgen import augmentations, networks

    images = train.floats()
    images = images.numpy().reshape(len(images), -1)
    keras.utils.set_random_seed(seed)

    def learnt(examples, *sizes):
        """Returns an autoencoder whose code is the last of these layers, trained."""
        *hidden, code = sizes
        encoder = networks.mlp_encoder((examples.shape[1],), code, hidden, heads=1)
        encoder = keras.Model(encoder.input, keras.layers.ReLU()(encoder.outputs[0]))
        decoder = networks.mlp_decoder((examples.shape[1],), code, hidden[::-1])
        model = tfgen.Autoencoder(
            encoder, decoder, corruption=augmentations.MaskingNoise(MASKED), seed=seed
        )
        model.compile(keras.optimizers.Adam(RATE), jit_compile=True)
        model.fit(examples, batch_size=100, epochs=epochs, verbose=0)
        return model

    first = learnt(images, SIZES[0])
    second = learnt(first.encode(images).mean().numpy(), SIZES[1])
    whole = learnt(images, *SIZES)
    return {
        "random weights": [],
        "the first layer": _dense(first),
        "layer by layer": [*_dense(first), *_dense(second)],
        "both as one": _dense(whole),
    }


def few(train, count, seed):
    """Returns a source of as many labelled images of every class, `count` together."""
    import numpy as np

    random, classes = np.random.default_rng(seed), np.unique(train.labels)
    each = count // len(classes)
    places = [
        random.choice(np.flatnonzero(train.labels == label), each, replace=False)
        for label in classes
    ]
    return train.take(np.concatenate(places))


def accuracy(weights, frozen, labelled, test, seed):
    """Trains a classifier whose first layers have these weights; returns its test accuracy."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(seed)
    classes = int(test.labels.max()) + 1
    dense = [keras.layers.Dense(size, "relu") for size in SIZES]
    shape = (int(np.prod(test.shape)),)
    model = keras.Sequential([keras.Input(shape), *dense, keras.layers.Dense(classes)])
    for layer, values in zip(dense, weights, strict=False):
        layer.set_weights(values)
        layer.trainable = not frozen
    model.compile(
        keras.optimizers.Adam(RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=True,
    )
    images, held_out = (each.floats().numpy().reshape(len(each), -1) for each in (labelled, test))
    order = np.random.default_rng(seed).integers(len(images), size=STEPS * BATCH_SIZE)
    model.fit(images[order], labelled.labels[order], BATCH_SIZE, epochs=1, shuffle=False, verbose=0)
    return model.evaluate(held_out, test.labels, batch_size=500, verbose=0, return_dict=True)[
        "accuracy"
    ]


def _dense(autoencoder):
    """Returns the weights of an encoder's dense layers, a list of their lists."""
    return [layer.get_weights() for layer in autoencoder.encoder.layers if layer.weights]


if __name__ == "__main__":
    main()
