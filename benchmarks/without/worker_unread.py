"""A worker that reads nothing back."""

import sys

from benchmarks.without.switches import leave_out_inspection, leave_out_read_back
from imagelane.workers.local import main

if __name__ == "__main__":
    leave_out_read_back()
    leave_out_inspection()
    main(sys.argv[1:])
