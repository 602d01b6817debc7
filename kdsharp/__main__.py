"""``python -m kdsharp``: the same as the ``kdsharp`` command."""

from kdsharp.cli import main

main()
