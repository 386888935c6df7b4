"""Codes against SciPy, and InfoGAN against matrices."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy import stats
from scipy.special import expit, log_softmax

import tfgen
from tfgen import distributions, penalties
from tfgen.distributions.codes import Categorical, UniformCode

NOISE, FEATURES = 2, 5
CODES = (Categorical(3), UniformCode(2))  # as many numbers as there are features
RATE = 0.25


# --- Codes


def test_the_information_of_a_class_is_a_cross_entropy():
    logits = np.random.default_rng(0).normal(size=(4, 3))
    classes = [2, 0, 1, 2]
    found = Categorical(3).negative_log_likelihood(np.eye(3)[classes].astype("f"), logits)
    expected = -log_softmax(logits, axis=1)[range(4), classes]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    recognized = Categorical(3).recognize(logits)
    np.testing.assert_allclose(recognized, np.exp(log_softmax(logits, axis=1)), rtol=1e-5)


def test_the_information_of_values_is_a_normal_density():
    random = np.random.default_rng(0)
    values, means = random.uniform(-1, 1, [4, 2]).astype("f"), random.normal(size=(4, 2))
    found = UniformCode(2).negative_log_likelihood(values, means)
    expected = -stats.norm(means).logpdf(values).sum(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(UniformCode(2).recognize(means), means, rtol=1e-6)


@pytest.mark.parametrize("size", [2, 3, 10, 1000])
def test_every_class_has_an_equal_part_of_the_interval(size):
    edges = np.arange(size, dtype=np.float32) / size
    edges += 1e-6  # a third is not a float
    inside = [0, 0.5 / size, np.nextafter(np.float32(1), np.float32(0)), 1]
    values = np.concatenate([edges, inside]).astype("f")[:, np.newaxis]
    codes = Categorical(size).from_uniform(values).numpy()
    assert (codes.sum(axis=1) == 1).all()
    expected = [*range(size), 0, 0, size - 1, size - 1]
    np.testing.assert_array_equal(codes.argmax(axis=1), expected)
    below = np.arange(1, size, dtype=np.float32) / size - 1e-6
    codes = Categorical(size).from_uniform(below[:, np.newaxis]).numpy()
    np.testing.assert_array_equal(codes.argmax(axis=1), range(size - 1))


def test_values_go_from_minus_one_to_one():
    values = np.float32([[0, 0.25], [0.5, 0.75], [1, 1]])
    expected = [[-1, -0.5], [0, 0.5], [1, 1]]
    np.testing.assert_array_equal(UniformCode(2).from_uniform(values), expected)


@pytest.mark.parametrize("span", [2, 2.0])
def test_a_traversal_shows_every_class_and_one_value_at_a_time(span):
    (classes,) = Categorical(3).traversal(7, span)
    np.testing.assert_array_equal(classes, np.eye(3))
    first, second = UniformCode(2).traversal(5, span)
    np.testing.assert_array_equal(first, [[-2, 0], [-1, 0], [0, 0], [1, 0], [2, 0]])
    np.testing.assert_array_equal(second, np.flip(first, axis=1))


def test_codes_without_meaning_are_refused():
    with pytest.raises(ValueError, match="`size` must be at least 2. Received: size=1"):
        Categorical(1)
    with pytest.raises(ValueError, match="`size` must be at least 1. Received: size=0"):
        UniformCode(0)


# --- The model


def randomize(*networks):
    random = np.random.default_rng(1)
    for network in networks:
        network.set_weights([random.normal(size=weight.shape) for weight in network.weights])
    return networks


def generator_network(penalty=None):
    inputs = keras.Input((NOISE + FEATURES,))
    return keras.Model(inputs, layers.Dense(FEATURES, kernel_regularizer=penalty)(inputs))


def infogan_of(*networks, **options):
    prior = distributions.StandardNormal(NOISE)
    return tfgen.InfoGAN(*networks, prior, CODES, seed=3, **options)


def linear_infogan(penalty=None, **options):
    """Returns an InfoGAN of matrices: D and Q share an input, but no weights."""
    inputs = keras.Input((FEATURES,))
    heads = [layers.Dense(size, kernel_regularizer=penalty)(inputs) for size in (1, 3, 2)]
    networks = keras.Model(inputs, heads[0]), keras.Model(inputs, heads[1:])
    return infogan_of(*randomize(generator_network(penalty), *networks), **options)


def shared_infogan(**options):
    """Returns an InfoGAN in which Q shares a layer with D."""
    inputs = keras.Input((FEATURES,))
    trunk = layers.Dense(4, "tanh")(inputs)
    discriminator = keras.Model(inputs, [layers.Dense(size)(trunk) for size in (1, 3, 2)])
    return infogan_of(*randomize(generator_network(), discriminator), None, **options)


def showing_infogan():
    """Returns an InfoGAN whose samples are their codes, and a fifth of the first noise."""
    gan = linear_infogan()
    matrix = np.concatenate([np.zeros([NOISE, FEATURES]), np.eye(FEATURES)])
    matrix[0] = 0.2
    gan.generator.set_weights([matrix, np.zeros(FEATURES)])
    return gan


def compiled(gan, *rates):
    gan.compile(*(keras.optimizers.SGD(rate) for rate in rates))
    return gan


def points(count=8):
    return np.random.default_rng(0).normal(size=(count, FEATURES)).astype(np.float32)


def latents_of(gan, player):
    return gan.sample_latents(len(points()), noise_seed=gan.noise.seed_of(f"{player} latents"))


def affine(network, inputs):
    """Returns what a network's matrices make of inputs, as they stand in its weights."""
    weights = [weight.astype(float) for weight in network.get_weights()]
    return [inputs @ matrix + offset for matrix, offset in zip(*[iter(weights)] * 2, strict=True)]


