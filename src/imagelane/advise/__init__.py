"""How long would it take? Measurements in, predictions and advice out.

A profile is folded from journals, the real scheduler is driven over it under a simulated clock, and
configurations are compared by what comes out. What is found are plain values of `model`.
"""
