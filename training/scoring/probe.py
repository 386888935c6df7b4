"""Classifies images by a GAN's discriminator: few labels, a linear classifier on its features.

    $ python -m training.probe infogan_mnist --labels 100,1000

The accuracy on all test images, beside that of the same classifier on pixels, and on the features
of the same network with random weights.
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
        prog="python -m training.probe", description=__doc__.splitlines()[0]
    )
    parser.add_argument("run", help="a recipe's name (its run in runs/), or a run's folder")
    parser.add_argument("--labels", default="100,1000", help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=seed, default=0, help="which images have labels")
    parser.add_argument("--output", help="a JSON file for the result (default: RUN/probe.json)")
    options = parser.parse_args(arguments)
    import_tensorflow()
    try:
        probe(options)
    except (OSError, ValueError) as error:
        sys.exit(f"probe: {error}")


def probe(options):
    """Prints the accuracies and writes them with their protocol."""
    import keras

    import tfgen
    from tfgen import data, evaluation
    from tfgen.engine.abilities import require
    from tfgen.evaluation import discriminator_features, linear_probe
    from training.runs.run import recorded_data
    from training.runs.run_folder import complete_run, write_json
    from training.tools.machine import machine

    counts = [int(count) for count in options.labels.split(",")]
    folder = complete_run(options.run)
    config = json.loads(folder.config.read_text())
    model = tfgen.load(folder.model)
    require(model, "discriminate", "A probe")
    train, test = (recorded_data(config["settings"], split) for split in data.SPLITS)
    keras.utils.set_random_seed(options.seed)
    random = keras.models.clone_model(model.discriminator)
    features = {
        "the discriminator": evaluation.ModelFeatures(
            discriminator_features(model.discriminator), "discriminator"
        ),
        "random weights": evaluation.ModelFeatures(discriminator_features(random), "random"),
        "pixels": evaluation.PixelFeatures(),
    }
    start = time.perf_counter()
    found = {
        name: {count: linear_probe(each, train, test, count, options.seed) for count in counts}
        for name, each in features.items()
    }
    for name, probes in found.items():
        accuracies = ", ".join(
            f"{result.accuracy:.2%} with {count} labels" for count, result in probes.items()
        )
        print(f"{name:20}{accuracies}")
    output = options.output or folder.path / "probe.json"
    result = {
        "probe": {
            name: {str(count): each._asdict() for count, each in probes.items()}
            for name, probes in found.items()
        },
        "test_images": len(test),
        "seed": options.seed,
        "evaluation_seconds": time.perf_counter() - start,
        "training": {**config, "seconds": folder.seconds()},
        "machine": machine(),
    }
    write_json(pathlib.Path(output), result)
    print(f"Written to {output}.")


if __name__ == "__main__":
    main()
