"""What imagelane is measured against, and how: ``python -m benchmarks`` writes RESULTS.md."""
