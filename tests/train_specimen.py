"""The training command with specimens as recipes: `python -m tests.train_specimen NAME ...`."""

from tfgen.utils.tensorflow_setup import import_tensorflow
from training.train import main

import_tensorflow()

import keras  # noqa: E402 (quietly)

from tests.specimens import SPECIMENS  # noqa: E402
from training.recipes.recipe import recipe  # noqa: E402


def register(name):
    def build(shape, steps):
        model = SPECIMENS[name]()
        schedule = keras.optimizers.schedules.CosineDecay(1e-2, steps)
        model.compile(keras.optimizers.Adam(schedule, use_ema=name == "dropout_vae"))
        return model

    build.__name__ = name
    build.__doc__ = f"The specimen {name}."
    recipe(data="demo", batch_size=8, epochs=30, binarized="stochastic", steps_per_execution=2)(
        build
    )


if __name__ == "__main__":
    for name in SPECIMENS:
        register(name)
    main()
