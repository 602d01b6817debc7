"""kdsharp: image sharpening and knowledge distillation, one small importable package.

Lesson 00 shows the whole of it; each module names the lesson that explains it.
"""

__version__ = "0.1.0"
