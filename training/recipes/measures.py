"""What a recipe measures when it is trained, beside its losses: functions of (model, train, test).

Each returns a dict of numbers, for the run's `results.json`.
"""

import dataclasses
import sys

import keras
import numpy as np
from scipy.optimize import linear_sum_assignment

from tfgen import data, evaluation
from tfgen.distributions.codebook import perplexity
from tfgen.evaluation.sampling import to_pixels

_CHUNK = 500


def mode_coverage(gaussians, count=2500):
    """Returns a measure of the modes and of the share of good samples (Srivastava et al., 2017).

    Args:
        gaussians: the `tfgen.data.RoundGaussians` that the data were drawn from.
        count: the number of samples.
    """

    def measure(model, train, test):
        """Measures how many modes have samples, and the share of samples that are near one."""
        samples = model.sample(count, seed=0).numpy()
        coverage = evaluation.mixture_coverage(samples, gaussians.centres, gaussians.deviation)
        return {"modes": coverage.modes, "high_quality": coverage.high_quality}

    return measure


def nearest_modes(model, train, test, count=1000):
    """Measures which modes samples lie at: those of the training points that are nearest to them.

    Where classes can be asked for, they are the modes, and all are asked for alike often.
    """
    labelled = "choose_labels" in model.abilities
    asked = np.arange(count) % model.num_classes if labelled else None
    options = {"labels": asked} if labelled else {}
    samples = model.sample(count, seed=0, **options).numpy()
    indices, distances = evaluation.nearest(samples, train.images)
    modes = train.labels[indices]
    measured = {
        "modes": len(np.unique(modes)),
        "distance": float(distances.mean()),
        "distance_of_data": float(evaluation.nearest(test.images, train.images).distances.mean()),
    }
    return {**measured, "agreement": float(np.mean(modes == asked))} if labelled else measured


def label_agreement(model, train, test, count=10_000):
    """Measures how often a classifier of real images sees the class that was asked for.

    The classifier is that of `tfgen.evaluation.ClassifierFeatures`, trained on `train`; samples are
    rounded to 8 bits, and all classes asked for alike often.
    """
    print("A classifier of the real images is trained once, in some minutes, and kept.", flush=True)
    classifier = evaluation.ClassifierFeatures(train, test, progress=sys.stdout.isatty())
    labels = np.arange(count) % model.num_classes
    seen = []
    for start in range(0, count, _CHUNK):
        asked = labels[start : start + _CHUNK]
        samples, _ = to_pixels(model.sample(len(asked), seed=start, labels=asked).numpy())
        seen.append(classifier.probabilities(samples).argmax(axis=1))
    agreement = np.mean(classifier.classes[np.concatenate(seen)] == labels)
    return {"agreement": float(agreement), "classifier_accuracy": classifier.accuracy}


def code_error(model, train, test):
    """Measures how well InfoGAN's first code classifies real images (Chen et al., 2016, 7.2).

    Each category is matched to a class on the training images, one to one and as well as can be;
    the error is that on the held-out images.
    """
    table = np.zeros([model.codes[0].size, train.labels.max() + 1])
    np.add.at(table, (_categories(model, train), train.labels), 1)
    categories, classes = linear_sum_assignment(table, maximize=True)
    matched = dict(zip(categories.tolist(), classes.tolist(), strict=True))
    found = np.array([matched.get(category, -1) for category in _categories(model, test).tolist()])
    return {"code_error": float(np.mean(found != test.labels))}


def disentanglement(model, train, test, count=10_000):
    """Measures how far each latent stands for one factor, by the five scores of the literature."""
    held_out = test.take(np.arange(min(count, len(test))))
    codes, factors = evaluation.encodings(model, held_out), held_out.labels
    dci = evaluation.dci_scores(codes, factors)
    return {
        "higgins": evaluation.higgins_score(codes, factors),
        "factor_vae": evaluation.factor_vae_score(codes, factors),
        "mutual_information_gap": evaluation.mutual_information_gap(codes, factors),
        **{f"dci_{name}": value for name, value in dci.items()},
        "separated_attribute_predictability": evaluation.separated_attribute_predictability(
            codes, factors
        ),
    }


def classification(model, train, test, samples=20):
    """Measures how often the label of a held-out image is the one that p(y|x) is largest for."""
    held_out = test.binarized().floats()
    parts = [held_out[start : start + _CHUNK] for start in range(0, len(held_out), _CHUNK)]
    told = [model.label_probabilities(part, samples).numpy().argmax(axis=1) for part in parts]
    return {"accuracy": float(np.mean(np.concatenate(told) == test.labels))}


