"""Lesson 00's look at the machine: both kinds of lines, both sentences, and what it looks at."""

from kdsharp import provenance
from kdsharp.checks import UsageError
from kdsharp.course import machine


def broken():
    raise UsageError("not here")


def test_what_fails_becomes_a_line_with_its_remedy_and_the_rest_goes_on(capsys):
    looks = [("disk", broken, "buy one"), ("lamp", lambda: "on", "switch it on"), ("slip", lambda: 1 / 0, "ask")]
    assert machine.check_machine(looks) == 2
    said = capsys.readouterr().out
    assert "FIX  disk: not here\n       -> buy one" in said
    assert "ok   lamp: on" in said
    assert "FIX  slip: division by zero" in said


def test_the_advice_knows_both_cases():
    assert "All is well" in machine.advice(0)
    assert "1 line needs" in machine.advice(1)
    assert "2 lines need" in machine.advice(2)


def test_everything_is_looked_at_and_well_here(capsys, monkeypatch):
    assert {what for what, _, _ in machine.everything()} >= {
        "Python",
        "bundled photos",
        "device",
        "speed",
        *provenance.PACKAGES,
    }
    assert machine.check_machine([look for look in machine.everything() if look[0] != "speed"]) == 0
    assert "network small" in capsys.readouterr().out
    monkeypatch.setattr(machine, "SLOW", 0)
    assert machine.check_machine([look for look in machine.everything() if look[0] == "speed"]) == 1
    assert "far slower than it should be" in capsys.readouterr().out
