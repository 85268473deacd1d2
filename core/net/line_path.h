/*
 * Unix sockets at paths of any length: the address has room for 107 bytes, so longer ones go through their directory's
 * descriptor in /proc. Both return a descriptor, or -1.
 */
#ifndef MOONGATE_NET_LINE_PATH_H
#define MOONGATE_NET_LINE_PATH_H

#include "base/fault.h"

/* Listens; the socket's file has mode 0600 from its first moment; close-on-exec, non-blocking. One that is there and at
 * which nobody listens goes; anything else at the path is left alone, and *why says so. */
int line_path_listen(const char *path, int backlog, struct fault *why);
/* Blocking for at most timeout_ms (then EAGAIN), close-on-exec; the socket itself stays blocking. errno says why. */
int line_path_connect(const char *path, unsigned timeout_ms);

#endif
