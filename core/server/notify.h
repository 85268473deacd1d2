/* Tells systemd how the service is (sd_notify protocol, Type=notify): one datagram to NOTIFY_SOCKET, if there is one.
 */
#ifndef MOONGATE_SERVER_NOTIFY_H
#define MOONGATE_SERVER_NOTIFY_H

/* "READY=1\nSTATUS=…". Never fails and never waits. */
void notify_send(const char *state);
/* RELOADING=1 with the time stamp that the protocol wants. */
void notify_reloading(void);

#endif
