/*
 * Unix sockets at paths of any length: the address has room for 107 bytes, so longer ones go through their directory's
 * descriptor in /proc. For line_*.c alone. Both return a descriptor, or -1 with errno.
 */
#ifndef MOONGATE_NET_LINE_PATH_H
#define MOONGATE_NET_LINE_PATH_H

/* The socket's file has mode 0600 from its first moment; close-on-exec, non-blocking. */
int line_path_bind(const char *path);
/* Blocking for at most timeout_ms (then EAGAIN), close-on-exec; the socket itself stays blocking. */
int line_path_connect(const char *path, unsigned timeout_ms);

#endif
