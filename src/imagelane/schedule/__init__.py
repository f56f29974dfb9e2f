"""When: pure decisions. State and reports in, events and orders out.

No clock, no thread, no file and no random number but those handed in, so that the same scheduler
runs for real, recovers after a crash, is tested by simulation and predicts.
"""
