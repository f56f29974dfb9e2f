"""From what was declared to what is dispatched: the DAG, its rules, and its lowering for a model."""
