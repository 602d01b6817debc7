"""Figures of the course (floor 6): every one has alt text, pixels at an integer zoom, and units on its axes.

``show(figure, caption, alt)`` displays a figure with a caption and alt text, in JupyterLab and in the book alike.
"""

from kdsharp.plots import networks
from kdsharp.plots.charts import COLOURS, DASHES, bars, curves, pareto, scatter
from kdsharp.plots.figure import DPI, WIDTH, Picture, figure, quickly, show, webp
from kdsharp.plots.pictures import beside, charts_and_squares, crop, maps, panels, score, spectra, spectrum_pixels

__all__ = [
    "COLOURS",
    "DASHES",
    "DPI",
    "WIDTH",
    "Picture",
    "bars",
    "beside",
    "charts_and_squares",
    "crop",
    "curves",
    "figure",
    "maps",
    "networks",
    "panels",
    "pareto",
    "quickly",
    "scatter",
    "score",
    "show",
    "spectra",
    "spectrum_pixels",
    "webp",
]
