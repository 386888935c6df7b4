"""Hierarchies of latents, against a chain of linear Gaussians and by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from keras import layers

import tfgen
from tests.linear_gaussian import DEVIATION, WEIGHTS, examples
from tests.specimens import compiled, fit, images
from tfgen import bounds, callbacks, distributions, evaluation, networks

tfd = tfp.distributions

# z_1 ~ N(0, I), z_2 ~ N(SLOPE z_1, diag(SPREAD)^2), x ~ N(W z_2, s^2 I); all of it diagonal.
SLOPE, SPREAD = np.array([0.8, -0.5], np.float32), np.array([0.6, 0.9], np.float32)
MARGINAL = SLOPE**2 + SPREAD**2
SEEN = np.sum(WEIGHTS**2, axis=0) / DEVIATION**2  # what x tells of z_2, a precision
BOTH = 1 / (SPREAD**-2 + SEEN)  # the variance of p(z_2 | z_1, x)
WAYS = {
    "proposed": distributions.Proposed(),
    "precision": distributions.PrecisionWeighted(),
    "relative": distributions.Relative(),
}


def linear(sizes, kernels, variance):
    """Returns a network of linear layers to a location, and to a constant log-variance."""
    inputs = [keras.Input((size,)) for size in sizes]
    parts = [
        layers.Dense(2, use_bias=False, kernel_initializer=keras.initializers.Constant(kernel))(
            each
        )
        for each, kernel in zip(inputs, kernels, strict=True)
    ]
    location = layers.Add()(parts) if len(parts) > 1 else parts[0]
    bias = keras.initializers.Constant(np.log(variance))
    spread = layers.Dense(2, kernel_initializer="zeros", bias_initializer=bias)(inputs[0])
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], [location, spread])


def identity(size, copies=1):
    """Returns a network that can learn to be another."""
    inputs = keras.Input((size,))
    exact = {"use_bias": False, "kernel_initializer": "identity"}
    outputs = [layers.Dense(size, **exact)(inputs) for _ in range(copies)]
    return keras.Model(inputs, outputs if copies > 1 else outputs[0])


def chain(way="proposed", shift=0.0, **options):
    """Returns the chain with its true posterior, whose top location may be shifted by a factor."""
    reading = WEIGHTS / DEVIATION**2  # W^T x / s^2
    variance = 1 / (1 + SLOPE**2 / (SPREAD**2 + 1 / SEEN))
    gain = variance * SLOPE / (SPREAD**2 + 1 / SEEN) / SEEN
    lower = {
        "proposed": ((3, 2), (reading * BOTH, np.diag(SLOPE / SPREAD**2 * BOTH)), BOTH),
        "precision": ((3,), (reading / SEEN,), 1 / SEEN),
        "relative": (
            (3, 2),
            (reading * BOTH, np.diag(SLOPE * (BOTH / SPREAD**2 - 1))),
            BOTH / SPREAD**2,
        ),
    }
    return tfgen.HierarchicalVAE(
        identity(3, copies=2),
        posteriors=[
            linear((3,), (reading * gain * (1 + shift),), variance * (1 + shift)),
            linear(*lower[way]),
        ],
        priors=[linear((2,), (np.diag(SLOPE),), SPREAD**2)],
        merges=[identity(2), identity(2)],
        decoder=keras.Sequential(
            [
                keras.Input((2,)),
                layers.Dense(
                    3, use_bias=False, kernel_initializer=keras.initializers.Constant(WEIGHTS.T)
                ),
            ]
        ),
        likelihood=distributions.Gaussian(scale=DEVIATION),
        inference=WAYS[way],
        normal=distributions.LogVarianceNormal(),
        **options,
    )


def log_evidence(points):
    covariance = WEIGHTS * MARGINAL @ WEIGHTS.T + DEVIATION**2 * np.eye(3)
    return tfd.MultivariateNormalFullCovariance(np.zeros(3), covariance).log_prob(points).numpy()


def true_divergence(points):
    """Returns `KL(p(z|x) || p(z))` of both layers together, worked out for pairs of latents."""
    found = 0
    for column in range(2):
        slope, spread = float(SLOPE[column]), float(SPREAD[column])
        prior = np.array([[1, slope], [slope, slope**2 + spread**2]])
        posterior = np.linalg.inv(np.linalg.inv(prior) + np.diag([0, SEEN[column]]))
        mean = (points @ WEIGHTS / DEVIATION**2)[:, column, None] * posterior[1]
        quadratic = np.einsum("ij,jk,ik->i", mean, np.linalg.inv(prior), mean)
        trace = np.trace(np.linalg.solve(prior, posterior))
        ratio = np.linalg.slogdet(prior)[1] - np.linalg.slogdet(posterior)[1]
        found += 0.5 * (quadratic + trace - 2 + ratio)
    return found


every_way = pytest.mark.parametrize("way", WAYS)


@every_way
def test_of_the_true_posterior_every_weight_is_the_likelihood(way):
    model, points = chain(way), examples()
    expected = log_evidence(points)
    np.testing.assert_allclose(
        model.log_weights(points, 6), np.tile(expected, [6, 1]), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(model.log_likelihood(points, 10), expected, rtol=1e-4)


@every_way
def test_the_layers_divergences_add_up_to_the_divergence(way):
    points = examples()
    terms = chain(way).terms(points, 20_000, [0, 1])
    np.testing.assert_allclose(terms.divergence, true_divergence(points), rtol=2e-2)
    by_layer = [tf.reduce_sum(each, axis=-1) for each in terms.layer_divergences]
    np.testing.assert_allclose(sum(by_layer), terms.divergence, rtol=1e-5)
    bound = tf.reduce_mean(terms.log_likelihood, axis=0) - terms.divergence
    np.testing.assert_allclose(bound, log_evidence(points), atol=0.05)


@every_way
def test_the_noise_has_the_same_weights_as_the_latents(way):
    """`p(x|noise) N(noise) / q(noise|x)`: the volume that a layer's scale takes up cancels."""
    model, points = chain(way), examples()
    proposal = model.proposal(points)
    drawn = proposal.sample(seed=[0, 1])
    found = model.decode(drawn).log_prob(points) + model.prior_distribution().log_prob(drawn)
    np.testing.assert_allclose(
        found - proposal.log_prob(drawn), log_evidence(points), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("name", ["ladder", "top_down"])
def test_the_weights_are_the_densities_of_each_layer(name):
    model, pixels = compiled(name), images(3)
    terms = model.terms(pixels, 2, [0, 1])
    expected, state = np.zeros(6), None

    def log_normal(values, location, scale):
        square = ((values - location) / scale) ** 2
        return np.sum(-0.5 * square - np.log(scale) - 0.5 * np.log(2 * np.pi), axis=1)

    for index, layer in enumerate(terms.layers):
        latents = layer.latents.numpy().astype("d")
        prior = np.zeros_like(latents), np.ones_like(latents)
        if index:
            outputs = model.averages.run(model.priors[index - 1], state)
            location, raw = (np.reshape(each, [6, -1]).astype("d") for each in outputs)
            log_variance = isinstance(model.normal, distributions.LogVarianceNormal)
            prior = location, np.exp(raw / 2) if log_variance else np.log1p(np.exp(raw))
        posterior = (np.array(each, "d") for each in layer.posterior)
        expected += log_normal(latents, *prior) - log_normal(latents, *posterior)
        shaped = tf.reshape(layer.latents, [-1, *model.latent_shapes[index]])
        merge = model.merges[index]
        state = model.averages.run(merge, [shaped, state] if len(merge.inputs) > 1 else shaped)
    likelihood = model.likelihood.distribution(model.averages.run(model.decoder, state))
    expected += likelihood.log_prob(np.tile(pixels, [2, 1, 1, 1])).numpy()
    np.testing.assert_allclose(terms.log_weights, expected.reshape(2, 3), rtol=1e-4)


def test_a_ladder_multiplies_the_densities():
    """The product of two normals is a normal, up to a constant."""
    random = np.random.default_rng(0)
    (mu, prior_mu), (sigma, prior_sigma) = random.normal(size=[2, 5]), 0.2 + random.random([2, 5])
    found = distributions.PrecisionWeighted().combine((mu, sigma), (prior_mu, prior_sigma))

    def log_ratio(at):
        factors = tfd.Normal(mu, sigma).log_prob(at) + tfd.Normal(prior_mu, prior_sigma).log_prob(
            at
        )
        return factors - tfd.Normal(*found).log_prob(at)

    np.testing.assert_allclose(log_ratio(-1.0), log_ratio(2.0), rtol=1e-10)


def test_the_divergence_of_a_relative_posterior_is_nvae_s():
    """`KL = 1/2 (mu^2 / sigma_p^2 + sigma^2 - log sigma^2 - 1)` (Vahdat and Kautz, equation 2)."""
    random = np.random.default_rng(0)
    mu, prior_mu = random.normal(size=[2, 5])
    sigma, prior_sigma = 0.2 + random.random([2, 5])
    prior = prior_mu, prior_sigma
    posterior = distributions.Relative().combine((mu, sigma), prior)
    found = tfd.Normal(*posterior).kl_divergence(tfd.Normal(*prior))
    expected = 0.5 * (mu**2 / prior_sigma**2 + sigma**2 - np.log(sigma**2) - 1)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def lower_latents(made):
    """Returns `z_2` of what the chain makes."""
    return made @ np.linalg.pinv(WEIGHTS.T)


def test_what_is_redrawn_has_the_upper_layers_of_before():
    model = chain()
    latents = np.array([[1.0, -2.0, 0.3, 0.4], [0.5, 0.0, 9.0, 9.0]], np.float32)
    redrawn = model.redraw(latents, kept=1, count=4000, seed=0)
    assert redrawn.shape == (2, 4000, 3)
    found = lower_latents(redrawn.numpy())
    np.testing.assert_allclose(found.mean(axis=1), SLOPE * latents[:, :2], atol=0.06)
    np.testing.assert_allclose(found.std(axis=1), [SPREAD] * 2, rtol=0.05)
    same = model.redraw(latents, kept=2, count=3, seed=0)
    np.testing.assert_allclose(same, np.repeat(model.generate(latents)[:, None], 3, 1), rtol=1e-6)
    free = lower_latents(model.redraw(latents, kept=0, count=4000, seed=1).numpy())
    np.testing.assert_allclose(free.std(axis=1), [MARGINAL**0.5] * 2, rtol=0.05)


@pytest.mark.parametrize(
    ("temperatures", "top", "low"), [(None, 1, 1), (0.5, 0.5, 0.5), ((0.2, 2.0), 0.2, 2.0)]
)
def test_temperatures_scale_the_noise_of_their_layers(temperatures, top, low):
    found = lower_latents(chain().sample(4000, seed=0, temperatures=temperatures).numpy())
    expected = np.sqrt(SLOPE**2 * top**2 + SPREAD**2 * low**2)
    np.testing.assert_allclose(found.std(axis=0), expected, rtol=0.05)


def test_without_temperature_all_samples_are_one():
    model = compiled("top_down")
    first, *others = model.sample(3, temperatures=0).numpy()
    for other in others:
        np.testing.assert_array_equal(other, first)
    np.testing.assert_array_equal(first, model.generate(np.zeros([1, model.prior.size]))[0])


@pytest.mark.parametrize("name", ["ladder", pytest.param("top_down", marks=pytest.mark.slow)])
def test_a_reconstruction_is_made_of_the_noise_that_stands_for_an_image(name):
    model, pixels = compiled(name), images(4)
    fit(model)
    codes = model.encode(pixels)
    assert codes.mean().shape == (4, model.prior.size)
    np.testing.assert_allclose(
        model.generate(codes.mean()), model.reconstruct(pixels), rtol=1e-3, atol=1e-5
    )


def test_of_the_chain_the_noise_of_a_point_is_its_expectation():
    model, points = chain(), examples()
    drawn = model.proposal(np.repeat(points, 4000, axis=0)).sample(seed=[0, 1])
    expected = np.mean(np.reshape(drawn, [len(points), 4000, 4]), axis=1)
    np.testing.assert_allclose(model.encode(points).mean(), expected, atol=0.06)


def test_imputed_values_are_those_of_the_seen_ones():
    """The last of three values given the others, in closed form."""
    model, point = chain("precision"), examples(1)
    covariance = WEIGHTS * MARGINAL @ WEIGHTS.T + DEVIATION**2 * np.eye(3)
    weights = np.linalg.solve(covariance[:2, :2], covariance[:2, 2])
    variance = covariance[2, 2] - covariance[:2, 2] @ weights
    copies = np.repeat(point, 4000, axis=0)
    found = model.impute(copies, np.array([1, 1, 0]), seed=0, steps=10).numpy()
    np.testing.assert_array_equal(found[:, :2], copies[:, :2])
    assert found[:, 2].mean() == pytest.approx(point[0, :2] @ weights, abs=0.1)
    assert found[:, 2].std() == pytest.approx(variance**0.5, rel=0.05)


def gradients(bound, draws=40, copies=200):
    """Returns draws of a bound's gradient where the posterior is wrong, `[draws, weights]`."""
    model, points = chain(shift=0.7), np.repeat(examples(1), copies, 0)

    @tf.function(autograph=False)
    def gradient(seed):
        with tf.GradientTape() as tape:
            terms = model.terms(points, bound.draws, seed, use_ema=False)
            value = tf.reduce_mean(bound.value(terms, None))
        found = tape.gradient(value, model.trainable_variables, unconnected_gradients="zero")
        return tf.concat([tf.reshape(each, [-1]) for each in found], axis=0)

    return np.stack([gradient(tf.constant([7, seed])) for seed in range(draws)])


def test_the_doubly_reparametrized_gradient_has_the_same_mean_and_less_noise():
    plain, doubly = (
        gradients(bounds.ImportanceWeighted(8, doubly_reparametrized=each))
        for each in (False, True)
    )
    error = np.hypot(plain.std(axis=0), doubly.std(axis=0)) / len(plain) ** 0.5
    assert np.abs(plain.mean(axis=0) - doubly.mean(axis=0)).max() > 0
    assert (np.abs(plain.mean(axis=0) - doubly.mean(axis=0)) < 5 * error + 1e-5).all()
    top = slice(0, 6)  # the kernel of the top posterior
    assert (doubly.std(axis=0)[top] < plain.std(axis=0)[top]).all()


def test_free_bits_are_those_of_each_latent_of_all_layers():
    terms = chain().terms(examples(), 3, [0, 1])
    value = bounds.FreeBits(50.0).value(terms, None)
    np.testing.assert_allclose(value, tf.reduce_mean(terms.log_likelihood, 0) - 200, rtol=1e-5)
    np.testing.assert_allclose(
        tf.reduce_mean(bounds.FreeBits(0.0).value(terms, None)),
        tf.reduce_mean(bounds.ELBO().value(terms, None)),
        rtol=1e-5,
    )


def test_the_divergence_of_each_layer_is_logged():
    model = chain()
    model.compile("adam")
    logs = model.evaluate(examples(), verbose=0, return_dict=True)
    assert logs.keys() == {"loss", "reconstruction", "divergence", "divergence_1", "divergence_2"}
    assert logs["divergence_1"] + logs["divergence_2"] == pytest.approx(logs["divergence"])


def test_what_wants_independent_latents_is_refused():
    model = compiled("ladder")
    with pytest.raises(ValueError, match="needs a prior of independent latents"):
        bounds.TotalCorrelation(100).value(model.terms(images(4), 1, [0, 1]), None)
    with pytest.raises(ValueError, match="An aggregate posterior needs a model that can"):
        evaluation.AggregatePosterior(model, images(4))


PARTS = "bottom_up posteriors priors merges decoder".split()


def rebuilt(**changed):
    """Returns a chain of which some parts are changed, by functions of what they were."""
    model = chain()
    parts = {name: getattr(model, name) for name in PARTS}
    values = {"likelihood": model.likelihood, "normal": model.normal}
    parts |= {name: change(parts.get(name)) for name, change in changed.items()}
    return tfgen.HierarchicalVAE(**{**values, **parts})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"posteriors": lambda _: []}, "needs a layer of latents. Received: posteriors="),
        ({"priors": lambda _: []}, "`priors` must have 1 networks .the top layer has no prior"),
        ({"merges": lambda each: each[:1]}, "`merges` must have 2 networks. Received: 1"),
        ({"bottom_up": lambda _: identity(3)}, "`bottom_up` must have 2 outputs. Received: 1"),
        (
            {"priors": lambda _: [linear((5,), (np.ones([5, 2]),), SPREAD)]},
            r"`priors\[0\]` must take \[None, 2\], which .* Received: a network of \[None, 5\]",
        ),
        (
            {"merges": lambda each: [each[0], identity(4)]},
            r"`merges\[1\]` must take \[None, 2\].*\[None, 4\]",
        ),
        (
            {"posteriors": lambda each: [each[1], each[1]]},
            r"`posteriors\[0\]` must take features alone",
        ),
        ({"decoder": lambda _: identity(3)}, r"`decoder` must take \[None, 2\]"),
        ({"decoder": lambda _: identity(2)}, "needs the decoder to have one output"),
        (
            {"priors": lambda _: [identity(2)]},
            r"needs the network priors\[0\] to have two outputs",
        ),
    ],
)
def test_layers_that_do_not_fit_are_named(changed, message):
    with pytest.raises(ValueError, match=message):
        rebuilt(**changed)


