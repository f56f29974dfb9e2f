"""What tests of adapters and of user code are made from: contract suites, fakes that pass them.

The suites need pytest. An adapter's test subclasses a suite and overrides its fixtures.
"""
