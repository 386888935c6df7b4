"""The benchmark of training: the opponents do the same, operations are counted, turns compared."""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tfgen import networks
from training import train
from training.benchmarks.speed import __main__ as command
from training.benchmarks.speed import arithmetic, besides, measure, rates, tasks, turns, ways
from training.benchmarks.speed.families import GANWorkload
from training.benchmarks.speed.networks import (
    example_discriminator,
    example_generator,
    of_keras_layers,
)
from training.benchmarks.speed.plain_keras import PlainFlow, PlainGAN, PlainVAE, PlainWGANGP
from training.benchmarks.speed.plain_translation import PlainCycleGAN
from training.benchmarks.speed.worker import WAYS
from training.benchmarks.speed.workers import Worker, WorkerError
from training.benchmarks.speed.workloads import WORKLOADS
from training.tables import speed as tables_of_speed

ROOT = pathlib.Path(__file__).parents[1]


def images_of(count=4, size=28, channels=1, seed=0):
    return tf.constant(np.random.default_rng(seed).random([count, size, size, channels], "float32"))


def players(units=4, filters=(2, 3)):
    return example_generator(units), example_discriminator(filters)


@pytest.mark.parametrize("together", [True, False])
def test_the_plain_gan_takes_the_step_of_ours(together, monkeypatch):
    images = images_of()
    latents = [tf.random.stateless_normal([4, 4], seed=[0, index]) for index in range(2)]
    ours = tfgen.GAN(*players(), tfgen.distributions.StandardNormal(4))
    plain = PlainGAN(*players(), together=together)
    plain.generator.set_weights(ours.generator.get_weights())
    plain.discriminator.set_weights(ours.discriminator.get_weights())
    before = ours.get_weights()
    ours.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    # Keras' examples take the mean over real and fake images, ours the sum of their means.
    plain.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2))
    for model, name in ((ours, "sample_latents"), (plain, "latents")):
        draws = iter(latents)
        monkeypatch.setattr(model, name, lambda *_, draws=draws, **__: next(draws))
    logs, plain_logs = ours.train_step(images), plain.train_step(images)
    assert float(logs["generator_loss"]) == pytest.approx(float(plain_logs["generator_loss"]))
    halved = 2 * float(plain_logs["discriminator_loss"])
    assert float(logs["discriminator_loss"]) == pytest.approx(halved)
    for network in ("generator", "discriminator"):
        found = getattr(plain, network).get_weights()
        for one, other in zip(getattr(ours, network).get_weights(), found, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
    moved = zip(before, ours.get_weights(), strict=True)
    assert max(np.abs(one - other).max() for one, other in moved) > 1e-3


def test_the_plain_penalty_of_a_linear_critic():
    inputs = keras.Input((2, 2, 1))
    critic = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)))
    critic.set_weights([np.array([[1.0], [2.0], [0.0], [2.0]]), np.zeros(1)])  # of norm 3
    plain = PlainWGANGP(example_generator(2), critic, weight=10.0)
    real, fake = tf.ones([4, 2, 2, 1]), tf.zeros([4, 2, 2, 1])
    assert float(plain.penalty(real, fake)) == pytest.approx(4.0)
    assert float(plain.discriminator_loss(real, fake)) == pytest.approx(-5 + 10 * 4)


def test_the_plain_wgan_moves_its_critic_as_often_as_told():
    plain = PlainWGANGP(*players(), critic_steps=3)
    optimizers = [keras.optimizers.SGD(1e-3), keras.optimizers.SGD(1e-3)]
    plain.compile(*optimizers)
    plain.train_step(images_of())
    assert [int(each.iterations.numpy()) for each in optimizers] == [1, 3]


