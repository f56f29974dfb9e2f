"""The keys of a pipeline file, section by section, and the values that they stand for.

Short forms are widened before they are checked: ``retry: 5`` is ``retry: {attempts: 5}``.
"""
