"""One file a rule. A rule takes a draft and gives a draft; the order stands in `plan.optimizer`."""
