"""Each paper's name: the model, its values and its optimizers are what the paper says."""

import inspect

import keras
import numpy as np
import pytest
from keras import layers

import tfgen
from tfgen import distributions, noise_paths, predictions, solvers, zoo
from tfgen.distributions.codes import Categorical
from tfgen.objectives.bounds import ELBO
from tfgen.objectives.games import (
    FDivergence,
    Hinge,
    LeastSquares,
    MaximumLikelihood,
    Minimax,
    NonSaturating,
    RelativisticAverage,
    Wasserstein,
)
from tfgen.objectives.penalties import (
    Dragan,
    FisherConstraint,
    GradientPenalty,
    RealGradient,
    WeightClipping,
)
from tfgen.objectives.schedules import ConstantThenLinear

DCGAN_ADAM = {"learning_rate": (2e-4, 2e-4), "beta_1": 0.5, "beta_2": 0.999}
PLAIN = {"penalties": [], "critic_steps": 1, "constraint": None}
LECTURE = {**PLAIN, "game": NonSaturating(), "fresh_fakes": False}
LECTURE_ADAM = {"learning_rate": (1e-3, 1e-3), "beta_1": 0.9, "beta_2": 0.999}
# name: class, values, optimizers (the generator's rate first).
PAPERS = {
    "vae": (
        tfgen.VAE,
        {
            "posterior": distributions.DiagonalNormal(),
            "likelihood": distributions.Bernoulli(),
            "bound": ELBO(1.0),
        },
        {"learning_rate": (1e-3,), "beta_1": 0.9, "beta_2": 0.999},
    ),
    "s_vae": (tfgen.VAE, {"posterior": distributions.VonMisesFisher()}, {"learning_rate": (1e-3,)}),
    "beta_vae": (tfgen.VAE, {"bound": ELBO(4.0)}, {"learning_rate": (1e-3,), "beta_1": 0.9}),
    "flow_matching": (
        tfgen.Diffusion,
        {
            "noise_path": noise_paths.Linear(),
            "prediction": predictions.Velocity(),
            "solver": solvers.Heun(),
        },
        {"learning_rate": (2e-4,)},
    ),
    "ddpm": (
        tfgen.Diffusion,
        {
            "noise_path": noise_paths.VariancePreserving(0.1, 20.0),
            "prediction": predictions.Epsilon(),
            "solver": solvers.DDIM(1.0),
            "steps": 1000,
        },
        {"learning_rate": (2e-4,), "beta_1": 0.9, "beta_2": 0.999},
    ),
    "cosine_v": (
        tfgen.Diffusion,
        {
            "noise_path": noise_paths.Cosine(0.008),
            "prediction": predictions.V(),
            "solver": solvers.DDIM(),
        },
        {"learning_rate": (2e-4,)},
    ),
    "edm": (
        tfgen.Diffusion,
        {
            "noise_path": noise_paths.EDM(0.002, 80.0, mean=-1.2, deviation=1.2),
            "prediction": predictions.Preconditioned(0.5),
            "solver": solvers.Heun(),
            "steps": 18,
        },
        {"learning_rate": (2e-4,)},
    ),
    "ladder_vae": (
        tfgen.HierarchicalVAE,
        {
            "inference": distributions.PrecisionWeighted(),
            "normal": distributions.DiagonalNormal(),
            "likelihood": distributions.Bernoulli(),
            "bound": ELBO(),
        },
        {"learning_rate": (1e-3,), "global_clipnorm": None},
    ),
    "top_down_vae": (
        tfgen.HierarchicalVAE,
        {
            "inference": distributions.Proposed(),
            "normal": distributions.LogVarianceNormal(),
            "likelihood": distributions.Bernoulli(),
            "bound": ELBO(),
        },
        {"learning_rate": (1e-3,), "global_clipnorm": 200.0},
    ),
    "minimax_gan": (tfgen.GAN, {**PLAIN, "game": Minimax()}, DCGAN_ADAM),
    "ns_gan": (tfgen.GAN, {**PLAIN, "game": NonSaturating()}, DCGAN_ADAM),
    "ml_gan": (tfgen.GAN, {**PLAIN, "game": MaximumLikelihood()}, DCGAN_ADAM),
    "lsgan": (
        tfgen.GAN,
        {**PLAIN, "game": LeastSquares()},
        {**DCGAN_ADAM, "learning_rate": (1e-3, 1e-3)},
    ),
    "hinge_gan": (tfgen.GAN, {**PLAIN, "game": Hinge()}, DCGAN_ADAM),
    "f_gan": (tfgen.GAN, {**PLAIN, "game": FDivergence()}, DCGAN_ADAM),
    "relativistic_gan": (tfgen.GAN, {**PLAIN, "game": RelativisticAverage()}, DCGAN_ADAM),
    "fisher_gan": (
        tfgen.GAN,
        {**PLAIN, "game": Wasserstein(), "constraint": FisherConstraint(1e-6)},
        DCGAN_ADAM,
    ),
    "r1_gan": (
        tfgen.GAN,
        {**PLAIN, "game": NonSaturating(), "penalties": [RealGradient(10.0)]},
        DCGAN_ADAM,
    ),
    "wgan": (
        tfgen.GAN,
        {
            "game": Wasserstein(),
            "penalties": [],
            "critic_steps": 5,
            "constraint": WeightClipping(0.01),
        },
        {"learning_rate": (5e-5, 5e-5), "momentum": 0.0},
    ),
    "wgan_gp": (
        tfgen.GAN,
        {
            "game": Wasserstein(),
            "penalties": [GradientPenalty(10.0)],
            "critic_steps": 5,
            "constraint": None,
        },
        {"learning_rate": (1e-4, 1e-4), "beta_1": 0.0, "beta_2": 0.9},
    ),
    "dragan": (
        tfgen.GAN,
        {**PLAIN, "game": NonSaturating(), "penalties": [Dragan(10.0)]},
        {"learning_rate": (1e-4, 1e-4), "beta_1": 0.5, "beta_2": 0.9},
    ),
    "began": (
        tfgen.BEGAN,
        {"diversity": 0.5, "control_rate": 1e-3, "critic_steps": 1, "constraint": None},
        {"learning_rate": (1e-4, 1e-4), "beta_1": 0.9, "beta_2": 0.999},
    ),
    "cgan": (
        tfgen.ConditionalGAN,
        {**PLAIN, "game": NonSaturating(), "num_classes": None},
        DCGAN_ADAM,
    ),
    "acgan": (
        tfgen.AuxiliaryClassifierGAN,
        {**PLAIN, "game": NonSaturating(), "num_classes": 4, "class_weight": 1.0},
        DCGAN_ADAM,
    ),
    "infogan": (
        tfgen.InfoGAN,
        {**PLAIN, "game": NonSaturating(), "information_weight": 1.0},
        {**DCGAN_ADAM, "learning_rate": (1e-3, 2e-4)},
    ),
    "dcgan": (tfgen.GAN, {**PLAIN, "game": NonSaturating()}, DCGAN_ADAM),
    "cyclegan": (
        tfgen.CycleGAN,
        {
            "game": LeastSquares(),
            "cycle_weight": 10.0,
            "cycle_loss": "mean_absolute_error",
            "identity_weight": 0.0,
            "pool_size": 50,
            "critic_steps": 1,
        },
        DCGAN_ADAM,
    ),
    "vae_lecture": (
        tfgen.VAE,
        {
            "posterior": distributions.DiagonalNormal(),
            "likelihood": distributions.Gaussian(scale=0.5**0.5),
            "bound": ELBO(1.0),
        },
        {"learning_rate": (1e-3,), "beta_1": 0.9},
    ),
    "gan_lecture": (tfgen.GAN, LECTURE, LECTURE_ADAM),
    "cgan_lecture": (tfgen.ConditionalGAN, {**LECTURE, "num_classes": None}, LECTURE_ADAM),
    "infogan_lecture": (
        tfgen.InfoGAN,
        {**LECTURE, "information_weight": 1.0, "codes": [Categorical(2)]},
        {**LECTURE_ADAM, "learning_rate": (1e-3, 1e-3, 1e-4)},
    ),
    "cyclegan_lecture": (
        tfgen.CycleGAN,
        {
            "game": NonSaturating(),
            "cycle_weight": 10.0,
            "cycle_loss": "mean_absolute_error",
            "identity_weight": 0.0,
            "pool_size": 0,
        },
        DCGAN_ADAM,
    ),
}


