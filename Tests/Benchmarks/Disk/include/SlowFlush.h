#ifndef SLOW_FLUSH_H
#define SLOW_FLUSH_H

// Loaded into a server (LD_PRELOAD), this makes each flush to the disk take CLUB_BENCH_FLUSH_US microseconds longer, as it
// does on a disk behind a network or on one that waits for its mirror. Where flushes cost next to nothing, benchmarks of
// commits measure the processor only.

#endif
