"""The kinds of workloads: how each way of training a kind of model is made."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable

import numpy as np

import tfgen
from training.benchmarks.speed.tasks import IN_STEPS

ADAM = {"learning_rate": 2e-4, "beta_1": 0.5}


def fashion():
    """Returns the embedded images of Fashion-MNIST, uint8, without importing TensorFlow."""
    with np.load(pathlib.Path(tfgen.__file__).parent / "data/embedded/fashion_mnist.npz") as file:
        return (file["x_train"],)


_ONE_PASS = ("keras", "keras_plain", "keras_xla", "tfgen", "tfgen_plain", "torch")


@dataclasses.dataclass(frozen=True)
class Workload:
    """Networks, data and settings, and how each way is made of them.

    Args:
        networks: a function that builds the Keras networks, a tuple. The Keras ways have the same.
        torch_networks: the name of a function of `training.benchmark.torch_networks` that builds
            the same for PyTorch.
        arrays: a function that returns uint8 images, an array for each domain.
        batch_size: examples per step.
        optimizer: the arguments of Adam, of each player.
        settings: arguments of tfgen's `compile`.
        steps_per_execution: of its `compile`, about as a recipe has it; a multiple of `cycle`.
        cycle: steps after which all players have moved.
        exported: whether export and load are measured.
    """

    networks: Callable
    torch_networks: str
    arrays: Callable = fashion
    batch_size: int = 64
    optimizer: dict = dataclasses.field(default_factory=lambda: ADAM)
    settings: dict = dataclasses.field(default_factory=dict)
    steps_per_execution: int = 20
    cycle: int = 1
    exported: bool = False

    ways = (*_ONE_PASS, "tfgen_shared", "torch_shared")
    binarized = False

    def optimizers(self, count):
        """Returns Keras' Adam for each of so many players."""
        import keras

        return [keras.optimizers.Adam(**self.optimizer) for _ in range(count)]

    def sampled(self, networks):
        """Returns the network that makes images."""
        return networks[0]

    def draws(self, model):
        """Returns how tfgen's model makes images: from a task to a function of a count."""
        return {"sample": model.sample}

    def keras_draws(self, networks, model):
        """Returns how plain Keras makes images of latents."""
        import keras

        network = self.sampled(networks)

        def latents(count):
            return keras.random.normal((count, *network.input_shape[1:]))

        return {
            "predict": lambda count: network.predict(latents(count), verbose=0),
            "call": lambda count: network(latents(count), training=False),
        }

    def torch_draws(self, step):
        """Returns how PyTorch makes images."""
        return {"call": step.sample}

    def compiled(self, model, players=2):
        """Compiles a tfgen model."""
        model.compile(
            *self.optimizers(players),
            steps_per_execution=self.steps_per_execution,
            **self.settings,
        )
        return model


class VAEWorkload(Workload):
    """A VAE of binarized or grey pixels."""

    ways = _ONE_PASS

    def sampled(self, networks):
        return networks[1]

    def keras(self, networks):
        """Returns the compiled model of plain Keras."""
        from training.benchmarks.speed.plain_keras import PlainVAE

        model = PlainVAE(*networks, binarized=self.binarized)
        model.compile(*self.optimizers(1))
        return model

    def tfgen(self, networks):
        """Returns the compiled model of tfgen."""
        encoder, decoder = networks
        model = tfgen.VAE(
            encoder,
            decoder,
            tfgen.distributions.StandardNormal(decoder.input_shape[1]),
            tfgen.distributions.DiagonalNormal(),
            tfgen.distributions.Bernoulli(),
        )
        return self.compiled(model, players=1)

    def torch(self, networks, half, shared):
        """Returns the function that takes a step with PyTorch."""
        from training.benchmarks.speed.plain_torch import VAEStepper

        return VAEStepper(networks, self.optimizer, half, self.binarized)

    def operations(self, networks):
        """Returns the operations of a step of each way."""
        from training.benchmarks.speed.arithmetic import of_vae

        return dict.fromkeys(self.ways, of_vae(*networks, self.batch_size))


class BinarizedVAEWorkload(VAEWorkload):
    """A VAE whose pixels are drawn as 0 or 1 at every step."""

    binarized = True


