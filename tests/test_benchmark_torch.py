"""PyTorch's ways of the benchmark: the same networks, the same losses."""

import keras
import numpy as np
import pytest

from tfgen import games
from training.benchmarks.speed.networks import example_discriminator, example_generator
from training.benchmarks.speed.workloads import WORKLOADS, pictures

torch = pytest.importorskip("torch", reason="needs tfgen[torch]")

from training.benchmarks.speed import plain_torch, torch_networks  # noqa: E402
from training.benchmarks.speed.torch_way import forever, torch_way  # noqa: E402

ADAM = {"learning_rate": 1e-2}


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_networks_have_as_many_parameters(name):
    workload = WORKLOADS[name]
    ours = [
        sum(weight.shape.num_elements() for weight in network.trainable_weights)
        for network in workload.networks()
    ]
    theirs = getattr(torch_networks, workload.torch_networks)()
    assert [torch_networks.count(network) for network in theirs] == ours


def copied(network, module, flipped=False):
    """Copies a Keras network's weights into a module of the same layers, in order."""
    layers = [each for each in module if list(each.parameters())]
    for layer, other in zip(network.layers_with_weights, layers, strict=True):
        kernel, bias = layer.get_weights()
        axes = {2: (1, 0), 4: (3, 2, 0, 1)}[kernel.ndim]
        # Where PyTorch pads first, TensorFlow pads last: all is mirrored.
        kernel = kernel[::-1, ::-1] if flipped and kernel.ndim == 4 else kernel
        with torch.no_grad():
            other.weight.copy_(torch.from_numpy(kernel.transpose(axes).copy()))
            other.bias.copy_(torch.from_numpy(bias))
    return module


def players(units=8, filters=(4, 6)):
    """Returns the example's networks in Keras and, with the same weights, in PyTorch."""
    ours = example_generator(units), example_discriminator(filters)
    for network in ours:
        network.layers_with_weights = [layer for layer in network.layers if layer.get_weights()]
        for weight in network.trainable_weights:  # biases that are not 0
            weight.assign(weight + keras.random.normal(weight.shape, stddev=0.1, seed=1))
    generator, discriminator = torch_networks.dcgan(units, filters)
    theirs = copied(ours[0], generator), copied(ours[1], discriminator, flipped=True)
    return ours, torch_networks.channels_last(theirs)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def mirrored(images):
    """Returns images for PyTorch's discriminator."""
    return torch.from_numpy(images[:, ::-1, ::-1].copy()).permute(0, 3, 1, 2)


def test_the_example_s_networks_give_the_same_images_and_logits():
    (generator, discriminator), (their_generator, their_discriminator) = players()
    latents, images = numbers(3, 8) - 0.5, numbers(3, 28, 28, 1)
    with torch.no_grad():
        made = their_generator(torch.from_numpy(latents)).permute(0, 2, 3, 1).numpy()
        logits = their_discriminator(mirrored(images)).numpy()
    expected = generator(latents).numpy()
    assert expected.std() > 1e-2
    np.testing.assert_allclose(made, expected, atol=1e-4)
    np.testing.assert_allclose(logits, discriminator(images).numpy(), atol=1e-4)


def in_order_of_creation(network, kind):
    """Returns a Keras network's layers of a kind; names end with how many came before."""
    found = [layer for layer in network.layers if type(layer) is kind]
    return sorted(found, key=lambda layer: int(layer.name.rpartition("_")[2] or 0))


def test_the_u_net_gives_the_same_velocities():
    keras.utils.set_random_seed(0)
    (ours,) = WORKLOADS["flow_unet"].networks()
    for weight in ours.trainable_weights:  # of which some begin as 0
        weight.assign(weight + keras.random.normal(weight.shape, stddev=0.05))
    (theirs,) = torch_networks.flow_unet()
    pairs = {
        keras.layers.Conv2D: (torch.nn.Conv2d, (3, 2, 0, 1)),
        keras.layers.Conv2DTranspose: (torch.nn.ConvTranspose2d, (3, 2, 0, 1)),
        keras.layers.Dense: (torch.nn.Linear, (1, 0)),
        keras.layers.GroupNormalization: (torch.nn.GroupNorm, (0,)),
    }
    with torch.no_grad():
        for kind, (other, axes) in pairs.items():
            # What attention ends with is no layer by itself in Keras.
            modules = [m for m in theirs.modules() if type(m) is other]
            for layer, module in zip(in_order_of_creation(ours, kind), modules, strict=True):
                kernel, bias = layer.get_weights()
                kernel = kernel[::-1, ::-1] if kernel.ndim == 4 else kernel
                module.weight.copy_(torch.from_numpy(kernel.transpose(axes).copy()))
                module.bias.copy_(torch.from_numpy(bias))
        (layer,) = in_order_of_creation(ours, keras.layers.MultiHeadAttention)
        *told, kernel, bias = layer.get_weights()
        attention = theirs.attend.attention
        kernels = [each.reshape(64, 64).T for each in told[::2]]
        attention.in_proj_weight.copy_(torch.from_numpy(np.concatenate(kernels)))
        attention.in_proj_bias.copy_(torch.from_numpy(np.concatenate(told[1::2]).reshape(-1)))
        attention.out_proj.weight.copy_(torch.from_numpy(kernel.reshape(64, 64).T.copy()))
        attention.out_proj.bias.copy_(torch.from_numpy(bias))
        images, levels = numbers(3, 28, 28, 1), numbers(3)
        found = theirs(mirrored(images), torch.from_numpy(levels)).permute(0, 2, 3, 1).numpy()
    expected = ours([images, levels]).numpy()
    assert expected.std() > 0.1
    np.testing.assert_allclose(found[:, ::-1, ::-1], expected, atol=1e-3)


