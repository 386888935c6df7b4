"""The lecture code's models are the slides': losses and steps against their formulas in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import tfgen
from tfgen import distributions, networks, noise, zoo

tfd = tfp.distributions
FEATURES, LATENTS, CLASSES, BATCH = 5, 2, 4, 12
RATE = 0.5
SHAPE = (FEATURES,)
X = np.random.default_rng(0).normal(size=(BATCH, FEATURES)).astype(np.float32)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


def perceptron(inputs, weights):
    """The slides' `tf.nn.relu(tf.matmul(h, W) + b)`, layer upon layer, the last one linear."""
    hidden = inputs
    for index in range(0, len(weights), 2):
        hidden = hidden @ weights[index] + weights[index + 1]
        if index + 2 < len(weights):
            hidden = np.maximum(hidden, 0)
    return hidden


def h(label, logits):
    """The slide's cross-entropy, with the sign of a loss: `-(y log(pi) + (1 - y) log(1 - pi))`."""
    chance = 1 / (1 + np.exp(-logits))
    return -np.mean(label * np.log(chance) + (1 - label) * np.log(1 - chance))


def softmax_cross_entropy(labels, logits):
    logarithms = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return -np.mean(np.sum(labels * logarithms, axis=1))


def weights_of(*models):
    return [weight.astype(float) for model in models for weight in model.get_weights()]


def check_descent(before, after, loss, rate=RATE):
    """Asserts that weights went down a loss' slope, which differences of it tell.

    Args:
        before: a list of arrays.
        after: what they became.
        loss: a function of such a list.
        rate: that of gradient descent.
    """
    random = np.random.default_rng(1)
    for index, weight in enumerate(before):
        for _ in range(4):
            place = tuple(random.integers(weight.shape))
            values = []
            for shift in (1e-5, -1e-5):
                moved = [each.copy() for each in before]
                moved[index][place] += shift
                values.append(loss(moved))
            slope = (values[0] - values[1]) / 2e-5
            np.testing.assert_allclose(
                before[index][place] - after[index][place], rate * slope, atol=2e-5, rtol=2e-3
            )


def generator(more=0):
    return networks.mlp_generator(SHAPE, LATENTS + more, hidden_sizes=(8, 7))


def discriminator(more=0):
    return networks.mlp_discriminator((FEATURES + more,), hidden_sizes=(8, 7))


def prior():
    return distributions.StandardNormal(LATENTS)


def sgd(count=2):
    return [keras.optimizers.SGD(RATE) for _ in range(count)]


def with_slopes(model):
    """Moves all weights a little, biases too, which start at 0."""
    random = np.random.default_rng(2)
    for weight in model.trainable_variables:
        weight.assign_add(0.1 * random.normal(size=weight.shape))
    return model


def vae():
    return with_slopes(
        zoo.vae_lecture(
            networks.mlp_encoder(SHAPE, LATENTS, hidden_sizes=(8, 7)),
            networks.mlp_decoder(SHAPE, LATENTS, hidden_sizes=(7, 8)),
            prior(),
        )
    )


def gaussian_divergence(mean_1, covariance_1, mean_2, covariance_2):
    """The slide's `KL(N(m1, S1) || N(m2, S2))`."""
    inverse, moved = np.linalg.inv(covariance_2), mean_2 - mean_1
    ratio = np.linalg.det(covariance_2) / np.linalg.det(covariance_1)
    return 0.5 * (
        np.trace(inverse @ covariance_1) + moved @ inverse @ moved - len(moved) + np.log(ratio)
    )


def test_the_divergence_of_two_normals_is_the_slide_s():
    random = np.random.default_rng(3)
    means, factors = random.normal(size=[2, 3]), np.tril(random.normal(size=[2, 3, 3]))
    factors[:, range(3), range(3)] = random.uniform(0.5, 2, [2, 3])
    first, second = (
        tfd.MultivariateNormalTriL(mean, factor)
        for mean, factor in zip(means, factors, strict=True)
    )
    covariances = factors @ np.swapaxes(factors, 1, 2)
    expected = gaussian_divergence(means[0], covariances[0], means[1], covariances[1])
    found = distributions.kl_divergence(first, second, latents=None)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_vae_losses_are_the_slide_s():
    model = vae()
    weights = weights_of(model.encoder)
    hidden = np.maximum(perceptron(X, weights[:4]), 0)
    location = hidden @ weights[4] + weights[5]
    scale = np.log1p(np.exp(hidden @ weights[6] + weights[7]))
    noise_seed = model.noise.seed_of("latents")
    epsilon = noise.sample(model.prior.distribution(), BATCH, noise_seed).numpy().reshape(BATCH, -1)
    latents = location + epsilon * scale
    decoded = perceptron(latents, weights_of(model.decoder))
    reconstruction = np.sum((decoded - X) ** 2, axis=1)
    divergence = [
        gaussian_divergence(mean, np.diag(each**2), np.zeros(LATENTS), np.eye(LATENTS))
        for mean, each in zip(location, scale, strict=True)
    ]
    losses = model.compute_losses(X, training=True)
    # A normal density of variance 1/2 has a constant beside the squared error.
    constant = FEATURES / 2 * np.log(np.pi)
    np.testing.assert_allclose(losses["divergence"], np.mean(divergence), rtol=1e-5)
    np.testing.assert_allclose(
        losses["reconstruction"], np.mean(reconstruction) + constant, rtol=1e-5
    )
    np.testing.assert_allclose(
        losses["loss"], np.mean(reconstruction + divergence) + constant, rtol=1e-5
    )


