"""Trains specimens under a strategy, in a process of its own.

`python -m tests.replicas mirrored weights.npz mlp_vae gan` trains those two.

A process can hold one strategy, and must make it first.
"""

import os
import sys

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import tfgen
from tests.specimens import SPECIMENS, VAES, batch, images, made, optimizers, weights
from tfgen import data
from tfgen.engine.replicas import synchronize_statistics
from tfgen.evaluation.features import ModelFeatures
from tfgen.evaluation.moments import streaming_moments

STRATEGIES = {
    "none": {"name": "none"},
    "mirrored": {"name": "mirrored", "replicas": 2},
    "multiworker": {"name": "auto"},  # TF_CONFIG says so
}


OPTIMIZERS = {
    "plain": lambda: keras.optimizers.Adam(1e-2),
    "clipped": lambda: keras.optimizers.SGD(1.0, global_clipnorm=0.05),
    "averaged": lambda: keras.optimizers.Adam(1e-2, use_ema=True),
    # Adam makes a step of rounding errors where a gradient is 0: of a bias before a normalization,
    # or of an attention's keys.
    "descended": lambda: keras.optimizers.SGD(0.1),
    "xla": lambda: keras.optimizers.Adam(1e-2),
}
NORMALIZED = {"gan", "denoiser", "clip"}
RUNS = [(name, "descended" if name in NORMALIZED else "plain") for name in SPECIMENS] + [
    ("mlp_vae", "clipped"),
    ("mlp_vae", "averaged"),
    # By XLA: of one loss; of two players, on samples of their own and on the same ones; of three.
    # Not VAEs: the normal numbers that XLA draws depend on how replicas share them.
    *[(name, "xla") for name in ("autoencoder", "cgan", "began", "pair_game")],
]

# Whose losses look at all replicas: by batch normalization, by a penalty, by a mean of logits, by
# shuffled latents, by a perplexity, by a discrepancy, by other views.
MEETING = ("gan", "wgan_gp", "relativistic_gan", "factor_vae", "vq_vae", "wae", "simclr")

# In worker processes, one of each kind, to save time: `training.layouts` has all of them.
IN_WORKERS = {"dropout_vae", "gan", "cgan", "began", "cyclegan"}

# Of all that replicas tell each other, one of each kind; `make slow` has every specimen.
OF_EACH_KIND = {"mlp_vae", "exemplar_vae", "pair_game", "clip", *MEETING, *IN_WORKERS}

# In seconds: a loss alone, a penalty and two players, a state of its own, labels and XLA.
IN_SECONDS = ("mlp_vae/plain", "wgan_gp/plain", "vq_vae/plain", "cgan/xla")


def train(name, kind, strategy):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = SPECIMENS[name]()
        made_by = optimizers(model, OPTIMIZERS[kind])
        model.compile(**made_by, jit_compile=kind == "xla", steps_per_execution=2)
    model.specimen = name
    examples = batch(name)
    dataset = tf.data.Dataset.from_tensor_slices(examples if len(examples) > 1 else examples[0])
    batches = endless(dataset, strategy)
    steps = {"steps_per_epoch": 4, "validation_steps": 4, "validation_data": batches}
    history = model.fit(batches, epochs=2, shuffle=False, verbose=0, **steps)
    for variable in model.weights:
        first, *others = strategy.experimental_local_results(variable.value)
        for other in others:
            np.testing.assert_array_equal(first.numpy(), other.numpy(), err_msg=variable.path)
    evaluated = model.evaluate(batches, steps=4, verbose=0, return_dict=True)
    return model, {**{key: value[-1] for key, value in history.history.items()}, **evaluated}


def refusal(name, strategy):
    """Returns why XLA cannot compile the losses of a specimen, and how many steps it took."""
    with strategy.scope():
        model = SPECIMENS[name]()
        model.compile(**optimizers(model), jit_compile=True)
    model.specimen = name
    dataset = tf.data.Dataset.from_tensor_slices(batch(name)[0])
    try:
        model.fit(endless(dataset, strategy), steps_per_epoch=1, verbose=0)
    except ValueError as error:
        return f"{error} {int(model.step.numpy())} steps"


