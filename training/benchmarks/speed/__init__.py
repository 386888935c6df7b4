"""Training measured against the code that one would otherwise write, and against the machine.

`python -m training.benchmark` starts a process for every *way* of doing a *workload*, and asks them
in turn. What counts are ratios within a turn.
"""