def test_the_plain_vae_has_our_losses():
    keras.utils.set_random_seed(0)
    build = (
        networks.mlp_encoder((28, 28, 1), 2, hidden_sizes=(4,)),
        networks.mlp_decoder((28, 28, 1), 2, hidden_sizes=(4,)),
    )
    scale = build[0].layers[-1]
    scale.bias.assign(tf.fill([2], -12.0))  # so that the draws hardly count
    values = tfgen.distributions
    ours = tfgen.VAE(*build, values.StandardNormal(2), values.DiagonalNormal(), values.Bernoulli())
    expected = ours.compute_losses(images_of(), training=True)
    plain = PlainVAE(*build)
    plain.compile("sgd")
    found = plain.train_step(images_of())
    for name in ("loss", "reconstruction", "divergence"):
        assert float(found[name]) == pytest.approx(float(expected[name]), rel=1e-4)


@pytest.mark.slow
def test_the_plain_cyclegan_has_our_losses():
    shape = (8, 8, 1)
    players = [
        *(networks.resnet_generator(shape, filters=2, blocks=1) for _ in range(2)),
        *(networks.patch_gan_discriminator(shape, filters=2, depth=1) for _ in range(2)),
    ]
    data = images_of(2, 8), images_of(2, 8, seed=1)
    ours = tfgen.CycleGAN(*players, identity_weight=0.5, pool_size=0)
    expected = ours.compute_losses(data, training=True)
    plain = PlainCycleGAN(*players)
    plain.compile(*(keras.optimizers.SGD(0.1) for _ in range(2)))
    before = [network.get_weights() for network in players]
    found = plain.train_step(data)
    for name in ("generator_loss", "discriminator_loss"):
        assert float(found[name]) == pytest.approx(float(expected[name]), rel=1e-5)
    for network, weights in zip(players, before, strict=True):
        assert any((a != b).any() for a, b in zip(network.get_weights(), weights, strict=True))


def small_unet():
    return networks.diffusion_unet((8, 8, 1), width=2, multiples=(1,))


def test_the_plain_flow_has_our_loss_and_goes_our_way(monkeypatch):
    network = small_unet()
    network.layers[-1].kernel.assign(np.random.default_rng(0).normal(size=(3, 3, 1, 2)) / 4)
    ours, plain = tfgen.Diffusion(network), PlainFlow(network)
    images, times = images_of(8, 8), tf.reshape(tf.linspace(0.1, 0.9, 8), [8, 1, 1, 1])
    noises = 2 * images_of(8, 8, seed=1) - 1
    monkeypatch.setattr(ours, "noises_of", lambda data: noises)
    monkeypatch.setattr(ours, "_draw_times", lambda examples: times)
    monkeypatch.setattr(keras.random, "normal", lambda *_, **__: noises)
    monkeypatch.setattr(keras.random, "uniform", lambda *_, **__: times)
    expected = float(ours.compute_losses(images, training=True)["loss"])
    latents = tf.reshape(noises, [8, 64])
    made = [
        ours.made_of(latents, ours.denoiser_of(None), tf.constant(steps)) for steps in (1, 2, 5)
    ]
    for steps, each in zip((1, 2, 5), made, strict=True):
        assert np.std(each) > 0.05
        np.testing.assert_allclose(plain.sample(8, steps), each, atol=1e-5)
    plain.compile(keras.optimizers.SGD(0.1))
    before = plain.get_weights()
    assert float(plain.train_step(images)["loss"]) == pytest.approx(expected, rel=1e-5)
    assert any((a != b).any() for a, b in zip(plain.get_weights(), before, strict=True))


def test_operations_of_layers_by_hand():
    generator, discriminator = example_generator(), example_discriminator()
    assert arithmetic.layers_of(generator) == [
        2 * 128 * 6272,
        2 * 16 * 128 * 128 * 49,  # a transposed convolution: each pixel that it takes
        2 * 16 * 128 * 128 * 196,
        2 * 49 * 128 * 784,
    ]
    assert arithmetic.layers_of(discriminator) == [2 * 9 * 64 * 196, 2 * 9 * 64 * 128 * 49, 256]
    # What the issue's first measurements had: "about 31 GFLOP a step".
    assert 30e9 < arithmetic.of_gan(generator, discriminator, 64, shared=True) < 31e9


