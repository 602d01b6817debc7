"""Questions that mark themselves."""

from collections.abc import Sequence
from typing import Any

from kdsharp.checks import UsageError


def quiz(questions: Sequence[dict[str, Any]]) -> None:
    """Show self-marking multiple-choice questions.

    Args:
        questions: dicts with ``question`` (HTML allowed) and ``answers``: a list of (text, is it right, feedback).
    """
    from jupyterquiz import display_quiz

    display_quiz([_many_choice(each) for each in questions], shuffle_answers=False)


def _many_choice(question: dict[str, Any]) -> dict[str, Any]:
    answers = [{"answer": text, "correct": right, "feedback": why} for text, right, why in question["answers"]]
    if sum(answer["correct"] for answer in answers) != 1:
        raise UsageError(f"a question needs exactly one right answer: {question['question']!r}")
    return {"question": question["question"], "type": "multiple_choice", "answers": answers}
