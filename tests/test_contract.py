"""What every model keeps, by being a `GenerativeModel`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tests.specimens import (
    AUTOREGRESSIVE,
    FEW,
    GANS,
    SPECIMENS,
    VAES,
    assert_same,
    batch,
    compiled,
    each_of,
    images,
    made,
    weights,
)
from tfgen.engine.abilities import ABILITIES
from tfgen.engine.optimizer_step import descend

every_specimen = each_of(SPECIMENS)
every_specimen_in_seconds = each_of(SPECIMENS, FEW)
every_vae = each_of(VAES)
every_gan = each_of(GANS, FEW)


def fit(model, epochs=1, **options):
    settings = {"batch_size": 8, "shuffle": False, "epochs": epochs, "verbose": 0}
    return model.fit(*batch(model.specimen), **settings, **options)


def kernels(model):
    """Returns the kernels of layers that learn, and their averages."""
    frozen = {
        id(variable)
        for part in models_in(model)
        if not part.trainable
        for variable in part.variables
    }
    return [
        (variable.path, variable.numpy())
        for variable in model.variables
        if variable.name.endswith("kernel")
        and id(variable) not in frozen
        and (variable.trainable or variable.name.startswith("average"))
    ]


def models_in(model):
    """Returns the networks and models that a model is made of, those of a list included."""
    parts = [*vars(model).values(), *getattr(model, "networks", [])]
    return [part for part in parts if isinstance(part, keras.Model)]


def learning_networks(model):
    """Returns the networks in a model, and in the models that it is made of, that learn."""
    parts = [part for part in models_in(model) if part.trainable]
    nested = [part for part in parts if isinstance(part, tfgen.GenerativeModel)]
    inner = [network for part in nested for network in learning_networks(part)]
    return [part for part in parts if part not in nested] + inner


def assert_moved(before, after):
    assert before
    for (name, old), (_, new) in zip(before, after, strict=True):
        assert not np.array_equal(old, new), name


@every_specimen
def test_training_moves_every_kernel(name):
    model = compiled(name)
    before = kernels(model)
    history = fit(model, epochs=3).history
    assert int(model.step) == 12 and np.isfinite(list(history.values())).all()
    assert_moved(before, kernels(model))


@pytest.mark.parametrize("training", [True, False])
@every_specimen
def test_networks_are_told_whether_they_train(name, training, monkeypatch):
    model, told = compiled(name), []
    networks = learning_networks(model)

    def listen(network, call):
        def run(*args, training=None, **kwargs):
            told.append((id(network), training))
            return call(*args, training=training, **kwargs)

        monkeypatch.setattr(network, "call", run)

    for network in networks:
        listen(network, network.call)
    examples = batch(name)
    model.compute_losses(examples[0] if len(examples) == 1 else examples, training=training)
    # Pseudo-inputs are no examples: batch statistics must not take them in.
    pseudo_inputs = isinstance(getattr(model, "prior", None), tfgen.distributions.VampPrior)
    assert {each for _, each in told} == {training} | ({False} if pseudo_inputs else set())
    assert len({each for each, _ in told}) >= min(2, len(networks))


@every_vae
def test_training_lowers_the_loss(name):
    losses = fit(compiled(name), epochs=15).history["loss"]
    assert losses[-1] < losses[0]


@every_gan
def test_each_player_lowers_its_own_loss(name):
    model = compiled(name)
    for player in ("discriminator", "generator"):
        optimizer = getattr(model, f"{player}_optimizer")
        losses_of, variables = (getattr(model, f"{player}_{of}") for of in ("losses", "variables"))
        others = [
            other for other in model.trainable_variables if all(other is not v for v in variables)
        ]
        before = [other.numpy() for other in others]

        def loss(player=player, losses_of=losses_of):
            fakes = model.make_fakes(batch(name), player, training=False)
            return losses_of(batch(name), fakes, training=False)

        first = loss()[f"{player}_loss"]
        for _ in range(10):
            descend(optimizer, variables, loss, f"{player}_loss")
        assert loss()[f"{player}_loss"] < first
        for other, old in zip(others, before, strict=True):
            np.testing.assert_array_equal(other, old)


@every_specimen_in_seconds
def test_logs_are_the_mean_over_the_epoch(name):
    model = compiled(name)
    whole = batch(name, 20)
    logs = model.evaluate(*whole, batch_size=8, verbose=0, return_dict=True)
    assert set(logs) == set(model.log_names)
    parts = [tuple(each[start : start + 8] for each in whole) for start in (0, 8, 16)]
    losses = [model.compute_losses(part, training=False) for part in parts]
    for key, value in logs.items():
        expected = np.average([float(loss[key]) for loss in losses], weights=[8, 8, 4])
        assert value == pytest.approx(expected, rel=1e-5)


@every_specimen_in_seconds
def test_evaluation_changes_nothing(name):
    model = compiled(name)
    before = weights(model)
    model.evaluate(*batch(name), verbose=0)
    made(model)
    assert_same(weights(model), before)


@every_specimen_in_seconds
def test_one_seed_gives_one_result(name):
    first, second = compiled(name), compiled(name)
    fit(first), fit(second)
    assert_same(weights(first), weights(second))


# Random in these is only what a step does after its losses: what codes live again, what is pooled.
# In autoregressive models nothing is.
AFTER_LOSSES = ("vq_vae", "cyclegan")


@each_of([name for name in SPECIMENS if name not in (*AFTER_LOSSES, *AUTOREGRESSIVE)], FEW)
def test_another_seed_gives_other_losses(name):
    assert first_losses(name, seed=5) == first_losses(name, seed=5) != first_losses(name, seed=6)


@each_of(AFTER_LOSSES, {"vq_vae"})
def test_another_seed_gives_other_weights(name):
    first, other = compiled(name), compiled(name)
    other.seed = 6
    fit(first), fit(other)
    with pytest.raises(AssertionError):
        assert_same(weights(first), weights(other))


def first_losses(name, seed):
    """Returns the losses of a specimen's first step."""
    model = compiled(name)
    model.seed = seed
    examples = batch(name)
    losses = model.compute_losses(examples[0] if len(examples) == 1 else examples, training=True)
    return {key: float(loss) for key, loss in losses.items() if key in model.log_names}