def chain(*sizes):
    inputs = keras.Input((sizes[0],))
    hidden = inputs
    for size in sizes[1:]:
        hidden = keras.layers.Dense(size)(hidden)
    return keras.Model(inputs, hidden)


def test_operations_of_steps_by_hand():
    first, second = chain(5, 3, 2), chain(2, 7, 5)  # 30 + 12, 28 + 70 operations
    # Encoder: forward, weights, inputs of the later layer. Decoder: three passes.
    assert arithmetic.of_vae(first, second, batch=10) == 10 * (42 + 42 + 12 + 3 * 98)
    generator, critic = second, chain(5, 3, 1)  # 30 + 6
    judge = 36 + 36 + 6
    learn = 98 + 70 + 36 + 36  # G: weights, inner inputs; D: forward, inputs
    shared = 98 + 2 * judge + learn
    assert arithmetic.of_gan(generator, critic, 1, shared=True) == shared
    assert arithmetic.of_gan(generator, critic, 1, shared=False) == shared + 98
    penalized = arithmetic.of_gan(generator, critic, 1, shared=False, penalty=True, critic_steps=5)
    assert penalized == round(98 + 2 * judge + 4 * 36 + (learn + 98) / 5)
    square = chain(5, 3, 5)  # 30 + 30
    translator = (60 + 60 + 30) + 3 * 60 + (60 + 60 + 30)
    once = arithmetic.of_translation([square], [critic], 1, translations=1, judgements=1)
    assert once == translator + judge + judge + 36
    twice = arithmetic.of_translation([square], [critic], 1, translations=2, judgements=2)
    assert twice == once + 60 + 36


def test_operations_of_attention_by_hand():
    inputs = keras.Input((5, 6))  # places, channels
    seen = keras.layers.MultiHeadAttention(2, 3)(inputs, inputs)
    # Four products with 6x6 kernels at each place; each pair of places is compared, and summed.
    expected = 2 * 5 * 4 * 36 + 2 * 2 * 25 * 6
    assert arithmetic.layers_of(keras.Model(inputs, seen)) == [expected]
    whole = arithmetic.of_flow(chain(5, 3, 2), batch=10)
    assert whole == 10 * (42 + 42 + 12)


def test_operations_are_fewer_with_one_pass_of_the_generator():
    both = chain(4, 6, 5), chain(5, 3, 1)
    found = GANWorkload(lambda: both, "dcgan").operations(both)
    assert found["tfgen"] == found["keras"] == found["torch"]
    assert found["torch_shared"] == found["tfgen_shared"] < found["torch"]


@pytest.mark.parametrize(
    "build",
    [
        lambda: example_generator(4),
        lambda: tfgen.networks.patch_gan_discriminator((32, 32, 3), filters=4),
    ],
    ids=["generator of DCGAN", "discriminator of CycleGAN"],
)
def test_plain_keras_has_the_same_networks_without_our_layers(build):
    network = build()
    plain = of_keras_layers(network)
    plain.set_weights(network.get_weights())
    assert any(type(layer).__module__.startswith("tfgen") for layer in network.layers)
    assert all(type(layer).__module__.startswith("keras") for layer in plain.layers)
    inputs = np.random.default_rng(0).uniform(size=(3, *network.input_shape[1:]))
    np.testing.assert_allclose(plain(inputs), network(inputs), rtol=1e-4, atol=1e-6)


def test_a_task_is_timed_or_times_itself():
    done = []
    assert 0 <= tasks.timed(tasks.Task(lambda count: done.append(count) or "a file"), 3) < 1
    assert tasks.timed(tasks.Task(lambda count: 7.0 * count, clocked=True), 3) == 21
    assert done == [3]


