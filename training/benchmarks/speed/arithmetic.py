"""How many floating-point operations a step of training takes, counted from the layers' shapes.

A multiplication and an addition are two. Only dense layers, attention and convolutions count: what
is done element by element (activations, normalizations, losses, optimizers) is little of the
arithmetic, though not of the time. Zeros that padding puts around an image count as pixels.

A pass forward over a layer takes as much as the gradients of its weights, and as much again as
the gradients of its inputs. The first layer's inputs have gradients only where they are wanted.
"""

import math


def layers_of(network):
    """Returns the operations of one example's way through each layer that has any, in order."""
    found = (_of_layer(layer) for layer in network.layers)
    return [operations for operations in found if operations]


def passes(network, batch, *, forward=1, weights=0, inputs=0, inner=0):
    """Returns the operations of passes over a network with a batch of examples.

    Args:
        network: a functional model that is a chain of layers at its beginning.
        batch: the number of examples.
        forward: how often they pass forward.
        weights: how often gradients of the weights are computed.
        inputs: how often gradients of the network's inputs are computed.
        inner: how often gradients go back only to the first layer's weights, not to its inputs.
    """
    first, *later = layers_of(network)
    whole, rest = batch * (first + sum(later)), batch * sum(later)
    return (forward + weights + inputs) * whole + inner * rest


def of_vae(encoder, decoder, batch):
    """Returns the operations of a step: both networks learn, the encoder through the decoder."""
    return passes(encoder, batch, weights=1, inner=1) + passes(decoder, batch, weights=1, inputs=1)


def of_flow(network, batch):
    """Returns the operations of a step of flow matching: the network learns, the images do not."""
    return passes(network, batch, weights=1, inner=1)


def of_gan(generator, discriminator, batch, *, shared, penalty=False, critic_steps=1):
    """Returns the operations of a step of the discriminator and its share of one of the generator.

    With a gradient penalty, a pass forward and the gradients of the inputs; of these the
    gradients of the weights go the same way back. (Through the activations nothing goes: they
    are linear in pieces.)

    Args:
        generator: from latents to images.
        discriminator: from images to logits.
        batch: the number of examples.
        shared: whether both players learn from the same pass of the generator.
        penalty: whether there is a gradient penalty.
        critic_steps: steps of the discriminator to one of the generator.
    """
    fakes = passes(generator, batch)
    judged = 2 * passes(discriminator, batch, weights=1, inner=1)
    if penalty:
        judged += passes(discriminator, batch, weights=1, inputs=2)
    learnt = passes(generator, batch, forward=0 if shared else 1, weights=1, inner=1)
    learnt += passes(discriminator, batch, inputs=1)
    return round(fakes + judged + learnt / critic_steps)


def of_translation(generators, discriminators, batch, *, translations, judgements):
    """Returns the operations of a step of a CycleGAN with identity loss.

    Args:
        generators: the two generators.
        discriminators: the two discriminators.
        batch: the number of images of each domain.
        translations: how often each batch is translated: twice where each player has a pass of its
            own, else once.
        judgements: how often each discriminator is run on the fakes: likewise.
    """
    total = 0
    for generator in generators:
        total += passes(generator, batch, forward=translations, weights=1, inner=1)
        total += passes(generator, batch, weights=1, inputs=1)  # the way back
        total += passes(generator, batch, weights=1, inner=1)  # the identity
    for discriminator in discriminators:
        total += passes(discriminator, batch, weights=1, inner=1)  # real images
        total += passes(discriminator, batch, forward=judgements, weights=1, inner=1, inputs=1)
    return total


def _of_layer(layer):
    import keras

    if isinstance(layer, keras.layers.Dense):
        return 2 * math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.MultiHeadAttention):
        return _of_attention(layer)
    # A transposed convolution multiplies its kernel with every pixel that it takes, a convolution
    # with every pixel that it makes.
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return 2 * math.prod(layer.kernel.shape) * math.prod(layer.input.shape[1:3])
    if isinstance(layer, keras.layers.Conv2D):
        return 2 * math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
    return 0


def _of_attention(layer):
    """Counts what places are told and asked, and the products of all pairs of them, twice."""
    places, channels = layer.output.shape[1:]
    kernels = sum(math.prod(each.shape) for each in layer.weights if each.name == "kernel")
    return 2 * places * kernels + 2 * 2 * places**2 * channels
