"""What a group looks like to the outside, and the step that makes it visible."""
