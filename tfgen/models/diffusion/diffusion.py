"""Diffusion and flow matching: one model, whose path, prediction and solver are values."""

from tfgen.engine import signatures
from tfgen.engine.serialization import serializable
from tfgen.models.diffusion.denoising_model import DenoisingModel
from tfgen.models.diffusion.editing import Imputations
from tfgen.models.diffusion.told_likelihood import ToldLikelihood


@serializable
class Diffusion(ToldLikelihood, Imputations, DenoisingModel):
    """A network that takes noise away, and so makes examples of noise in many steps.

        loss = E |y - f(x_t, t)|^2,   x_t = a(t) x + s(t) e,   y = c_x x + c_e e

    With `Linear()` and `Velocity()` it is flow matching (Lipman et al., 2023, equation 23); with
    `VariancePreserving()` and `Epsilon()` DDPM (Ho et al., 2020, equation 14 and algorithm 1); with
    `EDM()` and `Preconditioned(...)` EDM (Karras et al., 2022). Images in [0, 1] are learnt as
    values in [-1, 1], and samples are cut to [0, 1]; vectors are learnt as they are.

    Args:
        network: a built Keras model from `[noisy examples, levels]`, `[batch, ...]` and `[batch]`,
            to a prediction shaped as the examples. See `tfgen.networks.diffusion_unet`.
        noise_path: a `tfgen.noise_paths.NoisePath`; the default is `Linear()`.
        prediction: a `tfgen.predictions.Prediction`, what the network predicts; the default is
            `Velocity()`.
        times: the distribution of times in training, such as `noise_paths.LogitNormal()`; `None`
            for the path's own.
        solver: a `tfgen.solvers.Solver`, how samples are made; the default is `Heun()`.
        steps: how many steps a sample takes if nothing else is said, at least 1.
        **kwargs: `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`. An average
            of weights makes much better samples.

    Raises:
        ValueError: the network takes or outputs something else, `steps` is less than 1, or the
            prediction tells nothing about examples at time 1.
        TypeError: a value is of another kind, such as no path.

    Example:
        >>> flow = tfgen.Diffusion(tfgen.networks.diffusion_unet((28, 28, 1)), ema_momentum=0.999)
        >>> flow.compile("adam")
        >>> flow.fit(images, epochs=10)
        >>> flow.sample(16, seed=0, steps=8).shape
        TensorShape([16, 28, 28, 1])
    """

    @property
    def abilities(self):
        told = {"log_likelihood", "bound"} if self.is_of_images else {"log_likelihood"}
        return super().abilities | told

    def signatures(self):
        images = signatures.images(self.example_shape)
        told = {"score": (self.score, [images])} if self.is_of_images else {}
        return {**super().signatures(), **told}