def test_losses_are_those_of_matrices():
    gan = linear_infogan(information_weight=0.3)
    found = gan.compute_losses(points(), training=True)
    fakes = {
        player: affine(gan.generator, latents_of(gan, player))[0]
        for player in ("discriminator", "generator")
    }
    chances = {player: expit(affine(gan.discriminator, fakes[player])[0]) for player in fakes}
    known = expit(affine(gan.discriminator, points())[0])
    np.testing.assert_allclose(
        found["discriminator_loss"],
        -np.log(known).mean() - np.log(1 - chances["discriminator"]).mean(),
        rtol=1e-5,
    )
    logits, means = affine(gan.recognition, fakes["generator"])
    _, classes, values = np.split(latents_of(gan, "generator"), [NOISE, NOISE + 3], axis=1)
    information = (
        -np.sum(classes * log_softmax(logits, axis=1), axis=1).mean()
        - stats.norm(means).logpdf(values).sum(axis=1).mean()
    )
    np.testing.assert_allclose(found["information_loss"], information, rtol=1e-5)
    expected = -np.log(chances["generator"]).mean() + 0.3 * information
    np.testing.assert_allclose(found["generator_loss"], expected, rtol=1e-5)
    assert set(found) == set(gan.log_names)


def mirrored(samples, seed):
    """An augmentation that is easily done by hand."""
    return samples[:, ::-1]


@pytest.mark.parametrize("augmentations", [[mirrored, None], [None, mirrored], [mirrored] * 2])
@pytest.mark.parametrize("build", [linear_infogan, shared_infogan])
def test_codes_are_read_off_augmented_samples_alone(build, augmentations):
    gan, plain = build(code_augmentations=augmentations), build()
    found = gan.compute_losses(points(), training=True)
    expected = plain.compute_losses(points(), training=True)
    np.testing.assert_allclose(found["discriminator_loss"], expected["discriminator_loss"])
    latents = latents_of(gan, "generator").numpy()
    fakes = affine(gan.generator, latents)[0].astype(np.float32)
    _, *codes = np.split(latents, [NOISE, NOISE + 3], axis=1)
    information = 0
    for index, (code, augmentation) in enumerate(zip(CODES, augmentations, strict=True)):
        seen = fakes if augmentation is None else augmentation(fakes, None)
        outputs = gan._recognizer(tf.constant(seen))[index]
        information += np.mean(code.negative_log_likelihood(codes[index], outputs))
    assert float(found["information_loss"]) == pytest.approx(float(information), rel=1e-5)
    game = expected["generator_loss"] - expected["information_loss"]
    assert float(found["generator_loss"]) == pytest.approx(float(game + information), rel=1e-5)


@keras.saving.register_keras_serializable(package="tests")
def doubled(examples, seed):
    return 2 * examples


