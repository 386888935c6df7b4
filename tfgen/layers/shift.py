"""Maps that are moved."""

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import Configured, serializable
from tfgen.layers.causal import CausalLayer, Reach


@row_by_row
@serializable
class Shift(Configured, CausalLayer):
    """Moves maps down and to the right; zeros come in, and what leaves is lost.

    Args:
        rows: how far down, at least 0.
        columns: how far to the right, at least 0.
        **kwargs: what every Keras layer takes: `name`, `dtype`.

    Raises:
        ValueError: a distance is negative.

    Example:
        >>> Shift(rows=1)(features)  # each place now knows what was above it
    """

    def __init__(self, rows=0, columns=0, **kwargs):
        super().__init__(**kwargs)
        if rows < 0 or columns < 0:
            raise ValueError(
                "Maps move down and to the right, by 0 or more. "
                f"Received: rows={rows}, columns={columns}."
            )
        self.rows = rows
        self.columns = columns

    @property
    def reach(self):
        return Reach.ABOVE if self.rows else Reach.EARLIER if self.columns else Reach.ITSELF

    @property
    def window(self):
        return self.rows + 1, self.columns + 1

    @property
    def margins(self):
        return (self.rows, 0), (self.columns, 0)

    def of_windows(self, inputs):
        height, width = inputs.shape[1:3]
        return inputs[:, : height - self.rows, : width - self.columns]
