"""What holds a worker that decodes: one file a layer, and `contain`, which puts them together."""