def test_turns_begin_with_another_one_each_time():
    order = []

    def run(name):
        order.append(name)
        return float(len(order))

    found = turns.take_turns({name: lambda name=name: run(name) for name in "abc"}, 3, None)
    assert "".join(order) == "abcbcacab"
    assert found == {"a": [1.0, 6.0, 8.0], "b": [2.0, 4.0, 9.0], "c": [3.0, 5.0, 7.0]}


def test_what_dies_in_a_turn_is_left_out():
    lost = []
    answers = iter([1.0])

    def mortal():
        for answer in answers:
            return answer
        raise WorkerError("no memory is left")

    runs = {"lives": lambda: 2.0, "dies": mortal}
    found = turns.take_turns(runs, 3, lambda key, error: lost.append((key, str(error))))
    assert found == {"lives": [2.0, 2.0, 2.0]} and lost == [("dies", "no memory is left")]


def test_a_share_of_a_turn_is_filled_with_whole_quanta():
    def run(count):
        return count * 0.01

    assert turns.calibrate(run, 20, seconds=3) == 300
    assert turns.calibrate(run, 70, seconds=3) == 280
    assert turns.calibrate(run, 1000, seconds=3) == 1000


def test_rates_ratios_and_spread():
    ours, theirs = turns.rates(6, [2.0, 3.0, 1.0]), turns.rates(3, [2.0, 1.0, 3.0])
    assert turns.ratios(ours, theirs) == pytest.approx([2, 2 / 3, 6])
    assert turns.spread([2.0, 1.0, 6.0]) == "2.00 (1.00 to 6.00)"


def test_a_worker_s_last_words_are_one_line():
    worker = Worker(module="tests.mortal_worker")
    assert worker.quantum("train") == 5 and worker.examples("train") is None
    assert worker.seconds("train", 5) == 0.5
    assert worker.seconds_to_first("train") > 0
    for _ in range(2):
        with pytest.raises(WorkerError, match="^its process ended with 1: no memory is left$"):
            worker.seconds("train", 5)
    worker.close()


def test_a_worker_that_cannot_begin_says_why():
    with pytest.raises(WorkerError, match="ended with 2: .*invalid choice: 'float64'"):
        Worker("conv_vae", "tfgen", "float64")


class FakeWorker:
    """Takes as long as its way and precision say; plain Keras in bfloat16 dies in a turn."""

    seconds_per_step = {"keras": 0.04, "tfgen": 0.02, "torch": 0.08}

    def __init__(self, name, way, dtype, *rest):
        assert rest == ("--batch-size", 64, "--threads", 2)
        self.way, self.dtype, self.asked = way, dtype, 0
        self.tasks = {"train": [10, None], "read": [1, 64]}
        if way == "tfgen":
            self.tasks["bare"] = [5, None]
            self.tasks |= dict.fromkeys(("sample", "checkpoint", *measure.EXPORTS), [1, 64])
        if way == "torch":
            raise WorkerError("its process ended with -9: it said nothing")

    def quantum(self, task):
        return self.tasks[task][0]

    def examples(self, task):
        return self.tasks[task][1]

    def seconds_to_first(self, task):
        return 9.0

    def peak_megabytes(self):
        return 500.0, 80.0

    def seconds(self, task, count=1):
        self.asked += 1
        if (self.way, self.dtype) == ("keras", "bfloat16") and self.asked > 4:
            raise WorkerError("its process ended with 1: no bfloat16")
        seconds = count * self.seconds_per_step[self.way] / (2 if task == "bare" else 1)
        return seconds / (2 if self.dtype == "bfloat16" else 1)

    def close(self):
        pass