def dense(size, outputs):
    inputs = keras.Input((size,))
    return keras.Model(inputs, layers.Dense(outputs)(inputs))


def conditioned(first, second, outputs):
    inputs = [keras.Input((first,)), keras.Input((second,))]
    return keras.Model(inputs, layers.Dense(outputs)(layers.Concatenate()(inputs)))


def arguments(name):
    """Returns tiny networks, and what else a function of the zoo must be given."""
    prior = distributions.Uniform(2)
    name = name.removesuffix("_lecture")
    if name in ("ladder_vae", "top_down_vae"):
        return [tfgen.networks.ladder_networks((3,), (1, 2), (4, 4), depth=1, normalization=None)]
    if name == "cyclegan":
        images = keras.Input((4, 4, 1))
        return [keras.Model(images, layers.Conv2D(1, 1)(images)) for _ in ("AB", "BA", "A", "B")]
    if name in ("vae", "beta_vae"):
        inputs = keras.Input((3,))
        encoder = keras.Model(inputs, [layers.Dense(2)(inputs), layers.Dense(2)(inputs)])
        return [encoder, dense(2, 3), distributions.StandardNormal(2)]
    if name in ("flow_matching", "ddpm", "cosine_v", "edm"):
        return [tfgen.networks.diffusion_mlp(3, (4,))]
    if name == "s_vae":
        inputs = keras.Input((3,))
        encoder = keras.Model(inputs, [layers.Dense(2)(inputs), layers.Dense(1)(inputs)])
        return [encoder, dense(2, 3), distributions.UniformOnSphere(2)]
    inputs = keras.Input((3,))
    judge = keras.Model(inputs, [layers.Dense(1)(inputs), layers.Dense(4)(inputs)])
    return {
        "began": [dense(2, 3), dense(3, 3), prior],
        "cgan": [conditioned(2, 4, 3), conditioned(3, 4, 1), prior],
        "acgan": [conditioned(2, 4, 3), judge, prior, 4],
        "infogan": [dense(4, 3), dense(3, 1), dense(3, 2), prior, [Categorical(2)]],
    }.get(name, [dense(2, 3), dense(3, 1), prior])