def test_both_reparametrizations_are_equal():
    """`posterior.sample()` and `prior.sample() * scale + location`: values and slopes."""
    model, seed = vae(), (3, 4)
    # A prior for each example: TFP draws a batch in another order than as many samples of one.
    zeros = tf.zeros([BATCH, LATENTS])
    standard = tfd.MultivariateNormalDiag(zeros, tf.ones_like(zeros))
    with tf.GradientTape(persistent=True) as tape:
        location, before_softplus = model.encoder(X)
        scale = tf.nn.softplus(before_softplus)
        automatic = tfd.MultivariateNormalDiag(location, scale).sample(seed=seed)
        manual = standard.sample(seed=seed) * scale + location
        errors = [
            tf.reduce_sum(tf.math.squared_difference(model.decoder(each), X))
            for each in (automatic, manual)
        ]
        ours = model.posterior.distribution(location, before_softplus)
        drawn = ours.sample(seed=seed)
    np.testing.assert_allclose(automatic, manual, atol=1e-6)
    slopes = [tape.gradient(error, model.encoder.trainable_variables) for error in errors]
    for first, second in zip(*slopes, strict=True):
        assert np.abs(first).max() > 1e-3
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)
    # dz / dlocation = 1 and dz / dscale = epsilon, in ours as in the slide's.
    for latents in (automatic, manual, drawn):
        by_location, by_scale = tape.gradient(latents, [location, scale])
        np.testing.assert_array_equal(by_location, np.ones([BATCH, LATENTS]))
        epsilon = (latents - location) / scale
        if latents is not drawn:
            np.testing.assert_allclose(by_scale, epsilon, atol=1e-5)
    by_softplus = tape.gradient(drawn, before_softplus) / tf.sigmoid(before_softplus)
    np.testing.assert_allclose(by_softplus, (drawn - location) / scale, atol=1e-5)


def gan():
    return with_slopes(zoo.gan_lecture(generator(), discriminator(), prior(), optimizers=sgd()))


def test_gan_losses_are_the_slide_s():
    model = gan()
    latents = model.make_fakes(X, "discriminator", training=False).latents.numpy()
    judge = weights_of(model.discriminator)
    real = perceptron(X, judge)
    fake = perceptron(perceptron(latents, weights_of(model.generator)), judge)
    losses = model.compute_losses(X, training=False)
    np.testing.assert_allclose(losses["discriminator_loss"], h(1, real) + h(0, fake), rtol=1e-5)
    np.testing.assert_allclose(losses["generator_loss"], h(1, fake), rtol=1e-5)


def check_gan_turns(model, latents, before, after, condition=None):
    """Asserts the slide's two updates: D's, then G's against the new D, of the same latents."""
    given = np.zeros([BATCH, 0]) if condition is None else condition
    seeds = np.concatenate([latents, given], axis=1)

    def judged(points, judge):
        return perceptron(np.concatenate([points, given], axis=1), judge)

    fakes = perceptron(seeds, before[0])
    check_descent(
        before[1], after[1], lambda judge: h(1, judged(X, judge)) + h(0, judged(fakes, judge))
    )
    check_descent(
        before[0], after[0], lambda maker: h(1, judged(perceptron(seeds, maker), after[1]))
    )


def test_a_gan_step_is_the_slide_s():
    model = gan()
    latents = model.make_fakes(X, "generator", training=True).latents.numpy()
    before = weights_of(model.generator), weights_of(model.discriminator)
    model.fit(X, batch_size=BATCH, verbose=0)
    after = weights_of(model.generator), weights_of(model.discriminator)
    check_gan_turns(model, latents, before, after)


