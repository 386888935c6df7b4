"""Training as one writes it with PyTorch: eager, one function that takes a step on a batch.

Losses are computed outside of `autocast`, in float32; gradients are asked for the weights that
move, and for no others.
"""

import itertools

import torch
import torch.nn.functional as F


class Stepper:
    """What all have: networks, and the precision in which they run.

    Args:
        networks: a list of modules.
        optimizer: a dict of Keras' names: `learning_rate`, `beta_1`, `beta_2`.
        half: whether to run the networks in bfloat16.
    """

    def __init__(self, networks, optimizer, half=False):
        self.networks = networks
        self.half = half
        self.options = {
            "lr": optimizer["learning_rate"],
            "betas": (optimizer.get("beta_1", 0.9), optimizer.get("beta_2", 0.999)),
            "eps": 1e-7,  # Keras' own
        }

    def descender(self, *networks):
        """Returns a function of a loss that moves all weights of these networks."""
        weights = [weight for network in networks for weight in network.parameters()]
        optimizer = torch.optim.Adam(weights, fused=True, **self.options)

        def descend(loss):
            optimizer.zero_grad()
            loss.backward(inputs=weights)
            optimizer.step()

        return descend

    def run(self, network, *inputs):
        """Calls a network; returns its output, or outputs, in float32."""
        with torch.autocast(inputs[0].device.type, torch.bfloat16, enabled=self.half):
            outputs = network(*inputs)
        if isinstance(outputs, list):
            return [output.float() for output in outputs]
        return outputs.float()


class VAEStepper(Stepper):
    """Normal posterior with softplus scale, Bernoulli pixels."""

    def __init__(self, networks, optimizer, half=False, binarized=False):
        super().__init__(networks, optimizer, half)
        self.binarized = binarized
        self.descend = self.descender(*networks)

    def __call__(self, images):
        encoder, decoder = self.networks
        if self.binarized:
            images = torch.bernoulli(images)
        location, scale = self.run(encoder, images)
        scale = F.softplus(scale)
        logits = self.run(decoder, location + scale * torch.randn_like(scale))
        entropy = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
        divergence = 0.5 * (location**2 + scale**2 - 2 * torch.log(scale) - 1).sum()
        self.descend((entropy + divergence) / len(images))

    def sample(self, count):
        """Returns new images."""
        decoder = self.networks[1]
        latents = next(decoder.parameters()).shape[1]
        return torch.sigmoid(self.run(decoder, torch.randn(count, latents)))


class GANStepper(Stepper):
    """A GAN of cross-entropy.

    Args:
        networks: the generator and the discriminator.
        optimizer: see `Stepper`.
        half: see `Stepper`.
        shared: whether both players learn from one pass of the generator.
        together: whether the discriminator judges real and fake images in one batch.
        critic_steps: steps of the discriminator to one of the generator.
    """

    def __init__(
        self, networks, optimizer, half=False, shared=False, together=False, critic_steps=1
    ):
        super().__init__(networks, optimizer, half)
        self.shared = shared
        self.together = together
        self.critic_steps = critic_steps
        self.steps = 0
        self.generator, self.discriminator = networks
        self.latent_dim = next(self.generator.parameters()).shape[1]
        self.descend_generator = self.descender(self.generator)
        self.descend_discriminator = self.descender(self.discriminator)

    def __call__(self, images):
        self.steps += 1
        moves = self.steps % self.critic_steps == 0
        with torch.set_grad_enabled(moves and self.shared):
            fakes = self.sample(len(images))
        self.descend_discriminator(self.discriminator_loss(images, fakes.detach()))
        if moves:
            fakes = fakes if self.shared else self.sample(len(images))
            self.descend_generator(self.generator_loss(self.logits(fakes)))

    def sample(self, count):
        """Returns new images."""
        return self.run(self.generator, torch.randn(count, self.latent_dim))

    def logits(self, images):
        """Returns logits."""
        return self.run(self.discriminator, images)

    def discriminator_loss(self, images, fakes):
        if self.together:
            real, fake = self.logits(torch.cat([images, fakes])).chunk(2)
        else:
            real, fake = self.logits(images), self.logits(fakes)
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator_loss(self, logits):
        return F.softplus(-logits).mean()


