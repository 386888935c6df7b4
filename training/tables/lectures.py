"""The table of what the lectures' recipes reach."""

import statistics

from training.tables.cells import duration, table

_DEMO = ("vae_demo", "gan_lecture", "cgan_lecture", "infogan_lecture", "infogan_demo")
_SCORES = {"pixels_frechet_distance": "Frechet distance", "one_nn": "1-NN score"}
_MEASURED = {
    "modes": "{:.0f} of 4 modes",
    "agreement": "{:.0%} of samples are of the class asked for",
    "code_error": "{:.0%} of held-out points are read wrongly",
}


def lecture_scores(read):
    """Scores of the lectures' recipes on their demonstration data, and of the data themselves.

    Args:
        read: a function from a file's name to what it holds.
    """
    scored = {each["generator"]: each for each in read("lecture_demo.json")["results"]}
    rows = []
    for recipe in _DEMO:
        recorded = read(f"recipe_{recipe}.json")
        besides = _in_words(recorded["measured"]), duration(recorded["training"]["seconds"])
        rows.append([f"`{recipe}`", *_values(scored[recipe]), *besides])
    rows.append(["training points", *_values(scored["demo@train"]), "", ""])
    return table(["samples of", *_SCORES.values(), "measured besides", "training"], rows)


def _values(result):
    """Returns the scores of a result, each with its deviation over the seeds."""
    scores = {each["name"]: each for each in result["scores"]}
    return [
        f"{scores[name]['value']:.2g} ± {statistics.stdev(scores[name]['values']):.1g}"
        for name in _SCORES
    ]


def _in_words(measured):
    return "; ".join(
        form.format(measured[name]) for name, form in _MEASURED.items() if name in measured
    )