def endless(dataset, strategy):
    """Distributes batches without TensorFlow's tuner, whose iterators end seconds late."""
    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = dataset.repeat().batch(8, drop_remainder=True).with_options(options)
    if type(strategy) is not tf.distribute.MirroredStrategy:
        return data.share(dataset, strategy)
    on_host = tf.distribute.InputOptions(experimental_fetch_to_device=False)
    return strategy.experimental_distribute_dataset(dataset, on_host)


def conv_features():
    """Features whose size an empty batch does not tell."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input([8, 8, 1])
    hidden = layers.MaxPooling2D(2)(layers.Conv2D(2, 3, activation="relu")(inputs))
    return ModelFeatures(keras.Model(inputs, hidden), "convolution")


def labelled(examples, batch_size, drop_remainder=False):
    dataset = tf.data.Dataset.from_tensor_slices((examples, np.arange(len(examples))))
    return dataset.batch(batch_size, drop_remainder)


# Of images, how many and in which batches.
STREAMS = {
    "uneven": (23, {"batch_size": 5}),  # 5 batches, the last of 3
    "fewer than replicas": (3, {"batch_size": 4}),
    "static": (14, {"batch_size": 4, "drop_remainder": True}),  # 3 batches
}


def streamed(strategy):
    """Yields what is to be kept of the moments of every stream."""
    with strategy.scope():
        features = conv_features()
    for name, (count, options) in STREAMS.items():
        dataset = labelled(images(count), **options)
        moments = streaming_moments(features, dataset, strategy=strategy)
        yield f"moments/{name}/count", moments.count
        yield f"moments/{name}/mean", moments.mean
        yield f"moments/{name}/covariance", moments.covariance


def rows(strategy):
    """Returns this process' rows of the first three batches of a stream that draws pixels."""
    source = data.Source(np.random.default_rng(0).random((30, 5, 5, 1), np.float32))
    stream = data.batches(
        source, 8, repeat=True, first_step=2, seed=3, binarized="stochastic", strategy=strategy
    )
    batches = [batch for batch, _ in zip(stream, range(3), strict=False)]
    return np.stack([np.concatenate(strategy.experimental_local_results(each)) for each in batches])


def far_values():
    """Values far from zero for their spread, and further in each example than in the last."""
    values = 1000.0 + np.random.default_rng(0).normal(size=(8, 5))
    return (values + np.arange(8)[:, None]).astype(np.float32)


def normalized(strategy):
    """Returns this process' rows of values normalized by the statistics of all replicas."""
    with strategy.scope():
        model = keras.Sequential([keras.Input([5]), layers.BatchNormalization()])
    synchronize_statistics(model)

    def run():
        context = tf.distribute.get_replica_context()
        shares = tf.split(far_values(), context.num_replicas_in_sync)
        return model(tf.stack(shares)[context.replica_id_in_sync_group], training=True)

    results = strategy.run(run)
    return np.concatenate(strategy.experimental_local_results(results))


def main(name, path, *chosen):
    """Trains what was chosen: specimens in all their ways, or each `SPECIMEN/KIND` in that one."""
    strategy = tfgen.strategy(**STRATEGIES[name])
    results = {}
    for specimen, kind in RUNS:
        key = f"{specimen}/{kind}"
        if not {specimen, key} & set(chosen):
            continue
        model, logs = train(specimen, kind, strategy)
        for index, (variable, value) in enumerate(weights(model)):
            results[f"{key}/{index}/{variable.split('_')[-1]}"] = value
        for log, value in logs.items():
            results[f"{key}/log/{log}"] = value
        results[f"{key}/made"] = made(model, 4)
        if specimen in VAES:
            results[f"{key}/predict"] = model.predict(images(8), verbose=0)
    results.update(streamed(strategy))
    if name == "mirrored":
        told = [each for each in MEETING if {each, f"{each}/plain"} & set(chosen)]
        results |= {f"refusal/{each}": refusal(each, strategy) for each in told}
    results["rows"] = rows(strategy)
    results["rows/normalized"] = normalized(strategy)
    np.savez(path, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    # The workers' collective services have no orderly end.
    os._exit(0)
