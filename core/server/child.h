/*
 * Forking one of moongate's own processes: what every child does before its work, so that nothing of the parent leaks.
 *
 *     pid_t pid = child_fork("worker 0", keep, 3);      // 0 in the child: go on as a clean process
 *
 * In the child: every descriptor but stderr and those to keep is closed; HUP, INT and TERM are ignored, because the
 * terminal and `kill 0` reach all processes and only the supervisor decides; no core dumps and no ptrace by others
 * (secrets are in memory). Should the parent be gone without the child noticing the end of its pipe, an alarm ends it
 * after CHILD_ORPHAN_S.
 */
#ifndef MOONGATE_SERVER_CHILD_H
#define MOONGATE_SERVER_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#define CHILD_ORPHAN_S 600

/* `who` is for log lines and the process title, borrowed for ever in the child. -1: errno. */
pid_t child_fork(const char *who, const int *keep, size_t keep_count);
/* For a child that reads no configuration: secrets in environment variables go from its memory and from
 * /proc/PID/environ. The supervisor keeps them: its checkers read the configuration again at each reload. */
void child_forget_environment(void);
/* For a parent and its children alike: nobody else may read this process's memory. */
void child_guard_memory(void);

#endif