@dataclasses.dataclass(frozen=True)
class GANWorkload(Workload):
    """A GAN of cross-entropy.

    Args:
        together: whether the opponents judge real and fake images in one batch; not with batch
            normalization, where it would be another model.
    """

    together: bool = False

    def keras(self, networks):
        from training.benchmarks.speed.plain_keras import PlainGAN

        model = PlainGAN(*networks, together=self.together)
        model.compile(*self.optimizers(2))
        return model

    def tfgen(self, networks, **options):
        generator, discriminator = networks
        prior = tfgen.distributions.StandardNormal(generator.input_shape[1])
        return self.compiled(tfgen.GAN(generator, discriminator, prior, **options))

    def torch(self, networks, half, shared):
        from training.benchmarks.speed.plain_torch import GANStepper

        return GANStepper(networks, self.optimizer, half, shared, self.together)

    def operations(self, networks, **options):
        from training.benchmarks.speed.arithmetic import of_gan

        fresh, shared = (
            of_gan(*networks, self.batch_size, shared=each, **options) for each in (False, True)
        )
        return {way: shared if way.endswith("_shared") else fresh for way in self.ways}


class WGANGPWorkload(GANWorkload):
    """A Wasserstein GAN with gradient penalty; a step is a step of the critic."""

    def keras(self, networks):
        from training.benchmarks.speed.plain_keras import PlainWGANGP

        model = PlainWGANGP(*networks, critic_steps=self.cycle)
        model.compile(*self.optimizers(2))
        return model

    def tfgen(self, networks, **options):
        generator, critic = networks
        prior = tfgen.distributions.StandardNormal(generator.input_shape[1])
        gan = tfgen.zoo.wgan_gp(generator, critic, prior, self.cycle, **options)
        return self.compiled(gan)

    def torch(self, networks, half, shared):
        from training.benchmarks.speed.plain_torch import WGANGPStepper

        return WGANGPStepper(networks, self.optimizer, half, shared, critic_steps=self.cycle)

    def operations(self, networks):
        return super().operations(networks, penalty=True, critic_steps=self.cycle)


class TranslationWorkload(Workload):
    """A CycleGAN with identity loss, without a pool of past images or averaged weights."""

    ways = _ONE_PASS

    def draws(self, model):
        shape = model.generator_ab.input_shape[1:]

        def translate(count):
            images = np.random.default_rng().random((count, *shape), np.float32)
            return model.translate_a_to_b(images)

        return {"sample": translate}

    def keras(self, networks):
        from training.benchmarks.speed.plain_translation import PlainCycleGAN

        model = PlainCycleGAN(*networks)
        model.compile(*self.optimizers(2))
        return model

    def tfgen(self, networks):
        return self.compiled(tfgen.CycleGAN(*networks, identity_weight=0.5, pool_size=0))

    def torch(self, networks, half, shared):
        from training.benchmarks.speed.plain_torch import TranslationStepper

        return TranslationStepper(networks, self.optimizer, half)

    def operations(self, networks):
        from training.benchmarks.speed.arithmetic import of_translation

        count = functools.partial(of_translation, networks[:2], networks[2:], self.batch_size)
        # Keras' example moves both players by one judgement of the fakes.
        once, again = (count(translations=1, judgements=times) for times in (1, 2))
        return {way: once if way.startswith("keras") else again for way in self.ways}


class FlowWorkload(Workload):
    """Flow matching, whose samples are made in steps."""

    ways = _ONE_PASS

    def draws(self, model):
        return _in_steps(functools.partial(model.sample, jit_compile=True))

    def keras_draws(self, networks, model):
        return _in_steps(model.sample)

    def torch_draws(self, step):
        return _in_steps(step.sample)

    def keras(self, networks):
        from training.benchmarks.speed.plain_keras import PlainFlow

        model = PlainFlow(*networks)
        model.compile(*self.optimizers(1))
        return model

    def tfgen(self, networks):
        return self.compiled(tfgen.Diffusion(*networks), players=1)

    def torch(self, networks, half, shared):
        from training.benchmarks.speed.plain_torch import FlowStepper

        return FlowStepper(networks, self.optimizer, half)

    def operations(self, networks):
        from training.benchmarks.speed.arithmetic import of_flow

        return dict.fromkeys(self.ways, of_flow(*networks, self.batch_size))


def _in_steps(draw):
    """Returns a function for each number of steps, of one that takes it."""
    return {task: functools.partial(draw, steps=steps) for task, steps in IN_STEPS.items()}