@pytest.mark.parametrize("build", [linear_infogan, shared_infogan])
def test_both_d_and_q_are_shown_augmented_samples(build):
    # To see twice the values is to have twice the weights of the first layer.
    gan, sharper = build(augmentation=doubled), build()
    for network in filter(None, [sharper.discriminator, sharper.recognition]):
        for layer in [each for each in network.layers if each.weights]:
            if layer.kernel.shape[0] == FEATURES:
                layer.kernel.assign(2 * layer.kernel)
    found = gan.compute_losses(points(), training=True)
    for name, loss in sharper.compute_losses(points(), training=True).items():
        np.testing.assert_allclose(found[name], loss, rtol=1e-4)


def test_augmentations_draw_anew_for_each_code_and_step():
    seeds = []

    def seen(samples, seed):
        seeds.append(tuple(seed.numpy()))
        return samples

    gan = linear_infogan(code_augmentations=[seen, seen])
    gan.compute_losses(points(), training=True)
    gan.step.assign_add(1)
    gan.compute_losses(points(), training=True)
    assert len(seeds) == len(set(seeds)) == 4


def gradients_of_the_generators_step(gan, variables, information_weight):
    """Finds by one tape what the model puts together of two losses."""
    latents = latents_of(gan, "generator")
    with tf.GradientTape(persistent=True) as tape:
        logits, *outputs = gan.discriminator(gan.generator(latents))
        adversarial = tf.reduce_mean(tf.nn.softplus(-logits))
        codes = tf.split(latents, [NOISE, 3, 2], axis=1)[1:]
        information = tf.add_n(
            [
                tf.reduce_mean(code.negative_log_likelihood(value, output))
                for code, value, output in zip(CODES, codes, outputs, strict=True)
            ]
        )
    zero = tf.UnconnectedGradients.ZERO
    slopes = (
        tape.gradient(loss, variables, unconnected_gradients=zero)
        for loss in (adversarial, information)
    )
    game, meaning = ([slope.numpy() for slope in each] for each in slopes)
    return game, [information_weight * slope for slope in meaning]


def test_gradients_of_a_sure_discriminator_are_not_lost_in_float16():
    """D's answers of about 12 leave slopes of 1e-6, of which float16 keeps a bit or two."""
    moved = {}
    for policy in ("float32", "mixed_float16"):
        keras.config.set_dtype_policy(policy)
        gan = shared_infogan(information_weight=0.0)
        logits = [layer for layer in gan.discriminator.layers if layer.weights][1]
        assert logits.kernel.shape[-1] == 1
        logits.bias.assign(logits.bias + 12)
        gan.compile(keras.optimizers.SGD(1e6), keras.optimizers.SGD(0.0))
        kernel = gan.generator.weights[0]
        before = kernel.numpy()
        gan.train_step(points())
        moved[policy] = kernel.numpy() - before
    wanted = moved["float32"]
    assert np.abs(wanted).max() > 0
    np.testing.assert_allclose(
        moved["mixed_float16"], wanted, rtol=0.05, atol=0.02 * np.abs(wanted).max()
    )


@pytest.mark.parametrize("information_weight", [0.0, 0.5])
def test_the_generators_step_moves_the_shared_layers_for_q_alone(information_weight):
    gan = compiled(shared_infogan(information_weight=information_weight), RATE, 0.0)
    made, shared = gan.generator.weights, gan.discriminator.weights[:2]
    heads = gan.discriminator.weights[2:]
    old = [weight.numpy() for weight in (*made, *shared, *heads)]
    game, meaning = gradients_of_the_generators_step(
        gan, [weight.value for weight in (*made, *shared, *heads)], information_weight
    )
    gan.train_step(points())
    new = [weight.numpy() for weight in (*made, *shared, *heads)]
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        slope = meaning[index] + (game[index] if index < len(made) else 0)
        np.testing.assert_allclose(after, before - RATE * slope, rtol=1e-4, atol=1e-6)
        if index >= len(made) and not information_weight:
            np.testing.assert_array_equal(after, before)
    assert np.abs(game[2]).max() > 0.01  # what the shared layers must not follow


