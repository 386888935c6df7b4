"""Tables of the documentation, each read from results: see `training.tables.fills`."""

import statistics

from training.tables import speed
from training.tables.cells import duration, machine_of, table
from training.tables.lectures import lecture_scores
from training.tables.of_runs import accuracies, likelihoods, spread
from training.tables.published import LUCIC_FASHION, PUBLISHED


def fid(read, *recipes):
    """Frechet Inception distances of GANs on Fashion-MNIST, beside those of Lucic et al.

    Args:
        read: a function from a file's name to what it holds.
        *recipes: which GANs; all, if none are named.
    """
    rows = []
    for recipe, published in LUCIC_FASHION.items():
        if recipes and recipe not in recipes:
            continue
        results = read(f"fid_{recipe}.json")["results"]
        found = {each["generator"]: f"{each['scores'][0]['value']:.2f}" for each in results}
        rows.append([f"`{recipe}`", found[recipe], found[f"{recipe}:last"], f"{published}"])
    return table(["recipe", "FID", "of the last weights", "Lucic et al."], rows)


def earlier_fid(read):
    """Frechet Inception distances of settings that others took the place of."""
    rows = [
        [f"`{each['recipe']}`", f"{each['fid']:.2f}", each["arithmetic"], f"`{each['code'][:8]}`"]
        for each in read("earlier_fid.json")["earlier_fid"]
    ]
    return table(["recipe", "FID", "arithmetic", "commit of the code"], rows)


def half_precision(read, recipe):
    """Frechet Inception distances of one GAN trained in two precisions, with several seeds."""
    found = {}
    for each in read(f"precision_{recipe}.json")["results"]:
        arithmetic = each["details"]["training"]["settings"]["mixed_precision"] or "float32"
        found.setdefault(arithmetic, []).append(each["scores"][0]["value"])
    rows = [
        [name, f"{statistics.mean(values):.1f}", ", ".join(f"{each:.1f}" for each in values)]
        for name, values in found.items()
    ]
    return table(["arithmetic", "mean FID", "of each seed"], rows)


def likelihood(read, *recipes):
    """The test likelihoods of VAEs of binarized MNIST, each beside that of the paper."""
    rows = []
    for recipe in recipes:
        result, published = read(f"{recipe}.json"), PUBLISHED[recipe, "negative log-likelihood"]
        ours = f"{result['nats']:.2f} ± {result['standard_error']:.2f}"
        rows += [[f"`{recipe}`", ours], [published.source, published.figure]]
    return table(["VAE", "negative log-likelihood, nats an image"], rows)


def seed_likelihood(read, *recipes):
    """The test likelihoods of models trained with several seeds: means and deviations."""
    rows = [[f"`{each}`", likelihoods(read(f"seeds_{each}.json")["seeds"])] for each in recipes]
    return table(["recipe", "negative log-likelihood, nats an image"], rows)


def spheres(read):
    """The test likelihoods of VAEs on a sphere and of normal ones: means and deviations."""
    recipes = {size: [f"{kind}_vae_{size}_mnist" for kind in ("s", "n")] for size in (5, 10)}
    rows = [
        [str(size), *(likelihoods(read(f"seeds_{each}.json")["seeds"]) for each in both)]
        for size, both in recipes.items()
    ]
    return table(["dimensions", "on a sphere", "normal"], rows)


def sprites(read, *recipes):
    """Scores of disentanglement of models of sprites: means and deviations over seeds."""
    scores = {
        "higgins": "Higgins",
        "factor_vae": "FactorVAE",
        "mutual_information_gap": "MIG",
        "dci_disentanglement": "DCI",
        "separated_attribute_predictability": "SAP",
    }
    rows = []
    for recipe in recipes:
        runs = read(f"seeds_{recipe}.json")["seeds"]
        rows.append([f"`{recipe}`", *(spread(runs, key) for key in scores)])
    return table(["recipe", *scores.values()], rows)


def pretraining(read):
    """Accuracies of classifiers of few labels, by what their layers began with."""
    return accuracies(read("pretraining_mnist.json"))


def densities(read):
    """Scores of classical densities and of a VAE on Fashion-MNIST, and of real images."""
    names = {
        "classifier_frechet_distance": "Frechet distance",
        "precision": "precision",
        "recall": "recall",
        "one_nn": "nearest neighbour score",
    }
    rows = []
    for result in read("classical_fashion_mnist.json")["results"]:
        scores = {each["name"]: each for each in result["scores"]}
        cells = [
            f"{scores[name]['value']:.3g} ± {statistics.stdev(scores[name]['values']):.1g}"
            for name in names
        ]
        rows.append([_trained_as(result), *cells])
    return table(["samples of", *names.values()], rows)


def _trained_as(result):
    """Returns the recipe of a scored generator; of real examples, that they are."""
    training = result["details"].get("training")
    return f"`{training['settings']['recipe']}`" if training else "training images"


def training_time(read):
    """How long recipes took on two cores, beside whatever else the machine was doing."""
    rows = {}
    for name in _RECORDED:
        result = read(f"{name}.json")
        # Where samples were scored, the training stands with each generator's details.
        scored = [each["details"] for each in result.get("results", [])]
        for details in scored or [result]:
            if "training" in details:
                seconds, *row = _time_of(details)
                rows[row[0]] = (seconds, row)
    head = ["recipe", "data", "epochs", "arithmetic", "time", "two cores of"]
    return table(head, [row for _, row in sorted(rows.values())])


