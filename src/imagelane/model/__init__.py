"""The words that all phases share: frozen values of the standard library, no behaviour beyond them.

Nothing here reads a clock, a file or a random number. `run.evolve` is the only fold.
"""