@each_of(
    name
    for name in SPECIMENS
    if "auto" not in name and name not in ("cyclegan", "vq_vae", "simclr", "clip", "dall_e_2")
)
def test_samples_are_a_function_of_the_seed(name):
    model = compiled(name)
    first = model.sample(5, seed=2**40)
    assert first.shape == (5, 8, 8, 1) and first.dtype == tf.float32
    np.testing.assert_array_equal(first, model.sample(5, seed=2**40))
    assert not np.array_equal(first, model.sample(5, seed=1))
    assert not np.array_equal(model.sample(5), model.sample(5))


@every_specimen_in_seconds
def test_a_saved_model_goes_on_as_if_never_saved(name, tmp_path):
    model = compiled(name)
    fit(model)
    model.save(tmp_path / "model.keras")
    loaded = tfgen.load(tmp_path / "model.keras")
    loaded.specimen = name
    assert loaded.get_config().keys() == model.get_config().keys()
    np.testing.assert_array_equal(made(loaded), made(model))
    fit(model), fit(loaded)
    assert_same(weights(model), weights(loaded))


@every_specimen_in_seconds
def test_backup_and_restore_resumes_exactly(name, tmp_path):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    undisturbed = compiled(name)
    with pytest.raises(KeyboardInterrupt):
        fit(undisturbed, epochs=4, callbacks=[backup(), Interrupt()])
    fit(undisturbed, epochs=2)  # goes on with what is in memory
    resumed = compiled(name, seed=1)  # its own first weights do not matter
    fit(resumed, epochs=4, callbacks=[backup()])
    assert int(resumed.step) == 16
    assert_same(weights(resumed), weights(undisturbed))


@every_specimen_in_seconds
def test_xla_and_many_steps_per_execution(name):
    model = compiled(name, jit_compile=True, steps_per_execution=4)
    before = kernels(model)
    history = fit(model, epochs=2).history
    assert int(model.step) == 8 and np.isfinite(list(history.values())).all()
    assert_moved(before, kernels(model))


@every_specimen_in_seconds
def test_brain_floats(name):
    learns_in("mixed_bfloat16", name)


@each_of(["mlp_vae", *GANS], FEW)
def test_half_floats(name):
    learns_in("mixed_float16", name)


