"""What the graded labs give to those who do them (a lab's *bench*), one module for each lab.

The labs' questions and answers stay in :mod:`kdsharp.labs`, which a submission cannot see while it is marked.
"""
