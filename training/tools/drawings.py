"""How the documentation's pictures are drawn, each of the folders of trained runs."""

import numpy as np

_COLUMNS, _ROWS = 16, 6  # of images on a page's width
_LATENTS = 6  # of a traversal


def summary(path, folder):
    """Draws what a run's model has learnt: see `training.runs.summary`."""
    from training.runs.run import read_run
    from training.runs.summary import write_summary

    write_summary(read_run(folder), path)


def samples(path, folder):
    """Draws the samples of one seed, none left out."""
    _write_grid(path, _model(folder).sample(_ROWS * _COLUMNS, seed=0))


def large_samples(path, folder):
    """Draws fewer samples of one seed, none left out, in their own size."""
    from tfgen.pictures import grid, write_png

    write_png(path, grid(_model(folder).sample(48, seed=0), columns=12))


def labelled(path, folder):
    """Draws a row of samples for each class, from the same latents in each column."""
    _write_grid(path, _of_each_class(_model(folder), _COLUMNS))


def codes(path, folder):
    """Draws what the codes of an InfoGAN do: see `tfgen.callbacks.CodeTraversal`."""
    from tfgen.pictures import write_png

    write_png(path, _codes(_model(folder), folder))


def completions(path, folder):
    """Draws halves that a run's model completes: see `tfgen.callbacks.Completions`."""
    from tfgen.callbacks import Completions
    from tfgen.pictures import write_png
    from training.runs.run import read_run

    run = read_run(folder)
    shown = run.test.rounded(run.model.likelihood.levels).floats(6)
    picture = Completions(folder.path, shown, draws=9)
    picture.set_model(run.model)
    write_png(path, np.kron(picture.render(), np.ones([3, 3, 1], np.uint8)))  # 14 pixels are few


def traversals(path, *folders):
    """Draws what the most used latents of each run's VAE do to one example, the runs side by side.

    See `tfgen.callbacks.LatentTraversal`.
    """
    from matplotlib.figure import Figure

    from tfgen.callbacks import LatentTraversal
    from tfgen.utils.files import atomic_write
    from training.runs.plots import show
    from training.runs.run import read_run

    figure = Figure(figsize=(6 * len(folders), 3.6), layout="constrained")
    row = figure.subplots(1, len(folders), squeeze=False)[0]
    for axes, folder in zip(row, folders, strict=True):
        run = read_run(folder)
        traversal = LatentTraversal(folder.path, run.test.floats(1)[0], rows=_LATENTS)
        traversal.set_model(run.model)
        show(axes, traversal.render(), run.recipe.name)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=90)


def globe(path, folder):
    """Draws the latent space of a VAE on a globe: see `tfgen.callbacks.Globe`."""
    from tfgen.callbacks import Globe

    _draw_callback(path, folder, lambda run: Globe(folder.path))


def pseudo_inputs(path, folder):
    """Draws what a learnt prior is made of: see `tfgen.callbacks.PriorExamples`."""
    from tfgen.callbacks import PriorExamples

    _draw_callback(path, folder, lambda run: PriorExamples(folder.path, count=40, columns=10))


def layers(path, folder):
    """Draws what a hierarchy's layers change: see `tfgen.callbacks.LayersRedrawn`."""
    from tfgen.callbacks import LayersRedrawn

    _draw_callback(
        path, folder, lambda run: LayersRedrawn(folder.path, run.test.floats(8), draws=4)
    )


