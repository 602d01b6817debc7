"""The sentence about schedules: every word that the numbers can choose."""

from kdsharp.explore.training import schedule_sentence, schedule_winner


def test_seeds_that_agree_name_a_winner_and_a_loser():
    runs = {"constant": [[20, 25.0], [21, 25.1]], "cosine": [[20, 27.0], [20, 27.1]], "steep": [[24, 22.0], [24, 22.1]]}
    said = schedule_sentence(runs)
    assert said.startswith("2 seeds: *constant* ends at 25.05 ± ")
    assert "*cosine* +2.00 ± 0.00 dB, **better**" in said
    assert "*steep* -3.00 ± 0.00 dB, **worse**" in said


def test_seeds_that_disagree_show_nothing():
    said = schedule_sentence({"constant": [[20, 25.0], [20, 25.0]], "cosine": [[20, 24.0], [20, 26.5]]})
    assert "**no difference shown**" in said


def test_a_fall_after_the_best_score_is_told():
    assert "(at most 3.50 dB below its own best)" in schedule_sentence(
        {"constant": [[20, 28.5, 25.0], [20, 25.0, 26.0]]}
    )


def test_a_winner_needs_every_interval():
    sure = {"constant": [[25.0], [25.1]], "cosine": [[27.0], [27.1]]}
    assert schedule_winner(sure) == "cosine"
    assert schedule_winner(sure | {"averaged": [[26.0], [28.0]]}) is None
