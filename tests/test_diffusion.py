"""Diffusion: its loss, its samples, guidance, and what it refuses."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tfgen import networks, noise_paths, predictions, solvers

SIZE = 3


@dataclasses.dataclass(frozen=True)
class CountedSolver(solvers.DDIM):
    """Notes whenever a graph is traced with it."""

    traced = []  # noqa: RUF012 (of the class)

    def step(self, *arguments):
        self.traced.append(self.eta)  # and not itself, which would then live on
        return super().step(*arguments)


def told_by_conditions(rows):
    """Returns a network that predicts a row for each class, and zeros where none is told."""
    inputs = [keras.Input((SIZE,)), keras.Input(()), keras.Input((len(rows),))]
    predict = layers.Dense(
        SIZE, use_bias=False, kernel_initializer=keras.initializers.Constant(rows)
    )
    return keras.Model(inputs, predict(inputs[2]))


def nothing(shape=(SIZE,)):
    """Returns a network that predicts zeros."""
    inputs = [keras.Input(shape), keras.Input(())]
    outputs = layers.Dense(shape[-1], kernel_initializer="zeros")(inputs[0])
    return keras.Model(inputs, outputs)


def guided(**options):
    rows = np.arange(2 * SIZE, dtype=np.float32).reshape(2, SIZE)
    model = tfgen.ConditionalDiffusion(
        told_by_conditions(rows), num_classes=2, prediction=predictions.Example(), **options
    )
    return model, rows


@pytest.mark.parametrize(
    ("path", "prediction", "expected"),
    [
        (noise_paths.Linear(), predictions.Velocity(), lambda square: 1 + square),  # |e - x|^2
        (noise_paths.VariancePreserving(), predictions.Epsilon(), lambda square: 1),
        (noise_paths.Cosine(), predictions.Example(), lambda square: square),
        (noise_paths.EDM(), predictions.Preconditioned(0.5), lambda square: 1),
    ],
    ids=["flow", "epsilon", "example", "edm"],
)
def test_of_a_network_that_sees_nothing_the_loss_is_the_target_s_square(path, prediction, expected):
    model = tfgen.Diffusion(nothing(), path, prediction)
    examples = np.random.default_rng(0).normal(0, 0.5, [40_000, SIZE]).astype(np.float32)
    loss = float(model.compute_losses(examples, training=False)["loss"])
    assert loss == pytest.approx(expected(0.25), rel=0.02)


def test_the_network_sees_images_from_minus_1_to_1_and_samples_are_cut():
    model = tfgen.Diffusion(nothing((2, 2, 1)), prediction=predictions.Example())
    np.testing.assert_array_equal(model.inward(tf.constant([0.0, 0.5, 1.0])), [-1, 0, 1])
    np.testing.assert_array_equal(model.outward(tf.constant([-1.2, 0.0, 1.2])), [0, 0.5, 1])
    np.testing.assert_allclose(model.sample(3, seed=0), np.full([3, 2, 2, 1], 0.5), atol=1e-6)
    vectors = tfgen.Diffusion(nothing())
    np.testing.assert_array_equal(vectors.outward(vectors.inward(tf.constant([5.0]))), [5])


@pytest.mark.slow
@pytest.mark.parametrize("solver", [solvers.Heun(), solvers.DDIM(1.0)], ids=repr)
def test_it_learns_a_distribution_of_points(solver):
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    points = (random.normal(0, 0.2, [4096, 2]) + random.choice([-1, 1], [4096, 1])).astype("f")
    flow = tfgen.Diffusion(networks.diffusion_mlp(2, (64, 64)), solver=solver, ema_momentum=0.99)
    flow.compile(keras.optimizers.Adam(3e-3), jit_compile=True, steps_per_execution=16)
    flow.fit(points, batch_size=256, epochs=60, verbose=0)
    samples = flow.sample(2000, seed=0, steps=40).numpy()
    signs = np.sign(samples.sum(axis=1))
    assert abs(signs.mean()) < 0.15  # both modes
    np.testing.assert_allclose((signs[:, np.newaxis] * samples).mean(axis=0), 1, atol=0.1)
    np.testing.assert_allclose((signs[:, np.newaxis] * samples).std(axis=0), 0.2, atol=0.08)


@pytest.mark.parametrize(("guidance", "factor"), [(0.0, 0), (1.0, 1), (2.5, 2.5), (None, 1.5)])
def test_guidance_goes_from_nothing_told_to_more_than_was_told(guidance, factor):
    model, rows = guided(guidance=1.5)
    found = model.sample(4, seed=0, steps=5, labels=[0, 1, 1, 0], guidance=guidance)
    np.testing.assert_allclose(found, factor * rows[[0, 1, 1, 0]], atol=1e-4)


def test_some_examples_lose_their_condition_in_training():
    model, _ = guided(condition_dropout=0.25)
    labels = np.arange(8000) % 2
    (conditions,) = model.training_conditions((np.zeros([8000, SIZE], np.float32), labels))
    told = np.sum(conditions, axis=1)
    assert set(told) == {0.0, 1.0} and told.mean() == pytest.approx(0.75, abs=0.02)
    np.testing.assert_array_equal(np.argmax(conditions, axis=1)[told == 1], labels[told == 1])


def test_steps_are_an_input_and_more_of_them_another_way_to_the_same_end():
    keras.utils.set_random_seed(0)
    model = tfgen.Diffusion(networks.diffusion_mlp(SIZE, (16,)), steps=4)
    few, many = model.sample(3, seed=1), model.sample(3, seed=1, steps=64)
    np.testing.assert_array_equal(few, model.sample(3, seed=1, steps=4))
    assert 1e-5 < np.abs(few - many).max() < 0.5
    latents = model.prior.distribution().sample(3, seed=tfgen.noise.seed_from(1, "sample"))
    np.testing.assert_allclose(model.generate(latents), few, atol=1e-6)


def test_xla_draws_the_same_examples():
    keras.utils.set_random_seed(0)
    flow = tfgen.Diffusion(networks.diffusion_mlp(SIZE, (16,)), steps=4)
    for steps in (None, 7):
        found = flow.sample(3, seed=1, steps=steps, jit_compile=True)
        np.testing.assert_allclose(found, flow.sample(3, seed=1, steps=steps), atol=1e-5)
    model, _ = guided()
    told = {"labels": [0, 1, 1], "guidance": 2.0, "steps": 3, "seed": 1}
    found = model.sample(3, **told, jit_compile=True)
    np.testing.assert_allclose(found, model.sample(3, **told), atol=1e-5)
    drawing = {"seed": 1, "solver": solvers.DDIM(1.0), "jit_compile": True}
    drawn = flow.sample(3, **drawing)
    np.testing.assert_array_equal(drawn, flow.sample(3, **drawing))
    assert np.abs(drawn - flow.sample(3, seed=1, jit_compile=True)).max() > 0.01
    with pytest.raises(ValueError, match="`steps` must be at least 1"):
        flow.sample(3, steps=0, jit_compile=True)
    assert flow.sample(0, seed=0, jit_compile=True).shape == (0, SIZE)


def test_trajectories_go_from_noise_to_the_samples():
    keras.utils.set_random_seed(0)
    flow = tfgen.Diffusion(networks.diffusion_mlp(SIZE, (16,)), solver=solvers.DDIM(1.0), steps=4)
    ways = flow.sample_trajectories(3, seed=1)
    assert ways.shape == (5, 3, SIZE)
    np.testing.assert_array_equal(ways[-1], flow.sample(3, seed=1))
    drawn = flow.prior.distribution().sample(3, seed=tfgen.noise.seed_from(1, "sample"))
    np.testing.assert_array_equal(ways[0], drawn)
    model, rows = guided()
    told = {"labels": [0, 1, 1], "guidance": 2.0}
    ways = model.sample_trajectories(3, seed=1, steps=6, **told)
    np.testing.assert_array_equal(ways[-1], model.sample(3, seed=1, steps=6, **told))
    # Here the example that the network sees is always the same: the way is straight.
    times = np.linspace(1, 0, 7)[:, np.newaxis, np.newaxis]
    straight = times * ways[0] + (1 - times) * 2 * rows[[0, 1, 1]]
    np.testing.assert_allclose(ways, straight, atol=1e-4)


@pytest.mark.slow
def test_a_picture_shows_how_noise_becomes_images(tmp_path):
    keras.utils.set_random_seed(0)
    network = networks.diffusion_unet((8, 8, 1), width=8, multiples=(1,))
    model = tfgen.Diffusion(network, steps=4)
    picture = tfgen.callbacks.Denoising(tmp_path, count=3, states=3, seed=1)
    picture.set_model(model)
    ways = model.sample_trajectories(3, seed=1)
    rows = np.transpose(np.stack([ways[0], ways[2], ways[4]]), [1, 0, 2, 3, 4])
    expected = tfgen.pictures.grid(rows.reshape(9, 8, 8, 1), columns=3)
    np.testing.assert_array_equal(picture.render(), expected)
    picture.states = 9  # more than there are
    assert picture.render().shape == (3 * 9 - 1, 5 * 9 - 1, 1)


def test_an_average_makes_the_samples_where_there_is_one():
    model = tfgen.Diffusion(nothing(), ema_momentum=0.9)
    model.network.layers[-1].bias.assign([1.0, 2.0, 3.0])  # the way's velocity
    kept, last = model.sample(2, seed=0), model.sample(2, seed=0, use_ema=False)
    np.testing.assert_allclose(kept - last, np.tile([1.0, 2.0, 3.0], [2, 1]), atol=1e-5)


@pytest.mark.parametrize(
    "shape", [pytest.param((8, 8, 3), marks=pytest.mark.slow), (28, 28, 1), (12, 20, 1)]
)
def test_a_unet_takes_images_of_any_size_and_begins_as_nothing(shape):
    network = networks.diffusion_unet(shape, width=8, multiples=(1, 2, 2), condition_size=2)
    inputs = [np.ones([2, *shape], "f"), np.array([0.1, 0.9], "f"), np.eye(2, dtype="f")]
    np.testing.assert_array_equal(network(inputs), np.zeros([2, *shape]))


@pytest.mark.slow
def test_a_unet_sees_the_level_the_condition_and_far_pixels():
    keras.utils.set_random_seed(0)
    network = networks.diffusion_unet((16, 16, 1), width=8, condition_size=2)
    for weight in network.trainable_variables:  # those that begin as 0, too
        weight.assign(weight + 0.1 * tf.random.stateless_normal(weight.shape, [0, 1]))
    images = np.random.default_rng(0).random([1, 16, 16, 1], np.float32)
    one, other = np.float32([[1, 0]]), np.float32([[0, 1]])

    def predicted(images=images, level=0.5, condition=one):
        return network([images, np.float32([level]), condition]).numpy()

    assert np.abs(predicted(level=0.501) - predicted()).max() > 1e-4
    assert np.abs(predicted(condition=other) - predicted()).max() > 1e-4
    changed = images.copy()
    changed[0, 0, 0] += 1.0
    assert np.abs(predicted(changed) - predicted())[0, -1, -1] > 1e-6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tfgen.Diffusion(nothing(), steps=0), "`steps` must be at least 1"),
        (lambda: tfgen.Diffusion(nothing()).sample(1, steps=0), "`steps` must be at least 1"),
        (
            lambda: tfgen.Diffusion(nothing(), prediction=predictions.Epsilon()),
            "only noise is left on this path.*Linear.*Epsilon",
        ),
        (lambda: tfgen.Diffusion(told_by_conditions(np.eye(2, 3))), "levels.*diffusion_unet"),
        (lambda: tfgen.ConditionalDiffusion(nothing()), "condition_size="),
        (lambda: guided(condition_dropout=1.0), "`condition_dropout` must be less than 1"),
        (lambda: guided(guidance=-1.0), "`guidance` must be at least 0"),
        (lambda: guided()[0].sample(1, guidance=-1.0), "`guidance` must be at least 0"),
        (lambda: guided()[0].sample(2, labels=[0, 2]), "Labels.*2"),
        (lambda: guided()[0].generate(np.zeros([1, SIZE], "f")), "makes examples of labels"),
        (lambda: networks.diffusion_unet((7, 7, 1)), "multiples of `patch`"),
        (lambda: tfgen.Diffusion(nothing()).sample(2, guidance=2.0), "guidance"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_a_value_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="`prediction` must be a `tfgen.predictions.Prediction`"):
        tfgen.Diffusion(nothing(), prediction="velocity")


# --- What first users do


def test_equal_solvers_are_traced_once():
    model, steps = tfgen.Diffusion(nothing(), steps=2), []
    for eta in (0.5, 0.5, 0.5, 0.25):
        model.sample(2, seed=0, solver=CountedSolver(eta))
        steps.append(len(CountedSolver.traced))
    assert steps[0] == steps[1] == steps[2] < steps[3]


def test_steps_and_guidance_that_are_tensors_are_checked_too():
    flow, (model, _) = tfgen.Diffusion(nothing()), guided()
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="at least 1"):
        flow.sample(2, seed=0, steps=tf.constant(0))
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="at least 0"):
        model.sample(2, seed=0, guidance=tf.constant(-3.0))


def test_generate_follows_the_model_s_steps_and_checks_latents():
    keras.utils.set_random_seed(0)
    model = tfgen.Diffusion(networks.diffusion_mlp(SIZE, (16,)), steps=2)
    latents = np.random.default_rng(0).normal(size=[4, SIZE])  # float64
    few = model.generate(latents)
    model.steps = 30
    assert np.abs(few - model.generate(latents)).max() > 1e-5
    with pytest.raises(ValueError, match="Latents must be"):
        model.generate(np.zeros([4, SIZE + 1]))
    with pytest.raises(ValueError, match="ConditionalDiffusion"):
        model.generate(latents, labels=[1, 2, 3, 4])


def test_a_model_of_attributes_draws_none_and_fills_in_without():
    model = tfgen.ConditionalDiffusion(networks.diffusion_mlp(SIZE, (8,), condition_size=2))
    assert model.sample(0, seed=0, labels=np.zeros([0, 2], np.float32)).shape == (0, SIZE)
    assert {"impute", "log_likelihood"} <= model.abilities and "sample" not in model.abilities


def test_variations_are_guided_as_samples_are():
    plain, (model, rows) = guided(guidance=1.0)[0], guided(guidance=3.0)
    labels = [0, 1, 1, 0]
    given = np.zeros([4, SIZE], np.float32)
    for each, factor in ((plain, 1), (model, 3)):
        varied = each.vary(given, strength=1.0, seed=0, labels=labels)
        np.testing.assert_allclose(varied, factor * rows[labels], atol=1e-4)


@pytest.mark.parametrize("prediction", [predictions.Preconditioned(), predictions.Consistent()])
@pytest.mark.parametrize("steps", [1, 2])
def test_what_looks_at_ratios_is_finite_where_only_noise_is_left(prediction, steps):
    model = tfgen.Diffusion(nothing(), noise_paths.Linear(), prediction)
    assert np.isfinite(model.sample(3, seed=0, steps=steps)).all()


def test_half_precision_tells_levels_apart():
    layer = tfgen.layers.SinusoidalFeatures(8, dtype="mixed_bfloat16")
    found = layer(tf.constant([0.999, 1.0])).numpy().astype(np.float32)
    assert np.abs(found[0] - found[1]).max() > 0.1


def test_what_cannot_be_is_refused_with_the_mend():
    with pytest.raises(TypeError, match="`solver` must be .* Received: 'heun'"):
        tfgen.Diffusion(nothing()).sample(2, seed=0, solver="heun")
    with pytest.raises(TypeError, match="times"):
        tfgen.Diffusion(nothing(), times=3.0)
    with pytest.raises(ValueError, match="`width` must be even"):
        networks.diffusion_unet((8, 8, 1), width=9)
    with pytest.raises(TypeError, match=r"`prior` must be a `tfgen.ConditionalDiffusion`\."):
        flow = tfgen.Diffusion(nothing())
        words = tfgen.data.Vocabulary(("coat",), longest=2)
        encoders = (
            networks.mlp_encoder((8, 8, 1), 3, hidden_sizes=(4,), heads=1),
            networks.text_transformer(words.length, words.size, 3, width=8, depth=1, heads=2),
        )
        tfgen.DALLE2(tfgen.CLIP(*encoders, words), flow, flow)


def test_the_picture_of_denoising_is_one_of_images(tmp_path):
    picture = tfgen.callbacks.Denoising(tmp_path)
    picture.set_model(tfgen.Diffusion(nothing()))
    with pytest.raises(ValueError, match="draws images"):
        picture.check()
