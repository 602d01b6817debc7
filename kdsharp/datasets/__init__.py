"""Where pairs come from: bundled photos, dead leaves, folders of pairs, crops (floor 3; lesson 03).

Photos are split by photo, never by crop: two crops of one photo know each other.
"""

from kdsharp.datasets.bundled import SPLITS, Photo, folder_paths, folder_photos, photo_table, photos
from kdsharp.datasets.crops import Crops, PairCrops, SideBySide, training_pictures
from kdsharp.datasets.disk import DiskPictures
from kdsharp.datasets.epochs import Epochs
from kdsharp.datasets.labels import BesideUnlabelled, FewLabels
from kdsharp.datasets.leaves import dead_leaves
from kdsharp.datasets.pairs import PairedFolder, synthetic_pairs, true_psfs
from kdsharp.datasets.weave import woven

__all__ = [
    "SPLITS",
    "BesideUnlabelled",
    "Crops",
    "DiskPictures",
    "Epochs",
    "FewLabels",
    "PairCrops",
    "PairedFolder",
    "Photo",
    "SideBySide",
    "dead_leaves",
    "folder_paths",
    "folder_photos",
    "photo_table",
    "photos",
    "synthetic_pairs",
    "training_pictures",
    "true_psfs",
    "woven",
]
