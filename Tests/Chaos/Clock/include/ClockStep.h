#ifndef CLOCK_STEP_H
#define CLOCK_STEP_H

// A library to be loaded before all others (LD_PRELOAD): the wall clock of a process, moved by as many microseconds as
// stand in the file that CLUB_CHAOS_CLOCK names: eight bytes in the byte order of the machine, read at every look at the
// clock. So whoever writes the file steps the clock of everybody who has it. The clock that only goes on is left alone,
// as it is when an administrator or an NTP daemon sets the time.

#endif