def scales(path, folder):
    """Draws samples of one seed at each scale, the coarsest on top, enlarged to one size."""
    drawn = [each.numpy() for each in _model(folder).sample_scales(_COLUMNS, seed=0)]
    side = drawn[-1].shape[1]
    enlarged = [np.kron(each, np.ones([1, *[side // each.shape[1]] * 2, 1])) for each in drawn]
    _write_grid(path, np.concatenate(enlarged))


def denoising(path, folder):
    """Draws how noise becomes images: see `tfgen.callbacks.Denoising`."""
    from tfgen.callbacks import Denoising

    _draw_callback(path, folder, lambda run: Denoising(folder.path, count=5))


def captions(path, _, folder):
    """Draws what a run makes of captions: see `tfgen.callbacks.Drawings`.

    Args:
        path: the file to be.
        _: the run that it began with.
        folder: the run's folder.
    """
    from tfgen.callbacks import Drawings

    def of_held_out(run):
        return Drawings(folder.path, run.test.floats(8), run.test.labels[:8], draws=11)

    _draw_callback(path, folder, of_held_out)


def trajectories(path, folder):
    """Draws the ways of points from noise: grey where they begin, blue where they end."""
    from matplotlib.figure import Figure

    from tfgen.utils.files import atomic_write

    ways = _model(folder).sample_trajectories(300, seed=0).numpy()
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot(*np.moveaxis(ways, 2, 0), color="0.8", linewidth=0.5)
    axes.scatter(*ways[0].T, s=4, color="0.6", label="noise")
    axes.scatter(*ways[-1].T, s=6, color="C0", label="samples")
    axes.set(aspect="equal")
    axes.legend(loc="upper right")
    axes.set_axis_off()
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=90)


def beside(*generators):
    """Returns a function that draws samples of generators, and of runs, side by side.

    Args:
        *generators: what stands on the left of the runs, as `training.gallery` takes it.
    """

    def draw(path, *folders):
        from training.tools import gallery

        names = [*generators, *(str(each.path) for each in folders)]
        gallery.main([*names, f"--output={path}"])

    return draw


def mosaic(path, gan, conditional, info, translator, vae, points):
    """Draws the picture that README begins with: what six models make."""
    from matplotlib.figure import Figure

    from tfgen.pictures import grid
    from tfgen.utils.files import atomic_write
    from training.runs.plots import show

    figure = Figure(figsize=(12, 7.1), layout="constrained")
    axes = figure.subplots(2, 3).flat
    show(axes[0], grid(_model(gan).sample(100, seed=0), 10), "GAN with R1: samples")
    show(axes[1], grid(_of_each_class(_model(conditional), 10), 10), "conditional GAN: 0 to 9")
    show(axes[2], _codes(_model(info), info), "InfoGAN: a code in each column")
    show(axes[3], _translations(translator), "CycleGAN: sneakers to boots, and back")
    show(axes[4], _reconstructions(vae), "VAE: images above reconstructions")
    _draw_points(axes[5], _model(points))
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=90)


def _draw_callback(path, folder, make):
    """Draws what a callback, made of a run, draws during training, twice as large."""
    from tfgen.pictures import write_png
    from training.runs.run import read_run

    run = read_run(folder)
    callback = make(run)
    callback.set_model(run.model)
    write_png(path, np.repeat(np.repeat(callback.render(), 2, axis=0), 2, axis=1))


def _model(folder):
    import tfgen

    return tfgen.load(folder.model)


def _of_each_class(model, count):
    """Returns `count` samples of each class, class by class, of the same latents."""
    classes = range(model.num_classes)
    return np.concatenate([model.sample(count, seed=0, labels=[each] * count) for each in classes])


def _codes(model, folder):
    import tfgen

    traversal = tfgen.callbacks.CodeTraversal(folder.path)
    traversal.set_model(model)
    return traversal.render()


def _translations(folder):
    from tfgen.pictures import translation_grid
    from training.runs.run import read_run

    run = read_run(folder)
    there, back = run.model.translate_a_to_b, run.model.translate_b_to_a
    return translation_grid(run.test.a.floats(27), there, back, columns=9)


def _reconstructions(folder):
    from tfgen.pictures import reconstruction_grid
    from training.runs.run import read_run

    run = read_run(folder)
    return reconstruction_grid(run.model, run.test.floats(50), columns=10)


def _draw_points(axes, model):
    axes.scatter(*model.sample(2500, seed=0).numpy().T, s=3)
    axes.set(title="GAN with R1: 25 modes of the plane", aspect="equal")
    axes.set_axis_off()


def _write_grid(path, images, magnified=2):
    from tfgen.pictures import grid, write_png

    pixels = np.repeat(grid(images, _COLUMNS), magnified, axis=0)
    write_png(path, np.repeat(pixels, magnified, axis=1))
