"""Makes the pictures of the documentation, of the runs that they show.

    $ python -m training.pictures               # all, into docs/pictures/
    $ python -m training.pictures vae_fashion   # one
    $ python -m training.pictures --list        # what each is made of

Of a picture whose run is not there, or was made otherwise, it says how to train it. Beside the
pictures it notes which runs they show and what drew them: see `training.tools.picture_notes`.
"""

import argparse
import dataclasses
import io
import json
import pathlib
import shlex
import sys
from collections.abc import Callable

from tfgen.utils.tensorflow_setup import import_tensorflow
from training import train
from training.figures.catalogue import FIGURES
from training.tools import drawings
from training.tools.arguments import chosen

_COLOURS = 64  # of a file of grey images and curves: enough for eyes, and half the size


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
    colours: int = _COLOURS


FASHION = "--data tfds:fashion_mnist --mixed-precision bfloat16"
SUMMARY = ("training.runs.summary", "training.runs.plots", "tfgen.pictures")
GALLERY = ("training.tools.gallery", "training.runs.plots", "tfgen.pictures")
CODES = ("tfgen.callbacks.latent_space.CodeTraversal", "tfgen.pictures")
TRAVERSALS = ("tfgen.callbacks.latent_space.LatentTraversal", "tfgen.pictures")


def samples_of(recipe, title, page):
    """Returns the picture of a recipe's samples."""
    return Picture(title, page, f"{title}: samples of one seed.", drawings.samples, (recipe,))


def of_the_lectures(figure):
    """Returns the picture of a `training.figures.catalogue.LectureFigure`."""
    modules = (figure.module, "training.figures.canvas")
    return Picture(figure.title, None, figure.shows, figure.draw, modules=modules)


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
    **{name: of_the_lectures(figure) for name, figure in FIGURES.items()},
}


def main(arguments=None):
    """Runs the command; it exits with 1 if a picture could not be made."""
    parser = argparse.ArgumentParser(
        prog="python -m training.pictures", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"of {', '.join(PICTURES)} (default: all)")
    add("--list", action="store_true", help="show the command lines that make each, and exit")
    add("--output", metavar="FOLDER", default="docs/pictures", help="default: %(default)s")
    options = parser.parse_args(arguments)
    names = chosen(parser, options.names, PICTURES, "picture")
    if options.list:
        for name in names:
            print(f"{name}\n{how_to_train(PICTURES[name].runs)}", end="")
        return
    import_tensorflow()
    missing = [name for name in names if not make(name, pathlib.Path(options.output))]
    if missing:
        sys.exit(f"pictures: not made: {', '.join(missing)}.")


def make(name, folder):
    """Makes a picture, or says what it needs; returns whether it was made."""
    from training.runs.run_folder import complete_run
    from training.tools.picture_notes import note

    picture = PICTURES[name]
    missing = [each for each in picture.runs if not is_there(each)]
    if missing:
        print(f"{name} shows runs that are not there. Train them:\n{how_to_train(missing)}", end="")
        return False
    path = folder / f"{name}.png"
    folder.mkdir(parents=True, exist_ok=True)
    runs = [complete_run(each.split()[0]) for each in picture.runs]
    picture.draw(path, *runs)
    reduce_colours(path, picture.colours)
    note(folder, name, picture, runs)
    print(f"{name}: {path}")
    return True


def reduce_colours(path, colours):
    """Writes a picture's file again with few colours, which makes it small."""
    from tfgen.utils.files import atomic_write

    few = with_few_colours(path.read_bytes(), colours)
    with atomic_write(path) as temporary:
        temporary.write_bytes(few)


def with_few_colours(png, colours=_COLOURS):
    """Returns the bytes of a PNG file with few colours, of those of one with many."""
    from PIL import Image

    few = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        reduced = image.convert("L" if image.mode == "L" else "RGB").quantize(colours)
    reduced.save(few, format="PNG", optimize=True)
    return few.getvalue()


def how_to_train(runs):
    """Returns the command lines that make runs, one a line."""
    return "".join(f"  python -m training.train {each}\n" for each in runs)


def is_there(arguments):
    """Tells whether there is a complete run as a command line would make it."""
    from training.recipes.recipe import find
    from training.runs.run_folder import complete_run

    options = train.parse(shlex.split(arguments))
    try:
        folder = complete_run(options.recipe)
    except FileNotFoundError:
        return False
    settings, recipe = json.loads(folder.config.read_text())["settings"], find(options.recipe)
    wanted = {"data": options.data or recipe.data, "seed": options.seed}
    if recipe.in_steps:
        wanted |= {
            "epochs": options.epochs or recipe.epochs,
            "batch_size": options.batch_size or recipe.batch_size,
            "mixed_precision": options.mixed_precision,
        }
    return wanted.items() <= settings.items()


if __name__ == "__main__":
    main()
