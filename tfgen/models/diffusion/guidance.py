"""How a diffusion that was told its conditions only at times follows them more closely."""

import functools

import tensorflow as tf

from tfgen.engine.graphs import requirement
from tfgen.utils.arguments import check_number


class Guidance:
    """Guidance without a classifier (Ho and Salimans, 2022); a base beside a diffusion's class."""

    def guided(self, labels, guidance, use_ema):
        """Returns `denoise` of labels with a guidance (Ho and Salimans, 2022, equation 6)."""
        vectors = self.conditions.vectors(labels)
        ask = functools.partial(self.predict_of, use_ema=use_ema)

        def predict(noisy, times):
            def both():
                doubled = [tf.concat([each, each], axis=0) for each in (noisy, times)]
                conditions = tf.concat([vectors, tf.zeros_like(vectors)], axis=0)
                told, untold = tf.split(ask(*doubled, [conditions]), 2)
                return untold + guidance * (told - untold)

            # Without guidance the second half would be thrown away.
            return tf.cond(guidance != 1.0, both, lambda: ask(noisy, times, [vectors]))

        return functools.partial(self.denoise, predict)

    def whole_guidance(self, guidance):
        """Returns `w`, a float32 scalar tensor."""
        guidance = self.guidance if guidance is None else guidance
        if not tf.is_tensor(guidance):
            check_number("guidance", guidance, least=0)
        guidance = tf.cast(guidance, tf.float32)
        checks = requirement(guidance >= 0, "`guidance` must be at least 0.", guidance)
        with tf.control_dependencies(checks):
            return tf.identity(guidance)
