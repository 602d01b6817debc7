"""What runs inside the sandbox, beside a stranger's program; loaded by path, so it imports nothing of kdsharp.

Nothing here is trusted outside: a submission can do to it whatever it likes, and gains an answer that is scored as any
other. :mod:`~kdsharp.labs.inside.runner` executes the notebook, :mod:`~kdsharp.labs.inside.answering` is loaded into
its kernel and answers the questions.
"""
