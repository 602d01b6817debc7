"""A few labelled pairs and many blurred photos that nobody has a sharp version of (lesson 09)."""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from kdsharp.checks import check_positive
from kdsharp.datasets.crops import Crops


class FewLabels(Dataset):
    """Batches whose first images are crops of a few labelled pairs, and whose others have no label.

    Batch ``i`` is a function of ``(seed, i)`` alone, as in :class:`Crops`.

    Args:
        blurred, sharp: the labelled pairs, two (N, 3, S, S) in [0, 1].
        unlabelled: gives the others; their sharp versions are thrown away.
        seed: of the labelled crops.

    Indexing gives the blurred images (2 B, 3, size, size) and the sharp versions of the first B of them, with B and
    size as in ``unlabelled``.
    """

    def __init__(self, blurred: Tensor, sharp: Tensor, unlabelled: Crops, seed: int = 0) -> None:
        check_positive(blurred.shape[-1] - unlabelled.size + 1, "side of the labelled pairs beyond a crop")
        self.pairs = torch.stack([blurred, sharp], 1)  # (N, 2, 3, S, S)
        self.unlabelled, self.seed = unlabelled, seed

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, step, 1])
        size, side = self.unlabelled.size, self.pairs.shape[-1]
        crops = []
        for index in rng.integers(len(self.pairs), size=self.unlabelled.batch):
            top, left = rng.integers(side - size + 1, size=2)
            crop = self.pairs[index, ..., top : top + size, left : left + size].rot90(int(rng.integers(4)), (-2, -1))
            crops.append(crop.flip(-1) if rng.random() < 0.5 else crop)
        blurred, sharp = torch.stack(crops, 1)
        return torch.cat([blurred, self.unlabelled[step][0]]).contiguous(), sharp.contiguous()


class BesideUnlabelled(Dataset):
    """Batches whose first images are labelled crops drawn afresh, and whose others have no label: :class:`FewLabels`
    with a label for every photo.

    Args:
        labelled, unlabelled: two :class:`Crops`, of different seeds; the sharp versions of the second are thrown away.

    Indexing gives the blurred images of both and the sharp versions of the first.
    """

    def __init__(self, labelled: Crops, unlabelled: Crops) -> None:
        self.labelled, self.unlabelled = labelled, unlabelled

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        blurred, sharp = self.labelled[step]
        return torch.cat([blurred, self.unlabelled[step][0]]).contiguous(), sharp