def test_the_discriminators_step_leaves_q_alone():
    gan = compiled(shared_infogan(), 0.0, RATE)
    judged = gan.discriminator.weights[:4]
    q = [*gan.generator.weights, *gan.discriminator.weights[4:]]
    old, kept = ([weight.numpy() for weight in weights] for weights in (judged, q))
    fakes = gan.generator(latents_of(gan, "discriminator"))
    with tf.GradientTape() as tape:
        real, fake = (gan.discriminator(each)[0] for each in (points(), fakes))
        loss = tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))
    slopes = tape.gradient(loss, [weight.value for weight in judged])
    gan.train_step(points())
    for weight, before, slope in zip(judged, old, slopes, strict=True):
        np.testing.assert_allclose(weight, before - RATE * slope, rtol=1e-4, atol=1e-6)
    for weight, before in zip(q, kept, strict=True):
        np.testing.assert_array_equal(weight, before)


def test_layers_stay_shared_in_a_saved_model(tmp_path):
    gan = shared_infogan()
    gan.save(tmp_path / "infogan.keras")
    loaded = tfgen.load(tmp_path / "infogan.keras")
    assert len(loaded.trainable_variables) == len(gan.trainable_variables) == 10
    for model in (gan, loaded):
        compiled(model, RATE, 0.0).train_step(points())
    # Q's gradient has moved D.
    logits = loaded.score(points())["logits"]
    assert np.abs(logits - shared_infogan().score(points())["logits"]).max() > 1e-3
    np.testing.assert_array_equal(logits, gan.score(points())["logits"])
    for name, value in gan.compute_losses(points(), training=True).items():
        np.testing.assert_array_equal(loaded.compute_losses(points(), training=True)[name], value)


def test_penalties_are_of_the_logits():
    gan = shared_infogan(penalties=[penalties.RealGradient(2.0)])
    matrix, offset, vector = gan.discriminator.get_weights()[:3]
    slopes = (1 - np.tanh(points() @ matrix + offset) ** 2) * vector[:, 0] @ matrix.T
    found = gan.compute_losses(points(), training=True)
    np.testing.assert_allclose(found["penalty"], np.square(slopes).sum(axis=1).mean(), rtol=1e-4)
    assert set(found) == set(gan.log_names)


def test_regularizers_count_for_their_own_player():
    gan, plain = linear_infogan(penalty=keras.regularizers.L2(0.5)), linear_infogan()
    squares = [
        0.5 * sum(np.sum(weight**2) for weight in network.get_weights() if weight.ndim == 2)
        for network in (gan.generator, gan.discriminator, gan.recognition)
    ]
    found = gan.compute_losses(points(), training=True)
    expected = plain.compute_losses(points(), training=True)
    for name, square in (
        ("generator_loss", squares[0] + squares[2]),
        ("discriminator_loss", squares[1]),
    ):
        np.testing.assert_allclose(found[name], expected[name] + square, rtol=1e-5)


def test_codes_are_drawn_as_they_say_and_apart_from_all_else():
    gan = linear_infogan()
    in_training = gan.sample_latents(20_000, noise_seed=gan.noise.seed_of("any"))
    for draws in (gan.sample_latents(20_000, seed=0).numpy(), in_training.numpy()):
        assert draws.shape == (20_000, NOISE + FEATURES)
        noise, classes, values = np.split(draws, [NOISE, NOISE + 3], axis=1)
        assert set(np.unique(classes)) == {0, 1} and (classes.sum(axis=1) == 1).all()
        np.testing.assert_allclose(classes.mean(axis=0), 1 / 3, atol=0.02)
        assert stats.kstest(values.ravel(), stats.uniform(-1, 2).cdf).statistic < 0.02
        assert stats.kstest(noise.ravel(), stats.norm.cdf).statistic < 0.02
        apart = np.concatenate([noise, classes.argmax(axis=1)[:, None], values], axis=1)
        np.testing.assert_allclose(np.corrcoef(apart.T), np.eye(5), atol=0.04)


def test_codes_of_one_kind_are_drawn_apart():
    latents, examples = keras.Input((3,)), keras.Input((1,))
    gan = tfgen.InfoGAN(
        keras.Model(latents, layers.Dense(1)(latents)),
        keras.Model(examples, [layers.Dense(1)(examples) for _ in range(3)]),
        None,
        distributions.Uniform(1),
        [UniformCode(1), UniformCode(1)],
    )
    in_training = gan.sample_latents(5000, noise_seed=gan.noise.seed_of("any"))
    for draws in (gan.sample_latents(5000, seed=0).numpy(), in_training.numpy()):
        np.testing.assert_allclose(np.corrcoef(draws.T), np.eye(3), atol=0.06)