def _time_of(details):
    settings, seconds = details["training"]["settings"], details["training"]["seconds"]
    return (
        seconds,
        f"`{settings['recipe']}`",
        f"`{settings['data']}`",
        str(settings["epochs"]),
        settings["mixed_precision"] or "float32",
        duration(seconds),
        details["machine"]["processor"].replace("(R)", "").removesuffix(" Processor"),
    )


_RECORDED = (
    "classical_fashion_mnist",
    "vae_mnist",
    *(f"fid_{recipe}" for recipe in LUCIC_FASHION),
    *(
        f"recipe_{recipe}"
        for recipe in (
            "ns_gan_grid",
            "r1_gan_grid",
            "cgan_mnist",
            "infogan_mnist",
            "cyclegan_fashion",
            "cyclegan_64",
            "vae_conv_lecture",
            "cyclegan_lecture",
            "dcgan_lecture",
        )
    ),
)


def training_speed(read):
    """How many times as fast as plain Keras in float32 a step of training is."""
    head = ["steps of", "tfgen", "tfgen, bfloat16", "PyTorch", "PyTorch, bfloat16"]
    return table(head, speed.readme_rows(read("benchmark_speed.json")))


def evaluation_speed(read):
    """How many times as fast as usual libraries scores are."""
    rows = [
        [what, each["theirs"], f"{statistics.median(each['ratios']):.1f}"]
        for what, each in read("benchmark_evaluation.json")["evaluation_benchmark"].items()
    ]
    return table(["what", "the usual way", "times as fast"], rows)


def server_speed(read):
    """How many requests a second the server answers, one image of a DCGAN each."""
    result = read("benchmark_serving.json")
    rates = {
        (each["server"], each["protocol"], each["clients"]): statistics.median(
            turn["rate"] for turn in each["turns"]
        )
        for each in result["serving"]
    }
    asked = ("batched", 1), ("batched", 64), ("unbatched", 64)
    rows = [
        [name, *(f"{rates[server, protocol, clients]:,.0f}" for server, clients in asked)]
        for protocol, name in (("rest", "REST"), ("grpc", "gRPC"))
    ]
    head = [f"requests/s, {machine_of(result)}", "1 client", "64 clients", "64, one by one"]
    return table(head, rows)


def faults(read):
    """What was done to small runs, what is promised then, and whether it was kept."""
    rows = [
        [each["fault"], each["promise"], str(each["tried"]), str(each["kept"])]
        for each in read("faults.json")["faults"]
    ]
    return table(["fault", "promise", "times tried", "times kept"], rows)


def layouts(read):
    """How far any weight is from that of one replica, on two and four replicas or two workers."""
    rows = []
    for recipe, row in read("layouts.json")["layouts"].items():
        others = [row[name] for name in ("two replicas", "four replicas", "two workers")]
        farthest = [f"{max(each[steps] for each in others):.0e}" for steps in ("1", "10")]
        rows.append([f"`{recipe}`", f"{row['moved']['1']:.0e}", *farthest])
    head = ["recipe", "a step moves by", "apart after 1 step", "apart after 10 steps"]
    return table(head, rows)


def modes(read):
    """How many modes GANs find in the plane, and the share of their samples near one."""
    rows = []
    for recipe in ("ns_gan_ring", "r1_gan_ring", "ns_gan_grid", "r1_gan_grid"):
        measured = read(f"recipe_{recipe}.json")["measured"]
        of = 8 if recipe.endswith("ring") else 25
        found = f"{measured['modes']:.0f} of {of}"
        rows.append([f"`{recipe}`", found, f"{measured['high_quality']:.1%}"])
    return table(["recipe", "modes found", "samples within three deviations of one"], rows)


def probe(read):
    """How well a linear classifier does on the features of InfoGAN's discriminator."""
    result = read("probe_infogan_mnist.json")["probe"]
    counts = list(next(iter(result.values())))
    rows = [
        [features, *(f"{probes[count]['accuracy']:.1%}" for count in counts)]
        for features, probes in result.items()
    ]
    return table(["features", *(f"{int(count):,} labels" for count in counts)], rows)


def sampling_speed(read):
    """How many times as many images a second `sample` makes as a Keras generator that is called."""
    rows = []
    for workload, measured in read("benchmark_speed.json")["speed"].items():
        found = {
            row["dtype"]: f"{statistics.median(row['times_keras']):.1f}"
            for row in measured["besides"]
            if (row["task"], row["way"]) == ("sample", "tfgen")
        }
        rows.append([workload, found["float32"], found["bfloat16"]])
    return table(["samples of", "float32", "bfloat16"], rows)


def scaling(read):
    """How many times as fast two workers on a core each are as one process on one core."""
    rows = [
        [workload, f"{statistics.median(each['ratios']):.2f}"]
        for workload, each in read("benchmark_scaling.json")["scaling"].items()
    ]
    return table(["steps of", "times as fast"], rows)


TABLES = {
    "densities": densities,
    "earlier_fid": earlier_fid,
    "evaluation_speed": evaluation_speed,
    "faults": faults,
    "fid": fid,
    "half_precision": half_precision,
    "layouts": layouts,
    "lecture_scores": lecture_scores,
    "likelihood": likelihood,
    "modes": modes,
    "pretraining": pretraining,
    "probe": probe,
    "sampling_speed": sampling_speed,
    "scaling": scaling,
    "seed_likelihood": seed_likelihood,
    "server_speed": server_speed,
    "spheres": spheres,
    "sprites": sprites,
    "training_speed": training_speed,
    "training_time": training_time,
}