def test_a_flow_takes_steps_and_goes_heun_s_way():
    class Straight(torch.nn.Module):
        """Sees the noise in a point that is always at a half."""

        def __init__(self):
            super().__init__()
            self.shape, self.offset = (1, 2, 2), torch.nn.Parameter(torch.zeros(()))

        def forward(self, noisy, levels):
            return noisy / levels[:, None, None, None] + self.offset

    network = Straight()
    stepper = plain_torch.FlowStepper([network], ADAM)
    for steps in (1, 4):
        with torch.no_grad():
            made = stepper.sample(3, steps)
        np.testing.assert_allclose(made, np.full([3, 1, 2, 2], 0.5), atol=1e-5)
    losses, descend = [], stepper.descend
    stepper.descend = lambda loss: losses.append(loss.item()) or descend(loss)
    stepper(torch.full((4, 1, 2, 2), 0.5))  # which it knows
    assert losses[0] == pytest.approx(0, abs=1e-10)
    stepper(torch.rand(4, 1, 2, 2))
    assert losses[1] > 1e-3 and network.offset.item() != 0


@pytest.mark.parametrize("together", [True, False])
def test_the_losses_are_those_of_the_games(together):
    (_, discriminator), theirs = players()
    stepper = plain_torch.GANStepper(theirs, ADAM, together=together)
    real, fake = numbers(3, 28, 28, 1), numbers(3, 28, 28, 1, seed=1)
    game, logits = games.NonSaturating(), (discriminator(real), discriminator(fake))
    loss = stepper.discriminator_loss(mirrored(real), mirrored(fake))
    assert loss.item() == pytest.approx(float(game.discriminator_loss(*logits)), rel=1e-4)
    loss = stepper.generator_loss(stepper.logits(mirrored(fake)))
    assert loss.item() == pytest.approx(float(game.generator_loss(logits[1])), rel=1e-4)


def test_the_penalty_of_a_linear_critic():
    critic = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 1, bias=False))
    critic[1].weight.data = torch.tensor([[1.0, 2.0, 0.0, 2.0]])  # of norm 3
    stepper = plain_torch.WGANGPStepper([torch.nn.Linear(2, 4), critic], ADAM)
    loss = stepper.discriminator_loss(torch.ones(5, 1, 2, 2), torch.zeros(5, 1, 2, 2))
    assert loss.item() == pytest.approx(-5 + 10 * 4)


@pytest.mark.parametrize(("shared", "passes"), [(False, 2), (True, 1)])
def test_players_move_as_often_as_told(shared, passes, monkeypatch):
    _, networks = players()
    stepper = plain_torch.GANStepper(networks, ADAM, half=True, shared=shared, critic_steps=2)
    images, calls = mirrored(numbers(4, 28, 28, 1)), []
    sample = stepper.sample
    monkeypatch.setattr(stepper, "sample", lambda count: calls.append(count) or sample(count))

    def weights():
        return [[p.detach().clone() for p in each.parameters()] for each in networks]

    def moved(before):
        return [
            [not torch.equal(a, b) for a, b in zip(old, new, strict=True)]
            for old, new in zip(before, weights(), strict=True)
        ]

    before = weights()
    stepper(images)
    generator, discriminator = moved(before)
    assert not any(generator) and all(discriminator) and len(calls) == 1
    stepper(images)
    assert all(moved(before)[0]) and len(calls) == 1 + passes


def test_a_vae_and_a_translator_take_steps():
    vae = torch_networks.conv_vae()
    stepper = plain_torch.VAEStepper(vae, ADAM, half=True)
    images = torch.rand(4, 1, 28, 28)
    with torch.no_grad():  # draws hardly count, nor do the decoder's logits
        vae[0][-1].layers[1].bias.fill_(-12.0)
        vae[1][-1].weight.zero_()
        vae[1][-1].bias.zero_()
    losses, descend = [], stepper.descend
    stepper.descend = lambda loss: losses.append(loss.item()) or descend(loss)
    stepper(images)
    # 784 pixels of even odds, and normals of scale e^-12.
    assert losses[0] == pytest.approx(784 * np.log(2) + 16 * (12 - 0.5), rel=0.01)
    networks = torch_networks.cyclegan(channels=1, filters=2, blocks=1)
    before = [next(network.parameters()).detach().clone() for network in networks]
    plain_torch.TranslationStepper(networks, ADAM)(*torch.rand(2, 1, 1, 16, 16))
    for weights, network in zip(before, networks, strict=True):
        assert not torch.equal(weights, next(network.parameters()))


def test_batches_are_whole_and_shuffled_anew():
    array = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1) * 51
    batches = forever([array, array[:4]], 2)
    drawn = [next(batches) for _ in range(20)]
    assert {batch.shape for pair in drawn for batch in pair} == {torch.Size([2, 1, 1, 1])}
    epochs = [torch.cat([drawn[i][1], drawn[i + 1][1]]).flatten() for i in range(0, 20, 2)]
    for epoch in epochs:
        np.testing.assert_allclose(np.sort(epoch.numpy()), [0, 0.2, 0.4, 0.6], atol=1e-6)
    assert len({tuple(epoch.tolist()) for epoch in epochs}) > 1
    colours = next(forever(pictures(count=1, size=4), 1))[0]
    assert colours.is_contiguous(memory_format=torch.channels_last)


def test_the_tasks_of_the_way():
    tasks = torch_way(WORKLOADS["conv_vae"], half=False, shared=False)
    tasks["train"].run(1)
    tasks["call"].run(1)
    assert (tasks["train"].quantum, tasks["call"].examples) == (1, 64)
    assert {"in 1", "in 8", "in 32"} < set(torch_way(WORKLOADS["flow_unet"], False, False))
