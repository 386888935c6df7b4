"""The network Q of an InfoGAN, of its own or a part of the discriminator."""

import keras


def separate(discriminator, recognition):
    """Returns D and Q as models of their own, which share what layers they share."""
    if recognition is None:
        if len(discriminator.outputs) < 2:
            raise ValueError(
                "With recognition=None the discriminator must have an output for each code beside "
                f"the logits. Received: one with {len(discriminator.outputs)} output."
            )
        inputs, (logits, *codes) = discriminator.inputs, discriminator.outputs
        return keras.Model(inputs, logits), keras.Model(inputs, codes)
    if len(discriminator.outputs) > 1:
        raise ValueError(
            "Beside a recognition network the discriminator must output logits alone. Received: "
            f"one with {len(discriminator.outputs)} outputs. If the others are the codes', pass "
            "recognition=None."
        )
    own = {id(variable) for variable in discriminator.variables}
    shared = [variable.path for variable in recognition.variables if id(variable) in own]
    if shared:
        raise ValueError(
            "A recognition network that shares weights with the discriminator would share them no "
            "more after loading. Build one model with the outputs [logits, *codes], and pass it as "
            f"the discriminator with recognition=None. Received: both have {', '.join(shared)}."
        )
    return discriminator, recognition


def check_recognizer(recognizer, codes):
    """Raises a ValueError unless Q has an output for each code, of its size."""
    sizes = [output.shape[-1] for output in recognizer.outputs]
    wanted = [code.outputs for code in codes]
    if sizes != wanted:
        raise ValueError(
            f"The recognition network must have an output for each code, of sizes {wanted}. "
            f"Received: outputs of sizes {sizes}."
        )


def check_augmentations(augmentations, codes):
    """Raises an error unless there is an augmentation or `None` for each code, or none at all.

    Raises:
        ValueError: there are not as many.
        TypeError: they are no list.
    """
    if augmentations is None:
        return
    if not isinstance(augmentations, (list, tuple)):
        raise TypeError(
            "`code_augmentations` must be a list, an augmentation or None for each code. "
            f"Received: {augmentations!r}."
        )
    if len(augmentations) != len(codes):
        raise ValueError(
            f"There must be an augmentation or None for each of the {len(codes)} codes. "
            f"Received: {len(augmentations)}."
        )