def test_a_client_names_categories_by_number():
    gan = showing_infogan()
    function, specs = gan.signatures()["sample_codes"]
    assert [(spec.name, spec.dtype, spec.shape) for spec in specs] == [
        ("code_0", tf.int32, [None]),
        ("code_1", tf.float32, [None, 2]),
        ("seed", tf.int64, []),
    ]
    values = np.array([[0.5, -1], [2, 0]], np.float32)
    answer = tf.function(function, input_signature=specs)([2, 0], values, 7)
    classes = tf.constant([[0, 0, 1], [1, 0, 0]], tf.float32)
    np.testing.assert_allclose(answer["images"], gan.sample(2, 7, codes=[classes, values]))
    for category in (-1, 3):
        with pytest.raises(ValueError, match="must be from 0 to 2"):
            function([0, category], values, 7)


def test_samples_show_the_codes_asked_for():
    gan = showing_infogan()
    plain = gan.sample(3, seed=1)
    latents = gan.sample_latents(3, seed=1)
    noise = 0.2 * latents.numpy()[:, :1]
    np.testing.assert_allclose(plain - noise, latents[:, NOISE:], atol=1e-6)
    classes, values = tf.eye(3), np.array([[0.5, -1], [2, 0], [0.1, 0.2]])
    for codes in ([classes, None], [None, values], [classes, values.tolist()], [None, None]):
        samples = gan.sample(3, seed=1, codes=codes)
        expected = [
            drawn if code is None else code
            for code, drawn in zip(codes, np.split(latents[:, NOISE:], [3], axis=1), strict=True)
        ]
        np.testing.assert_allclose(samples - noise, np.concatenate(expected, axis=1), atol=1e-6)
        moved = gan.with_codes(latents, codes)
        np.testing.assert_array_equal(gan.generate(moved), samples)


def test_codes_are_read_off_samples():
    gan = linear_infogan()
    probabilities, means = gan.recognize(points())
    logits, expected = affine(gan.recognition, points())
    np.testing.assert_allclose(probabilities, np.exp(log_softmax(logits, axis=1)), rtol=1e-4)
    np.testing.assert_allclose(means, expected, rtol=1e-4, atol=1e-6)


def test_a_single_code_needs_no_list():
    inputs = keras.Input((FEATURES,))
    prior = distributions.StandardNormal(NOISE + 2)
    logits, classes = (layers.Dense(size)(inputs) for size in (1, 3))
    separate = keras.Model(inputs, logits), keras.Model(inputs, classes)
    together = keras.Model(inputs, [logits, classes]), None
    for networks in (separate, together):
        gan = tfgen.InfoGAN(generator_network(), *networks, prior, [Categorical(3)])
        (probabilities,) = gan.recognize(points())
        np.testing.assert_allclose(tf.reduce_sum(probabilities, axis=1), 1, rtol=1e-5)


