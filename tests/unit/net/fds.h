/* How many descriptors this process has open: a test that leaves one behind leaks it. */
#ifndef MOONGATE_TESTS_FDS_H
#define MOONGATE_TESTS_FDS_H

#include <dirent.h>

static inline int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;
    while (dir && readdir(dir))
        count++;
    if (dir) closedir(dir);
    return count;
}

#endif
