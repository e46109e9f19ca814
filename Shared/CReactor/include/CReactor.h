#ifndef CREACTOR_H
#define CREACTOR_H

// epoll and eventfd, which Swift's Glibc module does not import.
#include <sys/epoll.h>
#include <sys/eventfd.h>

#endif
