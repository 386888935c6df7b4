"""The list of the lectures' figures."""

import dataclasses
import importlib


@dataclasses.dataclass(frozen=True)
class LectureFigure:
    """A figure of the lectures, drawn anew.

    Args:
        title: its heading in the documentation.
        shows: what there is to see, in sentences.
        module: the name of the module that computes it and draws it.
    """

    title: str
    shows: str
    module: str

    def draw(self, path):
        """Draws the figure into a file, and prints what was measured for it.

        Args:
            path: the `pathlib.Path` of the PNG file to be; its folder exists.
        """
        importlib.import_module(self.module).draw(path)


FIGURES = {
    "samplers": LectureFigure(
        "Four ways to draw samples",
        "The inverse transform needs the inverse of F, Metropolis-Hastings the density f. From "
        "data one estimates a Gaussian, which is too rough here, or a kernel density.",
        "training.figures.samplers",
    ),
    "kde_digits": LectureFigure(
        "Kernel density of digits",
        "Real digits above. Below, samples of Gaussian kernels in 15 principal components.",
        "training.figures.kde_digits",
    ),
    "demo_manifold": LectureFigure(
        "The VAE's demo: four modes on a plane",
        "Points in the plane, from which the demo's 32 dimensions are made. Beside them stand the "
        "latents that a VAE finds, and its samples. The prior has no gaps, so some samples lie "
        "between the modes.",
        "training.figures.demo_manifold",
    ),
    "interpolation": LectureFigure(
        "A straight line between two images",
        "Three pairs of images of clothes. In latent space each image on the line shows one piece "
        "of clothing, faintly between unlike ones. In pixel space it is an average of two.",
        "training.figures.interpolation",
    ),
    "latent_sizes": LectureFigure(
        "Codes of more and more numbers",
        "Held-out images of clothes above, and their reconstructions by codes of 2, 5, 15 and 50 "
        "numbers. Two keep the class, more keep the outline and the shades.",
        "training.figures.latent_sizes",
    ),
    "sampled_codes": LectureFigure(
        "An autoencoder's samples beside a VAE's",
        "The codes of an autoencoder follow no known distribution. Decoded draws of the normal "
        "distribution nearest to them are often no clothes; those of a VAE's prior mostly are.",
        "training.figures.sampled_codes",
    ),
    "latent_views": LectureFigure(
        "AE + PCA, AE + UMAP",
        "The codes of an autoencoder of clothes on a plane. Principal components keep distances; "
        "t-SNE and UMAP keep neighbours, and show the classes as groups.",
        "training.figures.latent_views",
    ),
    "holes": LectureFigure(
        "The prior's holes",
        "Latents of the data, of a VAE's prior, and of its holes, where the data have hardly any. "
        "Holes decode to flat white, or to two garments at once.",
        "training.figures.holes",
    ),
    "attributes": LectureFigure(
        "Attributes split the latent cloud",
        "Latents of sprites: for each attribute the two that tell most of it. Size runs along one "
        "latent. Each place is told by two together. Shapes and turns are folded into each other.",
        "training.figures.attributes",
    ),
    "walk": LectureFigure(
        "A denoiser's walk back and forth",
        "Each step adds noise and takes it away. Above, walks begin at noise, and reach clothes "
        "after some ten steps. Below they begin at images: trousers become dresses.",
        "training.figures.walk",
    ),
    "rare_class": LectureFigure(
        "Outliers used in training",
        "Errors on a class of which few images are trained with. Drawn by the rarity of their "
        "latents, rare bags are reconstructed better. Rare sneakers, which lie among other shoes, "
        "are not.",
        "training.figures.rare_class",
    ),
    "transposed_convolution": LectureFigure(
        "Transposed convolution",
        "One active hidden unit paints its kernel. A convolution and its transpose give back an "
        "image if the kernels are an orthonormal basis, and change it otherwise.",
        "training.figures.transposed_convolution",
    ),
    "pushed_gaussian": LectureFigure(
        "GANs are distribution transformers",
        "Gaussian noise, and where a trained generator takes it, in the same colours: among data "
        "around two half moons, in grey. Neighbours stay neighbours, so some samples lie between "
        "the moons.",
        "training.figures.pushed_gaussian",
    ),
    "toy": LectureFigure(
        "The toy of two lines",
        "A generator of a line, and its discriminator: at the start, after the generator's update, "
        "after the discriminator's.",
        "training.figures.toy",
    ),
    "generator_losses": LectureFigure(
        "log D against log(1 - D)",
        "What the generator descends in three games, and how steeply. Where D is sure that a "
        "sample is generated, at the left, minimax gives no slope.",
        "training.figures.generator_losses",
    ),
    "optimal_discriminator": LectureFigure(
        "The optimal discriminator",
        "The best discriminator of data p and samples q is p / (p + q). Its value, "
        "-log 4 + 2 JSD, grows from -log 4 towards 0 as the samples move away.",
        "training.figures.optimal_discriminator",
    ),
    "mode_collapse": LectureFigure(
        "Mode collapse over time",
        "Samples, in red, at six moments of three trainings on a ring of eight Gaussians. In the "
        "first row the generator moves from mode to mode; R1 or a deeper discriminator mends it.",
        "training.figures.mode_collapse",
    ),
    "blurry": LectureFigure(
        "What blurry means",
        "The squared error's best answer to two equally likely images is their average. It is "
        "neither of them, and unlikely as a sample.",
        "training.figures.blurry",
    ),
    "frechet_parts": LectureFigure(
        "The two parts of the FID",
        "Points are measured on samples, lines are the slide's formulas. The left part sees how "
        "far apart the means are, the right part how the scales differ.",
        "training.figures.frechet_parts",
    ),
    "nearest_neighbour_score": LectureFigure(
        "The 1-NN score",
        "The score is 0 for a copy, about 0.5 for samples of the same distribution, and 1 for "
        "those of a distant one.",
        "training.figures.nearest_neighbour_score",
    ),
}
