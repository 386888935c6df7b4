"""Whether the networks of a hierarchy fit each other, layer by layer."""

from tfgen.models.fits import check_outputs


def check_layers(model):
    """Raises a ValueError unless each network takes and gives what its neighbours give and take.

    Args:
        model: a `tfgen.HierarchicalVAE` that has kept its arguments.
    """
    count = len(model.posteriors)
    if not count:
        raise ValueError("A hierarchy needs a layer of latents. Received: posteriors=[].")
    features = [tuple(output.shape) for output in model.bottom_up.outputs]
    expected = {"priors": count - 1, "merges": count, "bottom_up": count}
    found = {"priors": model.priors, "merges": model.merges, "bottom_up": features}
    for name, wanted in expected.items():
        if len(found[name]) != wanted:
            what = "outputs" if name == "bottom_up" else "networks"
            raise ValueError(
                f"With {count} posteriors, one for each layer, `{name}` must have {wanted} {what}"
                f"{' (the top layer has no prior)' if name == 'priors' else ''}. "
                f"Received: {len(found[name])}."
            )
    state = None
    for index, shape in enumerate(model.latent_shapes):
        posterior, merge = model.posteriors[index], model.merges[index]
        _check_inputs(f"posteriors[{index}]", posterior, features[index], state, "features")
        check_outputs(f"network posteriors[{index}]", posterior, model.normal, shape)
        if index:
            prior = model.priors[index - 1]
            _check_taken(f"priors[{index - 1}]", prior, [state])
            check_outputs(f"network priors[{index - 1}]", prior, model.normal, shape)
        _check_inputs(f"merges[{index}]", merge, (None, *shape), state, "latents")
        state = tuple(merge.outputs[0].shape)
    _check_taken("decoder", model.decoder, [state])
    check_outputs("decoder", model.decoder, model.likelihood, model.example_shape)


def _check_inputs(name, network, own, state, what):
    """Checks a network that takes what is its layer's own, or that and the state from above."""
    alone = len(network.inputs) == 1
    if not alone and state is None:
        raise ValueError(
            f"`{name}` must take {what} alone: above the top layer there is no state. "
            f"Received: a network of {len(network.inputs)} inputs."
        )
    _check_taken(name, network, [own] if alone else [own, state])


def _check_taken(name, network, expected):
    found = [tuple(each.shape) for each in network.inputs]
    if found != expected:
        raise ValueError(
            f"`{name}` must take {_shapes(expected)}, which the layers before it give. "
            f"Received: a network of {_shapes(found)}."
        )


def _shapes(shapes):
    return " and ".join(str(list(shape)) for shape in shapes)