def test_a_value_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="`inference` must be a .*LayerPosterior"):
        rebuilt(inference=lambda _: "ladder")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.sample(1, temperatures=[1.0]), "one for each of the 2 layers. .*: 1"),
        (lambda model: model.sample(1, temperatures=-1.0), "`temperatures` must be at least 0"),
        (lambda model: model.redraw(np.zeros([1, 4]), 3, 1), "number of layers, 2. .*kept=3"),
        (lambda model: model.redraw(np.zeros([1, 4]), -1, 1), "`kept` must be at least 0"),
    ],
)
def test_what_a_hierarchy_cannot_do_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(chain())


def test_the_ladder_s_default_sizes_are_the_paper_s():
    parts = networks.ladder_networks((28, 28, 1))
    assert [each.output_shape[0][-1] for each in parts["posteriors"]] == [4, 8, 16, 32, 64]
    assert [each.output_shape[-1] for each in parts["merges"]] == [64, 64, 128, 256, 512]
    units = [layer.units for layer in parts["bottom_up"].layers if isinstance(layer, layers.Dense)]
    assert units == [512, 512, 256, 256, 128, 128, 64, 64, 64, 64]


def test_a_top_down_prior_begins_as_a_standard_normal():
    parts = networks.top_down_networks((8, 8, 1), (1, 2, 4), (3, 2, 1), width=8, bottleneck=4)
    for prior in parts["priors"]:
        state = np.random.default_rng(0).normal(size=[2, *prior.input_shape[1:]])
        for output in prior(state):
            np.testing.assert_array_equal(output, np.zeros_like(output))