def fault_detection(model, train, test, false_alarms=0.01):
    """Measures which share of a plant's faults is noticed, at one false alarm in a hundred.

    The threshold is chosen on readings of normal operation that neither training nor test has.
    """
    known = model.score(data.plant(5000, seed=2).floats())["error"].numpy()
    threshold = evaluation.novelty_threshold(known, false_alarms)
    errors = model.score(test.floats())["error"].numpy()
    normal = test.labels == data.FAULTS.index("none")
    found = {"false_alarms": float(np.mean(errors[normal] > threshold))}
    for label, fault in enumerate(data.FAULTS[1:], start=1):
        found[f"{fault}_noticed"] = float(np.mean(errors[test.labels == label] > threshold))
    return {**found, "auroc": evaluation.novelty_auroc(errors[normal], errors[~normal])}


def quantization(model, train, test):
    """Measures a VQ-VAE on held-out examples: the error of a value, and how many codes are used."""
    held_out = test.floats()
    parts = [held_out[start : start + _CHUNK] for start in range(0, len(held_out), _CHUNK)]
    codes = np.concatenate([model.codes(part).numpy().ravel() for part in parts])
    shares = np.bincount(codes, minlength=model.codebook.size) / codes.size
    errors = evaluation.reconstruction_errors(model, test)
    return {
        "squared_error_of_a_value": float(errors.mean() / np.prod(held_out.shape[1:])),
        "perplexity": float(perplexity(shares)),
        "codes_used": int(np.count_nonzero(shares)),
    }


def _categories(model, source):
    images = source.floats()
    parts = [images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK)]
    return np.concatenate([model.recognize(part)[0].numpy().argmax(axis=1) for part in parts])


def few_labels(model, train, test, count=100, seeds=5):
    """Measures how well 100 labels suffice to a linear classifier of what a model's encoder gives.

    The means over seeds, which choose the labelled images; beside them those of the same encoder
    with random weights, and of pixels. See `tfgen.evaluation.linear_probe`.
    """
    keras.utils.set_random_seed(0)
    random = keras.models.clone_model(model.encoder)
    features = {
        "learnt": evaluation.ModelFeatures(model.encoder, "learnt"),
        "random": evaluation.ModelFeatures(random, "random"),
        "pixels": evaluation.PixelFeatures(),
    }

    def accuracy(each):
        probes = [evaluation.linear_probe(each, train, test, count, seed) for seed in range(seeds)]
        return float(np.mean([probe.accuracy for probe in probes]))

    return {name: accuracy(each) for name, each in features.items()}


def caption_table(captions):
    """Returns a measure of how often the caption that fits an image best is right.

    Args:
        captions: the `tfgen.data.Captions` that the data's tokens come from.
    """

    def measure(model, train, test):
        """Measures it by kind and as a whole, of combinations seen in training and kept out."""
        said = captions.read(test.labels)
        images = test.floats()
        found = np.concatenate(
            [
                np.argmax(model.zero_shot(images[start : start + _CHUNK], captions.all), axis=1)
                for start in range(0, len(images), _CHUNK)
            ]
        )
        right = captions.kinds_in(captions.all[found]) == captions.kinds_in(said)
        kept_out, table = captions.are_kept_out(said), {}
        for name, rows in (("seen", ~kept_out), ("kept_out", kept_out)):
            for kind, each in zip(captions.choices, right.T, strict=True):
                table[f"{name}_{kind}"] = float(np.mean(each[rows]))
            table[f"{name}_caption"] = float(np.mean(right[rows].all(axis=1)))
        return table

    return measure


def captions_obeyed(captions, draws=50):
    """Returns a measure of how often drawings show what their captions say.

    Args:
        captions: the `tfgen.data.Captions` that the data's tokens come from; the last kind is the
            class of an image, what a classifier tells.
        draws: how many drawings of each caption are judged.
    """

    def measure(model, train, test):
        """Measures it with the prior and without, and of real images, which judges miss, too.

        The class is judged by `tfgen.evaluation.ClassifierFeatures`, all else by the pixels.
        """
        classified = [
            dataclasses.replace(
                source, labels=captions.kinds_in(captions.read(source.labels))[:, -1]
            )
            for source in (train, test)
        ]
        judge = evaluation.ClassifierFeatures(*classified, progress=sys.stdout.isatty())

        def judged(pixels):
            labels = judge.classes[judge.probabilities(pixels).argmax(axis=1)]
            return captions.kinds_of(data.Source(pixels, labels))

        asked = np.repeat(captions.all, draws)
        table = _obeyed("real", captions, captions.read(test.labels), judged(test.images))
        for name, use_prior in (("prior", True), ("no_prior", False)):
            drawn = [
                model.draw(asked[start : start + _CHUNK], seed=start, use_prior=use_prior)
                for start in range(0, len(asked), _CHUNK)
            ]
            pixels, _ = to_pixels(np.concatenate(drawn))
            table |= _obeyed(name, captions, asked, judged(pixels))
        return table

    return measure


def _obeyed(name, captions, asked, seen):
    """Returns the shares of images that show all of what was asked for, a dict."""
    right = (captions.kinds_in(asked) == seen).all(axis=1)
    kept_out = captions.are_kept_out(asked)
    return {
        f"{name}_seen": float(np.mean(right[~kept_out])),
        f"{name}_kept_out": float(np.mean(right[kept_out])),
    }