@pytest.fixture
def result(monkeypatch):
    """What is measured of `dcgan` with fake processes, and the lines that were printed."""
    monkeypatch.setattr(measure, "Worker", FakeWorker)
    options = types.SimpleNamespace(
        ways=["keras", "tfgen", "torch"],
        dtypes=["float32", "bfloat16"],
        turns=3,
        seconds=2,
        threads=2,
    )
    counted = dict.fromkeys(WAYS, 4e9)
    lines = []
    found = measure.Measurement("dcgan", WORKLOADS["dcgan"], options, counted, lines.append).run()
    measure.add_shares(found, {"float32": 400e9, "bfloat16": 800e9})
    return json.loads(json.dumps(found)), lines


def test_a_measurement_is_readable_without_the_code(result):
    found, lines = result
    known = {(row["way"], row["dtype"]): row for row in found["training"]}
    ways = [("keras", "float32"), *(("tfgen", d) for d in ("float32", "bfloat16"))]
    assert set(known) == set(ways)
    assert known["tfgen", "bfloat16"] == {
        **dict(way="tfgen", dtype="bfloat16", task="train", count=200, operations_per_step=4e9),
        "seconds": pytest.approx([2.0] * 3),
        "per_second": pytest.approx([100.0] * 3),
        "times_keras_float32": pytest.approx([4.0] * 3),
        "share_of_products": pytest.approx([0.5] * 3),
        "first_step_seconds": 9.0,
        "peak_megabytes": 500.0,
        "peak_megabytes_of_gpu": 80.0,
    }
    assert known["tfgen", "float32"]["times_keras"] == pytest.approx([2.0] * 3)
    # Of each turn five pairs: a hundredth is less than a turn's noise.
    assert found["fit_of_bare"] == {"float32": [0.5] * 15, "bfloat16": [0.5] * 15}
    assert (found["batch_size"], found["epoch_steps"]) == (64, 156)
    assert found["exports"]["float32"]["export"] == [0.02] * 3
    read = [row for row in found["besides"] if row["task"] == "read"]
    assert read[0]["per_second"] == pytest.approx([64 / 0.04] * 3)
    assert lines == [
        "dcgan, torch, float32: left out: its process ended with -9: it said nothing",
        "dcgan, torch, bfloat16: left out: its process ended with -9: it said nothing",
        "dcgan, keras, bfloat16: left out: its process ended with 1: no bfloat16",
    ]
    notes = [f"dcgan, {o['way']}, {o['dtype']}: left out: {o['why']}" for o in found["left_out"]]
    assert notes == lines


def test_checkpoints_that_take_long_are_rare():
    measured = {
        "epoch_steps": 100,
        "fit_and_bare": [{"dtype": "float32", "task": "train", "per_second": [100 / 1.985] * 3}],
        "fit_of_bare": {"float32": [0.9, 0.5, 0.2]},
        "checkpoint_seconds": {"float32": {"checkpoint": [0.5] * 3}},
    }
    # A checkpoint takes 0.5 s: in 49.5 s there are 24.9 epochs of 1.985 s, of which the bare loop
    # takes half.
    found = tables_of_speed.with_checkpoints(measured, "float32")
    assert found == (pytest.approx(25 * 1.985 / 2 / (25 * 1.985 + 0.5)), 2500)
    assert tables_of_speed.with_checkpoints(measured, "bfloat16") is None


