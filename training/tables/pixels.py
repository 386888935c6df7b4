"""What was measured of drawing pixel by pixel."""

import statistics

from training.tables.cells import machine_of, table


def pixels(name, result):
    """Returns the section of `training.benchmark_pixels`."""
    rows = [
        [f"`{network}`", f"{each['weights']:,}", *cells(each)]
        for network, each in result["pixels_benchmark"].items()
    ]
    ways = ["whole passes, s", "kept activations, s", "times as fast", "XLA, s", "times as fast"]
    side = result["side"]
    return f"""### {result["count"]} images of {side}x{side} pixels

Black-or-white images of networks with first weights. Medians of {result["turns"]} turns in one
run, in turn. Images of kept activations are those of whole passes, to the bit; XLA draws others.
The last column is what XLA takes at first, to compile. On {machine_of(result)}. (`{name}`)

{table(["network", "weights", *ways, "first, s"], rows)}

```
python -m training.benchmark_pixels --count {result["count"]} --side {side} \\
    --turns {result["turns"]} --output training/results/{name}
```"""


def cells(measured):
    """Returns a network's cells: seconds, and how many times as fast as whole passes in a turn."""
    whole, kept, compiled = measured["seconds"].values()
    found = [f"{statistics.median(whole):.2f}"]
    for seconds in (kept, compiled):
        ratios = [slow / fast for slow, fast in zip(whole, seconds, strict=True)]
        found += [f"{statistics.median(seconds):.3f}", f"{statistics.median(ratios):.0f}"]
    return [*found, f"{list(measured['first'].values())[-1]:.0f}"]