def test_the_table_is_the_zoo():
    public = {
        name
        for name, function in inspect.getmembers(zoo, inspect.isfunction)
        if not name.startswith("_")
    }
    assert public == set(PAPERS)


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_is_put_together_and_compiled_as_it_says(name):
    kind, values, settings = PAPERS[name]
    model = getattr(zoo, name)(*arguments(name), ema_momentum=0.9, seed=7)
    assert type(model) is kind
    assert {value: getattr(model, value) for value in values} == values
    assert (model.ema_momentum, model.seed) == (0.9, 7)
    kind = keras.optimizers.RMSprop if name == "wgan" else keras.optimizers.Adam
    rates = settings["learning_rate"]
    for optimizer, rate in zip(model.optimizers, rates, strict=True):
        assert type(optimizer) is kind
        found = optimizer.get_config()
        for setting, value in {**settings, "learning_rate": rate}.items():
            assert found[setting] == pytest.approx(value), setting


@pytest.mark.parametrize("name", PAPERS)
def test_other_optimizers_take_the_place_of_the_papers(name):
    count = len(PAPERS[name][2]["learning_rate"])
    given = [keras.optimizers.SGD(0.1 * (1 + index)) for index in range(count)]
    assert getattr(zoo, name)(*arguments(name), optimizers=given).optimizers == given


def test_papers_numbers_can_be_changed():
    assert zoo.beta_vae(*arguments("vae"), beta=2.0).bound == ELBO(2.0)
    assert zoo.ladder_vae(*arguments("ladder_vae"), warm_up=3).bound == ELBO(warm_up=3)
    assert zoo.top_down_vae(*arguments("top_down_vae"), warm_up=3).bound == ELBO(warm_up=3)
    edm = zoo.edm(*arguments("edm"), data_deviation=0.7, steps=5)
    assert (edm.prediction, edm.steps) == (predictions.Preconditioned(0.7), 5)
    assert zoo.r1_gan(*arguments("r1_gan"), weight=3.0).penalties == [RealGradient(3.0)]
    wgan = zoo.wgan(*arguments("wgan"), critic_steps=2, limit=0.5)
    assert (wgan.critic_steps, wgan.constraint) == (2, WeightClipping(0.5))
    wgan_gp = zoo.wgan_gp(*arguments("wgan_gp"), critic_steps=1, weight=3.0)
    assert (wgan_gp.critic_steps, wgan_gp.penalties) == (1, [GradientPenalty(3.0)])
    assert zoo.dragan(*arguments("dragan"), weight=3.0).penalties == [Dragan(3.0)]
    assert zoo.began(*arguments("began"), diversity=0.7).diversity == 0.7
    assert zoo.cgan(*arguments("cgan"), num_classes=4).num_classes == 4
    assert zoo.cgan(*arguments("cgan"), game=Minimax()).game == Minimax()
    infogan = zoo.infogan(*arguments("infogan"), information_weight=0.1)
    assert infogan.information_weight == 0.1
    assert zoo.cyclegan(*arguments("cyclegan"), identity_weight=0.5).identity_weight == 0.5


def test_the_players_of_the_zoo_are_where_they_belong():
    generator, discriminator, recognition, prior, codes = arguments("infogan")
    gan = zoo.infogan(generator, discriminator, recognition, prior, codes)
    assert gan.generator is generator and gan.discriminator is discriminator
    assert gan.recognition is recognition and gan.prior == prior and gan.codes == codes
    networks = arguments("cyclegan")
    model = zoo.cyclegan(*networks)
    for network, name in zip(
        networks,
        ("generator_ab", "generator_ba", "discriminator_a", "discriminator_b"),
        strict=True,
    ):
        assert getattr(model, name) is network


def test_a_cyclegan_of_known_length_slows_down_in_the_second_half():
    model = zoo.cyclegan(*arguments("cyclegan"), steps=100)
    for optimizer in model.optimizers:
        rates = []
        for step in (0, 50, 75, 100):
            optimizer.iterations.assign(step)
            rates.append(float(optimizer.learning_rate))
        np.testing.assert_allclose(rates, [2e-4, 2e-4, 1e-4, 0], rtol=1e-5)
        assert optimizer.beta_1 == 0.5


def test_a_rate_is_constant_and_then_falls_to_nothing():
    rate = ConstantThenLinear(0.5, steps=8)
    found = [float(rate(step)) for step in range(11)]
    expected = [0.5, 0.5, 0.5, 0.5, 0.5, 0.375, 0.25, 0.125, 0, 0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-7)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(rate))
    assert float(copy(6)) == 0.25
    with pytest.raises(ValueError, match="`steps` must be at least 1. Received: steps=0"):
        ConstantThenLinear(0.5, steps=0)
