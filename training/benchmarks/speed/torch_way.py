"""The ways that run on PyTorch: eager, `channels_last`, images gathered whole batches at a time.

On a GPU the images lie in its memory, and float32 is multiplied in TF32 as TensorFlow does it.
"""

import functools

import torch

from training.benchmarks.speed import torch_networks
from training.benchmarks.speed.tasks import SAMPLES, Task


def torch_way(workload, half, shared):
    """PyTorch's own loop.

    Args:
        workload: a `Workload`.
        half: whether networks run in bfloat16, by `autocast`.
        shared: whether both players of a GAN learn from one pass of the generator.
    """
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")
    torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")
    build = getattr(torch_networks, workload.torch_networks)
    networks = torch_networks.channels_last(build())
    step = workload.torch(networks, half, shared)
    batches = forever(workload.arrays(), workload.batch_size)

    def train(steps):
        for _ in range(steps):
            step(*next(batches))
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    def repeat(draw, calls):
        for network in networks:
            network.eval()
        with torch.inference_mode():
            for _ in range(calls):
                draw(SAMPLES).cpu().numpy()
        for network in networks:
            network.train()

    draws = {
        name: Task(functools.partial(repeat, draw), examples=SAMPLES)
        for name, draw in workload.torch_draws(step).items()
    }
    return {"train": Task(train, workload.cycle), **draws}


def forever(arrays, batch_size):
    """Yields tuples of float batches in NCHW, shuffled anew at every pass over the shortest array.

    Args:
        arrays: a list of uint8 images `[count, height, width, channels]`.
        batch_size: the images of each in a batch.
    """
    images = [torch.tensor(array).float() / 255 for array in arrays]
    while True:
        orders = [torch.randperm(len(each)).split(batch_size) for each in images]
        for rows in zip(*orders, strict=False):
            if len(rows[0]) == batch_size:
                yield tuple(
                    each[row].permute(0, 3, 1, 2) for each, row in zip(images, rows, strict=True)
                )
