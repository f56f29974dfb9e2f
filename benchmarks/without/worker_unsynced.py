"""A worker that syncs nothing."""

import sys

from benchmarks.without.switches import leave_out_fsync
from imagelane.workers.local import main

if __name__ == "__main__":
    leave_out_fsync()
    main(sys.argv[1:])
