"""`python -m imagelane`."""

from imagelane.cli import main

main()
