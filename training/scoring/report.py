"""One page that shows what was scored: pictures, figures and protocol in a single HTML file."""

import base64
import dataclasses
import html
import io
import pathlib

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from tfgen import evaluation
from tfgen.engine.abilities import abilities_of
from tfgen.evaluation.cache import cached_features
from tfgen.evaluation.sampling import as_pixels
from tfgen.latent_space import path_of
from tfgen.latent_views import view
from tfgen.pictures import grid, reconstruction_grid
from tfgen.utils.files import atomic_write
from training.runs.plots import draw_curves, scatter
from training.runs.views import first_labels, views_of

_COLUMNS = 16  # of a grid of neighbours

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc; }
table { border-collapse: collapse; } .wide { overflow-x: auto; }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.best { font-weight: bold; } small, figcaption { color: #555; }
figure { display: inline-block; margin: 0 1.5rem 1rem 0; vertical-align: top; }
img { max-width: 100%; } img.pixels { image-rendering: pixelated; }
table.facts td { overflow-wrap: anywhere; }
"""


def write_report(path, results, found, reference, train, features):
    """Writes the page; it is whole or not there.

    Args:
        path: a file to be, `.html`.
        results: a `Result` of each generator.
        found: the `training.generators.Found` of each.
        reference: the `Reference`.
        train: the `tfgen.data.Source` of training examples, where copies would be from.
        features: the `Features`.
    """
    names = ", ".join(result.generator for result in results)
    sections = [
        f"<h1>{html.escape(names)}</h1>",
        f"<p>Compared with {len(reference.source)} examples of {html.escape(reference.data)} "
        f"({reference.split}).</p>",
        _section("Scores", _table_of_scores(results), _chart_of_scores(results)),
        *_sections_of_pictures(results, found, reference, train, features),
        _section("Protocol", _table(dataclasses.asdict(results[0].protocol))),
        _section("Details", *(_details(result) for result in results)),
    ]
    page = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(names)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(sections)}</body></html>\n"
    )
    with atomic_write(pathlib.Path(path)) as temporary:
        temporary.write_text(page)


def _sections_of_pictures(results, found, reference, train, features):
    if len(reference.source.shape) != 3:
        return []
    real = grid(reference.source.subset(min(64, len(reference.source)), seed=1).floats())
    samples = [_figure(_pixels(real), f"real: {reference.data}")]
    neighbours, interpolations, reconstructions, latents, curves = [], [], [], [], []
    for result, each in zip(results, found, strict=True):
        name, able = result.generator, abilities_of(each.model)
        if each.is_collection or "sample" in abilities_of(each.generator.model):
            count, seed = result.protocol.fake_count, result.protocol.sample_seeds[0]
            fake, _ = each.generator.sample(count, seed)  # those that were scored
            some = fake.subset(min(64, count), seed=1)
            samples.append(_figure(_pixels(grid(some.floats())), name))
            rows = _neighbours(some, reference, train, features)
            neighbours.append(_figure(_pixels(grid(rows, _COLUMNS)), name))
        if "generate" in able:
            interpolations.append(_figure(_pixels(_interpolate(each.model)), name))
        if "reconstruct" in able:
            pairs = reconstruction_grid(each.model, reference.source.floats(32))
            reconstructions.append(_figure(_pixels(pairs), name))
        if "encode" in able:
            latents.append(_figure(_views(each.model, reference.source), name))
        if each.folder is not None and each.folder.log.exists():
            curves.append(_figure(_curves(each.folder.log), name))
    return [
        _section("Samples", *samples),
        _section(
            "Nearest neighbours",
            "<p>Threes of rows: samples; below each the nearest training image, pixel by pixel "
            "(is it a copy?); below that the nearest real example in the features.</p>",
            *neighbours,
        ),
        _section(
            "Interpolations",
            "<p>In each row from one latent to another, straight or along an arc as suits the "
            "prior.</p>",
            *interpolations,
        ),
        _section(
            "Reconstructions",
            "<p>Pairs of rows: real examples, and below each its reconstruction.</p>",
            *reconstructions,
        ),
        _section(
            "Latents",
            "<p>The real examples' latents on a plane. t-SNE and UMAP keep neighbours together; "
            "distances between groups mean little.</p>",
            *latents,
        ),
        _section("Training", *curves),
    ]


def _neighbours(fake, reference, train, features):
    """Returns rows of samples and their neighbours, three by three."""
    pixels = evaluation.PixelFeatures()
    real, train = as_pixels(reference.source), as_pixels(train)
    chosen = fake.subset(min(32, len(fake)))
    copies = evaluation.nearest(pixels(chosen), pixels(train)).indices
    known = cached_features(features, real)
    kin = evaluation.nearest(features(chosen), known).indices
    columns = [chosen.images, train.images[copies], real.images[kin]]
    stacked = np.stack(columns, axis=1)  # [count, 3, height, width, channels]
    missing = -len(stacked) % _COLUMNS  # in the last rows
    stacked = np.pad(stacked, [(0, missing)] + [(0, 0)] * 4, constant_values=255)
    rows = stacked.reshape(-1, _COLUMNS, *stacked.shape[1:]).swapaxes(1, 2)
    return rows.reshape(-1, *stacked.shape[2:]) / 255.0


def _interpolate(model, rows=8, steps=12):
    """Returns a grid of what lies between pairs of samples of the prior."""
    prior = model.prior_distribution()
    first, second = (prior.sample(rows, seed=[0, index]) for index in range(2))
    return grid(model.generate_paths(path_of(model.prior)(first, second, steps), seed=0), steps)


def _table_of_scores(results):
    head = "".join(f"<th>{html.escape(result.generator)}</th>" for result in results)
    rows = []
    for score in results[0].scores:
        scores = [result.score(score.name) for result in results]
        ideal = "lower is better" if score.ideal is None else f"ideal {score.ideal:g}"
        best = min(each.distance for each in scores)
        cells = "".join(_cell(each, len(scores) > 1 and each.distance == best) for each in scores)
        source = f"; standard error from {score.error_from}" if score.error_from else ""
        rows.append(f"<tr><td>{score.name}<br><small>{ideal}{source}</small></td>{cells}</tr>")
    return f'<div class="wide"><table><tr><th></th>{head}</tr>{"".join(rows)}</table></div>'


def _cell(score, best):
    spread = f" &plusmn; {score.deviation:.3g}" if score.deviation is not None else ""
    error = ""
    if score.standard_error is not None:
        error = f"<br><small>standard error {score.standard_error:.2g}</small>"
    return f'<td class="number{" best" * best}">{score.value:.4g}{spread}{error}</td>'


def _chart_of_scores(results):
    """Draws each score of each generator, with the larger of the two errors as a bar."""
    names = [score.name for score in results[0].scores]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(
        figsize=(2 + 2.5 * columns, (1 + 0.3 * len(results)) * rows), layout="constrained"
    )
    every = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
    labels = [_short(result.generator) for result in results]
    for axes, name in zip(every, names, strict=False):
        scores = [result.score(name) for result in results]
        errors = [max(each.deviation or 0, each.standard_error or 0) for each in scores]
        positions = range(len(results))
        axes.errorbar([each.value for each in scores], positions, xerr=errors, fmt="o", capsize=3)
        axes.set_yticks(positions, labels, fontsize=8)
        axes.set_title(name, fontsize=9)
        axes.tick_params(axis="x", labelsize=8)
        axes.set_ylim(len(results) - 0.5, -0.5)
        if scores[0].ideal is not None:
            axes.axvline(scores[0].ideal, color="gray", linewidth=1)
    for axes in figure.axes[len(names) :]:
        axes.remove()
    caption = (
        "Bars: the deviation over seeds or the standard error, whichever is larger. The line is "
        "the ideal value."
    )
    return _figure(_plot(figure), caption)


def _short(name, length=24):
    """Cuts the front off a long name, such as a path's."""
    return name if len(name) <= length else f"…{name[1 - length :]}"


def _curves(log):
    figure = Figure(figsize=(5, 3), layout="constrained")
    draw_curves(figure.subplots(), log)
    return _plot(figure)


def _views(model, source, count=1000):
    shown = source.subset(min(count, len(source)), seed=1)
    latents = evaluation.encodings(model, shown)
    views = views_of(*latents.shape)
    figure = Figure(figsize=(5 * len(views), 4), layout="constrained")
    row = figure.subplots(1, len(views), squeeze=False)[0]
    for axes, (method, title) in zip(row, views.items(), strict=True):
        scatter(axes, view(latents, method), first_labels(shown), f"latents{title}")
    return _plot(figure)


def _details(result):
    return f"<h3>{html.escape(result.generator)}</h3>{_table(result.details)}"


def _table(content):
    """Returns nested dicts as a table of dotted names and values."""
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(str(value))}</td></tr>"
        for name, value in _flat(content)
    )
    return f'<table class="facts">{rows}</table>'


def _flat(content, prefix=""):
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _section(title, *parts):
    """Returns a section; nothing, if there is nothing to show."""
    if not any(part.startswith(("<figure", "<div", "<table", "<h3")) for part in parts):
        return ""
    return f"<h2>{title}</h2>{''.join(parts)}"


def _figure(image, caption):
    return f"<figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _pixels(pixels):
    """Returns an image of uint8 pixels, twice as large."""
    png = tf.io.encode_png(pixels).numpy()
    return _image(png, f' class="pixels" width="{2 * pixels.shape[1]}"')


def _plot(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return _image(file.getvalue(), "")


def _image(png, attributes):
    return f'<img{attributes} alt="" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
