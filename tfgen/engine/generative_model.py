"""What all generative models share: abilities, averages of weights, signatures, files."""

import abc

from tfgen.engine.stepped_model import SteppedModel
from tfgen.engine.weight_average import WeightAverages
from tfgen.utils.deprecation import renamed_arguments, warn_renamed

_HDF5 = (".h5", ".hdf5")


class GenerativeModel(SteppedModel, abc.ABC):
    """A Keras model that is trained by descending one loss of its own.

    A subclass says how data flow, in `compute_losses`; lists the names of what that logs, in
    `log_names`; says what it can do, in `abilities`, and what an export answers, in `signatures`;
    keeps each argument of its `__init__` under the argument's name; and calls `self.finalize()`
    last. It then has `fit`, `evaluate`, saving, exact resumption and `tf.distribute` for nothing
    more.

    Args:
        seed: an integer; together with the number of steps taken it decides every random draw of
            training. It does not seed the networks' initial weights: those are the caller's.
        ema_momentum: the momentum, such as 0.999, of an exponential moving average of weights,
            which then answers in the networks' place; `None` for none. A subclass says of which
            networks, by `self.averages.add(...)`.
        **kwargs: what `keras.Model` takes: `name`, `dtype`.

    Raises:
        ValueError: `ema_momentum` is not between 0 and 1.
    """

    abilities = frozenset()  # of `tfgen.engine.abilities.ABILITIES`

    @renamed_arguments(generator_ema="ema_momentum")
    def __init__(self, seed=0, ema_momentum=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.ema_momentum = ema_momentum
        self.averages = WeightAverages(self, ema_momentum)

    def finish(self):
        """The old name of `finalize`."""
        warn_renamed("finish()", "finalize()")
        self.finalize()

    def prior_distribution(self, *, use_ema=True):
        """Returns what the latents of samples come from, a TFP distribution, of a `prior`.

        Args:
            use_ema: whether to use the average of the weights, if the prior needs some.
        """
        return self.prior.distribution()

    @abc.abstractmethod
    def signatures(self):
        """Returns what an export answers.

        Returns:
            A dict from the signature's name to a pair: a function from tensors to a dict of
            tensors, and the list of its `tf.TensorSpec`s.
        """

    def call(self, inputs, training=False):
        """Returns a batch's losses, of a model that says nothing else about being called."""
        return self.compute_losses(inputs, training)

    def move_averages(self, step, *learnt_from):
        """Moves each average of weights a step towards its network.

        Args:
            step: how many steps the networks took before.
            *learnt_from: what `average_inputs` takes: the batch that the networks learnt from.
        """
        if self.averages:
            self.averages.follow(step, self.average_inputs(*learnt_from))

    def average_inputs(self, data):
        """Returns for each averaged network a batch of what it takes, a list.

        Networks need it that have a state, such as batch normalization's statistics.
        """
        return [None] * len(self.averages)

    def save(self, filepath, *args, **kwargs):
        """Saves as Keras does, in a `.keras` file.

        Raises:
            ValueError: the file is one of HDF5, which cannot hold a model of players and averages.
        """
        if str(filepath).endswith(_HDF5):
            raise ValueError(
                "A model is saved in Keras' own format. "
                f"Received: {str(filepath)!r}. Name it '.keras' (weights alone: '.weights.h5')."
            )
        return super().save(filepath, *args, **kwargs)

    def export(self, filepath, *args, **kwargs):
        """Is refused: Keras' export knows one function, and a generative model has many.

        Raises:
            ValueError: always; `tfgen.export` writes the model's signatures.
        """
        raise ValueError(
            "A generative model is exported with all its signatures. "
            f'Received: export({str(filepath)!r}). Call `tfgen.export(model, "{filepath}")`.'
        )

    def _step(self, data):
        losses = self.take_turns(data)
        self.move_averages(self.step.value, data)
        return self.end_step(losses, data)
