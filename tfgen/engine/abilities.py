"""What a model can do, declared once, where the model is.

A model lists its abilities in `abilities`. Callbacks, summaries, reports, scores, exports and the
explorer ask for them here, and never for a class or a method. So a new model is drawn, scored and
served by what it can do.
"""

# What each ability promises. `images` may be vectors everywhere.
ABILITIES = {
    "sample": "make new examples, `sample(count, seed=None)`",
    "choose_labels": "make examples of given labels, `sample(count, seed, labels=labels)`",
    "choose_codes": "make examples of given codes, `sample(count, seed, codes=codes)`, of `codes`",
    "generate": "make examples of latents of `prior`, `generate(latents)`, `generate_paths(paths)`",
    "encode": "encode images, `encode(images)`, into a distribution of latents",
    "latent_density": "tell the density of latents, `encode(images).log_prob(latents)`",
    "reconstruct": "reconstruct images, `reconstruct(images)`",
    "translate": "translate images, `translate_a_to_b(images)`, `translate_b_to_a(images)`",
    "recognize": "recognize codes in images, `recognize(images)`",
    "discriminate": "tell real from fake by one network, `discriminator`",
    "bound": "bound the log-likelihood of images, `elbo(images)`",
    "log_likelihood": "tell the log-likelihood of images, `log_likelihood(images)`",
    "exact_likelihood": "tell the log-likelihood of images exactly, `log_likelihood(images)`",
    "importance_sampling": "estimate it by latents, `log_likelihood(images, samples=5000)`",
    "classify": "tell how probable labels are, `label_probabilities(images)`",
    "impute": "draw what is missing in images, `impute(images, mask, seed=None)`",
    "impute_in_order": "tell where draws of what is missing are exact, `imputes_exactly(...)`",
    "sample_trajectories": "show examples on their way from noise, `sample_trajectories(count)`",
    "draw": "draw images of captions, `draw(captions, seed=None)`",
    "redraw": "draw lower layers anew, `redraw(latents, kept, count, seed=None)`",
    "match": "tell which captions fit images, `zero_shot(images, captions)`",
    "average": "make examples by the last weights, not their average, `sample(use_ema=False)`",
}


def abilities_of(model):
    """Returns the abilities that a model declares, a frozenset; of a foreign object, none."""
    return getattr(model, "abilities", frozenset())


def require(model, ability, who):
    """Raises a ValueError unless a model has an ability.

    Args:
        model: a model.
        ability: a key of `ABILITIES`.
        who: what needs it, the beginning of the message, such as "`SampleGrid`".
    """
    found = abilities_of(model)
    if ability in found:
        return
    able = "; ".join(ABILITIES[each] for each in ABILITIES if each in found)
    unknown = (
        f"nothing known. A class of your own declares `abilities = frozenset({{{ability!r}}})`"
    )
    raise ValueError(
        f"{who} needs a model that can {ABILITIES[ability]}. "
        f"Received: a {type(model).__name__}, which can: {able or unknown}."
    )
