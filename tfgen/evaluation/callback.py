"""Scores during training, and the best weights by them."""

import dataclasses
import json
import pathlib

import keras

from tfgen.engine.keras_internals import weights_file
from tfgen.engine.replicas import is_chief
from tfgen.evaluation.evaluator import Reference, check_scores, evaluate
from tfgen.evaluation.features import Features
from tfgen.evaluation.protocol import Result, compare
from tfgen.evaluation.sampling import Sampler
from tfgen.evaluation.scores import ScoreSettings, check_abilities
from tfgen.utils.files import atomic_write, check_writable


@dataclasses.dataclass(frozen=True, eq=False)
class Scoring:
    """Scores of a model on a small budget, as `model.evaluate` and `KeepBest` take them.

    Small sets bias most scores: compare such a figure with others of its own kind alone.

    Args:
        reference: a `Reference`; some thousand held-out examples, none of the final test.
        features: a `Features`.
        scores: names of `tfgen.evaluation.SCORES`.
        count: the number of samples.
        seed: an integer; the samples' latents are the same every time.
        settings: the `ScoreSettings` of the scores.

    Example:
        >>> scoring = evaluation.Scoring(reference, features, scores=["frechet", "prdc"])
        >>> model.evaluate(test_images, scores=scoring, return_dict=True)
        {'loss': 101.2, ..., 'classifier_frechet_distance': 9.1, 'precision': 0.7, ...}
    """

    reference: Reference
    features: Features
    scores: tuple = ("frechet",)
    count: int = 1000
    seed: int = 0
    settings: ScoreSettings = dataclasses.field(default_factory=ScoreSettings)

    def __post_init__(self):
        check_scores(self.scores)

    def check(self, model):
        """Raises a ValueError unless a model can do what the scores ask for."""
        check_abilities(Sampler(model.name, model), self.scores)

    def __call__(self, model):
        """Returns the model's `Result`."""
        sampler = Sampler(model.name, model)
        return evaluate(
            sampler,
            self.reference,
            self.features,
            self.scores,
            self.count,
            (self.seed,),
            self.settings,
            keep=False,
        )


class KeepBest(keras.callbacks.Callback):
    """Scores a model every few epochs, and keeps the weights that scored best.

    The scores join the epoch's logs, where the callbacks that stand behind this one find them:
    `CSVLogger`, `TensorBoard`, `EarlyStopping`. (Of these `CSVLogger` keeps to the columns of its
    first epoch, and `EarlyStopping` warns of epochs without its score: they want `every=1`.) The
    best is what is nearest to the ideal of the first score. Beside the weights, a JSON file tells
    their epoch, scores and protocol. A run that is resumed knows it, and goes on.

    Args:
        path: a file that ends in `.weights.h5`.
        scoring: a `Scoring`.
        every: epochs from one scoring to the next.

    Raises:
        OSError: nothing can be written to the file's folder, or no more: the disk is full.
        ValueError: `path` has another ending, or `every` is less than 1; when training begins, the
            model cannot do what the scores ask for; or, when the first epoch is scored, the weights
            there were kept by another scoring.

    Example:
        >>> model.fit(images, epochs=50, callbacks=[
        ...     evaluation.KeepBest("runs/gan/best.weights.h5", scoring, every=5)])
        >>> model.load_weights("runs/gan/best.weights.h5")
    """

    def __init__(self, path, scoring, every=1):
        super().__init__()
        if every < 1:
            raise ValueError(f"`every` must be at least 1. Received: every={every}.")
        if not str(path).endswith(".weights.h5"):
            raise ValueError(f"`path` must end in '.weights.h5'. Received: {str(path)!r}.")
        self.path = pathlib.Path(path)
        self.record = self.path.with_suffix(".json")
        self.scoring = scoring
        self.every = every
        check_writable(self.path.parent)

    def on_train_begin(self, logs=None):
        self.scoring.check(self.model)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        result = self.scoring(self.model)
        logs.update((score.name, score.value) for score in result.scores)
        if is_chief(self.model.distribute_strategy) and self._is_best(result):
            self._keep({"epoch": epoch + 1, **result.to_json()})

    def _is_best(self, result):
        """Tells whether a result is better than that of the kept weights, if there are any."""
        if not self.record.exists():
            return True
        record = json.loads(self.record.read_text())
        kept = Result.from_json({name: record[name] for name in record if name != "epoch"})
        try:
            best, *_ = compare([kept, result], result.scores[0].name)
        except ValueError as error:
            raise ValueError(
                f"{self.path} was kept by another scoring: {error} Choose another `path`, or "
                f"remove it and {self.record}."
            ) from error
        return best is result

    def _keep(self, record):
        # Killed in between, a resumed run comes to this epoch again.
        with atomic_write(self.path) as path:
            path.write_bytes(weights_file(self.model).getbuffer())
        with atomic_write(self.record) as path:
            path.write_text(json.dumps(record, indent=2) + "\n")
