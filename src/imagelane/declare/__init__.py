"""What is to be done, as a user says it: YAML and Python fronts over one model, checked as one."""
