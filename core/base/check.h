/*
 * check(): what must be true unless moongate itself has a bug. Aborts in release builds too, naming file, line and
 * condition; a worker that aborts is replaced by the supervisor. Never use it for what a peer can cause.
 */
#ifndef MOONGATE_BASE_CHECK_H
#define MOONGATE_BASE_CHECK_H

#define check(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

_Noreturn void check_failed(const char *condition, const char *file, int line);

#endif
