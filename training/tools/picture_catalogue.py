"""The pictures of the documentation: what each shows, of which runs, and what draws it."""

import dataclasses
from collections.abc import Callable

from training.figures.catalogue import FIGURES, LectureFigure
from training.tools import drawings

COLOURS = 64  # of a file of grey images and curves: enough for eyes, and half the size


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture of the documentation.

    Args:
        title: what the gallery calls it.
        page: the name of the model's page, in `docs/models`; `None` for a figure of the lectures.
        shows: what there is to see, a sentence.
        draw: a function of the file to be and of the folders of the runs.
        runs: what `python -m training.train` takes to make each run, if it shows some.
        modules: names of the modules and classes that draw it, beside `draw`.
        colours: how many its file has, at most 256.
    """

    title: str
    page: str | None
    shows: str
    draw: Callable
    runs: tuple = ()
    modules: tuple = ("tfgen.pictures",)
    colours: int = COLOURS


FASHION = "--data tfds:fashion_mnist --mixed-precision bfloat16"
SUMMARY = ("training.runs.summary", "training.runs.plots", "tfgen.pictures")
GALLERY = ("training.tools.gallery", "training.runs.plots", "tfgen.pictures")
CODES = ("tfgen.callbacks.latent_space.CodeTraversal", "tfgen.pictures")
TRAVERSALS = ("tfgen.callbacks.latent_space.LatentTraversal", "tfgen.pictures")


def samples_of(recipe, title, page):
    """Returns the picture of a recipe's samples."""
    return Picture(title, page, f"{title}: samples of one seed.", drawings.samples, (recipe,))


def of_figure(figure, page=None):
    """Returns the picture of a `training.figures.catalogue.LectureFigure`."""
    modules = (figure.module, "training.figures.canvas")
    return Picture(figure.title, page, figure.shows, figure.draw, modules=modules)


RECEPTIVE_FIELDS = LectureFigure(
    "What a pixel sees",
    "What the output at the red place depends on, in blue. PixelCNN's masks leave a blind spot "
    "above, to the right; the networks of two stacks have none.",
    "training.figures.receptive_fields",
)


