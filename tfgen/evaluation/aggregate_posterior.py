"""The aggregate posterior beside the prior: whether samples begin where training has been."""

import warnings
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from tfgen.engine import noise
from tfgen.engine.abilities import require
from tfgen.evaluation.features import batches_of

_CHUNK = 1000  # latents whose densities are computed at once
_MARGIN = 0.5  # nats to the most information that so many examples tell


class PriorGap(NamedTuple):
    """What the divergence of a VAE consists of (Hoffman and Johnson, 2016, equation 6).

    The mean of `KL(q(z|x) || p(z))` over the examples is the sum of both, in nats. `N` examples
    tell no more information than `log N`. Where it comes near, there is likely more, and the
    divergence is less by as much: it is a bound from above, and depends on `N`.

    Attributes:
        divergence: `KL(q(z) || p(z))`: 0 if the latents of the data together fill the prior.
        information: the mutual information of an example and its latent.
    """

    divergence: float
    information: float


class AggregatePosterior:
    """The latents of all examples together, `q(z) = 1/N sum_n q(z|x_n)`.

    Where the prior has density and this has none, a decoder was never trained: such a *hole* may
    decode to anything.

    Args:
        model: a model that can "bound" and tell the "latent_density", such as a `tfgen.VAE`.
        images: what `Features` takes, the `N` examples.
        batch_size: images at a time.

    Raises:
        ValueError: the model cannot do one of these.

    Example:
        >>> whole = evaluation.AggregatePosterior(vae, test_images[:2000])
        >>> whole.prior_gap()
        PriorGap(divergence=4.1, information=5.2)
        >>> vae.generate(whole.holes(16))
    """

    def __init__(self, model, images, batch_size=500):
        for ability in ("bound", "latent_density"):
            require(model, ability, "An aggregate posterior")
        self._prior = model.prior_distribution()
        self._posteriors = [model.encode(batch) for batch in batches_of(images, batch_size)]
        self._count = sum(int(each.batch_shape[0]) for each in self._posteriors)

    def log_prob(self, latents):
        """Returns `log q(z)`, a float array `[count]`, of latents `[count, ...]`."""
        found = []
        for start in range(0, len(latents), _CHUNK):
            chunk = latents[start : start + _CHUNK, np.newaxis]
            densities = [each.log_prob(chunk).numpy() for each in self._posteriors]
            found.append(logsumexp(np.concatenate(densities, axis=1), axis=1))
        return np.concatenate(found) - np.log(self._count)

    def prior_gap(self, seed=0):
        """Estimates the two parts of the divergence, from one latent of each example.

        Args:
            seed: an integer, of the latents.

        Returns:
            A `PriorGap`. A warning tells that the information is nearly all that so many examples
            can tell.
        """
        latents, own = self._draw(seed)
        whole, prior = self.log_prob(latents), self._prior.log_prob(latents).numpy()
        gap = PriorGap(float(np.mean(whole - prior)), float(np.mean(own - whole)))
        if gap.information > np.log(self._count) - _MARGIN:
            warnings.warn(
                f"{self._count} examples tell at most {np.log(self._count):.1f} nats of "
                f"information, and {gap.information:.1f} were found. There is likely more, so the "
                "divergence is a bound from above. Compare it for equally many examples only.",
                stacklevel=2,
            )
        return gap

    def holes(self, count, candidates=10_000, seed=0):
        """Returns latents of the prior where the aggregate posterior is thinnest beside it.

        Args:
            count: how many.
            candidates: how many are drawn from the prior, of which these are chosen.
            seed: an integer, of the draw.

        Returns:
            A float32 array `[count, ...]`, the deepest hole first.

        Raises:
            ValueError: `count` is less than 1, or there are fewer candidates.
        """
        if not 1 <= count <= candidates:
            raise ValueError(
                f"`count` must be from 1 to the {candidates} candidates. Received: count={count}."
            )
        drawn = self._prior.sample(candidates, seed=noise.seed_from(seed, "holes")).numpy()
        surplus = self.log_prob(drawn) - self._prior.log_prob(drawn).numpy()
        return drawn[np.argsort(surplus)[:count]]

    def _draw(self, seed):
        """Returns a latent of each example, `[N, ...]`, and its density given the example."""
        # Each batch has a seed of its own, lest all draw the same noise.
        seeds = np.random.default_rng(seed).integers(2**63, size=len(self._posteriors))
        drawn = [
            each.sample(seed=noise.seed_from(int(one), "aggregate"))
            for each, one in zip(self._posteriors, seeds, strict=True)
        ]
        own = [each.log_prob(z) for each, z in zip(self._posteriors, drawn, strict=True)]
        return np.concatenate(drawn), np.concatenate(own)
