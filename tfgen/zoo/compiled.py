"""Models of papers, compiled with their optimizers."""

import keras


def compiled(model, optimizers, of_the_paper):
    """Compiles a model with the given optimizers, or with those of its paper."""
    model.compile(*(of_the_paper if optimizers is None else optimizers))
    return model


def lecture_adams():
    """Returns the lecture code's Adam for both players."""
    return adams(1e-3, beta_1=0.9)


def adams(rate=2e-4, critic_rate=None, beta_1=0.5, beta_2=0.999):
    """Returns Radford et al.'s Adam, or another, for both players."""
    rates = rate, rate if critic_rate is None else critic_rate
    return [keras.optimizers.Adam(each, beta_1=beta_1, beta_2=beta_2) for each in rates]
