"""Solvers, as values: how a diffusion goes a step from more noise to less."""

import abc
import dataclasses

import tensorflow as tf

from tfgen.engine.serialization import Configured, serializable
from tfgen.utils.arguments import check_number


class Solver(Configured, abc.ABC):
    """A step of the way from noise to examples."""

    @abc.abstractmethod
    def step(self, denoise, path, noisy, time, following, noise_seed):
        """Returns the examples at the following time, `[batch, ...]`.

        Args:
            denoise: a function of noisy examples and a time to the example and the noise in each.
            path: a `tfgen.noise_paths.NoisePath`.
            noisy: float32 `[batch, ...]`, at `time`.
            time: a float32 scalar, above `following`.
            following: a float32 scalar, the next time; 0 in the last step.
            noise_seed: int32 `[2]`, of what a solver draws.
        """

    def without_draws(self):
        """Returns the solver that goes this way and draws nothing; here itself."""
        return self


@serializable
@dataclasses.dataclass(frozen=True)
class DDIM(Solver):
    """Takes the noise away that the network sees, and adds as much as the next time has.

        x_s = a_s x + sqrt(s_s^2 - d^2) e + d z
        d = eta s_s / s_t sqrt(s_t^2 - (a_t / a_s)^2 s_s^2)

    Song et al., 2021, "Denoising diffusion implicit models", equations 12 and 16. With `eta=1` it
    is the ancestral sampler of DDPM (Ho et al., 2020, algorithm 2). With `eta=0` nothing is drawn;
    on straight paths, and on EDM's, that is Euler's method.

    Args:
        eta: the share of the noise that is drawn anew, from 0 to 1.

    Raises:
        ValueError: `eta` is not between 0 and 1.

    Example:
        >>> flow.sample(16, seed=0, steps=50, solver=DDIM())
    """

    eta: float = 0.0

    def __post_init__(self):
        check_number("eta", self.eta, least=0)
        if self.eta > 1:
            raise ValueError(f"`eta` must be from 0 to 1. Received: eta={self.eta}.")

    def without_draws(self):
        return DDIM()

    def step(self, denoise, path, noisy, time, following, noise_seed):
        example, noise = denoise(noisy, time)
        (scale, deviation), (next_scale, next_deviation) = map(path.scales, (time, following))
        if not self.eta:
            return next_scale * example + next_deviation * noise
        added = deviation**2 - (scale / next_scale * next_deviation) ** 2
        drawn = self.eta * next_deviation / deviation * tf.sqrt(tf.maximum(added, 0.0))
        kept = tf.sqrt(tf.maximum(next_deviation**2 - drawn**2, 0.0))
        fresh = tf.random.stateless_normal(tf.shape(noisy), noise_seed)
        return next_scale * example + kept * noise + drawn * fresh


@serializable
@dataclasses.dataclass(frozen=True)
class FreshNoise(Solver):
    """Adds new noise to the example that the network sees: how consistency models take steps.

    Song et al., 2023, algorithm 1. Nothing is kept of the old noise.

    Example:
        >>> model.sample(16, seed=0, steps=2, solver=FreshNoise())
    """

    def without_draws(self):
        return DDIM()

    def step(self, denoise, path, noisy, time, following, noise_seed):
        example, _ = denoise(noisy, time)
        scale, deviation = path.scales(following)
        return scale * example + deviation * tf.random.stateless_normal(tf.shape(noisy), noise_seed)


@serializable
@dataclasses.dataclass(frozen=True)
class Heun(Solver):
    """Heun's method on the probability flow `dx_t/dt = a' x + s' e`, of second order.

    Karras et al., 2022, algorithm 1: the velocity here and the velocity that Euler's step would
    meet are averaged. So a step asks the network twice. The last step is DDIM's: at time 0 there is
    no noise to ask about. On DDPM's paths, where noise begins like the root of time, that step
    makes the order about 1.5.

    Example:
        >>> flow.sample(16, seed=0, steps=8, solver=Heun())
    """

    def step(self, denoise, path, noisy, time, following, noise_seed):
        def velocity(state, at):
            return path.velocity(at, *denoise(state, at))

        def inner():
            here = velocity(noisy, time)
            there = velocity(noisy + (following - time) * here, following)
            return noisy + 0.5 * (following - time) * (here + there)

        def last():
            return DDIM().step(denoise, path, noisy, time, following, noise_seed)

        return tf.cond(following > 0, inner, last)