def learns_in(policy, name):
    keras.config.set_dtype_policy(policy)
    model = compiled(name)
    before = kernels(model)
    history = fit(model, epochs=2).history
    assert np.isfinite(list(history.values())).all()
    assert_moved(before, kernels(model))
    assert made(model).dtype == tf.float32
    assert {tf.as_dtype(variable.dtype) for variable in model.trainable_variables} == {tf.float32}


@every_vae
def test_options_of_the_optimizer(name):
    plain, clipped = compiled(name), compiled(name)
    clipped.compile(keras.optimizers.SGD(1.0, global_clipnorm=1e-3))
    before = [variable.numpy() for variable in clipped.trainable_variables]
    clipped.fit(images(8), batch_size=8, epochs=1, verbose=0)
    moved = [
        np.sum((variable.numpy() - old) ** 2)
        for variable, old in zip(clipped.trainable_variables, before, strict=True)
    ]
    assert np.sqrt(np.sum(moved)) == pytest.approx(1e-3, rel=1e-2)

    averaged = compiled(name)
    averaged.compile(keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.9))
    fit(averaged, epochs=2), fit(plain, epochs=2)
    # Keras puts the average in place of the weights when `fit` ends.
    for variable, average in zip(
        averaged.trainable_variables,
        averaged.optimizer._model_variables_moving_average,
        strict=True,
    ):
        np.testing.assert_array_equal(variable.value, average.value)
    assert not np.array_equal(averaged.sample(2, seed=0), plain.sample(2, seed=0))


@each_of(["mlp_vae", "gan"])
def test_labels_are_taken_and_not_used(name):
    model, labelled = compiled(name), compiled(name)
    fit(model)
    labelled.fit(images(), np.zeros(32), batch_size=8, shuffle=False, verbose=0)
    assert_same(weights(model), weights(labelled))


@every_specimen
def test_wrong_batches_are_refused(name):
    model = compiled(name)
    pixels = np.zeros((8, 8, 8, 1), np.uint8)
    others = [each[:8] for each in batch(name)[1:]]
    with pytest.raises(TypeError, match="floating-point.*uint8.*Divide pixels by 255"):
        model.fit(pixels, *others, verbose=0)
    # Latents, captions, and the classes of a classifier are for training alone.
    told = [] if name in ("rectified_flow", "clip", "dall_e_2", "acgan") else others
    for method in {"reconstruct", "encode", "score", "recognize"} & set(dir(model)):
        with pytest.raises(TypeError, match="floating-point"):
            getattr(model, method)(pixels, *told)
    with pytest.raises(ValueError, match="Sample weights"):
        model.fit(images(), np.zeros(32, int), sample_weight=np.ones(32), verbose=0)
    with pytest.raises(TypeError, match="loss"):
        model.compile(loss="mse")


@every_specimen
def test_methods_and_signatures_of_one_name_answer_with_the_same_keys(name):
    model = compiled(name)
    methods = {"encode", "reconstruct", "recognize"} & set(model.signatures())
    for signature, (function, specs) in model.signatures().items():
        if signature.startswith("score"):
            inputs = batch(name, 4)[: len(specs)]
            assert getattr(model, signature)(*inputs).keys() == function(*inputs).keys()
    assert methods <= model.abilities | {"recognize"}
    if "encode" in methods:
        encode, specs = model.signatures()["encode"]
        inputs = batch(name, 4)[: len(specs)]
        found, posterior = encode(*inputs), model.encode(*inputs)
        of_spheres = {"direction", "concentration"}
        assert "mean" in found.keys() <= {"mean", "standard_deviation"} | of_spheres
        np.testing.assert_allclose(found["mean"], posterior.mean(), rtol=1e-6)


@every_specimen
def test_a_model_can_do_what_it_declares_and_nothing_that_it_does_not(name):
    model = compiled(name)
    assert model.abilities <= set(ABILITIES)
    methods = {
        "sample": "sample",
        "generate": "generate",
        "encode": "encode",
        "reconstruct": "reconstruct",
        "translate": "translate_a_to_b",
        "recognize": "recognize",
        "bound": "elbo",
        "classify": "label_probabilities",
        "impute": "impute",
        "redraw": "redraw",
        "draw": "draw",
        "sample_trajectories": "sample_trajectories",
        "log_likelihood": "log_likelihood",
        "match": "zero_shot",
    }
    for ability, method in methods.items():
        assert hasattr(model, method) == (ability in model.abilities), ability
    if "discriminate" in model.abilities:
        assert model.discriminator is not None
