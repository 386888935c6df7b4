"""A run's pictures: each model is drawn by what it declares, and by nothing else."""

import types

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.strangers import Stranger
from tfgen import callbacks
from tfgen.data import Domains, Source
from training.runs.fitting import pictures
from training.runs.plots import draw_curves, scatter
from training.runs.run import Run
from training.runs.run_folder import RunFolder
from training.runs.summary import panels_of, write_summary

LOG = "epoch,loss,val_loss\n0,2.0,3.0\n"


def run_of(model, folder, shape=(4, 4, 1), in_steps=True):
    """A run of a model, as far as its pictures look at it."""
    random = np.random.default_rng(0)
    data = Source(random.random([30, *shape], np.float32), np.arange(30) % 3)
    if "translate" in model.abilities:
        data = Domains(data, data)
    folder = RunFolder(folder)
    folder.log.write_text(LOG)
    recipe = types.SimpleNamespace(in_steps=in_steps, measure=None)
    settings = {"epochs": 1, "steps_per_epoch": 1000}
    return Run(model, recipe, settings, {}, data, data, folder)


STRANGERS = {
    ("sample",): ([callbacks.SampleGrid], ["losses", "samples", "data", "neighbours"]),
    ("reconstruct",): ([callbacks.ReconstructionGrid], ["losses", "reconstructions"]),
    ("translate",): ([callbacks.TranslationGrid], ["losses", "a_to_b", "b_to_a", "learnt_a_to_b"]),
    ("encode",): ([], ["losses", *["latents"] * 3]),
    ("sample", "encode", "reconstruct"): (
        [callbacks.SampleGrid, callbacks.ReconstructionGrid],
        ["losses", "samples", "reconstructions", *["latents"] * 3],
    ),
    (): ([], ["losses"]),
}


def name_of(panel):
    return getattr(panel, "func", panel).__name__.lstrip("_")  # of latents, it knows its method


@pytest.mark.parametrize(
    "able",
    [
        each if "encode" not in each else pytest.param(each, marks=pytest.mark.slow)
        for each in STRANGERS
    ],
)
def test_a_stranger_is_drawn_by_what_it_can_do(able, tmp_path):
    run, (drawn, panels) = run_of(Stranger(*able), tmp_path), STRANGERS[able]
    assert [type(each) for each in pictures(run)] == drawn
    assert [name_of(panel) for panel in panels_of(run)] == panels
    for callback in pictures(run):
        callback.set_model(run.model)
        callback.on_train_begin()
    write_summary(run)
    with Image.open(run.folder.summary) as image:
        assert min(image.size) > 300


def test_vectors_are_drawn_as_points_and_leave_no_quarter_blank(tmp_path):
    run = run_of(Stranger("sample", shape=(5,)), tmp_path, shape=(5,))
    assert [type(each) for each in pictures(run)] == [callbacks.SampleGrid]
    names = [name_of(panel) for panel in panels_of(run)]
    assert names == ["losses", "points", "sample_points"]
    write_summary(run)
    pixels = np.asarray(Image.open(run.folder.summary).convert("L"))
    thirds = np.array_split(pixels, 3, axis=1)
    assert pixels.shape[1] > 3 * pixels.shape[0]  # side by side
    assert all((part < 255).mean() > 0.01 for part in thirds)


def test_a_model_without_steps_shows_how_likely_the_data_are(tmp_path):
    model = Stranger("sample", "log_likelihood")
    names = [panel.__name__ for panel in panels_of(run_of(model, tmp_path, in_steps=False))]
    assert names[0] == "_likelihoods"
    names = [panel.__name__ for panel in panels_of(run_of(model, tmp_path))]
    assert names[0] == "_losses"


# --- Curves


def drawn(log, folder):
    (folder / "log.csv").write_text(log)
    axes = Figure(layout="constrained").subplots()
    draw_curves(axes, folder / "log.csv")
    return axes


def test_the_losses_of_one_epoch_are_seen(tmp_path):
    axes = drawn(LOG, tmp_path)
    learnt, held_out = axes.lines
    assert (learnt.get_xydata() == [[1, 2]]).all() and (held_out.get_xydata() == [[1, 3]]).all()
    assert learnt.get_marker() == held_out.get_marker() == "o"
    assert learnt.get_markerfacecolor() != held_out.get_markerfacecolor()
    ticks = axes.get_xticks()
    assert (ticks == ticks.astype(int)).all() and 1 in ticks


def test_ticks_are_whole_epochs_and_many_points_have_no_marks(tmp_path):
    lines = [f"{epoch},{1 / (epoch + 1)},NA" for epoch in range(100)]
    lines[9] = "9,0.1,0.2"
    axes = drawn("\n".join(["epoch,loss,val_loss", *lines]), tmp_path)
    ticks = axes.get_xticks()
    assert (ticks == ticks.astype(int)).all()
    assert [len(line.get_xydata()) for line in axes.lines] == [100, 1]
    assert axes.lines[0].get_marker() == "None"


def test_all_losses_are_shown_and_small_ones_have_an_axis_of_their_own(tmp_path):
    header = "epoch,divergence,loss,reconstruction,val_divergence,val_loss,val_reconstruction"
    axes = drawn(f"{header}\n0,5,250,245,6,240,234\n1,9,220,211,10,215,205\n", tmp_path)
    left, right = axes.figure.axes
    assert len(left.lines) == 4 and len(right.lines) == 2
    assert right.lines[0].get_ydata().tolist() == [5, 9]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["loss", "divergence (right axis)", "reconstruction", "held out"]
    axes.figure.draw_without_rendering()
    box = axes.get_legend().get_window_extent()
    assert box.y1 < axes.get_window_extent().y0  # below the curves
    assert box.y0 >= 0  # and within the picture


# --- Points


@pytest.mark.parametrize(("classes", "legend"), [(4, True), (20, True), (50, False)])
def test_labels_are_told_by_a_legend_beside_the_points_or_by_a_bar(classes, legend):
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    points = np.random.default_rng(0).normal(size=[200, 2])
    scatter(axes, points, np.arange(200) % classes, "points")
    if not legend:
        assert axes.get_legend() is None and len(figure.axes) == 2
        return
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == [str(label) for label in range(classes)]
    colours = {tuple(each.get_facecolor()[0]) for each in axes.collections}
    assert len(colours) == classes
    figure.draw_without_rendering()
    assert axes.get_legend().get_window_extent().x0 > axes.get_window_extent().x1
