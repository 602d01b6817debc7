"""What a lesson needs besides the science (floor 7).

The floor plan. What a lesson calls: predictions that lock (:mod:`~kdsharp.course.predicting`; in a
graded lab :mod:`~kdsharp.course.committing`), checks that name the
misconception (:mod:`~kdsharp.course.checking`), questions that mark themselves (:mod:`~kdsharp.course.quizzes`), what
she did (:mod:`~kdsharp.course.kept`), what a run says and records (:mod:`~kdsharp.course.telling`), the words that a
number chooses (:mod:`~kdsharp.course.verdicts`), the look at the machine (:mod:`~kdsharp.course.machine`), a
blind test of pictures (:mod:`~kdsharp.course.eyes`, with its :mod:`~kdsharp.course.rounds`). What serves learner and
lecturer: which lessons there are (:mod:`~kdsharp.course.lessons`), copies of them (:mod:`~kdsharp.course.editions`),
and the instructor's table (:mod:`~kdsharp.course.guide`).
"""

from kdsharp.course.checking import NotYet, expect, passed
from kdsharp.course.committing import Commitment, commit
from kdsharp.course.kept import ledger
from kdsharp.course.lessons import find_lesson, lessons, tags
from kdsharp.course.predicting import Folded, Guess, predict
from kdsharp.course.quizzes import quiz
from kdsharp.course.telling import RESULT, collect_results, finish, record, say

__all__ = [
    "RESULT",
    "Commitment",
    "Folded",
    "Guess",
    "NotYet",
    "collect_results",
    "commit",
    "expect",
    "find_lesson",
    "finish",
    "ledger",
    "lessons",
    "passed",
    "predict",
    "quiz",
    "record",
    "say",
    "tags",
]