def test_cgan_losses_are_the_slide_s():
    """`D([x, c])` and `G([z, c])`."""
    model = with_slopes(
        zoo.cgan_lecture(
            networks.condition_generator(generator(CLASSES), CLASSES),
            networks.condition_discriminator(discriminator(CLASSES), CLASSES),
            prior(),
            num_classes=CLASSES,
            optimizers=sgd(),
        )
    )
    labels = np.arange(BATCH) % CLASSES
    condition = np.eye(CLASSES)[labels]
    latents = model.make_fakes((X, labels), "discriminator", training=False).latents.numpy()
    before = weights_of(model.generator), weights_of(model.discriminator)
    fakes = perceptron(np.concatenate([latents, condition], axis=1), before[0])
    real = perceptron(np.concatenate([X, condition], axis=1), before[1])
    fake = perceptron(np.concatenate([fakes, condition], axis=1), before[1])
    losses = model.compute_losses((X, labels), training=False)
    np.testing.assert_allclose(losses["discriminator_loss"], h(1, real) + h(0, fake), rtol=1e-5)
    np.testing.assert_allclose(losses["generator_loss"], h(1, fake), rtol=1e-5)
    latents = model.make_fakes((X, labels), "generator", training=True).latents.numpy()
    model.fit(X, labels, batch_size=BATCH, shuffle=False, verbose=0)
    after = weights_of(model.generator), weights_of(model.discriminator)
    check_gan_turns(model, latents, before, after, condition)


def infogan(**options):
    return with_slopes(
        zoo.infogan_lecture(
            generator(CLASSES),
            discriminator(),
            networks.mlp_encoder(SHAPE, CLASSES, hidden_sizes=(6,), heads=1),
            prior(),
            **options,
        )
    )


def test_infogan_losses_are_the_slide_s():
    model = infogan()
    players = model.generator, model.discriminator, model.recognition
    maker, judge, reader = (weights_of(player) for player in players)
    latents = model.make_fakes(X, "discriminator", training=False).latents.numpy()
    fake = perceptron(perceptron(latents, maker), judge)
    losses = model.compute_losses(X, training=False)
    np.testing.assert_allclose(losses["generator_loss"], h(1, fake), rtol=1e-5)
    np.testing.assert_allclose(
        losses["discriminator_loss"], h(1, perceptron(X, judge)) + h(0, fake), rtol=1e-5
    )
    latents = model.make_fakes(X, "generator", training=False).latents.numpy()
    codes = latents[:, LATENTS:]
    np.testing.assert_array_equal(np.sort(codes, axis=1), np.eye(CLASSES)[[-1] * BATCH])
    expected = softmax_cross_entropy(codes, perceptron(perceptron(latents, maker), reader))
    np.testing.assert_allclose(losses["recognition_loss"], expected, rtol=1e-5)
    # Four clusters of 0.25 each, and Adam(1e-4) for Q.
    drawn = model.sample_latents(8000, seed=0).numpy()[:, LATENTS:].mean(axis=0)
    np.testing.assert_allclose(drawn, [0.25] * CLASSES, atol=0.02)
    assert float(model.recognition_optimizer.learning_rate) == np.float32(1e-4)


def test_an_infogan_step_is_the_slide_s():
    """D's and G's turns as in the GAN; then Q's, of the same draws, over the weights of G and Q."""
    model = infogan(optimizers=sgd(3))
    latents = model.make_fakes(X, "generator", training=True).latents.numpy()
    maker, judge, reader = (
        weights_of(player) for player in (model.generator, model.discriminator, model.recognition)
    )
    model.fit(X, batch_size=BATCH, verbose=0)
    fakes = perceptron(latents, maker)
    after = weights_of(model.discriminator)
    check_descent(
        judge, after, lambda moved: h(1, perceptron(X, moved)) + h(0, perceptron(fakes, moved))
    )
    # G moves twice: down its own loss, then, from there, down that of Q.
    between = _descended(maker, lambda moved: h(1, perceptron(perceptron(latents, moved), after)))
    size = len(maker)

    def recognition_loss(both):
        read = perceptron(perceptron(latents, both[:size]), both[size:])
        return softmax_cross_entropy(latents[:, LATENTS:], read)

    moved = weights_of(model.generator, model.recognition)
    check_descent([*between, *reader], moved, recognition_loss)


def _descended(weights, loss):
    """Returns all weights after a step of gradient descent, by differences."""
    found = [weight.copy() for weight in weights]
    for index, weight in enumerate(weights):
        for place in np.ndindex(weight.shape):
            values = []
            for shift in (1e-5, -1e-5):
                moved = [each.copy() for each in weights]
                moved[index][place] += shift
                values.append(loss(moved))
            found[index][place] -= RATE * (values[0] - values[1]) / 2e-5
    return found


