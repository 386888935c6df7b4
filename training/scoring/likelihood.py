"""Tells how likely a trained model finds the test images: estimated of a VAE, else exactly.

    $ python -m training.likelihood runs/vae_mnist --samples 5000

The images are those of the run's data. They are binarized if the recipe binarizes: each pixel is
drawn once, with its grey value as the chance of 1 (Burda et al., 2016, draw anew; the means agree).
They are rounded if the recipe rounds them to levels.
"""

import argparse
import json
import pathlib
import sys
import time

from tfgen.utils.tensorflow_setup import import_tensorflow
from training.tools.arguments import seed


def main(arguments=None):
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.likelihood", description=__doc__.splitlines()[0]
    )
    parser.add_argument("run", help="the run's folder, such as runs/vae_mnist")
    parser.add_argument("--samples", type=int, default=5000, help="latents per image")
    parser.add_argument("--images", type=int, help="only the first so many (default: all)")
    parser.add_argument("--seed", type=seed, default=0, help="of the binarization and the latents")
    parser.add_argument(
        "--output", help="a JSON file for the result (default: RUN/likelihood.json)"
    )
    options = parser.parse_args(arguments)
    import_tensorflow()
    try:
        measure(options)
    except (OSError, ValueError) as error:
        sys.exit(f"likelihood: {error}")


def measure(options):
    """Prints the test negative log-likelihood and writes it with its protocol."""
    import numpy as np

    import tfgen
    from training.recipes.recipe import find
    from training.runs.run import recorded_data
    from training.runs.run_folder import complete_run, write_json
    from training.tools.machine import machine

    folder = complete_run(options.run)
    config = json.loads(folder.config.read_text())
    settings = config["settings"]
    recipe, model = find(settings["recipe"]), tfgen.load(folder.model)
    how = arguments_of(model, options)
    test = recorded_data(settings, "test")
    if recipe.binarized:
        test = test.binarized(options.seed)
    if recipe.levels:
        test = test.rounded(recipe.levels)
    start = time.perf_counter()
    values = model.log_likelihood(test.floats(options.images), **how)
    seconds = time.perf_counter() - start
    nats = -np.asarray(values, np.float64)
    result = {
        "score": "negative log-likelihood",
        "nats": nats.mean(),
        "standard_error": nats.std(ddof=1) / np.sqrt(len(nats)),
        "protocol": {
            "data": settings["data"],
            "split": "test",
            "images": len(nats),
            "binarization": "stochastic, drawn once" if recipe.binarized else None,
            "levels": recipe.levels,
            "importance_samples": how.get("samples"),
            "seed": options.seed,
        },
        "evaluation_seconds": seconds,
        "training": {**config, "seconds": folder.seconds()},
        "machine": machine(),
    }
    output = options.output or folder.path / "likelihood.json"
    write_json(pathlib.Path(output), result)
    by = f", {options.samples} importance samples each" if how else ""
    print(
        f"{result['nats']:.2f} +- {result['standard_error']:.2f} nats per image: negative "
        f"log-likelihood of {len(nats)} test images{by} ({seconds:.0f} s). Written to {output}."
    )


def arguments_of(model, options):
    """Returns what a model's `log_likelihood` takes besides images; nothing where it is exact.

    Raises:
        ValueError: the model's likelihood is neither exact nor estimated by importance sampling.
    """
    from tfgen.engine.abilities import abilities_of, require

    if "importance_sampling" in abilities_of(model):
        return {"samples": options.samples, "seed": options.seed}
    require(model, "exact_likelihood", "The likelihood of test images")
    return {}


if __name__ == "__main__":
    main()