class WGANGPStepper(GANStepper):
    """A Wasserstein GAN with gradient penalty of weight 10."""

    def discriminator_loss(self, images, fakes):
        share = torch.rand(len(images), 1, 1, 1)
        between = (share * images + (1 - share) * fakes).requires_grad_()
        (gradients,) = torch.autograd.grad(self.logits(between).sum(), between, create_graph=True)
        norms = (gradients.float().square().sum(dim=(1, 2, 3)) + 1e-12).sqrt()
        estimate = self.logits(fakes).mean() - self.logits(images).mean()
        return estimate + 10.0 * (norms - 1).square().mean()

    def generator_loss(self, logits):
        return -logits.mean()


class TranslationStepper(Stepper):
    """CycleGAN with identity loss and without a pool: one translation of a batch for all losses."""

    def __init__(self, networks, optimizer, half=False):
        super().__init__(networks, optimizer, half)
        self.descend_generators = self.descender(*networks[:2])
        self.descend_discriminators = self.descender(*networks[2:])

    def __call__(self, images_a, images_b):
        to_b, to_a, judge_a, judge_b = self.networks
        fakes_b, fakes_a = self.run(to_b, images_a), self.run(to_a, images_b)
        real = self.square(judge_a, images_a, 1.0) + self.square(judge_b, images_b, 1.0)
        fake = self.square(judge_a, fakes_a.detach(), 0) + self.square(judge_b, fakes_b.detach(), 0)
        self.descend_discriminators(real + fake)
        adversarial = self.square(judge_a, fakes_a, 1.0) + self.square(judge_b, fakes_b, 1.0)
        cycle = F.l1_loss(self.run(to_a, fakes_b), images_a)
        cycle = cycle + F.l1_loss(self.run(to_b, fakes_a), images_b)
        identity = F.l1_loss(self.run(to_a, images_a), images_a)
        identity = identity + F.l1_loss(self.run(to_b, images_b), images_b)
        self.descend_generators(adversarial + 10.0 * cycle + 5.0 * identity)

    def square(self, discriminator, images, target):
        """Returns half of the mean square of how far logits are from a target."""
        return 0.5 * (self.run(discriminator, images) - target).square().mean()

    def sample(self, count):
        """Returns translated images."""
        inputs = torch.rand(count, 64, 64, 3).permute(0, 3, 1, 2)
        return self.run(self.networks[0], inputs)


class FlowStepper(Stepper):
    """Flow matching of images, sampled by Heun's method."""

    def __init__(self, networks, optimizer, half=False):
        super().__init__(networks, optimizer, half)
        self.descend = self.descender(*networks)

    def __call__(self, images):
        examples = 2.0 * images - 1.0
        noises = torch.randn_like(examples)
        times = torch.rand(len(examples), 1, 1, 1)
        noisy = (1.0 - times) * examples + times * noises
        predicted = self.run(self.networks[0], noisy, times.flatten())
        self.descend((predicted - (noises - examples)).square().mean())

    def sample(self, count, steps):
        """Returns new images, with two looks of the network in each step but the last."""
        state = torch.randn(count, *self.networks[0].shape)
        state = state.contiguous(memory_format=torch.channels_last)
        for time, following in itertools.pairwise(torch.linspace(1, 0, steps + 1).tolist()):
            length = following - time
            slope = self.velocity(state, time)
            if following > 0:
                slope = 0.5 * (slope + self.velocity(state + length * slope, following))
            state = state + length * slope
        return (0.5 * state + 0.5).clamp(0, 1)

    def velocity(self, state, time):
        """Returns where the images are going, all of them at this time."""
        return self.run(self.networks[0], state, torch.full([len(state)], time))
