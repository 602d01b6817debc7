"""Ctrl-C that waits: for the end of a block, or for a loop that looks."""

import signal
import threading

import pytest

from kdsharp.interrupts import stop_flag, whole


def press():
    signal.raise_signal(signal.SIGINT)


def pressed_in_a_block(times):
    """What a whole block has done, in which Ctrl-C was pressed so often."""
    done = []

    def work():
        with whole():
            for _ in range(times):
                press()
            done.append("the rest of the block")

    with pytest.raises(KeyboardInterrupt):
        work()
    return done


def test_a_whole_block_ends_before_ctrl_c_is_answered():
    assert pressed_in_a_block(1) == ["the rest of the block"]
    with pytest.raises(KeyboardInterrupt):
        press()


def test_the_second_ctrl_c_stops_a_block_at_once():
    assert not pressed_in_a_block(2)


def test_whole_blocks_inside_one_another_stop_at_the_first_end():
    outer = []

    def work():
        with whole():
            outer.append(pressed_in_a_block(1))
            press()
            outer.append("the rest of the outer one")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert outer == [["the rest of the block"], "the rest of the outer one"]


def test_an_error_of_the_block_is_the_one_that_is_told():
    def work():
        with whole():
            press()
            raise ValueError("told")

    with pytest.raises(ValueError, match="told"):
        work()


def test_in_another_thread_ctrl_c_stays_as_it_is():
    found = []
    before = signal.getsignal(signal.SIGINT)

    def work():
        with stop_flag() as stopped, whole():
            found.append(stopped())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_flag_is_up_after_the_first():
    with stop_flag() as stopped:
        assert not stopped()
        press()
        assert stopped()
