"""The later life of what was published: earlier versions, and what is taken away again."""
