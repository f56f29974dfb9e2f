"""From what was declared to what is dispatched: the DAG, its rules, its lowering for a model."""
