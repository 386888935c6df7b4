"""Scores generators against real data, with their protocol, and writes a report.

    $ python -m training.evaluate vae_fashion
    $ python -m training.evaluate vae_fashion kde_fashion --report runs/report.html
    $ python -m training.evaluate saved_models/vae_fashion --data tfds:fashion_mnist \
        --scores fid,kid,prdc,one_nn --samples 10000
    $ python -m training.evaluate tfds:mnist@train --data tfds:mnist --scores fid

A generator is a recipe that was trained, a run's folder, a `.keras` file, a release file or its
address, an export's folder, DATA@SPLIT (real data in a generator's place: the floor of every
score), or a folder of images.
Features are kept in the cache (TFGEN_CACHE, or ~/.cache/tfgen): a second look is quick.
"""

import argparse
import os
import shlex
import sys

from tfgen.utils.tensorflow_setup import import_tensorflow, show_warnings_plainly
from training.tools.arguments import positive, size


def main(arguments=None):
    """Runs the command; errors that a user can mend are one line, not a traceback."""
    options = parse(arguments)
    show_warnings_plainly()
    import_tensorflow()
    try:
        from training.scoring.scoring import run

        run(options)
    except (OSError, ValueError) as error:
        sys.exit(f"evaluate: {error}")
    except KeyboardInterrupt:
        sys.exit("\nevaluate: interrupted. What was finished is kept, features among it.")


def parse(arguments=None):
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate",
        description="Scores generators against real data, with their protocol.",
    )
    add = parser.add_argument
    add(
        "generators",
        nargs="+",
        metavar="GENERATOR",
        help="a trained recipe, a run's folder, a .keras file, a release file or its address, an "
        "export's folder, DATA@SPLIT, or a folder of images; MODEL:last for a GAN's last weights, "
        "not their average",
    )
    add("--data", help="the real data (default: what the generator was trained on)")
    add("--split", choices=("train", "test", "all"), default="test", help="default: test")
    add(
        "--size",
        type=size,
        metavar="HxW",
        help="bring real and folders' images to this height and width",
    )
    add("--channels", type=int, choices=(1, 3), help="make images grey (1) or coloured (3)")
    add(
        "--scores",
        default="frechet,kernel,prdc,one_nn",
        help="from: fid, kid, is (on Inception features), frechet, kernel, classes, prdc, prd, "
        "one_nn, moments; of the model itself: elbo, likelihood, reconstruction, latents, "
        "prior_gap, novelty, retrieval (default: %(default)s)",
    )
    add(
        "--features",
        help="inception, classifier (trained on the real data's labels), pixels, or a .keras file "
        "(default: inception if a score needs it, else classifier; pixels for vectors)",
    )
    add(
        "--inception",
        metavar="FILE",
        default=os.environ.get("TFGEN_INCEPTION"),
        help="the Inception network's weights: its archive, graph or npz (default: "
        "$TFGEN_INCEPTION, or a download)",
    )
    add(
        "--samples",
        type=positive,
        metavar="N",
        help="how many samples, and as many real examples (default: 10,000, or all there are)",
    )
    add(
        "--seeds",
        type=positive,
        default=1,
        metavar="N",
        help="draw samples with N seeds (default: 1)",
    )
    add("--k", type=int, default=5, help="the neighbour that balls reach to (default: 5)")
    add("--splits", type=int, default=10, help="of the inception score (default: 10)")
    add(
        "--importance-samples",
        type=positive,
        default=5000,
        metavar="N",
        help="latents per example, for the likelihood (default: 5000)",
    )
    add("--bootstrap", type=int, default=0, metavar="N", help="for the Frechet distance's error")
    add("--novel", metavar="DATA", help="data of another kind, for the score novelty")
    add("--skip-unreadable", action="store_true", help="leave out broken image files, counted")
    add("--output", metavar="FILE", help="the results as JSON (default: runs/evaluation.json)")
    add("--report", metavar="FILE", help="write a page with pictures as one HTML file")
    options = parser.parse_args(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    options.command = shlex.join(["python", "-m", "training.evaluate", *given])  # for the results
    return options


if __name__ == "__main__":
    main()