def cyclegan(**options):
    translators = [networks.mlp_generator(SHAPE, FEATURES, hidden_sizes=(8,)) for _ in range(2)]
    judges = [networks.mlp_discriminator(SHAPE, hidden_sizes=(8,)) for _ in range(2)]
    return with_slopes(zoo.cyclegan_lecture(*translators, *judges, **options))


def cyclegan_losses(model, images_a, images_b, distance, weight):
    """The slide's losses: of both discriminators, of both generators, and the cycles alone."""
    to_b, to_a, judge_a, judge_b = (
        weights_of(network)
        for network in (
            model.generator_ab,
            model.generator_ba,
            model.discriminator_a,
            model.discriminator_b,
        )
    )
    made_a, made_b = perceptron(images_b, to_a), perceptron(images_a, to_b)
    j_d_a = h(1, perceptron(images_a, judge_a)) + h(0, perceptron(made_a, judge_a))
    j_d_b = h(1, perceptron(images_b, judge_b)) + h(0, perceptron(made_b, judge_b))
    cycle_a = distance(images_a, perceptron(made_b, to_a))
    cycle_b = distance(images_b, perceptron(made_a, to_b))
    j_g_a = h(1, perceptron(made_a, judge_a)) + weight * cycle_a
    j_g_b = h(1, perceptron(made_b, judge_b)) + weight * cycle_b
    return {
        "discriminator_loss": j_d_a + j_d_b,
        "generator_loss": j_g_a + j_g_b,
        "cycle_loss": cycle_a + cycle_b,
    }


def check_cyclegan(model, distance, weight):
    images_b = np.random.default_rng(5).normal(size=X.shape).astype(np.float32)
    expected = cyclegan_losses(model, X, images_b, distance, weight)
    losses = model.compute_losses((X, images_b), training=False)
    for name, value in expected.items():
        np.testing.assert_allclose(losses[name], value, rtol=1e-5, err_msg=name)


def test_cyclegan_losses_are_the_slide_s():
    model = cyclegan(cycle_weight=3.0)
    check_cyclegan(model, lambda first, second: np.mean(np.abs(first - second)), weight=3.0)
    assert model.pool_size == 0
    assert isinstance(model.game, tfgen.games.NonSaturating)


def test_the_squared_cycle_is_the_slide_s():
    """`||a - G_BA(G_AB(a))||^2`, whose sum over pixels is a factor beside the mean."""
    weight = 0.7
    model = cyclegan(cycle_loss="mean_squared_error", cycle_weight=weight * FEATURES)
    squared = model.compute_losses((X, X), training=False)["cycle_loss"]
    check_cyclegan(
        model, lambda first, second: np.mean((first - second) ** 2), weight=weight * FEATURES
    )
    there_and_back = [
        perceptron(perceptron(X, weights_of(first)), weights_of(second))
        for first, second in (
            (model.generator_ab, model.generator_ba),
            (model.generator_ba, model.generator_ab),
        )
    ]
    sums = [np.mean(np.sum((X - each) ** 2, axis=1)) for each in there_and_back]
    np.testing.assert_allclose(weight * FEATURES * squared, weight * sum(sums), rtol=1e-5)


def test_the_leaky_generator():
    """Transposed convolution, batch normalization, leaky ReLU; 100 codes to 64x64x3."""
    small = networks.dcgan_generator((8, 8, 3), 4, filters=2, activation="leaky_relu")
    latents = np.random.default_rng(0).uniform(-1, 1, [6, 4]).astype(np.float32)
    dense, normalization = small.layers[1], small.layers[3]
    mean, variance = 0.01, 1e-3
    normalization.set_weights([np.full(2, value) for value in (1.5, -0.2, mean, variance)])
    maps = (latents @ dense.get_weights()[0]).reshape(6, 4, 4, 2)
    maps = 1.5 * (maps - mean) / np.sqrt(variance + 1e-5) - 0.2
    assert (maps < 0).any() and (maps > 0).any()
    leaky = np.where(maps > 0, maps, 0.2 * maps).astype(np.float32)
    rest = keras.Model(small.layers[4].output, small.output)
    np.testing.assert_allclose(small(latents), rest(leaky), atol=1e-6)
    assert np.abs(small(latents) - rest(np.maximum(leaky, 0))).max() > 1e-5
    large = networks.dcgan_generator((64, 64, 3), filters=2, activation="leaky_relu")
    assert large.input_shape == (None, 100) and large.output_shape == (None, 64, 64, 3)
    activations = [each.activation for each in large.layers if hasattr(each, "activation")]
    assert activations.count(keras.activations.leaky_relu) == 4