PICTURES = {
    "mosaic": Picture(
        "Six models",
        "index",
        "What six models make.",
        drawings.mosaic,
        (
            f"r1_gan_fashion {FASHION}",
            "cgan_mnist",
            "infogan_mnist",
            "cyclegan_fashion",
            "vae_fashion",
            "r1_gan_grid",
        ),
        CODES,
    ),
    "vae_fashion": Picture(
        "Variational autoencoder",
        "vae",
        "A VAE: losses, samples, reconstructions, and where held-out images lie in latent space.",
        drawings.summary,
        ("vae_fashion",),
        SUMMARY,
    ),
    "autoencoder_fashion": Picture(
        "Autoencoder",
        "autoencoder",
        "An autoencoder: losses, reconstructions, and where held-out images lie among the codes.",
        drawings.summary,
        ("autoencoder_fashion",),
        SUMMARY,
    ),
    "swap_fashion": Picture(
        "Swapped decoders",
        "autoencoder",
        "Sneakers decoded as ankle boots, and boots as sneakers.",
        drawings.summary,
        ("swap_fashion",),
        SUMMARY,
    ),
    "cvae_fashion": Picture(
        "Conditional VAE",
        "conditional_vae",
        "The conditional VAE: a class in each row, the same latents in each column.",
        drawings.labelled,
        ("cvae_fashion",),
    ),
    "s_vae_fashion": Picture(
        "Latents on a globe",
        "sphere",
        "All that a VAE on a globe can make: its front half on the left, the other on the right.",
        drawings.globe,
        ("s_vae_fashion",),
        ("tfgen.callbacks.globe.Globe", "tfgen.pictures"),
    ),
    "vamp_fashion": Picture(
        "VampPrior",
        "priors",
        "Learnt pseudo-inputs, and below each what it means.",
        drawings.pseudo_inputs,
        ("vamp_fashion",),
        ("tfgen.callbacks.examples.PriorExamples", "tfgen.pictures"),
    ),
    "ladder_fashion": Picture(
        "Layers of latents",
        "hierarchical_vae",
        "An image, its reconstruction, and eight draws. Four keep two of three layers, four the "
        "top one alone.",
        drawings.layers,
        ("ladder_fashion",),
        ("tfgen.callbacks.layers.LayersRedrawn", "tfgen.pictures"),
    ),
    "vq_vae_fashion": Picture(
        "Vector quantization",
        "vq_vae",
        "A VQ-VAE: losses and perplexity, reconstructions, and where held-out images lie.",
        drawings.summary,
        ("vq_vae_fashion",),
        SUMMARY,
    ),
    "wae_fashion": Picture(
        "Wasserstein autoencoder",
        "wae",
        "Samples of a VAE, and of a Wasserstein autoencoder.",
        drawings.beside(),
        ("vae_fashion", "wae_fashion"),
        GALLERY,
    ),
    "sprites": Picture(
        "Latents of sprites",
        "disentanglement",
        "What the six most used latents do, of a plain VAE and of a beta-TCVAE. "
        "In each row one latent moves.",
        drawings.traversals,
        ("vae_sprites", "beta_tcvae_sprites"),
        TRAVERSALS,
    ),
    "classical_fashion": Picture(
        "Classical densities",
        "densities",
        "Samples of a Gaussian, a mixture of Gaussians and a kernel density.",
        drawings.beside(),
        ("gaussian_fashion", "mixture_fashion", "kde_fashion"),
        GALLERY,
    ),
    "minimax_gan_fashion": samples_of("minimax_gan_fashion", "Minimax GAN", "gan"),
    "ns_gan_fashion": samples_of("ns_gan_fashion", "Non-saturating GAN", "gan"),
    "lsgan_fashion": samples_of("lsgan_fashion", "Least squares GAN", "least_squares_gan"),
    "wgan_fashion": samples_of("wgan_fashion", "Wasserstein GAN", "wasserstein_gan"),
    "wgan_gp_fashion": samples_of(
        "wgan_gp_fashion", "Wasserstein GAN with gradient penalty", "gradient_penalties"
    ),
    "dragan_fashion": samples_of("dragan_fashion", "DRAGAN", "gradient_penalties"),
    "r1_gan_fashion": Picture(
        "Non-saturating GAN with R1",
        "gradient_penalties",
        "The non-saturating GAN with R1: samples, and below each its nearest training image.",
        drawings.summary,
        (f"r1_gan_fashion {FASHION}",),
        SUMMARY,
    ),
    "began_fashion": samples_of("began_fashion", "BEGAN", "began"),
    "dcgan_fashion": samples_of("dcgan_fashion", "DCGAN", "dcgan"),
    "dcgan_lecture": Picture(
        "DCGAN: marbles",
        "dcgan",
        "The lecture's DCGAN, 64x64 pixels in colour: samples of one seed.",
        drawings.large_samples,
        ("dcgan_lecture --mixed-precision bfloat16",),
        colours=256,
    ),
    "grid": Picture(
        "Modes in the plane",
        "gradient_penalties",
        "Twenty-five Gaussians, samples of the plain GAN, and samples of the one with R1.",
        drawings.beside("grid@test"),
        ("ns_gan_grid", "r1_gan_grid"),
        GALLERY,
    ),
    "cgan_mnist": Picture(
        "Conditional GAN: digits",
        "conditional_gan",
        "The conditional GAN: a digit in each row, the same latents in each column.",
        drawings.labelled,
        ("cgan_mnist",),
    ),
    "cgan_fashion": Picture(
        "Conditional GAN: clothes",
        "conditional_gan",
        "The small conditional GAN: a class in each row, the same latents in each column.",
        drawings.labelled,
        ("cgan_fashion",),
    ),
    "infogan_mnist": Picture(
        "InfoGAN",
        "info_gan",
        "InfoGAN: ten categories side by side, then each continuous code from end to end.",
        drawings.codes,
        ("infogan_mnist",),
        CODES,
    ),
    "cyclegan_fashion": Picture(
        "CycleGAN",
        "cycle_gan",
        "CycleGAN: sneakers to boots and back, boots to sneakers and back.",
        drawings.summary,
        ("cyclegan_fashion",),
        SUMMARY,
    ),
    "receptive_fields": of_figure(RECEPTIVE_FIELDS, "autoregressive"),
    "pixel_cnn_fashion": Picture(
        "PixelCNN: halves completed",
        "autoregressive",
        "Images of four grey levels, their upper halves, and what the model draws below.",
        drawings.completions,
        ("pixel_cnn_fashion",),
        ("tfgen.callbacks.completions.Completions", "tfgen.pictures"),
    ),
    "conditional_pixel_cnn_fashion": Picture(
        "PixelCNN of a class",
        "autoregressive",
        "A gated PixelCNN that is told the kind of garment: a class in each row.",
        drawings.labelled,
        ("conditional_pixel_cnn_fashion",),
    ),
    "multi_scale_fashion": Picture(
        "Pixels at three scales",
        "autoregressive",
        "Samples of one seed: 7x7 pixels, then those of 14x14 between them, then those of 28x28.",
        drawings.scales,
        ("multi_scale_fashion",),
    ),
    "vq_prior_fashion": samples_of("vq_prior_fashion", "VQ-VAE with a prior", "autoregressive"),
    "flow_fashion": Picture(
        "Flow matching",
        "diffusion",
        "Flow matching: how noise becomes clothes, from left to right, in eight steps.",
        drawings.denoising,
        ("flow_fashion",),
        ("tfgen.callbacks.denoising.Denoising", "tfgen.pictures"),
    ),
    "flow_ring": Picture(
        "Flow matching of points",
        "diffusion",
        "The ways of 300 points from noise to a ring of eight Gaussians.",
        drawings.trajectories,
        ("flow_ring",),
        (),
    ),
    "guided_flow_fashion": Picture(
        "Guidance",
        "diffusion",
        "A flow that is told the kind of garment, with guidance 2: a class in each row.",
        drawings.labelled,
        ("guided_flow_fashion",),
    ),
    "latent_diffusion_fashion": Picture(
        "Latent diffusion",
        "latent_diffusion",
        "Samples of a VAE, and of a diffusion of its latents.",
        drawings.beside(),
        ("vae_fashion", "latent_diffusion_fashion"),
        GALLERY,
    ),
    "dall_e_fashion": Picture(
        "DALL-E 2 in small",
        "dall_e_2",
        "A held-out image, then eleven drawings of its caption, in each row.",
        drawings.captions,
        ("clip_fashion", "dall_e_fashion"),
        ("tfgen.callbacks.drawings.Drawings", "tfgen.pictures"),
    ),
    **{name: of_figure(figure) for name, figure in FIGURES.items()},
}
