#define _GNU_SOURCE
#include "SlowFlush.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long microseconds;

__attribute__((constructor)) static void read_microseconds(void) {
    const char *text = getenv("CLUB_BENCH_FLUSH_US");
    if (text != NULL) microseconds = strtol(text, NULL, 10);
}

static void wait_for_the_disk(void) {
    struct timespec rest = {.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000};
    while (microseconds > 0 && clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) != 0) continue;
}

int fdatasync(int file) {
    wait_for_the_disk();
    return (int)syscall(SYS_fdatasync, file);
}

int fsync(int file) {
    wait_for_the_disk();
    return (int)syscall(SYS_fsync, file);
}