def test_branches_of_deep_hierarchies_begin_smaller():
    def deviation(count):
        keras.utils.set_random_seed(0)
        parts = networks.top_down_networks((8, 8, 1), (4,) * count, (1,) * count, 32, 32)
        merge = parts["merges"][0]
        last = [layer for layer in merge.layers if isinstance(layer, layers.Conv2D)][-1]
        return np.std(last.kernel)

    assert deviation(1) / deviation(4) == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: networks.ladder_networks((4,), (2, 3), (8,)), "as many `hidden_sizes`"),
        (lambda: networks.top_down_networks((8, 8, 1), (4, 2), (1, 1)), "none smaller than"),
        (lambda: networks.top_down_networks((8, 8, 1), (4,), (1, 1)), "for each number of"),
        (lambda: networks.top_down_networks((8, 8, 1), (1, 3), (1, 1)), "2, 4, 8, ... times"),
        (lambda: networks.top_down_networks((8, 4, 1), (4,), (1,)), "must be square"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_layers_picture_keeps_fewer_layers_from_left_to_right(tmp_path):
    model = compiled("ladder")
    callback = callbacks.LayersRedrawn(tmp_path, images(2), draws=2, seed=3)
    callback.set_model(model)
    picture = callback.render().numpy() / 255
    layers = len(model.sizes)
    assert picture.shape == (2 * 9 - 1, (2 + 2 * (layers - 1)) * 9 - 1, 1)
    np.testing.assert_allclose(picture[:8, :8], images(2)[0], atol=1 / 255)
    latents = model.encode(images(2)).mean()
    np.testing.assert_allclose(picture[:8, 9:17], model.generate(latents)[0], atol=1 / 255)
    redrawn = model.redraw(latents, layers - 1, 2, 3)
    np.testing.assert_allclose(picture[9:, 27:35], redrawn[1, 1], atol=1 / 255)
    callback.set_model(compiled("mlp_vae"))
    with pytest.raises(ValueError, match="redraw"):
        callback.on_train_begin()
