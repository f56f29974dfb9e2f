"""What people see of a run: the read model, and its text, HTML and JSON forms.

Everything is read through the journal's port. `clean.visible` stands between any text that came
from outside (names, EXIF, errors) and whatever shows it.
"""
