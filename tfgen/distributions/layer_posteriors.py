"""How the posterior of a layer of latents is made of what a network proposes and of the prior."""

import abc
import dataclasses

from tfgen.engine.serialization import Configured, serializable


class LayerPosterior(Configured, abc.ABC):
    """How the normal posterior of a layer of latents comes about in a hierarchy.

    Locations and scales are pairs of float32 tensors `[batch, size]` that broadcast.
    """

    @abc.abstractmethod
    def combine(self, proposed, prior):
        """Returns the location and the scale of `q(z_i | z_<i, x)`.

        Args:
            proposed: the location and the scale that the layer's network gives.
            prior: those of `p(z_i | z_<i)`.
        """


@serializable
@dataclasses.dataclass(frozen=True)
class Proposed(LayerPosterior):
    """The posterior is what the network proposes, which should see the state from above.

    The top-down VAE's (Child, 2021, section 3).

    Example:
        >>> Proposed().combine((1.0, 2.0), (0.0, 1.0))
        (1.0, 2.0)
    """

    def combine(self, proposed, prior):
        return proposed


@serializable
@dataclasses.dataclass(frozen=True)
class PrecisionWeighted(LayerPosterior):
    """The product of the proposed normal and the prior, the ladder VAE's.

        sigma_q^2 = 1 / (sigma^-2 + sigma_p^-2),
        mu_q = (mu sigma^-2 + mu_p sigma_p^-2) sigma_q^2

    So each layer adds what an example tells to what the layers above told (Sonderby et al., 2016,
    equations 17 to 19).

    Example:
        >>> PrecisionWeighted().combine((2.0, 1.0), (0.0, 1.0))  # (1, sqrt(1/2))
    """

    def combine(self, proposed, prior):
        (location, scale), (prior_location, prior_scale) = proposed, prior
        precision, prior_precision = scale**-2.0, prior_scale**-2.0
        variance = 1.0 / (precision + prior_precision)
        mean = (location * precision + prior_location * prior_precision) * variance
        return mean, variance**0.5


@serializable
@dataclasses.dataclass(frozen=True)
class Relative(LayerPosterior):
    """The network proposes how far the posterior is from the prior, as in NVAE.

        mu_q = mu_p + mu,   sigma_q = sigma_p sigma

    When the prior moves, the posterior moves along (Vahdat and Kautz, 2020, section 3.2).

    Example:
        >>> Relative().combine((1.0, 0.5), (2.0, 3.0))
        (3.0, 1.5)
    """

    def combine(self, proposed, prior):
        (location, scale), (prior_location, prior_scale) = proposed, prior
        return prior_location + location, prior_scale * scale