def test_tables_of_what_was_measured(result, capsys):
    found, _ = result
    command.describe("dcgan", found)
    _, ours, half = (line.split() for line in capsys.readouterr().out.splitlines()[:3])
    assert ours[:4] == ["dcgan", "train", "tfgen", "float32"]
    assert " ".join(ours[8:]).startswith("steps/s, 2.00 (2.00 to 2.00) times Keras, 50% of")
    assert half[3] == "bfloat16" and "Keras," not in half  # Keras was lost there
    assert " ".join(half).endswith("500 MB, 80 MB of the GPU, first step 9.0 s")
    rates = {"gigaflops": {"float32": [400.0], "bfloat16": [800.0]}, "gigabytes_copied": [9.0]}
    whole = {
        "speed": {"dcgan": found},
        "start_up": {"import tfgen": [0.2, 0.1, 0.3]},
        "rates": {"before": rates, "after": rates},
        "settings": {"turns": 3, "seconds": 2, "threads": None},
        "versions": {"keras": "3"},
        "machine": {"cores": 2, "processor": "P"},
        "command": "python -m training.benchmark dcgan",
    }
    text = tables_of_speed.speed("file.json", whole)
    row = "| dcgan | tfgen | float32 | 50 | 2.00 | 2.00 to 2.00 | 2.00 | 50% | 4 | 500 | 9.0 |"
    assert row in text
    assert "| dcgan | tfgen | bfloat16 | 100 |  |  | 4.00 | 50% | 4 | 500 | 9.0 |" in text
    assert (
        "dcgan in float32 0.500 (15 pairs; of 100 steps/s; 0.497 with a checkpoint every 156 steps)"
        in text
    )
    assert "| dcgan | reading batches | tfgen | float32 | 3200 | 2.00 | 2.00 to 2.00 |" in text
    assert "`import tfgen` 0.20" in text and "before 400 in float32 and 800 in bfloat16" in text
    assert tables_of_speed.readme_rows(whole) == [["dcgan", "2.00", "4.00", "", ""]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dcgann"], "argument WORKLOAD: expected one of mlp_vae, .*, not 'dcgann'"),
        (["--ways", "keras,jax"], "argument --ways: expected one of keras, .*, not 'jax'"),
        (["--dtypes", ""], "argument --dtypes: expected one of float32, bfloat16, not ''"),
        (["--turns", "0"], "argument --turns: expected a positive integer"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments, message, capsys):
    with pytest.raises(SystemExit):
        command.parse(arguments)
    assert re.search(message, capsys.readouterr().err.splitlines()[-1])


def test_all_is_measured_unless_told_otherwise():
    options = command.parse([])
    assert options.workloads == list(WORKLOADS) and options.batch_sizes is None
    assert options.ways == ["keras", "tfgen", "tfgen_shared", "torch", "torch_shared"]
    options = command.parse(["dcgan", "--ways", "tfgen,keras,tfgen", "--dtypes", "bfloat16"])
    assert (options.workloads, options.ways) == (["dcgan"], ["tfgen", "keras"])
    assert options.dtypes == ["bfloat16"] and (options.turns, options.seconds) == (5, 3)


def test_a_workload_is_measured_at_every_size_of_batch(monkeypatch):
    """The operations of a step grow with the batch: a share of the products stays one."""
    made = []

    class Measurement:
        def __init__(self, name, workload, options, operations, tell):
            made.append((name, workload.batch_size, operations))

        def run(self):
            return {"training": [], "besides": [], "fit_of_bare": {}}

    monkeypatch.setattr(measure, "Measurement", Measurement)
    rates = {"gigaflops": {"float32": [1.0]}}
    monkeypatch.setattr(besides, "machine_rates", lambda threads: rates)
    monkeypatch.setattr(besides, "start_up", lambda turns: {})
    monkeypatch.setattr(besides, "answer_of", lambda *names: {"dcgan": {"keras": 640.0}})
    found = command.measure_all(command.parse(["dcgan", "--batch-sizes", "64,1024"]))
    assert list(found["speed"]) == ["dcgan at 64", "dcgan at 1024"]
    assert made == [("dcgan", 64, {"keras": 640.0}), ("dcgan", 1024, {"keras": 10240.0})]
    assert list(command.measure_all(command.parse(["dcgan"]))["speed"]) == ["dcgan"]


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_ways_that_are_told_use_xla_as_told(jit_compile, monkeypatch, tmp_path):
    """Of the workload's own choice, the perceptrons' is XLA."""
    models = []
    kind = type(WORKLOADS["mlp_vae"])
    for name in ("keras", "tfgen"):
        build = getattr(kind, name)
        monkeypatch.setattr(
            kind, name, lambda *args, build=build: models.append(build(*args)) or models[-1]
        )
    folder = types.SimpleNamespace(name=tmp_path)
    monkeypatch.setattr(ways.tempfile, "TemporaryDirectory", lambda: folder)
    ways.keras_way(WORKLOADS["mlp_vae"], jit_compile)
    ways.tfgen_way(WORKLOADS["mlp_vae"], jit_compile)
    expected = [False, True] if jit_compile is None else [jit_compile] * 2
    assert [bool(model.jit_compile) for model in models] == expected


def test_the_script_for_gpus_asks_for_what_there_is(tmp_path):
    """By a Python that notes what it is asked for; commands of which one fails go on."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nexit 3\n')
    python.chmod(0o755)
    script = ["bash", "training/benchmarks/on_gpu.sh", tmp_path / "found"]
    environment = {**os.environ, "PYTHON": str(python)}
    done = subprocess.run(script, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and done.stdout.count("exit status 3") == 9, done.stderr
    lines = map(str.split, (tmp_path / "asked").read_text().splitlines())
    asked = [words[1:] for words in lines if words[0] == "-m"]
    parsers = {"training.benchmark": command.parse, "training.train": train.parse}
    for module, *arguments in asked:
        if module in parsers:
            parsers[module](arguments)
    assert {module for module, *_ in asked} == {*parsers, "pytest"}


def test_pytorch_is_missed_in_a_line(monkeypatch, capsys):
    monkeypatch.setattr(besides, "versions", lambda: {"torch": None})
    monkeypatch.setattr(command, "measure_all", lambda options: print(options.ways) or {})
    command.main([])
    printed = capsys.readouterr().out.splitlines()
    assert "pip install 'tfgen[torch]'" in printed[0]
    assert printed[1] == "['keras', 'tfgen', 'tfgen_shared']"


def test_the_machine_s_rates():
    (rate,) = rates.product_rates("bfloat16", size=8, times=1)
    (copied,) = rates.copy_rates(threads=1, times=1, megabytes=1)
    assert rate > 0 and copied > 0
    measured = {"gigaflops": {"float32": [1.0, 4.0]}}, {"gigaflops": {"float32": [3.0]}}
    assert besides.product_rates(*measured) == {"float32": 3e9}
    with pytest.raises(WorkerError, match="rates failed: .*expected a positive integer"):
        besides.answer_of("training.benchmark.rates", "--size=0")


@pytest.mark.slow
def test_a_workload_is_measured_and_nothing_made_it_slow(tmp_path):
    output = tmp_path / "speed.json"
    options = ["--ways=keras,tfgen,tfgen_shared", "--dtypes=float32", "--turns=5"]
    benchmark = [sys.executable, "-m", "training.benchmark", "dcgan", *options, "--seconds=1"]
    done = subprocess.run([*benchmark, "--output", output], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    found = json.loads(output.read_text())
    measured = found["speed"]["dcgan"]
    assert not measured["left_out"]
    rows = {row["way"]: row for row in measured["training"]}
    assert list(rows) == ["keras", "tfgen", "tfgen_shared"]
    # About 1.4, 1.8 and 0.97 were measured: only a clear loss is one, on a busy machine too.
    assert statistics.median(rows["tfgen"]["times_keras"]) > 1.1
    assert statistics.median(rows["tfgen_shared"]["times_keras"]) > 1.35
    assert statistics.median(measured["fit_of_bare"]["float32"]) > 0.8
    tasks = {(row["way"], row["task"]) for row in measured["besides"]}
    assert {("keras", "predict"), ("tfgen", "sample"), ("tfgen", "read")} <= tasks
    assert all(measured["exports"]["float32"].values())
    assert {"machine", "versions", "commit", "command"} <= set(found)
    assert "dcgan" in tables_of_speed.speed("speed.json", found)
