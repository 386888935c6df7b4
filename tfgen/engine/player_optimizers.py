"""The optimizers of several players, as Keras' callbacks know one."""

import keras


class PlayerOptimizers:
    """Stands for all players' optimizers where Keras' callbacks ask for `model.optimizer`.

    Its rate is that of the first player. Where a callback sets it (`LearningRateScheduler`,
    `ReduceLROnPlateau`), all players' rates change by the same factor.

    Args:
        model: a compiled `tfgen.AdversarialModel`.

    Example:
        >>> gan.compile(keras.optimizers.Adam(1e-4), keras.optimizers.Adam(4e-4))
        >>> gan.optimizer.learning_rate = 5e-5  # and the discriminator's becomes 2e-4
    """

    use_ema = False
    built = True

    def __init__(self, model):
        self._model = model
        self._optimizers = model.optimizers_config()

    @property
    def _first(self):
        return next(iter(self._optimizers.values()))

    @property
    def variables(self):
        """The variables of all of them, a list."""
        return [each for optimizer in self._optimizers.values() for each in optimizer.variables]

    @property
    def iterations(self):
        """The number of steps of the first player."""
        return self._first.iterations

    @property
    def learning_rate(self):
        """The first player's rate; the others keep their distance from it when it is set."""
        return self._first.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate):
        rates = self.learning_rates().values()
        first = next(iter(rates))
        if first:  # else they are those of before it became 0
            self._model.rate_shares = [each / first for each in rates]
        shares = self._model.rate_shares or [1.0] * len(rates)
        for optimizer, share in zip(self._optimizers.values(), shares, strict=True):
            optimizer.learning_rate = float(rate) * share

    def learning_rates(self):
        """Returns each player's rate, a dict of floats, `PLAYER_learning_rate`."""
        return {
            name.replace("optimizer", "learning_rate"): float(
                keras.ops.convert_to_numpy(optimizer.learning_rate)
            )
            for name, optimizer in self._optimizers.items()
        }


class LearningRates(keras.callbacks.Callback):
    """Adds each player's learning rate to an epoch's logs, for the callbacks behind it."""

    def on_epoch_end(self, epoch, logs=None):
        logs.update(self.model.optimizer.learning_rates())


def observed(callbacks):
    """Returns callbacks of `fit`, before them one for TensorBoard, which knows one optimizer."""
    each = list(_flat(callbacks))
    if any(isinstance(callback, keras.callbacks.TensorBoard) for callback in each):
        return [LearningRates(), *each]
    return callbacks


def check_callbacks(model, callbacks):
    """Raises a ValueError for callbacks of Keras that would do nothing, or fail."""
    for callback in _flat(callbacks):
        for kind, mend in _WITHOUT_USE.items():
            if isinstance(callback, kind):
                raise ValueError(
                    f"`{kind.__name__}` has no effect on a {type(model).__name__}, which has no "
                    f"single loss and no single optimizer. {mend}"
                )


_WITHOUT_USE = {
    keras.callbacks.TerminateOnNaN: "Use `tfgen.callbacks.StopOnNonFinite()`.",
    keras.callbacks.SwapEMAWeights: "Pass `ema_momentum` to the model: its average then answers "
    "wherever samples are asked for.",
}


def _flat(callbacks):
    if callbacks is None:
        return []
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks.callbacks
    return callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
