"""A fixed set of pairs, seen again and again: what an epoch is (lesson 12)."""

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from kdsharp.checks import UsageError, check_images


class Epochs(Dataset):
    """Batches out of a fixed set of pairs: in each epoch every pair comes once, in an order of its own.

    Batch ``i`` is a function of ``(seed, i)`` alone, as in :class:`Crops`. Unlike there, the same pictures return, so
    that a network can learn them by heart.

    Args:
        blurred, sharp: the pairs, two (N, 3, H, W) in [0, 1].
        batch: pairs a batch; it divides N.
        seed: of the orders.

    Indexing gives two (batch, 3, H, W).
    """

    def __init__(self, blurred: Tensor, sharp: Tensor, batch: int, seed: int = 0) -> None:
        check_images(blurred, sharp)
        if len(blurred) % batch:
            raise UsageError(f"{len(blurred)} pairs do not make whole batches of {batch}")
        self.blurred, self.sharp, self.batch, self.seed = blurred, sharp, batch, seed

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self.blurred) // self.batch

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        epoch, position = divmod(step, len(self))
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.blurred))
        chosen = order[position * self.batch : (position + 1) * self.batch]
        return self.blurred[chosen], self.sharp[chosen]
