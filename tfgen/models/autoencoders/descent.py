"""Ways down through a hierarchy of latents: the same networks, and another choice of latents."""

import tensorflow as tf

from tfgen.models.fits import as_list
from tfgen.objectives.bounds.hierarchy import Layer, log_density


def runner(model, training=False, use_ema=True):
    """Returns a function that calls a network of a model with inputs.

    Args:
        model: a `tfgen.HierarchicalVAE`.
        training: whether layers behave as in training; then the last weights are used.
        use_ema: whether to use the average of the weights, if there is one.
    """
    if training:
        return lambda network, inputs: network(inputs, training=True)
    return lambda network, inputs: model.averages.run(network, inputs, use_ema)


def fixed_runner(model, training, use_ema):
    """Returns such a function, through which gradients flow to the inputs and to no weights."""
    if use_ema and len(model.averages):
        return runner(model, training, use_ema)  # of averages, which no gradient reaches

    def run(network, inputs):
        weights = [tf.stop_gradient(each.value) for each in network.trainable_variables]
        state = [tf.convert_to_tensor(each.value) for each in network.non_trainable_variables]
        outputs, _ = network.stateless_call(weights, state, inputs, training=training)
        return outputs

    return run


def recording(run):
    """Returns such a function that notes the inputs, and the dict from networks' ids to them."""
    taken = {}

    def record(network, inputs):
        taken[id(network)] = inputs
        return run(network, inputs)

    return record, taken


def descend(model, run, choose):
    """Goes from the top layer to the bottom, and returns the last state.

        h_1 = merge_1(z_1),   h_i = merge_i(z_i, h_{i-1})

    Args:
        model: a `tfgen.HierarchicalVAE`.
        run: a function that calls a network with inputs.
        choose: a function from the number of a layer, the state from above (`None` at the top),
            and the location and the scale of the layer's prior to its latents `[rows, size]`.
    """
    state = None
    for index, merge in enumerate(model.merges):
        latents = choose(index, state, prior_of(model, run, index, state))
        shaped = tf.reshape(latents, [-1, *model.latent_shapes[index]])
        state = run(merge, inputs_of(merge, shaped, state))
    return state


def prior_of(model, run, index, state):
    """Returns the location and the scale of `p(z_i | z_<i)`; of the top, a standard normal's."""
    if state is None:
        return tf.zeros([1, model.sizes[0]]), tf.ones([1, model.sizes[0]])
    return moments(model, run(model.priors[index - 1], state))


def posterior_of(model, run, index, features, state, prior):
    """Returns the location and the scale of `q(z_i | z_<i, x)`; at the top, what is proposed."""
    network = model.posteriors[index]
    proposed = moments(model, run(network, inputs_of(network, features[index], state)))
    return proposed if state is None else model.inference.combine(proposed, prior)


def inputs_of(network, own, state):
    """Returns what a network takes: what is its layer's own, or that and the state from above."""
    return [own, state] if len(network.inputs) == 2 else own


def moments(model, outputs):
    """Returns the location and the scale, `[rows, size]`, that a network's outputs stand for."""
    flat = [tf.reshape(each, [-1, each.shape[1:].num_elements()]) for each in as_list(outputs)]
    normal = model.normal.distribution(*flat)
    return normal.mean(), normal.stddev()


def infer(model, run, features, noises):
    """Goes down with latents of the posterior, `z_i = mu_q + sigma_q noise_i`.

    Returns:
        The last state, and a list of `Layer`s.
    """
    layers = []

    def choose(index, state, prior):
        location, scale = posterior_of(model, run, index, features, state, prior)
        latents = location + scale * noises[index]
        layers.append(Layer(latents, (location, scale), prior))
        return latents

    return descend(model, run, choose), layers


def generate(model, run, noises):
    """Goes down with latents of the prior, `z_i = mu_p + sigma_p noise_i`; returns the state."""
    return descend(model, run, lambda index, _, prior: prior[0] + prior[1] * noises[index])


def log_prior(model, run, latents):
    """Returns the last state for given latents, and `log p(z)`, `[rows]`."""
    found = []

    def choose(index, _, prior):
        found.append(log_density(prior, latents[index]))
        return latents[index]

    return descend(model, run, choose), tf.add_n(found)


def log_posterior(model, run, features, latents):
    """Returns `log q(z|x)`, `[rows]`, for given latents."""
    found = []

    def choose(index, state, prior):
        normal = posterior_of(model, run, index, features, state, prior)
        found.append(log_density(normal, latents[index]))
        return latents[index]

    descend(model, run, choose)
    return tf.add_n(found)


def to_noise(layers):
    """Returns the noise from which the prior makes a list of `Layer`s, `[rows, total]`."""
    return tf.concat([(each.latents - each.prior[0]) / each.prior[1] for each in layers], axis=-1)


class NoisePosterior:
    """`q` of the noise that `generate` takes, given examples: what a sampler draws from.

    Args:
        model: a `tfgen.HierarchicalVAE`.
        features: what its layers take of the examples.
    """

    def __init__(self, model, features):
        self._model, self._features, self._run = model, features, runner(model)

    def sample(self, seed):
        """Returns noise for each example, `[batch, total]`, by a seed, int32 `[2]`."""
        shape = [tf.shape(self._features[0])[0], self._model.prior.size]
        drawn = tf.random.stateless_normal(shape, seed)
        noises = tf.split(drawn, self._model.sizes, axis=-1)
        return to_noise(infer(self._model, self._run, self._features, noises)[1])

    def log_prob(self, noise):
        """Returns the logarithm of the density, `[batch]`: `q(z|x)` times `|dz / d noise|`."""
        noises, found = tf.split(noise, self._model.sizes, axis=-1), []

        def choose(index, state, prior):
            given = index, self._features, state, prior
            latents = prior[0] + prior[1] * noises[index]
            density = log_density(posterior_of(self._model, self._run, *given), latents)
            found.append(density + tf.reduce_sum(tf.math.log(prior[1]), axis=-1))
            return latents

        descend(self._model, self._run, choose)
        return tf.add_n(found)