def test_the_signatures_answer_as_the_model_does():
    gan = shared_infogan()
    signatures = gan.signatures()
    del signatures["sample_codes"]  # which has a test of its own
    assert set(signatures) == {"serving_default", "sample", "score", "recognize"}
    inputs = {
        "serving_default": [gan.sample_latents(3, seed=7)],
        "sample": [tf.constant(3), tf.constant(7, tf.int64)],
        "score": [tf.constant(points(3))],
        "recognize": [tf.constant(points(3))],
    }
    answers = {
        name: tf.function(function, input_signature=specs)(*inputs[name])
        for name, (function, specs) in signatures.items()
    }
    for name in ("serving_default", "sample"):
        np.testing.assert_allclose(answers[name]["images"], gan.sample(3, seed=7), rtol=1e-5)
    logits = gan.discriminator(points(3))[0]
    np.testing.assert_allclose(answers["score"]["logits"], logits, rtol=1e-5)
    assert list(answers["recognize"]) == ["code_0", "code_1"]
    for found, expected in zip(
        answers["recognize"].values(), gan.recognize(points(3)), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_networks_that_do_not_fit_are_refused():
    generator, inputs = generator_network(), keras.Input((FEATURES,))
    one, three, two = (layers.Dense(size)(inputs) for size in (1, 3, 2))
    narrow = keras.Input((4,))
    logits, q = keras.Model(inputs, one), keras.Model(inputs, [three, two])
    for networks, message in (
        ((logits, None), "an output for each code beside the logits. Received: one with 1 output"),
        ((keras.Model(inputs, [one, two]), q), "logits alone. Received: one with 2 outputs"),
        ((keras.Model(inputs, [one, three, two]), None), None),
        ((logits, q), None),
        (
            (logits, keras.Model(inputs, [two, three])),
            r"sizes \[3, 2\]. Received: .*sizes \[2, 3\]",
        ),
        ((logits, keras.Model(inputs, three)), r"sizes \[3, 2\]. Received: .*sizes \[3\]"),
        (
            (logits, keras.Model(narrow, [layers.Dense(size)(narrow) for size in (3, 2)])),
            r"what the recognition network takes.*a recognition network of \[None, 4\]",
        ),
    ):
        if message is None:  # these do
            infogan_of(generator, *networks)
        else:
            with pytest.raises(ValueError, match=message):
                infogan_of(generator, *networks)
    with pytest.raises(ValueError, match=r"prior's size, \[batch, 8\]. .*\[None, 7\]"):
        tfgen.InfoGAN(generator, logits, q, distributions.StandardNormal(3), CODES)


def test_a_recognition_network_that_shares_weights_is_refused():
    inputs = keras.Input((FEATURES,))
    trunk = keras.Sequential([layers.Dense(4)])
    hidden = keras.Model(inputs, trunk(inputs))(inputs)  # two models deep
    discriminator = keras.Model(inputs, layers.Dense(1)(hidden))
    recognition = keras.Model(inputs, [layers.Dense(size)(trunk(inputs)) for size in (3, 2)])
    with pytest.raises(ValueError, match=r"shares weights.*recognition=None.*both have .*kernel"):
        infogan_of(generator_network(), discriminator, recognition)


def test_other_arguments_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="at least 0. Received: information_weight=-1.0"):
        linear_infogan(information_weight=-1.0)
    gan = linear_infogan()
    with pytest.raises(ValueError, match=r"at least one code. Received: codes=\[\]"):
        tfgen.InfoGAN(gan.generator, gan.discriminator, gan.recognition, gan.prior, [])
    with pytest.raises(ValueError, match="None for each of the 2 codes. Received: 1"):
        linear_infogan(code_augmentations=[None])
    with pytest.raises(ValueError, match="each of the 2 codes, a tensor or None. Received: 1"):
        gan.sample(3, codes=[None])
    message = r"A value of Categorical\(size=3\) must be of shape \[2, 3\]. Received: \[3, 3\]"
    with pytest.raises(ValueError, match=message):
        gan.sample(2, codes=[tf.eye(3), None])
    with pytest.raises(ValueError, match=r"UniformCode\(size=2\).*\[2, 2\]. Received: \[2\]"):
        gan.sample(2, codes=[None, [0.5, 0.5]])


@pytest.mark.parametrize("augmentations", [None, [mirrored, None], [mirrored] * 2])
def test_the_generators_step_reads_shared_weights_for_a_gradient_each_time(augmentations):
    """TensorFlow may move weights before a reading without one, if there is another with one."""
    model = shared_infogan(code_augmentations=augmentations)
    passes = 1 + sum(each is not None for each in augmentations or [])
    shared = model.discriminator.trainable_variables[:2]

    @tf.function
    def gradients(examples):
        with tf.GradientTape() as tape:
            fakes = model.make_fakes(examples, "generator", training=True)
            loss = model.generator_losses(examples, fakes, training=True)["generator_loss"]
        return tape.gradient(loss, [variable.value for variable in shared])

    function = gradients.get_concrete_function(tf.TensorSpec([8, FEATURES]))
    found = function.graph.structured_outputs
    for variable, gradient in zip(shared, found, strict=True):
        (handle,) = [
            inner for outer, inner in function.graph.captures if outer is variable.value.handle
        ]
        assert [op.type for op in handle.consumers()] == ["ReadVariableOp"] * passes
        (gradient,) = gradient.op.inputs  # behind the function's output
        assert (gradient.op.type == "AddN") == (passes > 1), gradient.op
        assert passes == 1 or len(gradient.op.inputs) == passes
